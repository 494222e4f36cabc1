//! `Idempotency-Key`: the same request, sent again, is answered by the same answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::error::{ApiError, Code};
use crate::media::Answer;

/// Keys that are kept at once.
const MOST_KEYS: usize = 256;
/// Longest key, bytes.
const MOST_KEY_BYTES: usize = 255;
/// A larger answer is not kept, bytes.
const MOST_ANSWER_BYTES: usize = 8 << 20;
/// All answers together, bytes.
const MOST_BYTES: usize = 128 << 20;

/// What a body and its headers come to.
pub(crate) type Fingerprint = [u8; 32];

struct Entry {
    fingerprint: Fingerprint,
    since: Instant,
    bytes: usize,
    answer: watch::Receiver<Option<Answer>>,
}

/// Answers by key.
pub(crate) struct Idempotency {
    keep: Duration,
    entries: Mutex<BTreeMap<String, Entry>>,
}

/// What a key says.
pub(crate) enum Found {
    /// Nothing: the request is to be done, and its answer put here.
    New(watch::Sender<Option<Answer>>),
    /// It was done, or is under way.
    Known(watch::Receiver<Option<Answer>>),
    /// No more keys are kept.
    Declined,
}

/// The fingerprint of the parts of a request.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Idempotency {
    pub(crate) fn new(keep: Duration) -> Self {
        Self {
            keep,
            entries: Mutex::default(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks a key up, and takes it where it is new.
    pub(crate) fn find(&self, key: &str, fingerprint: Fingerprint) -> Result<Found, ApiError> {
        if key.is_empty() || key.len() > MOST_KEY_BYTES {
            return Err(ApiError::new(
                Code::InvalidRequest,
                format!("Idempotency-Key: 1 to {MOST_KEY_BYTES} bytes are taken"),
            ));
        }
        let mut entries = self.entries();
        entries.retain(|_, entry| entry.since.elapsed() < self.keep && entry.is_alive());
        if let Some(entry) = entries.get(key) {
            if entry.fingerprint != fingerprint {
                let message = "the same Idempotency-Key came with another request";
                return Err(
                    ApiError::new(Code::InvalidRequest, message).status(StatusCode::CONFLICT)
                );
            }
            return Ok(Found::Known(entry.answer.clone()));
        }
        let bytes: usize = entries.values().map(|entry| entry.bytes).sum();
        if entries.len() >= MOST_KEYS || bytes > MOST_BYTES {
            return Ok(Found::Declined);
        }
        let (sender, answer) = watch::channel(None);
        let entry = Entry {
            fingerprint,
            since: Instant::now(),
            bytes: 0,
            answer,
        };
        entries.insert(key.to_owned(), entry);
        Ok(Found::New(sender))
    }

    /// Keeps an answer; false where it is too large for that.
    pub(crate) fn keep(
        &self,
        key: &str,
        place: &watch::Sender<Option<Answer>>,
        answer: &Answer,
    ) -> bool {
        let mut entries = self.entries();
        let bytes = answer.body.len();
        if bytes > MOST_ANSWER_BYTES {
            entries.remove(key);
            return false;
        }
        if let Some(entry) = entries.get_mut(key) {
            entry.bytes = bytes;
        }
        // Who waits has a receiver; the entry has one in any case.
        let _ = place.send(Some(answer.clone()));
        true
    }
}

impl Entry {
    /// Whether it has an answer, or someone works on one.
    fn is_alive(&self) -> bool {
        self.answer.has_changed().is_ok() || self.answer.borrow().is_some()
    }
}
