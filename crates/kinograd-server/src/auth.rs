//! Who may ask.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use crate::error::{ApiError, Code};
use crate::start_error::StartError;

/// A shorter token can be guessed.
const LEAST_CHARS: usize = 16;

/// A secret that clients show as `Authorization: Bearer TOKEN`.
#[derive(Clone)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// A secret; blanks around it are left out.
    ///
    /// # Errors
    /// [`StartError::Token`] for fewer than 16 characters, or others than visible ASCII.
    pub fn new(secret: &str) -> Result<Self, StartError> {
        let secret = secret.trim();
        let visible = secret.bytes().all(|byte| byte.is_ascii_graphic());
        if secret.len() < LEAST_CHARS || !visible {
            let got = if visible {
                format!("{} characters", secret.len())
            } else {
                "other characters".to_owned()
            };
            return Err(StartError::Token {
                got,
                least: LEAST_CHARS,
            });
        }
        Ok(Self(secret.to_owned()))
    }

    /// Whether it is the same, in a time that tells nothing of where they differ.
    fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

/// Refuses who shows no token where one is needed.
pub(crate) fn check_token(token: Option<&Token>, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(token) = token else {
        return Ok(());
    };
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, shown)| shown.trim());
    match shown {
        Some(shown) if token.is(shown) => Ok(()),
        Some(_) => Err(ApiError::new(Code::Unauthorized, "another token is needed")),
        None => Err(ApiError::new(
            Code::Unauthorized,
            "a token is needed: Authorization: Bearer TOKEN",
        )),
    }
}

/// Refuses requests that a web page made a browser send here: a loopback server is asked for by a
/// loopback name, and a page of another origin says its own in `Origin`.
pub(crate) fn check_origin(address: SocketAddr, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST);
    if address.ip().is_loopback() && host.is_some_and(|host| !is_loopback(host)) {
        return Err(ApiError::new(
            Code::Forbidden,
            "this server is for its own machine: ask for localhost",
        ));
    }
    let same = |origin: &str| {
        let authority = origin.split_once("://").map(|(_, rest)| rest);
        authority.is_some() && authority == host
    };
    match text(header::ORIGIN) {
        Some(origin) if !same(origin) => Err(ApiError::new(
            Code::Forbidden,
            "requests of another site's pages are not taken",
        )),
        _ => Ok(()),
    }
}

/// Whether a `Host` header, with or without a port, names this machine to itself.
fn is_loopback(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let address = rest.split(']').next().unwrap_or_default();
        return address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn short_and_invisible_tokens_are_refused() {
        assert!(Token::new("0123456789abcde").is_err());
        assert!(Token::new("0123456789abcd ef").is_err());
        assert!(Token::new("0123456789abcdeé").is_err());
        let token = Token::new(" 0123456789abcdef\n").unwrap();
        assert!(!format!("{token:?}").contains("0123"));
        let with = |value: &str| headers(&[(header::AUTHORIZATION, value)]);
        assert!(check_token(Some(&token), &with("Bearer 0123456789abcdef")).is_ok());
        assert!(check_token(Some(&token), &with("bearer  0123456789abcdef")).is_ok());
        for wrong in [
            "Bearer 0123456789abcdeg",
            "Bearer 0123456789abcde",
            "Basic 0123456789abcdef",
            "",
        ] {
            assert!(check_token(Some(&token), &with(wrong)).is_err(), "{wrong}");
        }
        assert!(check_token(Some(&token), &HeaderMap::new()).is_err());
        assert!(check_token(None, &HeaderMap::new()).is_ok());
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let here: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        for (host, origin, taken) in [
            ("localhost:8080", None, true),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080"), true),
            ("[::1]:8080", None, true),
            ("evil.example:8080", None, false),
            ("evil.example:8080", Some("http://evil.example:8080"), false),
            ("localhost:8080", Some("https://evil.example"), false),
            ("localhost:8080", Some("null"), false),
        ] {
            let mut pairs = vec![(header::HOST, host)];
            pairs.extend(origin.map(|origin| (header::ORIGIN, origin)));
            assert_eq!(
                check_origin(here, &headers(&pairs)).is_ok(),
                taken,
                "{host} {origin:?}"
            );
        }
        let open: SocketAddr = "0.0.0.0:8080".parse().unwrap();
        assert!(check_origin(open, &headers(&[(header::HOST, "studio:8080")])).is_ok());
    }
}
