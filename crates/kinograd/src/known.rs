//! Whether a model knows what a prompt asks for.

use kinograd_runtime::TextEncoder;

use crate::Error;

/// A prompt is unknown if no known one is at least this near.
const UNKNOWN_BELOW: f32 = 0.6;
/// Known prompts that a warning names.
const SHOWN: usize = 3;

/// Known prompts nearest to a prompt, nearest first, with the cosine of the embeddings.
pub(crate) fn nearest(
    text: &mut TextEncoder,
    prompt: &str,
    known: &[String],
) -> Result<Vec<(String, f32)>, Error> {
    let target = text.encode(&[prompt])?.embedding;
    let target = target.row(0);
    let prompts: Vec<&str> = known.iter().map(String::as_str).collect();
    if prompts.is_empty() {
        return Ok(Vec::new());
    }
    let rows = text.encode(&prompts)?.embedding;
    let mut scored: Vec<(String, f32)> = known
        .iter()
        .zip(rows.outer_iter())
        .map(|(prompt, row)| (prompt.clone(), row.dot(&target)))
        .collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(scored)
}

/// The nearest known prompts, if the prompt is far from all of them.
pub(crate) fn if_unknown(
    text: &mut TextEncoder,
    prompt: &str,
    known: &[String],
) -> Result<Option<Vec<(String, f32)>>, Error> {
    let prompt = prompt.trim();
    if known.is_empty() || known.iter().any(|known| known.eq_ignore_ascii_case(prompt)) {
        return Ok(None);
    }
    let mut nearest = nearest(text, prompt, known)?;
    let far = nearest
        .first()
        .is_some_and(|(_, cosine)| *cosine < UNKNOWN_BELOW);
    nearest.truncate(SHOWN);
    Ok(far.then_some(nearest))
}
