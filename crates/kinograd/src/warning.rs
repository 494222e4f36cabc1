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
    /// A place can only be reached faster than people walk or jog.
    FastTarget {
        /// Speed along the straight way, m/s.
        speed_m_per_s: f64,
        /// When the place must be reached, seconds.
        seconds: f64,
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
            Self::FastTarget {
                speed_m_per_s,
                seconds,
            } => write!(
                f,
                "the place at {seconds:.1} s needs {speed_m_per_s:.1} m/s on the straight way; the model's people \
                 do not move so fast for so long"
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
