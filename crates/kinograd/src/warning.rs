//! What a user should know although a run goes on.

use std::fmt;

/// What a user should know although the run goes on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The prompt is far from everything the model was trained on.
    UnknownPrompt {
        /// The prompt.
        prompt: String,
        /// Known prompts, nearest first, with the cosine between their embeddings and the prompt's.
        nearest: Vec<(String, f32)>,
    },
    /// Words that the model was not trained on.
    UnknownWords {
        /// The prompt.
        prompt: String,
        /// The words, in lower case, in the order of the prompt.
        words: Vec<String>,
    },
    /// The model does not understand that something is not to be done.
    Negation {
        /// The prompt.
        prompt: String,
        /// The words that say so.
        words: Vec<String>,
    },
    /// Numbers that the model does not count to.
    Uncounted {
        /// The prompt.
        prompt: String,
        /// The numbers, each with what it counts.
        words: Vec<String>,
        /// What the model was told to count: a verb and its numbers each, such as `jumps 2, 3`.
        known: Vec<String>,
    },
    /// A place can only be reached faster than people walk or jog.
    FastTarget {
        /// Speed along the way, m/s.
        speed_m_per_s: f64,
        /// When the place must be reached, seconds.
        seconds: f64,
    },
    /// Obstacles leave no way to a place.
    NoWay {
        /// The place (x, z), metres.
        position_m: [f64; 2],
    },
    /// A prompt's people hardly move, and the task takes them elsewhere all the same.
    Glides {
        /// The prompt.
        prompt: String,
        /// How far they are taken, metres.
        way_m: f64,
        /// How far they go by themselves, metres.
        own_m: f64,
    },
    /// People walk to their place before they do what the prompt says, for they would not go there by
    /// it.
    WalksFirst {
        /// The prompt.
        prompt: String,
        /// When they begin with it, seconds.
        begins_secs: f64,
    },
    /// Feet near the ground slide over it.
    FeetSlide {
        /// The clip's seed.
        seed: u64,
        /// Their mean speed, metres per second.
        speed_mps: f64,
    },
    /// A clip shows little of its prompt, as the model's own embedding sees it.
    LowScore {
        /// The clip's seed.
        seed: u64,
        /// Cosine between the embeddings of clip and prompt.
        score: f64,
        /// Below this most clips do not do what the prompt says, by the package's makers.
        least: f64,
    },
    /// Anything else.
    Other(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPrompt { prompt, nearest } => {
                write!(
                    f,
                    "the model knows nothing close to \"{prompt}\"; the nearest it knows:"
                )?;
                for (known, cosine) in nearest {
                    write!(f, "\n  {known} ({cosine:.2})")?;
                }
                Ok(())
            }
            Self::UnknownWords { prompt, words } => {
                let plural = if words.len() == 1 { "" } else { "s" };
                let words = quoted(words);
                write!(
                    f,
                    "the model was not trained on the word{plural} {words} of \"{prompt}\""
                )
            }
            Self::Negation { prompt, words } => write!(
                f,
                "the model does not understand {} in \"{prompt}\" and may do what it shall not: say what it \
                 shall do instead",
                quoted(words)
            ),
            Self::Uncounted {
                prompt,
                words,
                known,
            } => {
                let words = quoted(words);
                write!(f, "the model does not count {words} of \"{prompt}\"")?;
                if !known.is_empty() {
                    write!(f, "; it knows {}", known.join("; "))?;
                }
                Ok(())
            }
            Self::FastTarget {
                speed_m_per_s,
                seconds,
            } => write!(
                f,
                "the place at {seconds:.1} s needs {speed_m_per_s:.1} m/s on the straight way; the model's people \
                 do not move so fast for so long"
            ),
            Self::NoWay { position_m: [x, z] } => write!(
                f,
                "the obstacles leave no way to ({x}, {z}); the clip goes through them"
            ),
            Self::Glides {
                prompt,
                way_m,
                own_m,
            } => write!(
                f,
                "people go {own_m:.1} m in \"{prompt}\", but its places ask for {way_m:.1} m: they will glide; \
                 give more --seconds, or a prompt that walks there first (--then)"
            ),
            Self::WalksFirst {
                prompt,
                begins_secs,
            } => write!(
                f,
                "people stay where they are in \"{prompt}\": they walk to the target first and begin at \
                 {begins_secs:.1} s"
            ),
            Self::FeetSlide { seed, speed_mps } => write!(
                f,
                "in the clip of seed {seed} the feet slide over the ground, at {speed_mps:.2} m/s in the mean"
            ),
            Self::LowScore { seed, score, least } => write!(
                f,
                "the clip of seed {seed} may not show its prompt: it scores {score:.2}, and most clips below \
                 {least:.2} do not; --best-of draws several and keeps the best"
            ),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// Words in quotes, the last after an "and".
fn quoted(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
