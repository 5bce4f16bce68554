#![allow(clippy::unwrap_used, clippy::expect_used)]

use x402::{B256, PaymentRequirements, Proof, SchemePayload, Timestamp, U256, Version, eip712, exact, known};

use crate::{NotSignable, Request, Usd, Wallet, sign};

const KEY: &str = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";
const ADDRESS: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

fn offer(network: &str, asset: &str) -> PaymentRequirements {
    PaymentRequirements {
        scheme: "exact".to_owned(),
        network: network.to_owned(),
        amount: U256::from(1_000),
        asset: asset.to_owned(),
        pay_to: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".to_owned(),
        max_timeout_seconds: 60,
        extra: None,
    }
}

#[test]
fn a_key_is_read_in_hex_and_not_shown() {
    for text in [KEY.to_owned(), format!("  {}\n", &KEY[2..])] {
        let wallet = Wallet::from_hex(&text).unwrap();
        assert_eq!(wallet.address().to_string(), ADDRESS);
        assert!(!format!("{wallet:?}").contains(&KEY[2..10]));
    }
    for wrong in ["", "0x", "0x12", "zz", &"0".repeat(64), &"f".repeat(64)] {
        assert!(Wallet::from_hex(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn dollars_are_exact() {
    for (text, shown) in [("0.10", "$0.10"), ("$1", "$1.00"), ("0.000001", "$0.000001"), ("0", "$0.00"), ("12.5", "$12.50")] {
        assert_eq!(text.parse::<Usd>().unwrap().to_string(), shown);
    }
    for wrong in ["", "$", ".", "1.", ".5", "-1", "1e3", "1,5", "0x10", "+1", "1 ", "1.0000000000000000001"] {
        assert!(wrong.parse::<Usd>().is_err(), "{wrong}");
    }
    assert_eq!(Usd::of_units(U256::from(100_000), 6), Some("0.1".parse().unwrap()));
    assert_eq!(Usd::of_units(U256::MAX, 6), None);
    assert!("0.2".parse::<Usd>().unwrap() > "0.10".parse().unwrap());
}

#[test]
fn the_signature_is_the_wallets_over_the_offers_terms() {
    let (wallet, now, nonce) = (Wallet::from_hex(KEY).unwrap(), Timestamp(1_700_000_000), B256::repeat_byte(7));
    let usdc = &known::networks().iter().find(|n| n.name == "base-sepolia").unwrap().usdc;
    let offer = offer("eip155:84532", &usdc.id.address.to_string());
    let payload = sign(&wallet, &offer, None, Version::V2, now, nonce).unwrap();
    let SchemePayload::Exact(payment) = &payload.payload else { panic!("{payload:?}") };
    let authorization = &payment.authorization;
    assert_eq!(authorization.valid_after, U256::from(1_700_000_000 - 600));
    assert_eq!(authorization.valid_before, U256::from(1_700_000_000 + 60));
    assert_eq!((authorization.value, authorization.nonce), (offer.amount, nonce));
    let separator = eip712::domain_separator(&usdc.name, &usdc.version, 84532, usdc.id.address);
    let authentic = exact::authenticate(payment, usdc, &separator).unwrap();
    assert_eq!((authentic.proof(), authentic.payer()), (Proof::Recovered, wallet.address()));
    assert_eq!(payload.accepted, Some(offer.clone()));
    let old = sign(&wallet, &offer, None, Version::V1, now, nonce).unwrap();
    assert_eq!((old.accepted, old.payload), (None, payload.payload));
}

#[test]
fn a_well_known_tokens_domain_is_never_the_sellers_to_name() {
    let wallet = Wallet::from_hex(KEY).unwrap();
    let usdc = &known::networks().iter().find(|n| n.name == "base-sepolia").unwrap().usdc;
    let honest = offer("eip155:84532", &usdc.id.address.to_string());
    let named = PaymentRequirements { extra: serde_json::json!({"name": "Evil", "version": "9"}).as_object().cloned(), ..honest.clone() };
    let signed = |offer| sign(&wallet, offer, None, Version::V1, Timestamp(1_000), B256::ZERO).unwrap().payload;
    assert_eq!(signed(&honest), signed(&named));
}

#[test]
fn an_unknown_token_needs_a_domain() {
    let wallet = Wallet::from_hex(KEY).unwrap();
    let bare = offer("eip155:31337", "0x5FbDB2315678afecb367f032d93F642f64180aa3");
    let sign = |offer: &PaymentRequirements| sign(&wallet, offer, None, Version::V2, Timestamp(0), B256::ZERO);
    assert!(matches!(sign(&bare), Err(NotSignable::Domain(_))));
    let named = PaymentRequirements { extra: serde_json::json!({"name": "T", "version": "1"}).as_object().cloned(), ..bare };
    assert!(sign(&named).is_ok());
}

#[test]
fn only_safe_redirects_are_followed() {
    let asked = |url: &str, body: bool| Request::new(url, None, &[], body.then(|| "x".into())).unwrap();
    assert!(asked("http://a.test/x", false).redirected("/y").is_some());
    assert!(asked("http://a.test/x", false).redirected("https://b.test/").is_some());
    assert!(asked("https://a.test/x", false).redirected("http://a.test/x").is_none(), "https is not given up");
    assert!(asked("http://a.test/x", true).redirected("/y").is_none(), "a body is not sent on");
    assert!(asked("http://a.test/x", false).redirected("file:///etc/passwd").is_none());
}
