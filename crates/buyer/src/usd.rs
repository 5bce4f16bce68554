//! Dollars as integers, to compare offers and limits.

use std::{fmt, str::FromStr};

use x402::U256;

/// Decimals that are kept: as many as any dollar token has.
const DECIMALS: u8 = 18;

/// An amount of US dollars, in units of 10⁻¹⁸. Never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(U256);

/// Not an amount of dollars.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no amount in dollars: write it as 0.10 or $0.10")]
pub struct BadUsd(String);

impl Usd {
    /// What `units` atomic units of a dollar token with `decimals` are worth; `None` where that is beyond all reason.
    pub fn of_units(units: U256, decimals: u8) -> Option<Self> {
        let scale = U256::from(10_u8).checked_pow(U256::from(DECIMALS.checked_sub(decimals)?))?;
        units.checked_mul(scale).map(Self)
    }
}

impl FromStr for Usd {
    type Err = BadUsd;

    fn from_str(text: &str) -> Result<Self, BadUsd> {
        let bad = || BadUsd(text.to_owned());
        let digits = text.strip_prefix('$').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) || fraction.len() > usize::from(DECIMALS) || whole.len() > 18 {
            return Err(bad());
        }
        let atomic = format!("{whole}{fraction:0<width$}", width = usize::from(DECIMALS));
        U256::from_str_radix(&atomic, 10).map(Self).map_err(|_| bad())
    }
}

impl fmt::Display for Usd {
    /// `$0.001`: no trailing zeros, but at least two decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = U256::from(10_u8).pow(U256::from(DECIMALS));
        let fraction = format!("{:0>width$}", (self.0 % scale).to_string(), width = usize::from(DECIMALS));
        let cut = fraction.trim_end_matches('0');
        write!(f, "${}.{:0<2}", self.0 / scale, cut)
    }
}
