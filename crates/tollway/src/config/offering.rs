//! What is sold: the keys of the gateway at the top of the file, joined with its networks and rules.

use std::net::SocketAddr;

use ipnet::IpNet;
use rules::{Market, RuleSet, RuleSpec, SettleWhen, Unmatched, Warning};
use x402::Address;

use super::{
    Seller,
    fault::Source,
    network::NetworkChoice,
    rule::{self, RulePlace},
    scalar,
    table::{Field, Table},
};

/// What the file says of selling, before networks and rules are joined.
pub struct Offering {
    gateway: gateway::Config,
    pay_to: Address,
    settle: SettleWhen,
    unmatched: Unmatched,
    timeout: u64,
    rules: Vec<RuleSpec>,
    places: Vec<RulePlace>,
}

impl Offering {
    /// Reads the gateway's keys. `sells`: origin and payee must be there.
    pub fn read(top: &mut Table<'_>, sells: bool) -> Option<Self> {
        let mut needed = |key, such_as| if sells { top.demand(key, such_as) } else { top.take(key) };
        let origin = needed("origin", "\"http://127.0.0.1:3000\"").and_then(|field| origin(&field));
        let pay_to = needed("pay_to", "\"0x…\", the address that is paid").and_then(|field| field.parse("\"0x…\"", scalar::address));
        let (listen, public_url) = addresses(top, sells);
        let settle = top.take("settle").and_then(|field| rule::settle(&field)).unwrap_or(SettleWhen::BeforeResponse);
        let unmatched = top.take("default").and_then(|field| field.one_of(&[("pass", Unmatched::Pass), ("deny", Unmatched::Deny)]));
        let unmatched = unmatched.unwrap_or(Unmatched::Pass);
        let timeout = top.take("timeout").and_then(|field| field.integer(1..=86_400)).unwrap_or(60);
        let trusted_proxies = top.take("trusted_proxies").map(|field| proxies(&field)).unwrap_or_default();
        let request_buffer = top.take("request_buffer").and_then(|field| field.parse("\"1MiB\"", scalar::size)).unwrap_or(1 << 20);
        let (rules, places) = rule::read(top);
        if !top.source().is_sound() {
            rules.iter().zip(&places).for_each(|(spec, place)| place.report_condition(top.source(), spec));
        }
        if rules.is_empty() && sells && unmatched == Unmatched::Pass {
            top.source().warn(None, "no [[rule]]: everything passes, and nothing is charged");
        }
        rules.iter().zip(&places).for_each(|(spec, place)| place.warn_of_resource(top.source(), spec, &public_url));
        let limits = gateway::Limits::default();
        let gateway = gateway::Config { listen, threads: 0, public_url, origin: origin?, trusted_proxies, request_buffer, limits };
        Some(Self { gateway, pay_to: pay_to?, settle, unmatched, timeout, rules, places })
    }

    /// Builds the rule set; its errors become faults at their places.
    pub fn seller(self, source: &Source, networks: &[NetworkChoice]) -> Option<Seller> {
        let market = Market {
            pay_to: self.pay_to,
            assets: networks.iter().flat_map(|n| n.assets.clone()).collect(),
            timeout: self.timeout,
            public_url: self.gateway.public_url.clone(),
            settle: self.settle,
            unmatched: self.unmatched,
        };
        match RuleSet::build(self.rules, market) {
            Ok(rules) => {
                for warning in rules.warnings() {
                    let (Warning::Shadowed { rule: id, .. }
                    | Warning::Overlaps { rule: id, .. }
                    | Warning::ChargesNothing { rule: id, .. }) = &warning;
                    let place = rules.rules().iter().zip(&self.places).find(|(rule, _)| rule.id() == id);
                    place.into_iter().for_each(|(_, place)| place.warn(source, &warning));
                }
                Some(Seller { gateway: self.gateway, rules, pay_to: self.pay_to })
            }
            Err(errors) => {
                for error in errors {
                    match self.places.get(error.index) {
                        Some(place) => place.report(source, &error),
                        None => source.fault_of_file(error.to_string()),
                    }
                }
                None
            }
        }
    }
}

fn origin(field: &Field<'_>) -> Option<http::Uri> {
    field.parse("\"http://127.0.0.1:3000\"", |text| scalar::base_url(text)?.parse().map_err(|_| format!("\"{text}\" is no URL")))
}

/// `listen` and `public_url`, which must fit together: what stands in offers and receipts is the public one.
fn addresses(top: &mut Table<'_>, sells: bool) -> (SocketAddr, String) {
    let listen_field = top.take("listen");
    let listen = listen_field.as_ref().and_then(|field| field.parse("\"127.0.0.1:4020\"", scalar::listen));
    let listen = listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 4020)));
    let example = "\"https://api.example.com\"";
    if let Some(field) = top.take("public_url") {
        let url = field.parse(example, scalar::base_url).unwrap_or_default();
        if url.starts_with("http://") && !is_local(&url) {
            field.warn("payments travel unencrypted: who listens in may fetch what was paid for; use https://");
        }
        return (listen, url);
    }
    match &listen_field {
        Some(field) if !listen.ip().is_loopback() => {
            field.wrong(format!("{listen} is open to others, who must know it by a name; add public_url = {example}"));
        }
        _ if sells && listen.port() == 0 => {
            top.source().warn(None, "no public_url: offers and receipts will say the port that is free at the start")
        }
        _ if sells => top.source().warn(None, format!("no public_url: offers and receipts will say http://{listen}")),
        _ => {}
    }
    (listen, format!("http://{listen}"))
}

fn is_local(url: &str) -> bool {
    let host = url::Url::parse(url).ok();
    match host.as_ref().and_then(url::Url::host) {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn proxies(field: &Field<'_>) -> Vec<IpNet> {
    let elements = field.list("CIDRs such as [\"10.0.0.0/8\"]").unwrap_or_default();
    elements.iter().filter_map(|element| element.parse("\"10.0.0.0/8\"", scalar::cidr)).collect()
}
