//! CLIP's tokenizer from the two files that most exports have of it.

use std::path::Path;

use kinograd_files::{Budget, FileError, catch_panic};
use kinograd_runtime::RuntimeError;
use serde_json::Value;
use tokenizers::Tokenizer;

use super::clip_words::{Words, merges, vocabulary};

/// CLIP's tokenizer from `vocab.json` and `merges.txt`, with CLIP's own special tokens: a `tokenizer.json`.
///
/// # Errors
/// What is wrong with which of the two, as a sentence.
fn clip_tokenizer(vocab: &str, pairs: &str) -> Result<String, String> {
    let vocab: Value =
        serde_json::from_str(vocab).map_err(|error| format!("vocab.json: {error}"))?;
    let vocabulary = vocabulary(&vocab).map_err(|reason| format!("vocab.json: {reason}"))?;
    let words = Words {
        config: &Value::Null,
        special: &Value::Null,
        vocabulary: &vocabulary,
    };
    let json = words.tokenizer(&merges(pairs, &vocabulary)?);
    let text = json
        .map_err(|reason| format!("vocab.json: {reason}"))?
        .to_string();
    let parsed = catch_panic("tokenizers", || text.parse::<Tokenizer>());
    let parsed = parsed.map_err(|error| error.to_string())?;
    parsed.map_err(|error| format!("vocab.json and merges.txt: {error}"))?;
    Ok(text)
}

/// What `tokenizer.json` of a text encoder's folder holds, else what `vocab.json` and `merges.txt`
/// make: in the folder itself, in `tokenizer/` within it or beside it.
///
/// # Errors
/// [`RuntimeError::Tokenizer`] if there is none, or it cannot be read.
pub(super) fn tokenizer_json(folder: &Path) -> Result<String, RuntimeError> {
    let fail = |path: &Path, reason: String| RuntimeError::Tokenizer {
        path: path.to_owned(),
        reason,
    };
    let read = |path: &Path| {
        let text = kinograd_files::read_text(path, Budget::of_process());
        text.map_err(|error: FileError| fail(path, error.into_io().to_string()))
    };
    let places = [
        folder.to_owned(),
        folder.join("tokenizer"),
        folder.join("../tokenizer"),
    ];
    for place in &places {
        let whole = place.join("tokenizer.json");
        if whole.is_file() {
            return read(&whole);
        }
        let [vocab, merges] = ["vocab.json", "merges.txt"].map(|name| place.join(name));
        if vocab.is_file() && merges.is_file() {
            let tokenizer = clip_tokenizer(&read(&vocab)?, &read(&merges)?);
            return tokenizer.map_err(|reason| fail(place, reason));
        }
    }
    let missing = "neither tokenizer.json nor vocab.json with merges.txt is in this folder, in tokenizer/ \
                   within it or beside it";
    Err(fail(folder, missing.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCAB: &str = r#"{"a": 0, "w": 1, "l": 2, "k": 3, "a</w>": 4, "s</w>": 5, "wa": 6, "lk": 7,
        "walk": 8, "walks</w>": 9, "<|startoftext|>": 10, "<|endoftext|>": 11}"#;
    const MERGES: &str = "#version: 0.2\nw a\nl k\nwa lk\nwalk s</w>\n";

    #[test]
    fn words_are_merged_between_start_and_end() {
        let tokenizer = clip_tokenizer(VOCAB, MERGES).unwrap();
        let tokenizer: Tokenizer = tokenizer.parse().unwrap();
        let ids = |text: &str| tokenizer.encode(text, true).unwrap().get_ids().to_vec();
        assert_eq!(ids("A  Walks"), [10, 4, 9, 11]);
        assert_eq!(ids(""), [10, 11]);
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let error = |vocab: &str, merges: &str| clip_tokenizer(vocab, merges).unwrap_err();
        assert!(error("{}", MERGES).contains("`w` is not in vocab.json"));
        assert!(error(r#"{"a": 0}"#, "").contains("special token `<|startoftext|>`"));
        assert!(error("[", MERGES).starts_with("vocab.json"));
        assert!(error(VOCAB, "w a l").contains("`a l` is not in vocab.json"));
        assert!(error(VOCAB, "q q").contains("merges.txt"));
    }
}
