//! What SQLite says, in the words of [`StoreError`].

use ledger::{Fault, StoreError};
use rusqlite::ErrorCode;

/// A [`StoreError`] that `?` makes from what SQLite and the codecs return.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) StoreError);

impl Failure {
    pub(crate) fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self(StoreError { fault, message: message.into() })
    }

    /// The data is not what this version understands.
    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(Fault::Corrupt, message)
    }

    /// It contradicts what is stored.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(Fault::Conflict, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Fault::Unavailable, message)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let fault = match &error {
            rusqlite::Error::SqliteFailure(cause, _) => match cause.code {
                ErrorCode::ConstraintViolation => Fault::Conflict,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch => Fault::Corrupt,
                _ => Fault::Unavailable,
            },
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => Fault::Corrupt,
            _ => Fault::Unavailable,
        };
        Self::new(fault, error.to_string())
    }
}
