//! What is wrong with a configuration file: where, what, and what would be right. All faults of a file are told at once.

use std::{cell::RefCell, fmt, ops::Range, path::Path};

/// One fault or warning, with the place it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    place: Option<Place>,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    /// The line with a caret under the fault; absent where it may hold a secret.
    excerpt: Option<(String, usize)>,
}

/// A file that cannot be used, with every reason found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    pub file: String,
    pub faults: Vec<Fault>,
}

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            fault.write(f, "error", &self.file)?;
        }
        Ok(())
    }
}

impl Fault {
    /// About the file as a whole.
    pub fn of_file(message: String) -> Self {
        Self { place: None, message }
    }

    /// `file:line:column`, or the file.
    pub fn place_in(&self, file: &str) -> String {
        self.place.as_ref().map_or_else(|| file.to_owned(), |place| format!("{file}:{}:{}", place.line, place.column))
    }

    /// As `kind: file:line:column: message`, with the line and a caret below it.
    pub fn write(&self, f: &mut impl fmt::Write, kind: &str, file: &str) -> fmt::Result {
        write!(f, "{kind}: {}: {}", self.place_in(file), self.message)?;
        let Some(place) = &self.place else { return Ok(()) };
        if let Some((line, width)) = &place.excerpt {
            let number = place.line.to_string();
            let (gutter, indent) = (" ".repeat(number.len()), " ".repeat(place.column - 1));
            write!(f, "\n  {number} | {line}\n  {gutter} | {indent}{}", "^".repeat(*width))?;
        }
        Ok(())
    }
}

/// A file's text, and the faults and warnings found in it so far.
pub struct Source {
    pub file: String,
    text: String,
    faults: RefCell<Vec<(usize, Fault)>>,
    warnings: RefCell<Vec<Fault>>,
}

impl Source {
    pub fn new(path: &Path, text: String) -> Self {
        Self { file: path.display().to_string(), text, faults: RefCell::default(), warnings: RefCell::default() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Something is wrong at `span`.
    pub fn fault(&self, span: Range<usize>, message: impl Into<String>) {
        let fault = Fault { place: Some(self.place(&span, true)), message: message.into() };
        self.faults.borrow_mut().push((span.start, fault));
    }

    /// Something is wrong at `span`, and the line may hold a secret: it is not shown.
    pub fn fault_unquoted(&self, span: Range<usize>, message: impl Into<String>) {
        let fault = Fault { place: Some(self.place(&span, false)), message: message.into() };
        self.faults.borrow_mut().push((span.start, fault));
    }

    /// Something is wrong with the file as a whole.
    pub fn fault_of_file(&self, message: impl Into<String>) {
        self.faults.borrow_mut().push((usize::MAX, Fault::of_file(message.into())));
    }

    pub fn warn(&self, span: Option<Range<usize>>, message: impl Into<String>) {
        let place = span.map(|span| self.place(&span, true));
        self.warnings.borrow_mut().push(Fault { place, message: message.into() });
    }

    pub fn is_sound(&self) -> bool {
        self.faults.borrow().is_empty()
    }

    /// The faults in the order of the file.
    pub fn into_faults(self) -> Faults {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|(start, _)| *start);
        Faults { file: self.file, faults: faults.into_iter().map(|(_, fault)| fault).collect() }
    }

    pub fn take_warnings(&self) -> Vec<Fault> {
        self.warnings.take()
    }

    fn place(&self, span: &Range<usize>, quoted: bool) -> Place {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).map_or(0, |part| part.chars().count()) + 1;
        let whole = self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let marked = self.text.get(span.clone()).and_then(|part| part.lines().next()).map_or(0, |part| part.chars().count());
        let excerpt = quoted.then(|| (whole.replace('\t', " "), marked.max(1)));
        Place { line, column, excerpt }
    }
}

/// The known name nearest to a misspelt one, if one is near.
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    known.into_iter().map(|k| (distance(name, k), k)).filter(|(d, _)| *d <= limit).min().map(|(_, k)| k)
}

/// How many letters differ (Levenshtein, adjacent swaps counted once).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
