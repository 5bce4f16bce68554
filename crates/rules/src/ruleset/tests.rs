#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::index::Index;
use super::*;
use crate::fixture::{NOW, build, market, request, spec};
use crate::rule::RuleProblem;
use crate::{Action, PriceError, PriceSpec, RuleSet, RuleSpec, SettleWhen, Unmatched};
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::HashSet;

/// Decision and deciding rule, in one word each.
fn decided(rules: &RuleSet, method: &str, path: &str) -> String {
    request(method, path, &[("x-a", "1")], |facts| {
        let told = match rules.decide(facts) {
            Decision::Free(None) => "pass".to_owned(),
            Decision::Free(Some(rule)) => format!("free {}", rule.id()),
            Decision::Denied => "deny".to_owned(),
            Decision::Blocked(rule) => format!("block {}", rule.id()),
            Decision::Charge(rule) => format!("charge {}", rule.id()),
        };
        let explained = rules.explain(facts);
        let rule = told.split_once(' ').map(|(_, rule)| rule.to_owned());
        assert_eq!(explained.rule, rule, "{method} {path}");
        told
    })
}

fn block(id: &str, when: &str) -> RuleSpec {
    RuleSpec { action: Action::Block, ..spec(id, when, "") }
}

#[test]
fn the_first_rule_that_holds_decides() {
    let rules = build(vec![
        spec("open", r#"http.request.uri.path eq "/reports/free""#, ""),
        block("secret", r#"starts_with(http.request.uri.path, "/secret/")"#),
        spec("reports", r#"starts_with(http.request.uri.path, "/reports/") and http.request.method in {"GET" "POST"}"#, "$0.01"),
        spec("elsewhere", r#"http.host eq "other.example.com""#, "$1"),
        spec("header", r#"http.request.headers["x-a"][0] eq "1" and http.request.method eq "PUT""#, "$2"),
    ]);
    assert_eq!(decided(&rules, "GET", "/reports/free"), "free open");
    assert_eq!(decided(&rules, "GET", "/reports/q3"), "charge reports");
    assert_eq!(decided(&rules, "DELETE", "/reports/q3"), "pass");
    assert_eq!(decided(&rules, "PUT", "/reports/q3"), "charge header");
    assert_eq!(decided(&rules, "GET", "/secret/x"), "block secret");
    assert_eq!(decided(&rules, "BREW", "/"), "pass");
    let denying = RuleSet::build(vec![], crate::Market { unmatched: Unmatched::Deny, ..market() }).unwrap();
    assert_eq!(decided(&denying, "GET", "/"), "deny");
}

#[test]
fn a_rule_without_a_condition_prices_everything() {
    let rules = build(vec![spec("", "", "$0.001")]);
    for method in ["GET", "HEAD", "OPTIONS", "BREW"] {
        assert_eq!(decided(&rules, method, "/any"), "charge rule-1");
    }
}

#[test]
fn what_crawlers_need_is_free_unless_named_whole() {
    let free = ["/robots.txt", "/sitemap.xml", "/security.txt", "/.well-known/x", "/.well-known/"];
    let rules = build(vec![spec("all", "", "$0.01")]);
    for path in free {
        assert_eq!(decided(&rules, "GET", path), "free all");
    }
    for path in ["/robots.txt/", "/a/robots.txt", "/.well-known", "/.WELL-KNOWN/x", "/Robots.txt"] {
        assert_eq!(decided(&rules, "GET", path), "charge all");
    }
    let named = build(vec![
        spec("one", r#"http.request.uri.path eq "/robots.txt""#, "$0.01"),
        spec("some", r#"http.request.uri.path in {"/sitemap.xml" "/.well-known/x"} and ssl"#, "$0.01"),
        spec("most", r#"starts_with(http.request.uri.path, "/security.txt")"#, "$0.01"),
    ]);
    assert_eq!(decided(&named, "GET", "/robots.txt"), "charge one");
    assert_eq!(decided(&named, "GET", "/sitemap.xml"), "charge some");
    assert_eq!(decided(&named, "GET", "/.well-known/x"), "charge some");
    assert_eq!(decided(&named, "GET", "/security.txt"), "free most");
    let blocked = build(vec![block("no", "")]);
    assert_eq!(decided(&blocked, "GET", "/robots.txt"), "block no");
}

#[test]
fn an_explanation_shows_every_step() {
    let rules = build(vec![
        spec("a", r#"http.request.uri.path eq "/a""#, "$0.01"),
        spec("b", r#"http.request.method eq "GET""#, "$0.02"),
        spec("c", "", "$0.03"),
    ]);
    let explained = request("GET", "/b", &[], |facts| rules.explain(facts));
    let verdicts: Vec<Verdict> = explained.tried.iter().map(|tried| tried.verdict).collect();
    assert_eq!(verdicts, [Verdict::DidNotHold, Verdict::Held, Verdict::NotTried]);
    assert_eq!((explained.decision, explained.rule.as_deref(), explained.why), ("charge", Some("b"), None));
    let free = request("GET", "/robots.txt", &[], |facts| rules.explain(facts));
    assert_eq!((free.decision, free.rule.as_deref()), ("pass", Some("b")));
    assert!(free.why.unwrap().contains("never charged"));
    let none = request("GET", "/", &[], |facts| build(vec![]).explain(facts));
    assert_eq!((none.decision, none.rule), ("pass", None));
}

#[test]
fn a_price_becomes_an_offer_for_every_asset_it_can_be_paid_with() {
    let mut units = spec("units", "ssl", "$1");
    units.price = Some(PriceSpec::Units { amount: "77".to_owned(), asset: market().assets[2].id.address.to_string() });
    let rules = build(vec![spec("dollars", "ssl", "$0.01"), units, spec("free", "", "")]);
    let amounts = |id: &str| rules.rule(id).unwrap().offers().iter().map(|offer| offer.terms().amount.to_string()).collect::<Vec<_>>();
    assert_eq!(amounts("dollars"), ["10000", "10000"]);
    assert_eq!(amounts("units"), ["77"]);
    assert!(amounts("free").is_empty());
    let offer = rules.rule("dollars").unwrap().offers()[0].requirements(Some("q"));
    assert_eq!(
        serde_json::to_value(offer).unwrap(),
        serde_json::json!({
            "scheme": "exact", "network": "eip155:8453", "amount": "10000", "asset": market().assets[0].id.address.to_string(),
            "payTo": market().pay_to.to_string(), "maxTimeoutSeconds": 60, "extra": {"name": "USD Coin", "version": "2", "quote": "q"}
        })
    );
    assert!(!rules.rule("units").unwrap().offers()[0].requirements(None).extra.unwrap().contains_key("quote"));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let priced = |id: &str, price: PriceSpec| RuleSpec { price: Some(price), ..spec(id, "ssl", "$1") };
    let unpriced = RuleSpec { price: None, ..spec("d", "ssl", "$1") };
    let allow = RuleSpec { action: Action::Allow, ..spec("e", "ssl", "$1") };
    let hasty = RuleSpec { quote_for: 0, ..spec("i", "ssl", "$1") };
    let errors = RuleSet::build(
        vec![
            spec("a", "http.hots eq \"x\"", "1"),
            spec("a", "ssl", "$1"),
            priced("c", PriceSpec::Units { amount: "5".to_owned(), asset: "0x01".to_owned() }),
            unpriced,
            allow,
            spec("f", "cf.bot_management.score lt 30", "$1"),
            spec("g", "ssl", "$0.0000001"),
            spec("rule-8", "ssl", "$1"),
            hasty,
            spec("\n", "ssl", "$1"),
        ],
        market(),
    )
    .err()
    .unwrap();
    let told: Vec<(usize, &str)> = errors.iter().map(|error| (error.index, error.key)).collect();
    assert_eq!(
        told,
        [
            (0, "when"),
            (0, "price"),
            (1, "id"),
            (2, "price"),
            (3, "price"),
            (4, "price"),
            (5, "when"),
            (6, "price"),
            (8, "quote_for"),
            (9, "id")
        ]
    );
    assert!(
        errors[0]
            .to_string()
            .starts_with("rule 1 (`a`), when: line 1, column 1: unknown field or function `http.hots`; did you mean `http.host`?")
    );
    assert_eq!(errors[1].problem, RuleProblem::Price(PriceError::NoDollar("1".to_owned())));
    assert_eq!(errors[3].problem, RuleProblem::Price(PriceError::UnknownAsset("0x01".to_owned())));
    assert!(errors[6].to_string().contains("cf.bot_management.score: this gateway has no source for it"));
    let clash = RuleSet::build(vec![spec("rule-2", "ssl", "$1"), spec("", "", "$1")], market()).err().unwrap();
    assert_eq!(clash[0].problem, RuleProblem::DuplicateId);
}

#[test]
fn settle_is_the_rules_or_the_markets() {
    let own = RuleSpec { settle: Some(SettleWhen::BeforeOrigin), ..spec("own", "ssl", "$1") };
    let rules = build(vec![own, spec("shared", "", "$1")]);
    assert_eq!(rules.rules()[0].settle(), SettleWhen::BeforeOrigin);
    assert_eq!(rules.rules()[1].settle(), SettleWhen::BeforeResponse);
}

fn warned(specs: Vec<RuleSpec>) -> Vec<String> {
    build(specs).warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_likely_not_meant_is_warned_of() {
    let starts = |prefix: &str| format!("starts_with(http.request.uri.path, \"{prefix}\")");
    let none: Vec<String> = vec![];
    assert_eq!(warned(vec![spec("a", &starts("/a/b"), "$1"), spec("b", &starts("/a"), "$2"), spec("c", "", "$3")]), none);
    assert_eq!(
        warned(vec![spec("b", &starts("/a"), "$2"), spec("a", &starts("/a/b"), "$1")]),
        ["rule `a` can never decide: `b` before it holds for every request it does"]
    );
    assert_eq!(
        warned(vec![spec("c", "", "$3"), spec("a", "ssl", "$1")]),
        ["rule `a` can never decide: `c` before it holds for every request it does"]
    );
    assert_eq!(
        warned(vec![spec("a", "ssl", "$3"), spec("b", "ssl", "$1")]),
        ["rule `b` can never decide: `a` before it holds for every request it does"]
    );
    assert_eq!(
        warned(vec![spec("a", &starts("/a"), "$1"), spec("b", r#"http.request.method eq "GET""#, "$2")]),
        ["rules `b` and `a` overlap: where both hold, `a` decides, being first"]
    );
    // The same price either way, a condition that may exclude the other, or disjoint ones: nothing to say.
    assert_eq!(warned(vec![spec("a", &starts("/a"), "$1"), spec("b", r#"http.request.method eq "GET""#, "$1")]), none);
    assert_eq!(
        warned(vec![spec("a", &format!("{} and ssl", starts("/a")), "$1"), spec("b", r#"http.request.method eq "GET""#, "$2")]),
        none
    );
    assert_eq!(warned(vec![spec("a", &format!("{} and ssl", starts("/a")), "$1"), spec("b", &starts("/a/b"), "$2")]), none);
    assert_eq!(warned(vec![spec("a", &starts("/a"), "$1"), spec("b", &starts("/b"), "$2")]), none);
    assert_eq!(
        warned(vec![spec("a", &starts("/.well-known/"), "$1")]),
        ["rule `a` can charge nothing: its paths are never charged, unless it compares the whole path (eq, in)"]
    );
    assert_eq!(
        warned(vec![spec("a", r#"http.host eq "a" and http.host eq "b""#, "$1")]),
        ["rule `a` can charge nothing: its condition asks for two hosts or two methods at once"]
    );
    let no_dollars = crate::Market { assets: vec![market().assets[2].clone()], ..market() };
    let rules = RuleSet::build(vec![spec("a", "", "$1")], no_dollars).unwrap();
    assert!(matches!(rules.warnings().as_slice(), [Warning::ChargesNothing { .. }]));
}

#[test]
fn a_payment_is_bound_to_what_the_tried_conditions_read() {
    let rules = build(vec![
        spec("elsewhere", r#"http.host eq "other" and http.request.headers["x-elsewhere"][0] eq "1""#, "$1"),
        spec("a", r#"http.request.headers["x-a"][0] eq "1""#, "$1"),
        spec("b", r#"http.request.uri.path eq "/b" and ip.src ne ::1 and http.request.timestamp.sec gt 5"#, "$1"),
        spec("c", r#"http.request.headers["x-c"][0] eq "1""#, "$1"),
    ]);
    let digest = |headers: &[(&str, &str)]| request("GET", "/b", headers, |facts| rules.binding_digest(&rules.rules()[2], facts));
    let base = digest(&[]);
    assert_ne!(base, digest(&[("x-a", "2")]), "tried before");
    assert_eq!(base, digest(&[("x-c", "1")]), "after the deciding rule");
    assert_eq!(base, digest(&[("x-elsewhere", "1")]), "of another host");
    assert_eq!(base, digest(&[("payment-signature", "x")]));
    assert_ne!(digest(&[("x-a", "2")]), digest(&[("x-a", "3")]));
}

/// The index changes the cost of a decision, never the decision.
#[test]
fn ten_thousand_rules_try_as_few_as_ten() {
    let many = |count: usize| {
        let specs = (0..count).map(|n| match n % 4 {
            0 => spec("", &format!("http.request.uri.path eq \"/item/{n}\""), "$1"),
            1 => spec("", &format!("starts_with(http.request.uri.path, \"/group/{n}/\")"), "$1"),
            2 => spec("", &format!("http.host eq \"h{n}.example.com\""), "$1"),
            _ => spec("", &format!("http.request.uri.path in {{\"/x/{n}\" \"/y/{n}\"}} and http.request.method eq \"GET\""), "$1"),
        });
        build(specs.collect())
    };
    let tried_by = |method: &str, rules: &RuleSet, path: &str| {
        let count = Cell::new(0);
        let index = Index::new(rules.rules());
        let found = request(method, path, &[], |facts| {
            index.first(facts.head(), |at| {
                count.set(count.get() + 1);
                rules.rules()[at].holds(facts)
            })
        });
        (found, count.get())
    };
    let tried = |rules: &RuleSet, path: &str| tried_by("GET", rules, path);
    let (few, lots) = (many(8), many(10_000));
    for path in ["/item/4", "/group/5/x", "/y/3", "/nothing"] {
        assert_eq!(tried(&few, path), tried(&lots, path));
        assert!(tried(&lots, path).1 <= 1);
    }
    assert_eq!(tried(&lots, "/item/9996"), (Some(9996), 1));
    assert_eq!(tried(&lots, "/y/9999"), (Some(9999), 1));
    assert_eq!(tried_by("POST", &lots, "/y/9999"), (None, 0));
    assert_eq!(tried(&lots, "/group/9997/x"), (Some(9997), 1));
}

fn any_condition() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec!["/", "/a", "/a/", "/a/b", "/b"]);
    let method = prop::sample::select(vec!["GET", "POST", "BREW"]);
    let host = prop::sample::select(vec!["api.example.com", "other"]);
    let leaf = prop_oneof![
        path.clone().prop_map(|path| format!("http.request.uri.path eq \"{path}\"")),
        path.clone().prop_map(|path| format!("starts_with(http.request.uri.path, \"{path}\")")),
        path.clone().prop_map(|path| format!("http.request.uri.path strict wildcard \"{path}*\"")),
        path.prop_map(|path| format!("http.request.uri.path ne \"{path}\"")),
        method.prop_map(|method| format!("http.request.method in {{\"{method}\" \"PUT\"}}")),
        host.prop_map(|host| format!("http.host eq \"{host}\"")),
        Just("ssl".to_owned()),
        Just("any(http.request.headers[\"x-a\"][*] eq \"1\")".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let op = prop::sample::select(vec!["and", "or", "xor"]);
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(left, op, right)| format!("({left} {op} {right})")),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// By the index, and one after the other.
    #[test]
    fn the_index_finds_what_trying_in_order_finds(conditions in prop::collection::vec(any_condition(), 1..12)) {
        let rules = build(conditions.iter().map(|when| spec("", when, "$1")).collect());
        for method in ["GET", "POST", "PUT", "BREW", "OTHER"] {
            for path in ["/", "/a", "/a/", "/a/b", "/a/b/c", "/b", "/c"] {
                request(method, path, &[], |facts| {
                    let decided = match rules.decide(facts) { Decision::Charge(rule) => Some(rule.id().to_owned()), _ => None };
                    assert_eq!(decided, rules.explain(facts).rule);
                });
            }
        }
    }

    /// A rule said to be shadowed never decides.
    #[test]
    fn what_is_said_to_be_shadowed_never_decides(conditions in prop::collection::vec(any_condition(), 2..8)) {
        let rules = build(conditions.iter().map(|when| spec("", when, "$1")).collect());
        let shadowed: HashSet<String> = rules.warnings().into_iter().filter_map(|warning| match warning { Warning::Shadowed { rule, .. } => Some(rule), _ => None }).collect();
        for method in ["GET", "POST", "PUT", "BREW", "OTHER"] {
            for path in ["/", "/a", "/a/", "/a/b", "/a/b/c", "/b", "/c"] {
                let decided = request(method, path, &[], |facts| rules.explain(facts).rule);
                assert!(decided.is_none_or(|rule| !shadowed.contains(&rule)));
            }
        }
    }
}

#[test]
fn prices_of_before_a_reload_are_honoured_for_a_while() {
    let amounts = |rules: &RuleSet, id: &str, now: Timestamp| {
        let rule = rules.rule(id).unwrap();
        let first = |terms: &&x402::Terms| terms.asset == market().assets[0].id;
        rules.in_force(rule, now).filter(first).map(|terms| terms.amount.to_string()).collect::<Vec<_>>()
    };
    let cheap = build(vec![spec("a", "ssl", "$1"), spec("", "http.host eq \"x\"", "$5")]);
    let dear = build(vec![spec("", "http.host eq \"y\"", "$9"), spec("a", "", "$2")]).replacing(&cheap, NOW);
    assert_eq!(amounts(&dear, "a", NOW), ["2000000", "1000000"]);
    assert_eq!(amounts(&dear, "a", NOW.after(300)), ["2000000", "1000000"]);
    assert_eq!(amounts(&dear, "a", NOW.after(301)), ["2000000"]);
    // A number is no identity: `rule-1` now is another rule than any before.
    assert_eq!(amounts(&dear, "rule-1", NOW), ["9000000"]);
    // Twice reloaded: the oldest price runs out first.
    let dearest = build(vec![spec("a", "", "$3")]).replacing(&dear, NOW.after(100));
    assert_eq!(amounts(&dearest, "a", NOW.after(300)), ["3000000", "2000000", "1000000"]);
    assert_eq!(amounts(&dearest, "a", NOW.after(301)), ["3000000", "2000000"]);
    assert_eq!(amounts(&dearest, "a", NOW.after(401)), ["3000000"]);
    // Reloaded without a change, again and again: nothing piles up.
    let mut same = dearest;
    for second in 0..50 {
        same = build(vec![spec("a", "", "$3")]).replacing(&same, NOW.after(500 + second));
    }
    assert_eq!(amounts(&same, "a", NOW.after(549)).len(), 2);
    let mut changing = same;
    for n in 1..50 {
        changing = build(vec![spec("a", "", &format!("${n}"))]).replacing(&changing, NOW.after(1000 * n));
    }
    assert!(changing.past.values().all(|past| past.len() <= 4));
    // A rule without an id stays the same as long as its condition does.
    let moved = build(vec![spec("", "ssl", "$1"), spec("", "http.host eq \"x\"", "$6")]).replacing(&cheap, NOW);
    assert_eq!(amounts(&moved, "rule-2", NOW), ["6000000", "5000000"]);
}
