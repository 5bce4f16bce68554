#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::Watched;

#[test]
fn a_change_while_the_file_is_read_is_not_missed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tollway.toml");
    std::fs::write(&file, "one").unwrap();
    let mut watched = Watched::new(&file);
    assert!(watched.has_changed(), "it was never loaded");
    watched.read(|_| ());
    assert!(!watched.has_changed());
    watched.read(|file| std::fs::write(file, "another").unwrap());
    assert!(watched.has_changed());
    watched.read(|_| ());
    assert!(!watched.has_changed());
}

#[test]
fn another_file_in_its_place_is_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let (file, other) = (folder.path().join("tollway.toml"), folder.path().join("other.toml"));
    std::fs::write(&file, "one").unwrap();
    std::fs::write(&other, "two").unwrap();
    let time = std::fs::metadata(&file).unwrap().modified().unwrap();
    std::fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
    let mut watched = Watched::new(&file);
    watched.read(|_| ());
    std::fs::rename(&other, &file).unwrap();
    assert!(watched.has_changed());
}
