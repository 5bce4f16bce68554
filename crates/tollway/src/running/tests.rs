#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use super::Fixed;
use crate::config::{self, Purpose};

fn fixed(top: &str, network: &str) -> Fixed {
    let text = format!(
        "{top}origin = \"http://127.0.0.1:3000\"\npay_to = \"0x209693Bc6afc0C5328bA36FaF03C514EF312287C\"\nnetwork = \"base\"\n\
         [[networks]]\nid = \"base\"\n{network}[[rule]]\nprice = \"$0.001\"\n"
    );
    Fixed::of(&config::parse(Path::new("t.toml"), text, Purpose::Gateway).unwrap())
}

#[test]
fn what_a_reload_cannot_change_is_named() {
    let running = fixed("", "");
    assert_eq!(running.changed(&fixed("timeout = 5\n", "")), None);
    for section in ["rpc = [\"http://127.0.0.1:1\"]\n", "signer = { env = \"OTHER\" }\n", "finality = 3\n"] {
        assert_eq!(running.changed(&fixed("", section)), Some("[[networks]]"), "{section}");
    }
    let mut other = fixed("", "");
    other.networks.clear();
    assert_eq!(running.changed(&other), Some("network"));
    assert_eq!(running.changed(&fixed("store = \"sqlite:other.db\"\n", "")), Some("store"));
    let remote = fixed("facilitator = [\"http://127.0.0.1:1\"]\n", "rpc = [\"http://127.0.0.1:1\"]\n");
    assert_eq!(fixed("", "rpc = [\"http://127.0.0.1:1\"]\n").changed(&remote), Some("facilitator"));
}
