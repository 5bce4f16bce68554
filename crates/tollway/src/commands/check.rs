//! `tollway check`: is the file sound, and how would it decide a request?

use std::{net::IpAddr, process::ExitCode};

use anyhow::Context;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, request::Parts};
use rules::{Explanation, PriceSpec, Rule, RuleSet, Verdict};
use x402::{Clock, SystemClock};

use crate::{
    USAGE,
    cli::Check,
    config::{self, Config, Fault, Purpose, Seller},
    terminal,
};

pub fn check(args: &Check) -> anyhow::Result<ExitCode> {
    let config = match config::load(&args.file.config, Purpose::Check) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{faults}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let notes = if args.explain.is_some() { Vec::new() } else { notes(&config) };
    let file = config.file.display().to_string();
    let warnings = config.warnings.iter().map(|warning| ("warning", warning));
    for (kind, fault) in warnings.chain(notes.iter().map(|note| ("note", note))) {
        let mut text = String::new();
        fault.write(&mut text, kind, &file)?;
        eprintln!("{text}");
    }
    match (&args.explain, &config.seller) {
        (Some(request), Some(seller)) => match parts(request, &args.headers) {
            Ok(parts) => explain(seller, parts)?,
            Err(error) => {
                eprintln!("error: --explain: {error:#}");
                return Ok(ExitCode::from(USAGE));
            }
        },
        (Some(_), None) => anyhow::bail!("nothing is sold by {file}: there is no rule to explain"),
        (None, _) => summary(&config)?,
    }
    let clean = config.warnings.is_empty() || !args.strict;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is to be said of the keys on this machine: another one may have others, and the file is as sound.
fn notes(config: &Config) -> Vec<Fault> {
    match config.facilitator() {
        Ok(facilitator) => config.warnings_of_keys(&facilitator),
        Err(faults) => faults.faults,
    }
}

fn summary(config: &Config) -> std::io::Result<()> {
    terminal::line(&format!("{} is sound", config.file.display()))?;
    let networks: Vec<_> = config.networks.iter().map(|n| format!("{} ({})", n.network, names(n))).collect();
    if let Some(seller) = &config.seller {
        let gateway = &seller.gateway;
        let origin = gateway.origin.to_string();
        terminal::line(&format!(
            "  gateway    {} at {}, in front of {}",
            gateway.public_url,
            gateway.listen,
            origin.trim_end_matches('/')
        ))?;
        terminal::line(&format!("  paid to    {}", seller.pay_to))?;
    }
    terminal::line(&format!("  networks   {}", networks.join(", ")))?;
    for rule in config.seller.iter().flat_map(|seller| seller.rules.rules()) {
        let when = rule.when().map_or("every request", |when| when.source());
        terminal::line(&format!("  {:<10} {:<12} {}", rule.id(), price(rule), terminal::printable(when)))?;
    }
    Ok(())
}

fn names(network: &config::NetworkChoice) -> String {
    network.assets.iter().map(|asset| asset.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn price(rule: &Rule) -> String {
    match (rule.action(), rule.price()) {
        (rules::Action::Allow, _) => "free".to_owned(),
        (rules::Action::Block, _) => "blocked".to_owned(),
        (_, Some(PriceSpec::Dollars(text))) => text.clone(),
        (_, Some(PriceSpec::Units { amount, asset })) => format!("{amount} units of {asset}"),
        (_, None) => "-".to_owned(),
    }
}

/// The request to be explained, as a client would send it.
fn parts(request: &[String], headers: &[String]) -> anyhow::Result<Parts> {
    let [method, url] = request else {
        anyhow::bail!("a method and a URL are wanted");
    };
    let method = Method::from_bytes(method.as_bytes()).with_context(|| format!("`{method}` is no method"))?;
    let uri: http::Uri = url.parse().with_context(|| format!("`{url}` is no URL"))?;
    let host = uri.authority().with_context(|| format!("`{url}` has no host; write http://host/path"))?.as_str().to_owned();
    let (mut parts, ()) = Request::new(()).into_parts();
    (parts.method, parts.uri) = (method, uri);
    parts.headers = header_map(headers)?;
    parts.headers.entry(http::header::HOST).or_insert(HeaderValue::from_str(&host)?);
    Ok(parts)
}

fn header_map(lines: &[String]) -> anyhow::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').with_context(|| format!("`{line}` is no header: write 'name: value'"))?;
        map.append(HeaderName::from_bytes(name.trim().as_bytes())?, HeaderValue::from_str(value.trim())?);
    }
    Ok(map)
}

fn explain(seller: &Seller, parts: Parts) -> anyhow::Result<()> {
    terminal::line(&format!("{} {}", parts.method, parts.uri))?;
    // Whoever asks from here is nobody in particular.
    let lines = match gateway::explain(&seller.rules, parts, IpAddr::from([127, 0, 0, 1]), SystemClock.now()) {
        Ok(explanation) => verdicts(&seller.rules, &explanation),
        Err(reason) => vec![format!("refused with 400, before any rule: {reason}")],
    };
    for line in lines {
        terminal::line(&line)?;
    }
    Ok(())
}

/// One line for each rule, then the decision with what it costs.
fn verdicts(rules: &RuleSet, explanation: &Explanation) -> Vec<String> {
    let width = explanation.tried.iter().map(|t| t.rule.chars().count()).max().unwrap_or(0);
    let word = |verdict| match verdict {
        Verdict::Held => "holds",
        Verdict::DidNotHold => "does not hold",
        Verdict::NotTried => "not tried",
    };
    let when = |id: &str| rules.rule(id).and_then(Rule::when).map_or("every request", |when| when.source()).to_owned();
    let line = |t: &rules::Tried| format!("  {:<width$}  {:<13}  {}", t.rule, word(t.verdict), terminal::printable(&when(&t.rule)));
    let mut lines: Vec<_> = explanation.tried.iter().map(line).collect();
    let by = explanation.rule.as_ref().map(|id| format!(" by rule `{id}`")).unwrap_or_default();
    let why = explanation.why.map(|why| format!(": {why}")).unwrap_or_default();
    lines.push(format!("{}{by}{why}", explanation.decision));
    let deciding = explanation.rule.as_deref().and_then(|id| rules.rule(id)).filter(|_| explanation.decision == "charge");
    for offer in deciding.into_iter().flat_map(Rule::offers) {
        let (terms, asset) = (offer.terms(), offer.asset());
        lines.push(format!("  {} units of {} ({}) on {} to {}", terms.amount, asset.name, asset.id.address, terms.network(), terms.pay_to));
    }
    lines.extend(deciding.map(|rule| format!("  price {}", price(rule))));
    lines
}
