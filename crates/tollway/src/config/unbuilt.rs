//! Keys of the reference whose feature is not built yet: refused by name, unless they say what holds anyway.

use super::table::{Field, Table};

/// What is accepted of such a key.
#[derive(Clone, Copy)]
pub enum Default {
    /// Nothing: writing it asks for the feature.
    Absent,
    Word(&'static str),
    False,
    EmptyList,
}

/// Of the file.
pub const TOP: &[(&str, Default)] =
    &[("mcp", Default::EmptyList), ("mcp_unpaid", Default::Word("result")), ("credit", Default::Absent), ("admin", Default::Absent)];

/// Of `[[networks]]`.
pub const NETWORK: &[(&str, Default)] = &[("ws", Default::Absent)];

/// Of `[[rule]]`.
pub const RULE: &[(&str, Default)] = &[
    ("mode", Default::Word("enforce")),
    ("audience", Default::Word("everyone")),
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
            && !says_default(&field, *default)
        {
            let instead = match default {
                Default::Absent => "leave it out".to_owned(),
                Default::Word(word) => format!("only \"{word}\" is"),
                Default::False => "only false is".to_owned(),
                Default::EmptyList => "only [] is".to_owned(),
            };
            field.wrong_key(format!("`{key}` is not built yet; {instead}"));
        }
    }
}

fn says_default(field: &Field<'_>, default: Default) -> bool {
    match default {
        Default::Absent => false,
        Default::Word(word) => field.as_text() == Some(word),
        Default::False => field.as_flag() == Some(false),
        Default::EmptyList => field.is_empty_list(),
    }
}
