//! `network`, `[[networks]]` and the keys of signers: which chains, through which nodes, with which tokens.

use std::path::Path;

use facilitator::Finality;
use x402::{Address, Asset, AssetId, Network, known};

use super::{
    scalar,
    secret::Secret,
    table::{Field, Table},
    unbuilt,
};

/// The variable of the signer's key where nothing else is written.
pub const SIGNER_VARIABLE: &str = "TOLLWAY_SIGNER_KEY";

/// One chain to be paid on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkChoice {
    pub network: Network,
    pub rpc: Vec<String>,
    pub signers: Vec<Secret>,
    pub finality: Finality,
    pub assets: Vec<Asset>,
    /// Factories that may deploy a payer's counterfactual wallet (EIP-6492).
    pub factories: Vec<Address>,
}

/// Everything of the networks, in the order of `network`. `remote`: others settle, and no node is asked that the file does not name.
pub fn read(top: &mut Table<'_>, directory: &Path, remote: bool) -> Vec<NetworkChoice> {
    let named = names(top);
    let configured = sections(top, directory, remote);
    let mut choices: Vec<NetworkChoice> = Vec::new();
    for (field, network) in &named {
        if choices.iter().any(|c| c.network == *network) {
            field.wrong(format!("{network} is named twice"));
            continue;
        }
        let section = configured.iter().find(|(_, choice)| choice.network == *network);
        let choice = section.map_or_else(|| built_in(network, remote), |(_, choice)| choice.clone());
        if choice.rpc.is_empty() && !remote {
            field.wrong(format!(
                "no public node of {network} is known here; add [[networks]] with id = \"{network}\" and rpc = [\"http://…\"]"
            ));
        }
        if choice.assets.is_empty() {
            field.wrong(format!(
                "no token on {network} is known here; add [[networks]] with id = \"{network}\" and assets = [{{ address = \"0x…\", … }}]"
            ));
        }
        choices.push(choice);
    }
    for (field, choice) in configured {
        if named.is_empty() {
            choices.push(choice);
        } else if !choices.iter().any(|c| c.network == choice.network) {
            field.wrong(format!("{} is configured, and not named in `network`", choice.network));
        }
    }
    choices
}

fn names<'a>(top: &mut Table<'a>) -> Vec<(Field<'a>, Network)> {
    let Some(field) = top.take("network") else {
        return Vec::new();
    };
    let elements = field.one_or_more("networks such as \"base\"").unwrap_or_default();
    if elements.is_empty() {
        field.wrong("no network is named; write \"base\", or \"eip155:8453\"");
    }
    elements.into_iter().filter_map(|e| network_name(&e).map(|network| (e, network))).collect()
}

fn network_name(field: &Field<'_>) -> Option<Network> {
    let network = field.parse("\"base\" or \"eip155:8453\"", |text| {
        Network::from_name(text).map_err(|error| match super::fault::nearest(text, known::networks().iter().map(|k| k.name)) {
            Some(name) => format!("{error}; did you mean \"{name}\"?"),
            None => error.to_string(),
        })
    })?;
    if network.chain_id().is_none() {
        field.wrong(format!("{network} is no EVM chain; only eip155 networks are built"));
        return None;
    }
    Some(network)
}

fn sections<'a>(top: &mut Table<'a>, directory: &Path, remote: bool) -> Vec<(Field<'a>, NetworkChoice)> {
    let Some(field) = top.take("networks") else {
        return Vec::new();
    };
    let mut found: Vec<(Field<'a>, NetworkChoice)> = Vec::new();
    for element in field.list("[[networks]] tables").unwrap_or_default() {
        let Some((id, choice)) = element.table("[[networks]]").and_then(|table| section(table, directory, remote)) else { continue };
        if found.iter().any(|(_, earlier)| earlier.network == choice.network) {
            id.wrong(format!("{} is configured twice", choice.network));
        }
        found.push((id, choice));
    }
    found
}

fn section<'a>(mut table: Table<'a>, directory: &Path, remote: bool) -> Option<(Field<'a>, NetworkChoice)> {
    let id = table.demand("id", "\"eip155:84532\"");
    let network = id.as_ref().and_then(network_name);
    let rpc = table.take("rpc").map(|field| urls(&field));
    let signers = table.take("signer").map(|field| signers(field, directory));
    let finality = table.take("finality").and_then(|field| finality(&field));
    let assets = table.take("assets");
    let factories = table.take("factories").map(|field| addresses(&field));
    unbuilt::refuse(&mut table, unbuilt::NETWORK);
    let (id, network) = (id?, network?);
    let mut choice = built_in(&network, remote);
    for asset in assets.iter().flat_map(|field| field.list("tables of assets").unwrap_or_default()) {
        let Some(asset) = asset.table("assets").and_then(|table| self::asset(table, &network)) else { continue };
        choice.assets.retain(|known| known.id != asset.id);
        choice.assets.push(asset);
    }
    table.finish(&[]);
    choice.rpc = rpc.unwrap_or(choice.rpc);
    choice.signers = signers.unwrap_or(choice.signers);
    choice.finality = finality.unwrap_or(choice.finality);
    choice.factories = factories.unwrap_or_default();
    Some((id, choice))
}

/// What is known of a network without configuration.
fn built_in(network: &Network, remote: bool) -> NetworkChoice {
    let known = known::network(network);
    let nodes = known.filter(|_| !remote).map_or(&[][..], |known| known.rpc);
    NetworkChoice {
        network: network.clone(),
        rpc: nodes.iter().map(|url| (*url).to_owned()).collect(),
        signers: vec![Secret::Env(SIGNER_VARIABLE.to_owned())],
        finality: Finality::default(),
        assets: known.map(|k| vec![k.usdc.clone()]).unwrap_or_default(),
        factories: Vec::new(),
    }
}

/// One URL or several; none is a fault.
pub fn urls(field: &Field<'_>) -> Vec<String> {
    let elements = field.one_or_more("URLs").unwrap_or_default();
    if elements.is_empty() {
        field.wrong("no URL is named; write [\"http://127.0.0.1:8545\"]");
    }
    let url = |element: &Field<'_>| element.parse("\"http://127.0.0.1:8545\"", |text| scalar::http_url(text).map(|_| text.to_owned()));
    elements.iter().filter_map(url).collect()
}

/// A list of addresses.
pub fn addresses(field: &Field<'_>) -> Vec<Address> {
    let elements = field.list("addresses such as [\"0x…\"]").unwrap_or_default();
    elements.iter().filter_map(|element| element.parse("\"0x…\"", scalar::address)).collect()
}

fn finality(field: &Field<'_>) -> Option<Finality> {
    if field.is_number() {
        return field.integer(1..=100_000).map(Finality::Blocks);
    }
    field.one_of(&[("safe", Finality::Safe), ("finalized", Finality::Finalized)])
}

fn signers(field: Field<'_>, directory: &Path) -> Vec<Secret> {
    let field = field.secret();
    let elements = field.one_or_more("tables").unwrap_or_default();
    if elements.is_empty() {
        field.wrong(format!("no key is named; write {{ env = \"{SIGNER_VARIABLE}\" }}"));
    }
    elements.iter().filter_map(|element| secret(element, directory, SIGNER_VARIABLE)).collect()
}

/// `{ env = … }` or `{ file = … }`; files are found from the configuration file's directory.
pub fn secret(field: &Field<'_>, directory: &Path, example: &str) -> Option<Secret> {
    if !field.is_table() {
        field.wrong(format!("secrets do not stand in this file; write {{ env = \"{example}\" }} or {{ file = \"…\" }}"));
        return None;
    }
    let mut table = field.table("{ env } or { file }")?;
    let env = table.take("env").and_then(|f| f.text("\"VARIABLE\"").map(|name| Secret::Env(name.to_owned())));
    let file = table.take("file").and_then(|f| f.text("\"signer.key\"").map(|path| Secret::File(directory.join(path))));
    table.finish(&[]);
    match (env, file) {
        (Some(secret), None) | (None, Some(secret)) => Some(secret),
        _ => {
            field.wrong(format!("write either {{ env = \"{example}\" }} or {{ file = \"…\" }}"));
            None
        }
    }
}

fn asset(mut table: Table<'_>, network: &Network) -> Option<Asset> {
    let address = table.demand("address", "\"0x…\"").and_then(|f| f.parse("\"0x…\"", scalar::address));
    let name = table.demand("name", "\"USDC\", as the token's EIP-712 domain has it").and_then(|f| f.text("\"USDC\"").map(str::to_owned));
    let version = table.demand("version", "\"2\", as the token's EIP-712 domain has it").and_then(|f| f.text("\"2\"").map(str::to_owned));
    let decimals = table.demand("decimals", "6").and_then(|f| f.integer(0..=36));
    let usd = table.take("usd").map_or(Some(false), |f| f.flag());
    table.finish(&[]);
    let id = AssetId { network: network.clone(), address: address? };
    let asset = Asset { id, name: name?, version: version?, decimals: u8::try_from(decimals?).ok()?, usd: usd?, built_in: false };
    // What is spelled out as it is built in stays built in.
    let usdc = known::network(network).map(|known| &known.usdc);
    let same = usdc.filter(|usdc| Asset { built_in: usdc.built_in, ..asset.clone() } == **usdc);
    Some(same.cloned().unwrap_or(asset))
}
