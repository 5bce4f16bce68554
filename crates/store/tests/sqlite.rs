//! The suite on SQLite, in a file with two handles and in memory.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod suite;

use std::{path::Path, sync::Arc};

use suite::Place;

mod file {
    use super::*;

    fn open() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let first = store::open("sqlite:tollway.db", folder.path()).unwrap();
        let second = store::open("sqlite:tollway.db", folder.path()).unwrap();
        Place { first, second, _folder: Some(folder) }
    }

    crate::suite!(open);
}

mod memory {
    use super::*;

    fn open() -> Place {
        let first = store::open("sqlite::memory:", Path::new(".")).unwrap();
        Place { second: Arc::clone(&first), first, _folder: None }
    }

    crate::suite!(open);
}
