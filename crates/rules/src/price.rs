//! Prices: dollars or atomic units, into atomic units of an asset.

use x402::{Asset, U256, encoding::parse_decimal};

/// A price as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceSpec {
    /// `"$0.01"`: payable with every asset that stands for a dollar.
    Dollars(String),
    /// Atomic units of the asset at that address.
    Units { amount: String, asset: String },
}

/// Why a price was refused. The operator's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    #[error("`{0}` has no `$`; dollars are written \"$0.01\", atomic units {{ amount = \"10000\", asset = \"0x…\" }}")]
    NoDollar(String),
    #[error("`{0}` is not an amount of dollars such as \"$0.01\": digits, and a point between them")]
    NotDollars(String),
    #[error("a price of nothing; a rule that gives away has action = \"allow\"")]
    Zero,
    #[error("`{price}` has more decimals than {name} on {network}, which has {decimals}")]
    TooFine { price: String, name: String, network: String, decimals: u8 },
    #[error("`{0}` is more than any amount")]
    TooHigh(String),
    #[error("`{0}` is not an amount of atomic units: a whole number without leading zeros")]
    NotUnits(String),
    #[error("`{0}` is no address of a configured asset")]
    UnknownAsset(String),
}

impl PriceSpec {
    /// What the price is in atomic units of `asset`; `None` where it is not payable with it.
    pub fn units(&self, asset: &Asset) -> Result<Option<U256>, PriceError> {
        let amount = match self {
            Self::Dollars(text) => {
                let dollars = Dollars::parse(text)?;
                if !asset.usd {
                    return Ok(None);
                }
                dollars.units(text, asset)?
            }
            Self::Units { amount, asset: address } => {
                let units = parse_decimal(amount).ok_or_else(|| PriceError::NotUnits(amount.clone()))?;
                if !address.eq_ignore_ascii_case(&asset.id.address.to_string()) {
                    return Ok(None);
                }
                units
            }
        };
        if amount.is_zero() { Err(PriceError::Zero) } else { Ok(Some(amount)) }
    }
}

/// Dollars as written: the digits, and how many of them stand behind the point.
struct Dollars {
    digits: U256,
    decimals: usize,
}

impl Dollars {
    fn parse(text: &str) -> Result<Self, PriceError> {
        let number = text.strip_prefix('$').ok_or_else(|| PriceError::NoDollar(text.to_owned()))?;
        let malformed = || PriceError::NotDollars(text.to_owned());
        let (whole, fraction) = match number.split_once('.') {
            Some((_, "")) => return Err(malformed()),
            Some(parts) => parts,
            None => (number, ""),
        };
        if parse_decimal(whole).is_none() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        let value = parse_decimal(if significant.is_empty() { "0" } else { significant });
        Ok(Self { digits: value.ok_or_else(|| PriceError::TooHigh(text.to_owned()))?, decimals: fraction.len() })
    }

    fn units(&self, text: &str, asset: &Asset) -> Result<U256, PriceError> {
        let scale = usize::from(asset.decimals).checked_sub(self.decimals).ok_or_else(|| PriceError::TooFine {
            price: text.to_owned(),
            name: asset.name.clone(),
            network: asset.id.network.to_string(),
            decimals: asset.decimals,
        })?;
        let scaled = U256::from(10).checked_pow(U256::from(scale)).and_then(|factor| self.digits.checked_mul(factor));
        scaled.ok_or_else(|| PriceError::TooHigh(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
