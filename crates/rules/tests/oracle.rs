//! What we accept and refuse, against the parser that Cloudflare uses (PyPI `octorules-wirefilter`).
//!
//! Runs where `TOLLWAY_ORACLE_PYTHON` names a Python that has the package; otherwise it says that it was skipped. The
//! corpus is generated from a fixed seed. Where we differ on purpose is in [`DELIBERATE`], and nowhere else.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod generator;

use rules::lang::{self, Expression, LangError, LangErrorKind, Type};
use std::io::Write;
use std::process::{Command, Stdio};

const CORPUS: usize = 20_000;

type Verdict = Result<Expression, LangError>;

/// Tells a difference by the expression, our verdict and the oracle's.
type Tells = fn(&str, &Verdict, &str) -> bool;

/// The differences that are meant: why, and how each is told.
const DELIBERATE: &[(&str, Tells)] = &[
    ("what functions document beyond the oracle's signatures is accepted", |expression, ours, oracle| {
        const WIDER: &[&str] =
            &["len(", "len (", "substring", "url_decode", "to_string", "lookup_json", "remove_query_args", "is_timed_hmac_valid_v0"];
        let signature = oracle.contains("argument");
        accepted(ours) && signature && WIDER.iter().any(|name| expression.contains(name))
    }),
    ("arguments that can never work stop the load: patterns, prefix lengths, limits, flags", |_, ours, oracle| {
        oracle == "ok" && matches!(kind(ours), Some(LangErrorKind::Argument { .. } | LangErrorKind::Regex(_) | LangErrorKind::Wildcard(_)))
    }),
    ("an octet with a leading zero, and a short address without a prefix, are refused", |_, ours, oracle| {
        oracle == "ok" && matches!(kind(ours), Some(LangErrorKind::Literal(problem)) if problem.contains("not an IP address or network"))
    }),
    ("the empty expression is refused", |_, ours, oracle| oracle == "ok" && matches!(kind(ours), Some(LangErrorKind::Empty))),
];

fn accepted(ours: &Verdict) -> bool {
    ours.as_ref().err().is_none_or(LangError::is_missing)
}

fn kind(ours: &Verdict) -> Option<&LangErrorKind> {
    ours.as_ref().err().map(LangError::kind)
}

/// Asks the judge; `None` where there is none.
fn judge(args: &[&str], input: &[u8]) -> Option<Vec<String>> {
    let Some(python) = std::env::var_os("TOLLWAY_ORACLE_PYTHON") else {
        eprintln!("skipped: TOLLWAY_ORACLE_PYTHON does not name a Python with octorules-wirefilter");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/judge.py");
    let mut child =
        Command::new(python).arg(script).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the judge starts");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the judge failed");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn accepts_and_refuses_what_cloudflare_does() {
    let corpus = generator::corpus(CORPUS);
    let lines: Vec<String> = corpus.iter().map(|expression| serde_json::to_string(expression).unwrap()).collect();
    let Some(verdicts) = judge(&[], (lines.join("\n") + "\n").as_bytes()) else { return };
    assert_eq!(verdicts.len(), corpus.len());
    let accepted_there = verdicts.iter().filter(|verdict| *verdict == "ok").count();
    assert!(accepted_there > CORPUS / 5 && accepted_there < CORPUS * 4 / 5, "a one-sided corpus: {accepted_there} accepted");

    let mut used = vec![0; DELIBERATE.len()];
    let mut differences = Vec::new();
    for (expression, oracle) in corpus.iter().zip(&verdicts) {
        let ours = Expression::parse(expression);
        if accepted(&ours) == (oracle == "ok") {
            continue;
        }
        match DELIBERATE.iter().position(|(_, tells)| tells(expression, &ours, oracle)) {
            Some(at) => used[at] += 1,
            None => differences.push(format!(
                "{expression:?}\n  oracle: {oracle}\n  ours: {}",
                ours.err().map_or_else(|| "ok".to_owned(), |error| error.to_string())
            )),
        }
    }
    eprintln!("{} expressions, {accepted_there} accepted there; meant differences: {used:?}", corpus.len());
    assert!(
        differences.is_empty(),
        "{} differences, the first:\n{}",
        differences.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}

#[test]
fn every_field_and_function_of_the_schema_is_declared() {
    let Some(schema) = judge(&["schema"], b"") else { return };
    let mut fields = 0;
    for line in &schema {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["field", name, ty] => {
                fields += 1;
                let field = lang::field(name).unwrap_or_else(|| panic!("{name} is not declared"));
                assert_eq!(field.ty, schema_type(ty), "{name}");
            }
            ["function", name] => assert!(lang::function_names().any(|known| known == *name), "{name}() is not declared"),
            _ => panic!("{line}"),
        }
    }
    assert!(fields > 150, "{fields} fields");
}

/// The schema's name of a type, read from the outside in: `MAP_ARRAY_STRING`.
fn schema_type(name: &str) -> Type {
    if name == "MAP_STRING_INT" {
        return Type::Map(Box::new(Type::Int));
    }
    match name.split_once('_') {
        Some(("ARRAY", element)) => schema_type(element).array(),
        Some(("MAP", value)) => Type::Map(Box::new(schema_type(value))),
        _ => match name {
            "BOOL" => Type::Bool,
            "INT" => Type::Int,
            "STRING" => Type::Bytes,
            "IP" => Type::Ip,
            other => panic!("{other}"),
        },
    }
}
