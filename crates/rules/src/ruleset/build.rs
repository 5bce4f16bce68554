//! Specifications into rules.

use crate::rule::RuleProblem;
use crate::{Action, Expression, Market, Offer, PriceError, PriceSpec, Rule, RuleError, RuleSpec};
use std::collections::HashSet;
use x402::{Scheme, Terms};

/// Every rule, or everything that is wrong with any.
pub(super) fn rules(specs: Vec<RuleSpec>, market: &Market) -> Result<Vec<Rule>, Vec<RuleError>> {
    let mut ids = HashSet::new();
    let (mut rules, mut errors) = (Vec::with_capacity(specs.len()), Vec::new());
    for (index, spec) in specs.into_iter().enumerate() {
        let id = spec.id.clone().unwrap_or_else(|| format!("rule-{}", index + 1));
        let mut problems = Vec::new();
        if !ids.insert(id.clone()) {
            problems.push(("id", RuleProblem::DuplicateId));
        }
        let rule = rule(id.clone(), spec, market, &mut problems);
        errors.extend(problems.into_iter().map(|(key, problem)| RuleError { index, id: id.clone(), key, problem }));
        rules.push(rule);
    }
    if errors.is_empty() { Ok(rules) } else { Err(errors) }
}

fn rule(id: String, spec: RuleSpec, market: &Market, problems: &mut Vec<(&'static str, RuleProblem)>) -> Rule {
    if spec.id.as_ref().is_some_and(|id| id.is_empty() || id.len() > 100 || id.chars().any(char::is_control)) {
        problems.push(("id", RuleProblem::Value("an id has 1 to 100 printable characters")));
    }
    if spec.quote_for == 0 {
        problems.push(("quote_for", RuleProblem::Value("an offer must be good for a second at least")));
    }
    let when = spec.when.as_deref().and_then(|when| note(Expression::parse(when), "when", problems));
    let offers = match (spec.action, &spec.price) {
        (Action::Charge, Some(price)) => note(offers(price, market), "price", problems).unwrap_or_default(),
        (Action::Charge, None) => {
            problems.push(("price", RuleProblem::PriceMissing));
            Vec::new()
        }
        (_, Some(_)) => {
            problems.push(("price", RuleProblem::PriceUnused));
            Vec::new()
        }
        (_, None) => Vec::new(),
    };
    Rule::new(id, when, offers, market.settle, spec)
}

fn note<T, E: Into<RuleProblem>>(result: Result<T, E>, key: &'static str, problems: &mut Vec<(&'static str, RuleProblem)>) -> Option<T> {
    result.map_err(|error| problems.push((key, error.into()))).ok()
}

/// One offer for every asset that the price can be paid with.
fn offers(price: &PriceSpec, market: &Market) -> Result<Vec<Offer>, PriceError> {
    let mut offers = Vec::new();
    for asset in &market.assets {
        if let Some(amount) = price.units(asset)? {
            let terms = Terms {
                scheme: Scheme::Exact,
                asset: asset.id.clone(),
                pay_to: market.pay_to,
                amount,
                max_timeout_seconds: market.timeout,
            };
            offers.push(Offer::new(terms, asset.clone()));
        }
    }
    match price {
        PriceSpec::Units { asset, .. } if offers.is_empty() => Err(PriceError::UnknownAsset(asset.clone())),
        _ => Ok(offers),
    }
}
