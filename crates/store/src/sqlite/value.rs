//! Values as columns: networks by their CAIP-2 id, addresses and hashes in lower-case hex, amounts in decimal. What does not read back is corrupt.

use std::{fmt::LowerHex, str::FromStr};

use bytes::Bytes;
use rusqlite::{Row, types::FromSql};
use x402::{Network, Timestamp, U256};

use super::failure::Failure;

/// `0x` and lower-case digits: of an address never its checksummed form.
pub(crate) fn hex(value: impl LowerHex) -> String {
    format!("{value:#x}")
}

/// An unsigned number as SQL's signed one.
pub(crate) fn integer(value: u64) -> Result<i64, Failure> {
    i64::try_from(value).map_err(|_| Failure::conflict(format!("{value} is beyond the store's integers")))
}

/// The columns of a row, in the order of its SELECT.
pub(crate) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn of(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn get<T: FromSql>(&mut self) -> Result<T, Failure> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// What is kept as text.
    pub(crate) fn text<T: FromStr>(&mut self) -> Result<T, Failure> {
        let text = self.get::<String>()?;
        text.parse().map_err(|_| self.corrupt(&text))
    }

    pub(crate) fn text_or_null<T: FromStr>(&mut self) -> Result<Option<T>, Failure> {
        let text = self.get::<Option<String>>()?;
        text.map(|text| text.parse().map_err(|_| self.corrupt(&text))).transpose()
    }

    pub(crate) fn network(&mut self) -> Result<Network, Failure> {
        let text = self.get::<String>()?;
        Network::parse(&text).map_err(|_| self.corrupt(&text))
    }

    /// Atomic units, or seconds of an authorization's window.
    pub(crate) fn decimal(&mut self) -> Result<U256, Failure> {
        let text = self.get::<String>()?;
        U256::from_str_radix(&text, 10).map_err(|_| self.corrupt(&text))
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, Failure> {
        let number = self.get::<i64>()?;
        u64::try_from(number).map_err(|_| self.corrupt(&number.to_string()))
    }

    pub(crate) fn unsigned_or_null(&mut self) -> Result<Option<u64>, Failure> {
        let number = self.get::<Option<i64>>()?;
        number.map(|number| u64::try_from(number).map_err(|_| self.corrupt(&number.to_string()))).transpose()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, Failure> {
        self.unsigned().map(Timestamp)
    }

    pub(crate) fn blob(&mut self) -> Result<Bytes, Failure> {
        self.get::<Vec<u8>>().map(Bytes::from)
    }

    /// The column that was read last does not hold what it should.
    pub(crate) fn corrupt(&self, value: &str) -> Failure {
        let column = self.next.checked_sub(1).and_then(|i| self.row.as_ref().column_name(i).ok()).unwrap_or("?");
        Failure::corrupt(format!("column `{column}` holds {value:?}, which this version does not understand"))
    }
}
