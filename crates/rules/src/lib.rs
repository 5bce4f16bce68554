//! What costs what: the rules language, the rule set, offers and signed quotes. No I/O; the time is an argument.
//!
//! A rule's `when` is an expression of the Cloudflare rules language ([`lang`]), checked and compiled when it is loaded.
//! A [`RuleSet`] is immutable and shared: it decides a request's [`Facts`] in rule order, first match wins. A charging
//! [`Rule`] has one [`Offer`] for every asset it may be paid with; [`Quotes`] signs what an offer promised, and [`price`]
//! finds the terms that a payment must meet.

#[cfg(test)]
mod fixture;
pub mod lang;
mod offer;
mod price;
mod quote;
mod rule;
mod ruleset;

pub use lang::{Expression, Facts, Head, LangError};
pub use offer::Offer;
pub use price::{PriceError, PriceSpec};
pub use quote::{Promise, Quote, QuoteError, Quotes, price};
pub use rule::{Action, Market, Rule, RuleError, RuleProblem, RuleSpec, SettleWhen, Unmatched};
pub use ruleset::{Decision, Explanation, RuleSet, Tried, Verdict, Warning};
