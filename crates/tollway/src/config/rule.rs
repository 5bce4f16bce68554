//! `[[rule]]`: into the rules crate's terms, with the places its errors are about.

use std::{collections::BTreeMap, ops::Range};

use rules::{Action, Expression, PriceSpec, RuleError, RuleProblem, RuleSpec, SettleWhen};

use super::{
    TOP_KEYS,
    fault::Source,
    scalar,
    table::{Field, Table},
    unbuilt,
};

/// Where a rule and its keys stand in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePlace {
    whole: Range<usize>,
    keys: BTreeMap<&'static str, Range<usize>>,
}

impl RulePlace {
    /// Reports a condition that cannot be read, where other faults keep the rules from being built.
    pub fn report_condition(&self, source: &Source, spec: &RuleSpec) {
        if let (Some(Err(error)), Some(span)) = (spec.when.as_deref().map(Expression::parse), self.keys.get("when")) {
            source.fault_unquoted(span.clone(), format!("`when`: {error}"));
        }
    }

    /// The price list names what is reached under `public_url`; another place likely is a slip.
    pub fn warn_of_resource(&self, source: &Source, spec: &RuleSpec, public_url: &str) {
        let origin = |text: &str| scalar::http_url(text).ok().map(|url| url.origin());
        if let (Some(resource), Some(span)) = (&spec.resource, self.keys.get("resource"))
            && origin(resource) != origin(public_url)
        {
            source.warn(Some(span.clone()), format!("`resource`: \"{resource}\" is not under {public_url} (`public_url`)"));
        }
    }

    /// Tells what loads, and is likely not meant.
    pub fn warn(&self, source: &Source, warning: &rules::Warning) {
        source.warn(Some(self.whole.clone()), warning.to_string());
    }

    /// Reports what the rules crate found. Its errors in `when` draw their own caret.
    pub fn report(&self, source: &Source, error: &RuleError) {
        let span = self.keys.get(error.key).unwrap_or(&self.whole).clone();
        let message = format!("rule `{}`, `{}`: {}", error.id, error.key, error.problem);
        match &error.problem {
            RuleProblem::When(_) => source.fault_unquoted(span, message),
            _ => source.fault(span, message),
        }
    }
}

/// All rules, in the order of the file.
pub fn read(top: &mut Table<'_>) -> (Vec<RuleSpec>, Vec<RulePlace>) {
    let elements = top.take("rule").and_then(|field| field.list("[[rule]] tables")).unwrap_or_default();
    elements.into_iter().filter_map(|element| element.table("[[rule]]").map(rule)).unzip()
}

fn rule(mut table: Table<'_>) -> (RuleSpec, RulePlace) {
    let mut spec = RuleSpec::new(Action::Charge);
    let mut text = |key, such_as| table.take(key).and_then(|field| field.text(such_as).map(str::to_owned));
    spec.id = text("id", "\"reports\"");
    spec.when = text("when", "'http.request.uri.path eq \"/reports\"'");
    spec.description = text("description", "\"Quarterly reports\"");
    spec.resource = table.take("resource").and_then(|field| resource(&field));
    let actions = [("charge", Action::Charge), ("allow", Action::Allow), ("block", Action::Block)];
    spec.action = table.take("action").and_then(|field| field.one_of(&actions)).unwrap_or(spec.action);
    spec.price = table.take("price").and_then(|field| price(&field));
    spec.settle = table.take("settle").and_then(|field| settle(&field));
    if let Some(field) = table.take("scheme") {
        scheme(&field);
    }
    let mut scalar = |key, such_as, read: fn(&str) -> Result<u64, String>| table.take(key).and_then(|field| field.parse(such_as, read));
    spec.quote_for = scalar("quote_for", "\"5m\"", scalar::duration).unwrap_or(spec.quote_for);
    spec.buffer = scalar("buffer", "\"1MiB\"", scalar::size).unwrap_or(spec.buffer);
    spec.keep = scalar("keep", "\"64KiB\"", scalar::size).unwrap_or(spec.keep);
    let redeliver = table.take("redeliver").and_then(|field| field.integer(0..=1_000));
    spec.redeliver = redeliver.and_then(|n| u32::try_from(n).ok()).unwrap_or(spec.redeliver);
    unbuilt::refuse(&mut table, unbuilt::RULE);
    let place = RulePlace { whole: table.span(), keys: table.taken() };
    table.finish(TOP_KEYS);
    (spec, place)
}

fn resource(field: &Field<'_>) -> Option<String> {
    field.parse("\"https://api.example.com/reports/q3\"", |text| scalar::http_url(text).map(|_| text.to_owned()))
}

/// `"$0.01"`, or `{ amount, asset }` in atomic units.
fn price(field: &Field<'_>) -> Option<PriceSpec> {
    if field.is_number() {
        field.wrong("a bare number says neither dollars nor units; write \"$0.001\", or { amount = \"1000\", asset = \"0x…\" }");
        return None;
    }
    if !field.is_table() {
        return field.parse("\"$0.001\"", scalar::dollars).map(PriceSpec::Dollars);
    }
    let mut table = field.table("{ amount, asset }")?;
    for key in ["formula", "max"] {
        if let Some(formula) = table.take(key) {
            formula.wrong_key(format!("`{key}`: price formulas are not built yet; write \"$0.01\", or {{ amount, asset }}"));
            return None;
        }
    }
    let amount = table.demand("amount", "\"1000\", in atomic units").and_then(|f| f.parse("\"1000\"", units));
    let asset = table.demand("asset", "\"0x…\"").and_then(|f| f.parse("\"0x…\"", |text| scalar::address(text).map(|_| text.to_owned())));
    table.finish(&[]);
    Some(PriceSpec::Units { amount: amount?, asset: asset? })
}

fn units(text: &str) -> Result<String, String> {
    let wrong = || format!("\"{text}\" is no amount of atomic units; write a whole number such as \"1000\"");
    x402::encoding::parse_decimal(text).map(|_| text.to_owned()).ok_or_else(wrong)
}

/// `settle`, of the file or of a rule.
pub fn settle(field: &Field<'_>) -> Option<SettleWhen> {
    if field.as_text() == Some("after-response") {
        field.wrong("\"after-response\" (credit) is not built yet; write \"before-response\" or \"before-origin\"");
        return None;
    }
    field.one_of(&[("before-response", SettleWhen::BeforeResponse), ("before-origin", SettleWhen::BeforeOrigin)])
}

fn scheme(field: &Field<'_>) {
    match field.as_text() {
        Some(scheme @ ("upto" | "origin_controlled")) => field.wrong(format!("\"{scheme}\" is not built yet; write \"exact\"")),
        _ => {
            field.one_of(&[("exact", ())]);
        }
    }
}
