//! A `tokenizer.json` of CLIP's `vocab.json` and `merges.txt`.

use serde_json::Value;

use kinograd_runtime::RuntimeError;

use super::folder::{PipelineFolder, number};
use crate::clip_words::{Words, merges, vocabulary};

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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use kinograd_runtime::fuzzing::prompt_encoder;

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
            let encode = prompt_encoder(file.path(), tokens).unwrap();
            for case in &odd {
                let (ids, mask) = encode(&case.text).unwrap();
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
