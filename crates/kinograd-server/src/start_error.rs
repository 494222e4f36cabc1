//! Why a server does not start, or stops.

use std::net::SocketAddr;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Other machines could use the server.
    #[error("{address} is reached from other machines: a token is needed (--token-file)")]
    TokenNeeded {
        /// Where it should listen.
        address: SocketAddr,
    },
    /// A token that can be guessed or that no header can hold.
    #[error("the token has {got}; at least {least} visible ASCII characters are needed")]
    Token {
        /// What came.
        got: String,
        /// Least number of characters.
        least: usize,
    },
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where it should listen.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The generator's thread, or the runtime, could not be started.
    #[error("cannot start {what}")]
    Thread {
        /// What.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The model makes no clips.
    #[error(transparent)]
    Model(#[from] kinograd::Error),
}
