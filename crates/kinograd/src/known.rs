//! Whether a model knows what a prompt asks for.

use kinograd_runtime::{CacheEntry, TextEncoder, cache_dir, sha256_hex};
use ndarray::Array2;
use ndarray_npy::{ReadNpyExt as _, WriteNpyExt as _};

use crate::Error;

/// A prompt is unknown if no known one is at least this near, where the package does not say.
const UNKNOWN_BELOW: f64 = 0.78;
/// Known prompts that a warning names.
const SHOWN: usize = 3;

/// The prompts that a model knows, and where their embeddings are kept.
pub(crate) struct Known {
    pub prompts: Vec<String>,
    /// Hashes of the files that the embeddings depend on.
    pub files: Vec<String>,
    /// Least cosine to a known prompt, as the package says.
    pub least: Option<f64>,
}

impl Known {
    /// Known prompts nearest to a prompt, nearest first, with the cosine of the embeddings.
    pub fn nearest(
        &self,
        text: &mut TextEncoder,
        prompt: &str,
    ) -> Result<Vec<(String, f32)>, Error> {
        if self.prompts.is_empty() {
            return Ok(Vec::new());
        }
        let target = text.encode(&[prompt])?.embedding;
        let target = target.row(0);
        let rows = self.embeddings(text)?;
        let mut scored: Vec<(String, f32)> = self
            .prompts
            .iter()
            .zip(rows.outer_iter())
            .map(|(prompt, row)| (prompt.clone(), row.dot(&target)))
            .collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(scored)
    }

    /// The nearest known prompts, if the prompt is far from all of them.
    pub fn if_unknown(
        &self,
        text: &mut TextEncoder,
        prompt: &str,
    ) -> Result<Option<Vec<(String, f32)>>, Error> {
        let prompt = prompt.trim();
        let is_known = |known: &String| known.eq_ignore_ascii_case(prompt);
        if self.prompts.iter().any(is_known) {
            return Ok(None);
        }
        let mut nearest = self.nearest(text, prompt)?;
        let least = self.least.unwrap_or(UNKNOWN_BELOW);
        let far = nearest
            .first()
            .is_some_and(|(_, cosine)| f64::from(*cosine) < least);
        nearest.truncate(SHOWN);
        Ok(far.then_some(nearest))
    }

    /// Embeddings of the known prompts, `[prompts, e]`. Hundreds of prompts take a second, so
    /// they are kept in the user's cache.
    fn embeddings(&self, text: &mut TextEncoder) -> Result<Array2<f32>, Error> {
        let key = format!("{}\n{}", self.files.join("\n"), self.prompts.join("\n"));
        let name = format!("{}.npy", &sha256_hex(key.as_bytes())[..32]);
        let entry =
            cache_dir().and_then(|cache| CacheEntry::new(&cache, "known-prompts", &name, key));
        if let Some(rows) = entry.as_ref().and_then(|entry| self.read(entry)) {
            return Ok(rows);
        }
        let prompts: Vec<&str> = self.prompts.iter().map(String::as_str).collect();
        let rows = text.encode(&prompts)?.embedding;
        if let Some(entry) = entry
            && let Err(error) = write(&entry, &rows)
        {
            tracing::debug!("cannot keep the known prompts' embeddings: {error}");
        }
        Ok(rows)
    }

    fn read(&self, entry: &CacheEntry) -> Option<Array2<f32>> {
        let bytes = entry.read()?;
        let rows = Array2::<f32>::read_npy(bytes.as_slice()).ok()?;
        (rows.nrows() == self.prompts.len()).then_some(rows)
    }
}

fn write(entry: &CacheEntry, rows: &Array2<f32>) -> Result<(), Box<dyn std::error::Error>> {
    let mut bytes = Vec::new();
    rows.write_npy(&mut bytes)?;
    entry.write(&bytes)?;
    Ok(())
}
