//! A local HTTP server for motion generation: MMCP 1.2, the motion model context protocol, and a page
//! to try it in.
//!
//! ```no_run
//! use kinograd::{MotionGenerator, runtime::EngineOptions};
//! use kinograd_server::{Config, GeneratorSource, Server};
//!
//! let config = Config::new("127.0.0.1:8000".parse()?, None)?;
//! let server = Server::start(config, || {
//!     GeneratorSource::new(MotionGenerator::open("motion-base", &EngineOptions::default())?)
//! })?;
//! assert_eq!(server.address().port(), 8000);
//! // Dropped, it stops.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A request becomes a [`Plan`]: a task of ours in the clip's own frame, a figure (our body, or the
//! request's skeleton as a character), and where the clip lies in the client's world. One thread makes
//! the plans of a bounded queue; a client that goes takes its work with it.
//!
//! World: right-handed, Y up, metres. A heading is a right-handed turn about +Y: 0 faces +Z, π/2
//! faces +X.

mod answer;
mod auth;
mod capabilities;
mod config;
mod control;
mod error;
mod generate;
mod gltf;
mod idempotency;
mod jobs;
mod limits;
mod listen;
mod media;
mod metrics;
mod model;
mod page;
mod placement;
mod plan;
mod pose;
mod queue;
mod request;
mod router;
mod server;
mod start;
mod start_error;
mod state;
mod task;
mod worker;

pub use auth::Token;
pub use config::Config;
pub use limits::Limits;
pub use model::{ClipSource, GeneratorSource, ModelInfo};
pub use placement::Placement;
pub use plan::{Figure, Plan};
pub use server::Server;
pub use start_error::StartError;
