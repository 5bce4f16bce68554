#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn amount(units: U256, chain: u64) -> Amount {
    Amount { units, asset: AssetId { network: Network::eip155(chain), address: Address::ZERO } }
}

#[test]
fn amounts_of_one_asset_add_and_subtract() {
    let (two, three) = (amount(U256::from(2), 1), amount(U256::from(3), 1));
    assert_eq!(two.checked_add(&three), Ok(amount(U256::from(5), 1)));
    assert_eq!(three.checked_sub(&two), Ok(amount(U256::from(1), 1)));
    assert_eq!(two.checked_sub(&three), Err(AmountError::Overflow));
    assert_eq!(amount(U256::MAX, 1).checked_add(&two), Err(AmountError::Overflow));
}

#[test]
fn amounts_of_different_assets_do_not() {
    let (ours, other) = (amount(U256::from(2), 1), amount(U256::from(2), 2));
    assert_eq!(ours.checked_add(&other), Err(AmountError::AssetMismatch));
    assert_eq!(ours.checked_sub(&other), Err(AmountError::AssetMismatch));
}
