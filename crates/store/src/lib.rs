//! [`ledger::Store`] on SQLite: SQL and nothing else.
//!
//! One writer thread commits what waits together (group commit), so that concurrent claims share an fsync; reads run beside it on their own
//! connections. All times come from the caller.

mod sqlite;

use std::{path::Path, sync::Arc};

use ledger::Store;

pub use sqlite::OpenError;

/// Opens the store that `url` names, and brings its schema up to date. Blocks while it does.
///
/// `sqlite:PATH` is a file, made with mode 0600 where it is missing and resolved against the folder `beside` (that of the configuration file) unless
/// absolute; `sqlite::memory:` lives as long as the handle.
pub fn open(url: &str, beside: &Path) -> Result<Arc<dyn Store>, OpenError> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return Err(OpenError::NotBuilt);
    }
    match url.strip_prefix("sqlite:") {
        Some(":memory:") => Ok(Arc::new(sqlite::Sqlite::in_memory()?)),
        Some(path)
            if !path.is_empty()
                && !path.contains('?')
                && !path.starts_with(':')
                && (!path.starts_with("//") || path.starts_with("///")) =>
        {
            Ok(Arc::new(sqlite::Sqlite::at(&beside.join(path))?))
        }
        _ => Err(OpenError::Url(url.to_owned())),
    }
}
