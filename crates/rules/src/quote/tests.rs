#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::fixture::{NOW, build, market, spec};
use crate::{PriceSpec, RuleSpec};
use proptest::prelude::*;
use serde_json::{Map, Value};
use x402::{B256, Bytes, ExactPayload, PaymentRequirements, Version};

fn quotes() -> Quotes {
    Quotes::new([7; 32])
}

fn rules() -> RuleSet {
    build(vec![spec("a", "ssl", "$0.01"), spec("b", "", "$0.02")])
}

/// A payment of `terms`, echoing `accepted`.
fn payment(terms: &Terms, accepted: Option<PaymentRequirements>) -> PaymentPayload {
    let authorization = Authorization {
        from: Address::repeat_byte(1),
        to: terms.pay_to,
        value: terms.amount,
        valid_after: U256::ZERO,
        valid_before: U256::MAX,
        nonce: B256::repeat_byte(9),
    };
    PaymentPayload {
        version: if accepted.is_some() { Version::V2 } else { Version::V1 },
        scheme: "exact".to_owned(),
        network: terms.network().to_string(),
        accepted,
        resource: None,
        payload: SchemePayload::Exact(ExactPayload { signature: Bytes::new(), authorization }),
        extensions: Map::new(),
    }
}

fn with_authorization(mut payload: PaymentPayload, change: impl FnOnce(&mut Authorization)) -> PaymentPayload {
    if let SchemePayload::Exact(exact) = &mut payload.payload {
        change(&mut exact.authorization);
    }
    payload
}

#[test]
fn a_quote_says_what_was_promised_until_it_expires() {
    let (rules, quotes) = (rules(), quotes());
    for rule in rules.rules() {
        for offer in rule.offers() {
            let quote = quotes.issue(rule, offer, NOW, [3; 16]);
            let read = quotes.read(&quote, NOW).unwrap();
            assert_eq!(read.terms, *offer.terms());
            assert_eq!(read.expires, NOW.after(300));
            assert!(read.is_for(rule));
            assert_eq!(rules.rules().iter().filter(|other| read.is_for(other)).count(), 1);
            assert!(quotes.read(&quote, NOW.after(300)).is_ok());
            assert_eq!(quotes.read(&quote, NOW.after(301)), Err(QuoteError::Expired));
            assert_eq!(Quotes::new([8; 32]).read(&quote, NOW), Err(QuoteError::Forged));
            assert_ne!(quote, quotes.issue(rule, offer, NOW, [4; 16]));
        }
    }
}

#[test]
fn no_changed_quote_is_read() {
    let (rules, quotes) = (rules(), quotes());
    let quote = quotes.issue(&rules.rules()[0], &rules.rules()[0].offers()[0], NOW, [3; 16]);
    let signed = quote.find('.').unwrap();
    for at in 0..=signed {
        let mut changed = quote.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(quotes.read(std::str::from_utf8(&changed).unwrap(), NOW), Err(QuoteError::Forged), "{at}");
    }
    for at in 0..quote.len() {
        assert_eq!(quotes.read(&quote[..at], NOW), Err(QuoteError::Forged));
    }
    for other in ["", "=", &format!("{quote}="), &format!("{quote}A"), &format!(" {quote}"), &quote.replace('_', "/")] {
        assert!(other == quote || quotes.read(other, NOW) == Err(QuoteError::Forged), "{other}");
    }
}

#[test]
fn a_quote_is_honoured_after_the_price_has_changed() {
    let (before, quotes) = (rules(), quotes());
    let (rule, offer) = (&before.rules()[0], &before.rules()[0].offers()[1]);
    let quote = quotes.issue(rule, offer, NOW, [3; 16]);
    let payload = payment(offer.terms(), Some(offer.requirements(Some(&quote))));
    assert_eq!(price(&before, rule, &payload, &quotes, NOW), Ok(offer.terms().clone()));
    // Started anew with another price and payee: nothing is remembered, the quote suffices.
    let mut elsewhere = market();
    elsewhere.pay_to = Address::repeat_byte(0x77);
    let after = RuleSet::build(vec![spec("a", "", "$5")], elsewhere).ok().unwrap();
    assert_eq!(price(&after, &after.rules()[0], &payload, &quotes, NOW.after(300)), Ok(offer.terms().clone()));
    assert_eq!(price(&after, &after.rules()[0], &payload, &quotes, NOW.after(301)), Err(Reason::Requirements));
}

#[test]
fn a_quote_of_another_rule_or_of_other_terms_is_refused() {
    let (rules, quotes) = (rules(), quotes());
    let [cheap, dear] = rules.rules() else { panic!() };
    let (low, high) = (&cheap.offers()[0], &dear.offers()[0]);
    let cheap_quote = quotes.issue(cheap, low, NOW, [3; 16]);
    let pays_cheap = payment(low.terms(), Some(low.requirements(Some(&cheap_quote))));
    assert_eq!(price(&rules, dear, &pays_cheap, &quotes, NOW), Err(Reason::Requirements));
    let mixed = payment(high.terms(), Some(high.requirements(Some(&cheap_quote))));
    assert_eq!(price(&rules, dear, &mixed, &quotes, NOW), Err(Reason::Requirements));
    let mut odd = low.requirements(None);
    odd.extra.as_mut().unwrap().insert("quote".to_owned(), Value::from(5));
    assert_eq!(price(&rules, cheap, &payment(low.terms(), Some(odd)), &quotes, NOW), Err(Reason::Requirements));
}

#[test]
fn without_a_quote_the_price_in_force_counts() {
    let (rules, quotes) = (rules(), quotes());
    let rule = &rules.rules()[0];
    for offer in rule.offers() {
        let echoed = payment(offer.terms(), Some(offer.requirements(None)));
        assert_eq!(price(&rules, rule, &echoed, &quotes, NOW), Ok(offer.terms().clone()));
        let version_1 = payment(offer.terms(), None);
        assert_eq!(price(&rules, rule, &version_1, &quotes, NOW), Ok(offer.terms().clone()));
    }
    let offer = &rule.offers()[0];
    let spoiled: [fn(&mut PaymentRequirements); 4] = [
        |accepted| accepted.amount -= U256::from(1),
        |accepted| accepted.asset = Address::repeat_byte(0x55).to_string(),
        |accepted| accepted.pay_to = Address::repeat_byte(0x55).to_string(),
        |accepted| accepted.max_timeout_seconds += 1,
    ];
    for spoil in spoiled {
        let mut accepted = offer.requirements(None);
        spoil(&mut accepted);
        assert_eq!(price(&rules, rule, &payment(offer.terms(), Some(accepted)), &quotes, NOW), Err(Reason::Requirements));
    }
}

#[test]
fn a_price_of_before_is_paid_without_a_quote_while_it_is_honoured() {
    let (before, quotes) = (rules(), quotes());
    let after = build(vec![spec("a", "", "$5")]).replacing(&before, NOW);
    let (rule, old) = (&after.rules()[0], before.rules()[0].offers()[0].terms());
    for accepted in [None, Some(before.rules()[0].offers()[0].requirements(None))] {
        let payload = payment(old, accepted.clone());
        assert_eq!(price(&after, rule, &payload, &quotes, NOW.after(300)), Ok(old.clone()));
        let late = if accepted.is_some() { Reason::Requirements } else { Reason::ValueMismatch };
        assert_eq!(price(&after, rule, &payload, &quotes, NOW.after(301)), Err(late));
    }
}

#[test]
fn what_was_signed_must_pay_the_terms() {
    let (rules, quotes) = (rules(), quotes());
    let (rule, offer) = (&rules.rules()[0], &rules.rules()[0].offers()[0]);
    let quote = quotes.issue(rule, offer, NOW, [3; 16]);
    for accepted in [None, Some(offer.requirements(None)), Some(offer.requirements(Some(&quote)))] {
        let less = with_authorization(payment(offer.terms(), accepted.clone()), |signed| signed.value -= U256::from(1));
        assert_eq!(price(&rules, rule, &less, &quotes, NOW), Err(Reason::ValueMismatch));
        let more = with_authorization(payment(offer.terms(), accepted.clone()), |signed| signed.value += U256::from(1));
        assert_eq!(price(&rules, rule, &more, &quotes, NOW), Err(Reason::ValueMismatch));
        let other = with_authorization(payment(offer.terms(), accepted), |signed| signed.to = Address::repeat_byte(0x66));
        assert_eq!(price(&rules, rule, &other, &quotes, NOW), Err(Reason::RecipientMismatch));
    }
}

#[test]
fn schemes_and_networks_that_are_not_ours_are_refused_by_name() {
    let (rules, quotes) = (rules(), quotes());
    let (rule, offer) = (&rules.rules()[0], &rules.rules()[0].offers()[0]);
    let told = |payload: &PaymentPayload| price(&rules, rule, payload, &quotes, NOW).unwrap_err();
    let base = || payment(offer.terms(), Some(offer.requirements(None)));
    assert_eq!(told(&PaymentPayload { scheme: "upto".to_owned(), ..base() }), Reason::UnsupportedScheme);
    assert_eq!(told(&PaymentPayload { network: "eip155:1".to_owned(), ..base() }), Reason::Network);
    assert_eq!(told(&PaymentPayload { network: "nonsense".to_owned(), ..base() }), Reason::Network);
    assert_eq!(told(&PaymentPayload { network: "eip155:1".to_owned(), ..payment(offer.terms(), None) }), Reason::Network);
    assert_eq!(told(&PaymentPayload { payload: SchemePayload::Other(Value::Null), ..base() }), Reason::UnsupportedScheme);
    let other_scheme = payment(offer.terms(), Some(PaymentRequirements { scheme: "upto".to_owned(), ..offer.requirements(None) }));
    assert_eq!(told(&other_scheme), Reason::UnsupportedScheme);
    // The quote's network is the one that is paid on.
    let quote = quotes.issue(rule, offer, NOW, [3; 16]);
    let elsewhere = PaymentPayload { network: "eip155:84532".to_owned(), ..payment(offer.terms(), Some(offer.requirements(Some(&quote)))) };
    assert_eq!(told(&elsewhere), Reason::Requirements);
}

proptest! {
    #[test]
    fn any_amount_goes_through_a_quote(amount in prop::array::uniform32(any::<u8>())) {
        let amount = U256::from_be_bytes(amount).max(U256::from(1));
        let units = PriceSpec::Units { amount: amount.to_string(), asset: market().assets[2].id.address.to_string() };
        let rules = build(vec![RuleSpec { price: Some(units), ..spec("a", "", "$1") }]);
        let (rule, offer) = (&rules.rules()[0], &rules.rules()[0].offers()[0]);
        let quote = quotes().issue(rule, offer, NOW, [0; 16]);
        prop_assert_eq!(quotes().read(&quote, NOW).unwrap().terms.amount, amount);
    }

    #[test]
    fn no_input_panics(text in ".{0,300}") {
        let _ = quotes().read(&text, NOW);
    }
}
