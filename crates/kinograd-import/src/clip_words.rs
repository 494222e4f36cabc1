//! CLIP's tokenizer as a `tokenizer.json`, of its `vocab.json` and `merges.txt`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// CLIP's words (Radford et al. 2021), as in transformers' `CLIPConverter`.
const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// What the files say of a vocabulary.
pub(super) struct Words<'a> {
    pub config: &'a Value,
    pub special: &'a Value,
    pub vocabulary: &'a BTreeMap<String, i64>,
}

impl Words<'_> {
    /// The text of a special token.
    pub(super) fn content(&self, role: &str, default: &str) -> String {
        let text = |file: &Value| {
            let token = &file[role];
            let content = token.as_str().or_else(|| token["content"].as_str());
            content.map(str::to_owned)
        };
        text(self.config)
            .or_else(|| text(self.special))
            .unwrap_or_else(|| default.to_owned())
    }

    pub(super) fn id(&self, token: &str) -> Result<i64, String> {
        let id = self.vocabulary.get(token).copied();
        id.ok_or_else(|| format!("its vocabulary lacks the special token `{token}`"))
    }

    /// Special tokens, which are found in a text before it is split.
    fn added(&self) -> Result<Vec<Value>, String> {
        let mut added: BTreeMap<i64, Value> = BTreeMap::new();
        for (id, token) in self.config["added_tokens_decoder"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let id = id
                .parse()
                .map_err(|_| format!("added_tokens_decoder: `{id}` is no number"))?;
            let mut token = token.clone();
            token["id"] = json!(id);
            added.insert(id, token);
        }
        let roles = [
            ("bos_token", "<|startoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ];
        for (role, default) in roles {
            let content = self.content(role, default);
            let id = self.id(&content)?;
            added.entry(id).or_insert_with(|| {
                json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true})
            });
        }
        Ok(added.into_values().collect())
    }

    pub(super) fn tokenizer(&self, merges: &[[&str; 2]]) -> Result<Value, String> {
        let framed = |role, default| -> Result<Value, String> {
            let content = self.content(role, default);
            Ok(json!([content, self.id(&content)?]))
        };
        let bytes = |regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex});
        Ok(json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": self.added()?,
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "},
                {"type": "Lowercase"},
            ]},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Removed", "invert": true},
                bytes(true),
            ]},
            "post_processor": {"type": "RobertaProcessing", "trim_offsets": false, "add_prefix_space": false,
                "sep": framed("eos_token", "<|endoftext|>")?, "cls": framed("bos_token", "<|startoftext|>")?},
            "decoder": bytes(true),
            "model": {"type": "BPE", "dropout": null, "unk_token": self.content("unk_token", "<|endoftext|>"),
                "continuing_subword_prefix": "", "end_of_word_suffix": "</w>", "fuse_unk": false,
                "byte_fallback": false, "ignore_merges": false, "vocab": self.vocabulary, "merges": merges},
        }))
    }
}

/// A table of tokens and their numbers.
pub(super) fn vocabulary(vocab: &Value) -> Result<BTreeMap<String, i64>, String> {
    let Some(words) = vocab.as_object() else {
        return Err(
            "its vocabulary is no table of tokens and numbers: CLIP's byte pairs are taken"
                .to_owned(),
        );
    };
    let id = |(word, id): (&String, &Value)| match id.as_i64() {
        Some(id) if id >= 0 => Ok((word.clone(), id)),
        _ => Err(format!("its vocabulary gives `{word}` the number {id}")),
    };
    words.iter().map(id).collect()
}

/// Pairs, the first to be joined first; both and what they make must be tokens.
pub(super) fn merges<'a>(
    text: &'a str,
    vocabulary: &BTreeMap<String, i64>,
) -> Result<Vec<[&'a str; 2]>, String> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(number, line)| {
        !(line.is_empty() || *number == 0 && line.starts_with("#version"))
    });
    lines
        .map(|(number, line)| {
            let at = |what: String| format!("merges.txt line {}: {what}", number + 1);
            let Some((left, right)) = line.trim_end().split_once(' ') else {
                return Err(at(format!("`{line}` is no pair")));
            };
            for token in [left, right, &format!("{left}{right}")] {
                if !vocabulary.contains_key(token) {
                    return Err(at(format!(
                        "`{token}` is not in vocab.json; both must be one tokenizer's"
                    )));
                }
            }
            Ok([left, right])
        })
        .collect()
}
