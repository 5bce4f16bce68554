#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use x402::{Address, AssetId, Network};

fn asset(decimals: u8, usd: bool) -> Asset {
    let id = AssetId { network: Network::eip155(84532), address: Address::repeat_byte(0xab) };
    Asset { id, name: "USDC".to_owned(), version: "2".to_owned(), decimals, usd, built_in: true }
}

fn dollars(text: &str, decimals: u8) -> Result<Option<U256>, PriceError> {
    PriceSpec::Dollars(text.to_owned()).units(&asset(decimals, true))
}

#[test]
fn dollars_become_atomic_units() {
    for (text, decimals, units) in [
        ("$1", 6, "1000000"),
        ("$0.001", 6, "1000"),
        ("$0.000001", 6, "1"),
        ("$12.50", 2, "1250"),
        ("$3", 0, "3"),
        ("$0.10", 18, "100000000000000000"),
        ("$1000000", 6, "1000000000000"),
    ] {
        assert_eq!(dollars(text, decimals).unwrap(), parse_decimal(units), "{text}");
    }
    assert_eq!(PriceSpec::Dollars("$1".to_owned()).units(&asset(6, false)), Ok(None));
}

#[test]
fn sloppy_prices_are_refused() {
    for text in ["$", "$.5", "$1.", "$-1", "$+1", "$1,000", "$1e3", "$ 1", "$1 ", "$01", "$00.1", "$0.1.2", "$½", "$$1", "$0x1"] {
        assert_eq!(dollars(text, 6), Err(PriceError::NotDollars(text.to_owned())), "{text}");
    }
    for text in ["0.01", "1", "", "€1", "1$"] {
        assert_eq!(dollars(text, 6), Err(PriceError::NoDollar(text.to_owned())), "{text}");
    }
    for text in ["$0", "$0.00", "$0.000000"] {
        assert_eq!(dollars(text, 6), Err(PriceError::Zero), "{text}");
    }
    assert!(matches!(dollars("$0.0000001", 6), Err(PriceError::TooFine { decimals: 6, .. })));
    assert!(matches!(dollars("$0.0010000", 6), Err(PriceError::TooFine { .. })));
    assert!(matches!(dollars("$0.5", 0), Err(PriceError::TooFine { .. })));
    let huge = format!("${}", "9".repeat(77));
    assert_eq!(dollars(&huge, 6), Err(PriceError::TooHigh(huge.clone())));
}

#[test]
fn atomic_units_are_of_one_asset() {
    let address = Address::repeat_byte(0xab).to_string();
    let units =
        |amount: &str, asset_at: &str| PriceSpec::Units { amount: amount.to_owned(), asset: asset_at.to_owned() }.units(&asset(6, false));
    assert_eq!(units("10000", &address), Ok(Some(U256::from(10_000))));
    assert_eq!(units("10000", &address.to_lowercase()), Ok(Some(U256::from(10_000))));
    assert_eq!(units("10000", &Address::repeat_byte(0xac).to_string()), Ok(None));
    assert_eq!(units("0", &address), Err(PriceError::Zero));
    for amount in ["", "01", "1.5", "-1", "$1", " 1"] {
        assert_eq!(units(amount, &address), Err(PriceError::NotUnits(amount.to_owned())), "{amount}");
    }
}
