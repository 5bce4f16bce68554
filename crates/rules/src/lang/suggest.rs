//! Did you mean…?

use super::{fields, functions};

/// The known name nearest to `name`, where it is near enough: half the letters may differ at the end of a path, a quarter anywhere.
pub(super) fn suggest(name: &str) -> Option<String> {
    let wanted = name.to_ascii_lowercase();
    let known = fields::fields().map(|field| field.name).chain(functions::function_names());
    let scored = known.map(|candidate| (score(&wanted, candidate), candidate));
    let (distance, best) = scored.min()?;
    (distance <= wanted.len() / 4 + 1).then(|| best.to_owned())
}

/// Edits between the names; a missing middle part of a dotted name ("http.request.path") counts as one.
fn score(wanted: &str, candidate: &str) -> usize {
    let parts: Vec<&str> = candidate.split('.').collect();
    let without_one = (0..parts.len()).map(|out| {
        let kept: Vec<&str> = parts.iter().enumerate().filter(|(at, _)| *at != out).map(|(_, part)| *part).collect();
        if kept.join(".") == wanted { 1 } else { usize::MAX }
    });
    without_one.min().unwrap_or(usize::MAX).min(distance(wanted.as_bytes(), candidate.as_bytes()))
}

/// Levenshtein distance, names being short.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or_default();
            let cost = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            left = cost;
        }
        if let Some(cell) = row.last_mut() {
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}
