//! What one request, and all of them together, may ask for.

use std::time::Duration;

/// Limits of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Clips of one request.
    pub samples: usize,
    /// Constraints of one request.
    pub constraints: usize,
    /// Requests of one batch.
    pub batch: usize,
    /// Requests that wait for the generator; one more is told to come back.
    pub queue: usize,
    /// Connections at once; more wait to be taken.
    pub connections: usize,
    /// Jobs whose answers are kept.
    pub jobs: usize,
    /// How long a client may take to send a request.
    pub read_timeout: Duration,
    /// How long a request may wait and be worked on.
    pub request_timeout: Duration,
    /// How long the answers of jobs and of idempotent requests are kept.
    pub keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            samples: 16,
            constraints: 64,
            batch: 16,
            queue: 16,
            connections: 512,
            jobs: 64,
            read_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(600),
            keep: Duration::from_secs(600),
        }
    }
}

/// Denoising steps that the protocol takes.
pub(crate) const STEPS: std::ops::RangeInclusive<u64> = 1..=500;
/// Clips that the protocol takes.
pub(crate) const SAMPLES: std::ops::RangeInclusive<u64> = 1..=16;
/// Frames of a join that the protocol takes.
pub(crate) const TRANSITION_FRAMES: std::ops::RangeInclusive<u64> = 0..=60;
/// Code points of a joint's name.
pub(crate) const NAME_CHARS: usize = 128;
/// Code points of a joint's display name.
pub(crate) const DISPLAY_NAME_CHARS: usize = 256;
/// Frames per second of a request.
pub(crate) const FPS: std::ops::RangeInclusive<f64> = 1.0..=240.0;
