//! How a server is set up.

use std::net::SocketAddr;

use crate::auth::Token;
use crate::limits::Limits;
use crate::start_error::StartError;

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// What clients must show.
    pub token: Option<Token>,
    /// What requests may ask for.
    pub limits: Limits,
}

impl Config {
    /// A server for this machine alone, or, with a token, for others.
    ///
    /// # Errors
    /// [`StartError::TokenNeeded`] for an address that other machines reach, without a token.
    pub fn new(address: SocketAddr, token: Option<Token>) -> Result<Self, StartError> {
        if !address.ip().is_loopback() && token.is_none() {
            return Err(StartError::TokenNeeded { address });
        }
        Ok(Self {
            address,
            token,
            limits: Limits::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_need_a_token() {
        let token = || Some(Token::new("a-long-enough-secret").unwrap());
        for (address, with_token, without) in [
            ("127.0.0.1:0", true, true),
            ("[::1]:0", true, true),
            ("0.0.0.0:0", true, false),
            ("[::]:0", true, false),
            ("192.168.1.5:80", true, false),
        ] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(
                Config::new(address, token()).is_ok(),
                with_token,
                "{address}"
            );
            assert_eq!(Config::new(address, None).is_ok(), without, "{address}");
        }
    }
}
