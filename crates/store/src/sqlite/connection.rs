//! Opening: the file and its mode, the pragmas, who may open what.

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use ledger::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{failure::Failure, migrations};

/// How long a statement waits for another process's write; then the store is unavailable.
const BUSY: Duration = Duration::from_secs(5);
/// Distinct statements kept prepared per connection: more than there are.
const STATEMENTS: usize = 64;

/// Keys are random, so that every claim touches another page: 16 MiB of them are kept, and four times the usual number is gathered in the log before it is
/// copied back. Savepoints keep their undo in memory.
const WRITER: &str = "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY;";

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("`{0}` is no store: write \"sqlite:tollway.db\", a path beside the configuration file, or \"sqlite:/an/absolute/path.db\"")]
    Url(String),
    #[error("a PostgreSQL store (`postgres://…`) is not built yet: use \"sqlite:tollway.db\"")]
    NotBuilt,
    #[error("cannot open the store {}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot start a thread of the store: {0}")]
    Thread(#[from] io::Error),
    #[error(
        "the store was written by a newer version (schema {found}, this version knows {known}): start that version, nothing was changed"
    )]
    Newer { found: i64, known: i64 },
    #[error("the file holds another program's tables, not a store")]
    NotAStore,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.0)
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Failure::from(error).into()
    }
}

pub(crate) fn in_memory() -> Result<Connection, OpenError> {
    let mut connection = Connection::open_in_memory()?;
    prepare(&connection)?;
    migrations::run(&mut connection)?;
    Ok(connection)
}

/// The connection that writes: the file is made where it is missing, and its schema brought up to date.
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    create(path).map_err(|source| OpenError::File { path: path.to_owned(), source })?;
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&connection)?;
    write_ahead(&connection)?;
    connection.execute_batch(WRITER)?;
    migrations::run(&mut connection)?;
    Ok(connection)
}

pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<(), OpenError> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;")?;
    Ok(())
}

/// Turns the write-ahead log on. SQLite does not wait where two processes do this at once, so we do.
fn write_ahead(connection: &Connection) -> Result<(), OpenError> {
    let mut patience = 50;
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(Failure::unavailable(format!("no write-ahead log on this file system (journal mode {mode})")).into()),
            Err(rusqlite::Error::SqliteFailure(cause, _)) if cause.code == ErrorCode::DatabaseBusy && patience > 0 => {
                patience -= 1;
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Makes the file, for its owner only: keys are kept in it. SQLite gives its log the same mode.
fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => warn_if_shared(path),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn warn_if_shared(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the store holds keys, and others may read it: chmod 600");
    }
    Ok(())
}

#[cfg(not(unix))]
fn warn_if_shared(_: &Path) -> io::Result<()> {
    Ok(())
}
