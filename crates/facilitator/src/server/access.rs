//! Who may have payments verified and settled.

use http::{HeaderMap, header::AUTHORIZATION};
use subtle::ConstantTimeEq;
use x402::Address;

use super::answer::Refused;

/// Who may call. Empty lists do not restrict.
#[derive(Clone, Default)]
pub struct Access {
    /// Bearer tokens (RFC 6750), one of which is demanded.
    pub tokens: Vec<String>,
    /// Payees that are settled for.
    pub pay_to: Vec<Address>,
}

impl Access {
    pub(super) fn check_token(&self, headers: &HeaderMap) -> Result<(), Refused> {
        if self.tokens.is_empty() {
            return Ok(());
        }
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Err(Refused::Unauthorized) };
        let given = match value.as_bytes().split_at_checked(7) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token,
            _ => return Err(Refused::Unauthorized),
        };
        // Every token is compared, so that the time tells nothing of which one was near.
        let known = self.tokens.iter().fold(subtle::Choice::from(0), |known, token| known | token.as_bytes().ct_eq(given));
        if bool::from(known) { Ok(()) } else { Err(Refused::Unauthorized) }
    }

    /// `None`: no address at all; the requirements are refused for that later.
    pub(super) fn check_payee(&self, pay_to: Option<Address>) -> Result<(), Refused> {
        match pay_to {
            Some(payee) if !self.pay_to.is_empty() && !self.pay_to.contains(&payee) => Err(Refused::Payee),
            _ => Ok(()),
        }
    }
}
