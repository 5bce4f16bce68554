//! Keys of the reference whose feature is not built yet: refused by name, unless they say what holds anyway.

use super::table::{Field, Table};

/// What is accepted of such a key.
#[derive(Clone, Copy)]
pub enum Default {
    /// Nothing: writing it asks for the feature.
    Absent,
    /// The first of these words.
    Word(&'static [&'static str]),
    False,
    EmptyList,
}

/// Of the file.
pub const TOP: &[(&str, Default)] = &[
    ("mcp", Default::EmptyList),
    ("mcp_unpaid", Default::Word(&["result", "http"])),
    ("credit", Default::Absent),
    ("admin", Default::Absent),
];

/// Of `[[networks]]`.
pub const NETWORK: &[(&str, Default)] = &[("ws", Default::Absent)];

/// Of `[[rule]]`.
pub const RULE: &[(&str, Default)] = &[
    ("mode", Default::Word(&["enforce", "observe"])),
    ("audience", Default::Word(&["everyone", "bots", "verified-bots", "unauthenticated"])),
    ("credential", Default::Absent),
    ("charge_when", Default::Absent),
    ("free", Default::Absent),
    ("meter", Default::Absent),
    ("convert_401", Default::False),
    ("upgrade", Default::False),
];

/// Takes these keys from the table, and refuses each that asks for more than its default.
pub fn refuse(table: &mut Table<'_>, keys: &[(&'static str, Default)]) {
    for (key, default) in keys {
        if let Some(field) = table.take(key)
            && let Some(instead) = asks_for_more(&field, *default)
        {
            field.wrong_key(format!("`{key}` is not built yet; {instead}"));
        }
    }
}

/// What is to be written instead, where the feature is asked for. What is none of the key's values is a fault of its own.
fn asks_for_more(field: &Field<'_>, default: Default) -> Option<String> {
    match default {
        Default::Absent => Some("leave it out".to_owned()),
        Default::Word(words) => {
            let choices: Vec<_> = words.iter().map(|word| (*word, *word)).collect();
            let built = words.first()?;
            field.one_of(&choices).filter(|word| word != built).map(|_| format!("only \"{built}\" is"))
        }
        Default::False => field.flag().filter(|wanted| *wanted).map(|_| "only false is".to_owned()),
        Default::EmptyList => (!field.is_empty_list()).then(|| "only [] is".to_owned()),
    }
}
