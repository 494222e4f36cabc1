//! A `tokenizer.json` of CLIP's `vocab.json` and `merges.txt`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::folder::{PipelineFolder, number};
use crate::RuntimeError;

/// CLIP's words (Radford et al. 2021), as in transformers' `CLIPConverter`.
const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// A tokenizer of a text encoder.
pub(super) struct ClipTokenizer {
    /// A `tokenizer.json`.
    pub json: String,
    /// What stands where there is no token.
    pub pad: i64,
    /// Longest prompt, if it says so.
    pub max_tokens: Option<usize>,
    /// Its last token.
    pub last: i64,
}

/// Reads the tokenizer in the folder `part`: its `tokenizer.json`, else what is made of its vocabulary.
pub(super) fn read(folder: &PipelineFolder, part: &str) -> Result<ClipTokenizer, RuntimeError> {
    let refuse = |message: String| folder.refuse(&format!("{part}: {message}"));
    let config = folder.json(&format!("{part}/tokenizer_config.json"))?;
    let config = config.unwrap_or(Value::Null);
    let special = folder.json(&format!("{part}/special_tokens_map.json"))?;
    let special = special.unwrap_or(Value::Null);
    let given = folder.json(&format!("{part}/tokenizer.json"))?;
    let vocabulary = match &given {
        Some(json) => vocabulary(&json["model"]["vocab"]),
        None => vocabulary(&folder.needed_json(&format!("{part}/vocab.json"))?),
    };
    let vocabulary = vocabulary.map_err(refuse)?;
    let json = match given {
        Some(json) => json,
        None => {
            let file = format!("{part}/merges.txt");
            let Some(text) = folder.text(&file)? else {
                return Err(folder.refuse(&format!("{file} is missing")));
            };
            let merges = merges(&text, &vocabulary).map_err(refuse)?;
            let words = Words {
                config: &config,
                special: &special,
                vocabulary: &vocabulary,
            };
            words.tokenizer(&merges).map_err(refuse)?
        }
    };
    let words = Words {
        config: &config,
        special: &special,
        vocabulary: &vocabulary,
    };
    let pad = words
        .id(&words.content("pad_token", "<|endoftext|>"))
        .map_err(refuse)?;
    Ok(ClipTokenizer {
        json: json.to_string(),
        pad,
        // Without a limit transformers writes 10³⁰, which is no whole number here.
        max_tokens: number(&config, "model_max_length"),
        last: vocabulary.values().copied().max().unwrap_or(0),
    })
}

/// What the files say of a vocabulary.
struct Words<'a> {
    config: &'a Value,
    special: &'a Value,
    vocabulary: &'a BTreeMap<String, i64>,
}

impl Words<'_> {
    /// The text of a special token.
    fn content(&self, role: &str, default: &str) -> String {
        let text = |file: &Value| {
            let token = &file[role];
            let content = token.as_str().or_else(|| token["content"].as_str());
            content.map(str::to_owned)
        };
        text(self.config)
            .or_else(|| text(self.special))
            .unwrap_or_else(|| default.to_owned())
    }

    fn id(&self, token: &str) -> Result<i64, String> {
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

    fn tokenizer(&self, merges: &[[&str; 2]]) -> Result<Value, String> {
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

fn vocabulary(vocab: &Value) -> Result<BTreeMap<String, i64>, String> {
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
fn merges<'a>(
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::prompt_tokens::PromptTokenizer;

    #[derive(serde::Deserialize)]
    struct Odd {
        text: String,
        first: Vec<i64>,
        second: Vec<i64>,
    }

    /// `pad_token` of the second is `!`, which is a token of its own then.
    #[test]
    fn odd_strings_get_the_ids_that_transformers_gives() {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/diffusers_folders");
        let odd = std::fs::read_to_string(root.join("odd.json")).unwrap();
        let odd: Vec<Odd> = serde_json::from_str(&odd).unwrap();
        assert!(odd.len() >= 50);
        for (name, part, is_first) in [
            ("stable-diffusion", "tokenizer", true),
            ("stable-diffusion-xl", "tokenizer", true),
            ("stable-diffusion-xl", "tokenizer_2", false),
        ] {
            let folder = PipelineFolder::open(&root.join(name)).unwrap();
            let made = read(&folder, part).unwrap();
            let tokens = made.max_tokens.unwrap();
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &made.json).unwrap();
            let ports = ["ids", "mask"].map(str::to_owned);
            let tokenizer = PromptTokenizer::read(file.path().to_owned(), tokens, ports).unwrap();
            for case in &odd {
                let [(_, ids), (_, mask)] = tokenizer.inputs(&case.text).unwrap();
                let (ids, mask) = (ids.to_i64().unwrap(), mask.to_f32().unwrap());
                let got = ids.iter().zip(&mask);
                let got: Vec<i64> = got
                    .map(|(&id, &mask)| if mask > 0.5 { id } else { made.pad })
                    .collect();
                let expected = if is_first { &case.first } else { &case.second };
                assert_eq!(&got, expected, "{name} {part}: {:?}", case.text);
            }
        }
    }
}
