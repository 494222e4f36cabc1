//! Arguments of `serve`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::EngineArgs;

/// Serve motion generation over HTTP, by the protocol MMCP 1.2.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd serve\n  \
    kinograd serve --port 9000 --model motion-base\n  \
    kinograd serve --bind 0.0.0.0 --token-file secret.txt\n\
    The page at / tries it out; docs/server.md has requests.")]
pub struct ServeArgs {
    /// Port; 0 takes a free one.
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// Address. Others than this machine's own need --token-file.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,
    /// File with the secret that clients show as `Authorization: Bearer SECRET`; 16 characters or
    /// more.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Requests that may wait; one more is told to come back.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub queue: u16,
    /// Clips of one request.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub max_samples: u8,
    /// Seconds that a request may wait and be worked on.
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86400))]
    pub timeout: u32,
    /// Where the model runs.
    #[command(flatten)]
    pub engine: EngineArgs,
}
