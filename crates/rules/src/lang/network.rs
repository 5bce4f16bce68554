//! Networks in sets of addresses.

use ipnet::IpNet;
use std::net::IpAddr;

/// First and last address of `10.0.0.0/8`, `2001:db8::/32`, a single address, or a short IPv4 network such as `10/8`.
/// An octet with a leading zero is refused (some read it as octal), and so is a short address without a prefix: it would
/// not be plain who is meant.
pub(super) fn parse(text: &str) -> Result<(IpAddr, IpAddr), String> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let Some(length) = length else {
        let address = address.parse().map_err(|_| "not an IP address or network".to_owned())?;
        return Ok((address, address));
    };
    let parsed = address.parse().ok().or_else(|| short(address)).ok_or("not an IP address or network")?;
    let length: u8 = length.parse().map_err(|_| "after `/` the length of the network's prefix is wanted".to_owned())?;
    let network = IpNet::new(parsed, length).map_err(|_| format!("a prefix of {length} bits is longer than the address"))?;
    if network.network() != parsed {
        return Err(format!("bits are set behind the prefix; the network is {}", network.trunc()));
    }
    Ok((network.network(), network.broadcast()))
}

/// `10`, `10.1`: the octets left out are 0.
fn short(address: &str) -> Option<IpAddr> {
    let octet = |text: &str| (text == "0" || !text.starts_with('0')).then(|| text.parse::<u8>().ok()).flatten();
    let given: Vec<u8> = address.split('.').map(octet).collect::<Option<_>>()?;
    let mut octets = [0; 4];
    octets.get_mut(..given.len())?.copy_from_slice(&given);
    Some(IpAddr::from(octets))
}
