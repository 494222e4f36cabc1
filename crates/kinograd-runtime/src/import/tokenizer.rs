//! CLIP's tokenizer from the two files that most exports have of it.

use std::collections::BTreeMap;
use std::path::Path;

use kinograd_files::{Budget, FileError, catch_panic};
use serde_json::{Value, json};
use tokenizers::Tokenizer;

use crate::RuntimeError;

const START: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";
/// How CLIP cuts a text into words (Radford et al. 2021, `simple_tokenizer.py`).
const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// CLIP's tokenizer from `vocab.json` and `merges.txt`: byte-level byte-pair encoding of lower-case
/// words, between the tokens of start and end.
///
/// # Errors
/// What is wrong with which of the two, as a sentence.
pub(super) fn clip_tokenizer(vocab: &str, merges: &str) -> Result<Tokenizer, String> {
    let vocab: BTreeMap<String, u32> =
        serde_json::from_str(vocab).map_err(|error| format!("vocab.json: {error}"))?;
    let id = |token: &str| {
        let id = vocab.get(token).copied();
        id.ok_or_else(|| format!("vocab.json has no `{token}`, so it is not CLIP's"))
    };
    let (start, end) = (id(START)?, id(END)?);
    let lines = merges.lines().map(str::trim_end);
    let pairs: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with("#version"))
        .collect();
    if let Some(bad) = pairs.iter().find(|pair| pair.split(' ').count() != 2) {
        return Err(format!("merges.txt: `{bad}` is no pair of tokens"));
    }
    let text = described(&json!(vocab), &json!(pairs), start, end).to_string();
    let parsed = catch_panic("tokenizers", || text.parse::<Tokenizer>());
    let parsed = parsed.map_err(|error| error.to_string())?;
    parsed.map_err(|error| format!("vocab.json and merges.txt: {error}"))
}

/// The tokenizer as `tokenizer.json` says it.
fn described(vocab: &Value, merges: &Value, start: u32, end: u32) -> Value {
    let added = |id: u32, content: &str| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        })
    };
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    });
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [added(start, START), added(end, END)],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            {"type": "Lowercase"},
        ]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Removed", "invert": true},
            byte_level,
        ]},
        "post_processor": {
            "type": "RobertaProcessing", "sep": [END, end], "cls": [START, start],
            "trim_offsets": false, "add_prefix_space": false,
        },
        "decoder": byte_level,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": END, "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": false, "vocab": vocab, "merges": merges,
        },
    })
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
            let tokenizer = tokenizer.map_err(|reason| fail(place, reason))?;
            let text = tokenizer.to_string(false);
            return text.map_err(|error| fail(place, error.to_string()));
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
        let ids = |text: &str| tokenizer.encode(text, true).unwrap().get_ids().to_vec();
        assert_eq!(ids("A  Walks"), [10, 4, 9, 11]);
        assert_eq!(ids(""), [10, 11]);
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let error = |vocab: &str, merges: &str| clip_tokenizer(vocab, merges).unwrap_err();
        assert!(error("{}", MERGES).contains("no `<|startoftext|>`"));
        assert!(error("[", MERGES).starts_with("vocab.json"));
        assert!(error(VOCAB, "w a l").contains("`w a l` is no pair"));
        assert!(error(VOCAB, "q q").contains("merges.txt"));
    }
}
