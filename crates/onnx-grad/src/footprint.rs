//! How long each tensor of a graph is needed, for estimates of its peak memory.

use crate::model::TensorInfo;
use crate::{Error, Result};

/// Lifetimes of the tensors that one run of a graph holds, weights left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Footprint {
    pub(crate) steps: usize,
    /// Each with the steps from which and to which it lives.
    pub(crate) tensors: Vec<(TensorInfo, usize, usize)>,
}

impl Footprint {
    /// The most bytes that are needed at once.
    pub(crate) fn peak(&self, lengths: &[(&str, i64)]) -> Result<u64> {
        let mut change = vec![0i128; self.steps + 2];
        for (info, from, to) in &self.tensors {
            let bytes = info.known_bytes(lengths)?;
            change[*from] += i128::from(bytes);
            change[*to + 1] -= i128::from(bytes);
        }
        let (mut now, mut peak) = (0i128, 0i128);
        for step in change {
            now += step;
            peak = peak.max(now);
        }
        u64::try_from(peak).map_err(|_| Error::Request {
            reason: format!("with the lengths {lengths:?} it needs {peak} bytes"),
        })
    }
}
