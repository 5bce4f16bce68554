use std::process::Command;

use crate::shell;

const MOST_LINES: usize = 700;

/// Every file that git tracks or would track, with its text; files that are not UTF-8 are left out.
fn sources() -> Vec<(String, String)> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(shell::root(""))
        .output()
        .expect("git ls-files");
    let names = String::from_utf8(listed.stdout).expect("names in UTF-8");
    names.lines().filter_map(|name| Some((name.to_owned(), std::fs::read_to_string(shell::root(name)).ok()?))).collect()
}

fn is_rust(name: &str) -> bool {
    name.ends_with(".rs")
}

#[test]
fn files_are_short() {
    for (name, text) in sources().iter().filter(|(name, _)| is_rust(name)) {
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "{name} has {lines} lines: split it, {MOST_LINES} are the most");
    }
}

#[test]
fn nothing_is_left_over() {
    // Written in two parts, so that this file does not find itself.
    let leftovers =
        [["to", "do!("], ["unimpl", "emented!("], ["db", "g!("], ["FIX", "ME"], ["XX", "X"], ["TO", "DO"]].map(|parts| parts.concat());
    for (name, text) in sources().iter().filter(|(name, _)| is_rust(name)) {
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = leftovers.iter().find(|leftover| line.contains(leftover.as_str())) {
                panic!("{name}:{} has {found}", number + 1);
            }
        }
    }
}

#[test]
fn lock_files_name_no_registry_host() {
    for (name, text) in sources().iter().filter(|(name, _)| name.ends_with("package-lock.json") || name.ends_with("requirements.txt")) {
        assert!(!text.contains("://registry") && !text.contains("\"resolved\""), "{name} names where packages were downloaded from");
    }
}

#[test]
fn tests_stand_beside_the_code() {
    for (name, text) in sources().iter().filter(|(name, _)| is_rust(name) && name.starts_with("crates/")) {
        let long = text.lines().count() > 200;
        assert!(!(long && text.contains("#[cfg(test)]\nmod tests {")), "{name}: put the tests of a long file into tests.rs beside it");
    }
}
