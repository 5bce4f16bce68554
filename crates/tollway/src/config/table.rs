//! Reading TOML with its spans: each key is taken once, and what is left over at the end is unknown.

use std::{
    collections::BTreeMap,
    ops::{Range, RangeInclusive},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::fault::{Source, nearest};

/// A table being read.
pub struct Table<'a> {
    source: &'a Source,
    /// How faults call it: empty for the file itself, else `[[rule]]` and the like.
    name: &'static str,
    span: Range<usize>,
    left: Vec<Field<'a>>,
    known: Vec<&'static str>,
    taken: BTreeMap<&'static str, Range<usize>>,
    secret: bool,
}

/// One key with its value.
#[derive(Clone)]
pub struct Field<'a> {
    source: &'a Source,
    pub key: &'a str,
    key_span: Range<usize>,
    value: &'a DeValue<'a>,
    pub span: Range<usize>,
    secret: bool,
}

impl<'a> Table<'a> {
    pub fn new(source: &'a Source, name: &'static str, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        let field = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| Field::new(source, key, value);
        Self { source, name, span, left: table.iter().map(field).collect(), known: Vec::new(), taken: BTreeMap::new(), secret: false }
    }

    /// Where the values taken so far stand.
    pub fn taken(&self) -> BTreeMap<&'static str, Range<usize>> {
        self.taken.clone()
    }

    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// Where the table stands: its header, or its braces.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Takes a key, if it is there.
    pub fn take(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.known.push(key);
        let at = self.left.iter().position(|field| field.key == key)?;
        let field = self.left.swap_remove(at);
        self.taken.insert(key, field.span.clone());
        Some(Field { secret: self.secret, ..field })
    }

    /// Takes a key that must be there.
    pub fn demand(&mut self, key: &'static str, such_as: &str) -> Option<Field<'a>> {
        let found = self.take(key);
        if found.is_none() {
            self.missing(key, such_as);
        }
        found
    }

    /// Faults the absence of a key.
    pub fn missing(&self, key: &str, such_as: &str) {
        let message = match self.name {
            "" => format!("`{key}` is missing; write {key} = {such_as}"),
            name => format!("`{key}` is missing in {name}; write {key} = {such_as}"),
        };
        match self.name {
            "" => self.source.fault_of_file(message),
            _ if self.secret => self.source.fault_unquoted(self.span(), message),
            _ => self.source.fault(self.span(), message),
        }
    }

    /// Faults every key that nobody took. `elsewhere`: keys that exist at the top of the file, for whom a section swallowed them.
    pub fn finish(self, elsewhere: &[&str]) {
        for field in &self.left {
            let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
            let near = nearest(field.key, self.known.iter().copied());
            let hint = match (near, nearest(field.key, elsewhere.iter().copied())) {
                (Some(name), _) => format!("; did you mean `{name}`?"),
                (None, Some(name)) => format!("; `{name}` belongs at the top of the file, before the first [section]"),
                (None, None) => format!("; known are {}", self.known.join(", ")),
            };
            Field { secret: self.secret, ..field.clone() }.wrong_key(format!("unknown key `{}`{place}{hint}", field.key));
        }
    }
}

impl<'a> Field<'a> {
    fn new(source: &'a Source, key: &'a Spanned<toml::de::DeString<'a>>, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { source, key: key.get_ref(), key_span: key.span(), value: value.get_ref(), span: value.span(), secret: false }
    }

    /// From here on the line may hold a secret, and no fault shows it.
    pub fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// The value is wrong.
    pub fn wrong(&self, message: impl std::fmt::Display) {
        self.fault(self.span.clone(), format!("`{}`: {message}", self.key));
    }

    /// The key is wrong.
    pub fn wrong_key(&self, message: String) {
        self.fault(self.key_span.clone(), message);
    }

    fn fault(&self, span: Range<usize>, message: String) {
        if self.secret {
            self.source.fault_unquoted(span, message);
        } else {
            self.source.fault(span, message);
        }
    }

    pub fn warn(&self, message: impl std::fmt::Display) {
        self.source.warn(Some(self.span.clone()), format!("`{}`: {message}", self.key));
    }

    fn expected(&self, what: &str) {
        self.wrong(format!("{} where {what} is wanted", article(self.value.type_str())));
    }

    /// The string, without a fault where it is something else.
    pub fn as_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    pub fn is_empty_list(&self) -> bool {
        self.value.as_array().is_some_and(|list| list.is_empty())
    }

    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub fn is_number(&self) -> bool {
        self.value.is_integer() || self.value.is_float()
    }

    pub fn text(&self, such_as: &str) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.expected(&format!("a string such as {such_as}"));
        }
        text
    }

    /// A string, read by `parse`, whose error says what would be right.
    pub fn parse<T>(&self, such_as: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let parsed = parse(self.text(such_as)?);
        parsed.map_err(|message| self.wrong(message)).ok()
    }

    /// One of several words.
    pub fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let words = || choices.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let text = self.text(&words())?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let hint = match nearest(text, choices.iter().map(|(word, _)| *word)) {
                Some(word) => format!("did you mean \"{word}\"?"),
                None => format!("known are {}", words()),
            };
            self.wrong(format!("\"{text}\" is none of its values; {hint}"));
        }
        found
    }

    pub fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(integer) = self.value.as_integer() else {
            self.expected(&wanted);
            return None;
        };
        let value = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|v| range.contains(v));
        if value.is_none() {
            self.wrong(format!("{} is not {wanted}", integer.as_str()));
        }
        value
    }

    pub fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.expected("true or false");
        }
        flag
    }

    /// The elements of an array, each under this key.
    pub fn list(&self, of: &str) -> Option<Vec<Self>> {
        let Some(array) = self.value.as_array() else {
            self.expected(&format!("a list of {of}"));
            return None;
        };
        let element = |value: &'a Spanned<DeValue<'a>>| Self { value: value.get_ref(), span: value.span(), ..self.clone() };
        Some(array.iter().map(element).collect())
    }

    /// The elements of an array, or the value itself as the only one.
    pub fn one_or_more(&self, of: &str) -> Option<Vec<Self>> {
        if self.value.is_array() { self.list(of) } else { Some(vec![self.clone()]) }
    }

    pub fn table(&self, name: &'static str) -> Option<Table<'a>> {
        let Some(table) = self.value.as_table() else {
            self.expected(&format!("a table {name}"));
            return None;
        };
        Some(Table { secret: self.secret, ..Table::new(self.source, name, table, self.span.clone()) })
    }
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}
