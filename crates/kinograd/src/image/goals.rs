//! What an image shall be like.

use std::fmt;
use std::path::PathBuf;

use kinograd_guidance::TunedOn;
use serde::{Deserialize, Serialize};

use super::NetworkInput;
use crate::Error;

/// One thing to steer towards, and its weight in the sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PictureGoal {
    /// What.
    #[serde(flatten)]
    pub kind: PictureGoalKind,
    /// Factor on its loss, not negative.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

/// What to steer an image towards. Files are PNG unless they are networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PictureGoalKind {
    /// A text: `1 − cos` between the embeddings of image and text.
    Text {
        /// What the image shows, in English.
        prompt: String,
    },
    /// A foreground: cross-entropy between the image's mask, as a network sees it, and this one.
    Seg {
        /// White, or opaque where the file has transparency, is foreground.
        mask: PathBuf,
    },
    /// A drawing: dark lines on light ground where the image shall have edges.
    Sketch {
        /// The drawing.
        drawing: PathBuf,
    },
    /// Likeness to a picture, such as a face: `1 − cos` between embeddings of both.
    Identity {
        /// The picture.
        picture: PathBuf,
    },
    /// Mean and deviation of each colour channel, as in a picture.
    Colour {
        /// The picture.
        picture: PathBuf,
    },
    /// A class of a classifier: its cross-entropy.
    Class {
        /// ONNX file: image to logits `[batch, classes]`.
        network: PathBuf,
        /// Index of the class.
        class: usize,
        /// How it sees pictures, where its graph does not say it.
        #[serde(default, skip_serializing_if = "NetworkInput::is_default")]
        input: NetworkInput,
    },
    /// A network's number, as large as can be.
    Reward {
        /// ONNX file: image to `[batch]` or `[batch, 1]`.
        network: PathBuf,
        /// How it sees pictures, where its graph does not say it.
        #[serde(default, skip_serializing_if = "NetworkInput::is_default")]
        input: NetworkInput,
    },
    /// A picture of which a part is missing.
    Inpaint {
        /// White, or opaque where the file has transparency, is what shall be made anew.
        mask: PathBuf,
        /// The picture.
        image: PathBuf,
    },
    /// A picture made smaller by means of squares.
    SuperResolution {
        /// How many times smaller.
        factor: usize,
        /// The small picture.
        image: PathBuf,
    },
    /// A picture made smaller by the bicubic kernel.
    Bicubic {
        /// How many times smaller.
        factor: usize,
        /// The small picture.
        image: PathBuf,
    },
    /// A blurred picture.
    Blur {
        /// Standard deviation of the Gaussian, pixels of the model's image.
        sigma_px: f64,
        /// The blurred picture.
        image: PathBuf,
    },
}

impl PictureGoalKind {
    /// The name on the command line and in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Seg { .. } => "seg",
            Self::Sketch { .. } => "sketch",
            Self::Identity { .. } => "identity",
            Self::Colour { .. } => "colour",
            Self::Class { .. } => "class",
            Self::Reward { .. } => "reward",
            Self::Inpaint { .. } => "inpaint",
            Self::SuperResolution { .. } => "sr",
            Self::Bicubic { .. } => "bicubic",
            Self::Blur { .. } => "blur",
        }
    }

    /// Whether the encoders of images and texts judge.
    #[must_use]
    pub fn needs_encoders(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::Identity { .. })
    }

    /// What a strength for it was tuned on: a network's judgement of the whole picture, of its
    /// foreground, or a residual of pixels.
    #[must_use]
    pub fn tuned_on(&self) -> TunedOn {
        match self {
            Self::Seg { .. } => TunedOn::Seg,
            other if other.is_network() => TunedOn::Text,
            _ => TunedOn::Sketch,
        }
    }

    /// Whether a network judges, so that augmentation smooths its gradient.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(
            self,
            Self::Text { .. } | Self::Identity { .. } | Self::Class { .. } | Self::Reward { .. }
        )
    }
}

impl PictureGoal {
    /// The conditions of one `--loss` argument: `KEY=VALUE` joined by commas, `KEY:WEIGHT=VALUE`
    /// with a weight. A comma that no key follows belongs to the value. `inpaint`, `sr`, `bicubic`
    /// and `blur` measure the picture that `image=` names; `class` is `FILE.onnx:INDEX`, and `input=` says
    /// how the network of `class` or `reward` sees pictures ([`NetworkInput`]).
    ///
    /// ```
    /// use kinograd::image::{PictureGoalKind, PictureGoal};
    /// let goals = PictureGoal::parse("text:2=a red, round heart,sketch=lines.png")?;
    /// assert_eq!(goals[0].weight, 2.0);
    /// assert_eq!(goals[0].kind, PictureGoalKind::Text { prompt: "a red, round heart".into() });
    /// assert_eq!(goals[1].kind.name(), "sketch");
    /// # Ok::<(), kinograd::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Request`] that names the key.
    pub fn parse(text: &str) -> Result<Vec<Self>, Error> {
        let entries = entries(text)?;
        let image = entries.iter().find(|entry| entry.key == "image");
        let image = image.map(|entry| PathBuf::from(&entry.value));
        let mut goals = Vec::new();
        let input = entries.iter().find(|entry| entry.key == "input");
        let input = input.map(|entry| entry.value.parse::<NetworkInput>());
        let input = input.transpose()?;
        let losses = |entry: &&Entry| !matches!(entry.key, "image" | "input");
        for entry in entries.iter().filter(losses) {
            goals.push(Self {
                kind: entry.kind(image.as_ref(), input.as_ref())?,
                weight: entry.weight,
            });
        }
        let measured =
            |goal: &&Self| matches!(goal.kind.name(), "inpaint" | "sr" | "bicubic" | "blur");
        if image.is_some() && goals.iter().filter(measured).count() != 1 {
            return Err(refuse(
                "image= belongs to exactly one of inpaint=, sr=, bicubic= and blur=",
            ));
        }
        let seeing = |goal: &&Self| matches!(goal.kind.name(), "class" | "reward");
        if input.is_some() && goals.iter().filter(seeing).count() != 1 {
            return Err(refuse(
                "input= belongs to exactly one of class= and reward=",
            ));
        }
        Ok(goals)
    }
}

/// As [`PictureGoal::parse`] reads it.
impl fmt::Display for PictureGoal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if self.weight != 1.0 {
            write!(f, ":{}", self.weight)?;
        }
        f.write_str("=")?;
        match &self.kind {
            PictureGoalKind::Text { prompt } => f.write_str(prompt),
            PictureGoalKind::Seg { mask: file }
            | PictureGoalKind::Sketch { drawing: file }
            | PictureGoalKind::Identity { picture: file }
            | PictureGoalKind::Colour { picture: file }
            | PictureGoalKind::Reward { network: file, .. } => write!(f, "{}", file.display()),
            PictureGoalKind::Class { network, class, .. } => {
                write!(f, "{}:{class}", network.display())
            }
            PictureGoalKind::Inpaint { mask, image } => {
                write!(f, "{},image={}", mask.display(), image.display())
            }
            PictureGoalKind::SuperResolution { factor, image }
            | PictureGoalKind::Bicubic { factor, image } => {
                write!(f, "{factor},image={}", image.display())
            }
            PictureGoalKind::Blur { sigma_px, image } => {
                write!(f, "{sigma_px},image={}", image.display())
            }
        }?;
        match &self.kind {
            PictureGoalKind::Class { input, .. } | PictureGoalKind::Reward { input, .. }
                if !input.is_default() =>
            {
                write!(f, ",input={input}")
            }
            _ => Ok(()),
        }
    }
}

const KEYS: [&str; 13] = [
    "text", "seg", "sketch", "identity", "colour", "class", "reward", "inpaint", "sr", "bicubic",
    "blur", "image", "input",
];

struct Entry {
    key: &'static str,
    weight: f64,
    value: String,
}

fn refuse(message: impl Into<String>) -> Error {
    Error::Request {
        field: "loss",
        message: message.into(),
    }
}

/// The key before `=`, with its weight, if it is one.
fn key_of(part: &str) -> Option<(&'static str, Option<&str>, &str)> {
    let (head, value) = part.split_once('=')?;
    let (name, weight) = match head.split_once(':') {
        Some((name, weight)) => (name, Some(weight)),
        None => (head, None),
    };
    let key = KEYS.into_iter().find(|key| *key == name.trim())?;
    Some((key, weight, value))
}

fn entries(text: &str) -> Result<Vec<Entry>, Error> {
    let mut entries: Vec<Entry> = Vec::new();
    for part in text.split(',') {
        match (key_of(part), entries.last_mut()) {
            (Some((key, weight, value)), _) => {
                let weight = match weight {
                    None => 1.0,
                    Some(weight) => weight
                        .trim()
                        .parse()
                        .ok()
                        .filter(|weight: &f64| weight.is_finite() && *weight >= 0.0)
                        .ok_or_else(|| refuse(format!("`{weight}` is no weight of {key}")))?,
                };
                entries.push(Entry {
                    key,
                    weight,
                    value: value.to_owned(),
                });
            }
            (None, Some(last)) => {
                last.value.push(',');
                last.value.push_str(part);
            }
            (None, None) => {
                return Err(refuse(format!(
                    "`{part}` is no KEY=VALUE; the keys are {}",
                    KEYS.join(", ")
                )));
            }
        }
    }
    match entries.iter().find(|entry| entry.value.trim().is_empty()) {
        Some(empty) => Err(refuse(format!("{}= has no value", empty.key))),
        None => Ok(entries),
    }
}

impl Entry {
    fn kind(
        &self,
        image: Option<&PathBuf>,
        input: Option<&NetworkInput>,
    ) -> Result<PictureGoalKind, Error> {
        let input = || input.cloned().unwrap_or_default();
        let path = || PathBuf::from(&self.value);
        let image = || {
            image.cloned().ok_or_else(|| {
                refuse(format!(
                    "{}= needs image=FILE.png, the picture that was measured",
                    self.key
                ))
            })
        };
        let factor = || {
            self.value
                .trim()
                .parse()
                .map_err(|_| refuse(format!("{}={} is no whole number", self.key, self.value)))
        };
        Ok(match self.key {
            "text" => PictureGoalKind::Text {
                prompt: self.value.clone(),
            },
            "seg" => PictureGoalKind::Seg { mask: path() },
            "sketch" => PictureGoalKind::Sketch { drawing: path() },
            "identity" => PictureGoalKind::Identity { picture: path() },
            "colour" => PictureGoalKind::Colour { picture: path() },
            "class" => {
                let parts = self.value.rsplit_once(':');
                let parsed = parts.and_then(|(file, class)| Some((file, class.parse().ok()?)));
                let (network, class) = parsed.ok_or_else(|| {
                    refuse(format!("class={}: expected FILE.onnx:INDEX", self.value))
                })?;
                PictureGoalKind::Class {
                    network: PathBuf::from(network),
                    class,
                    input: input(),
                }
            }
            "reward" => PictureGoalKind::Reward {
                network: path(),
                input: input(),
            },
            "inpaint" => PictureGoalKind::Inpaint {
                mask: path(),
                image: image()?,
            },
            "sr" => PictureGoalKind::SuperResolution {
                factor: factor()?,
                image: image()?,
            },
            "bicubic" => PictureGoalKind::Bicubic {
                factor: factor()?,
                image: image()?,
            },
            _ => PictureGoalKind::Blur {
                sigma_px: self.value.trim().parse().map_err(|_| {
                    refuse(format!("blur={} is no deviation in pixels", self.value))
                })?,
                image: image()?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_picture_goes_with_its_operator() {
        let goals = PictureGoal::parse("image=a.png,inpaint:3=m.png,text=a dog, sitting").unwrap();
        assert_eq!(goals.len(), 2);
        assert_eq!(goals[0].weight, 3.0);
        assert_eq!(
            goals[0].kind,
            PictureGoalKind::Inpaint {
                mask: "m.png".into(),
                image: "a.png".into()
            }
        );
        assert_eq!(
            goals[1].kind,
            PictureGoalKind::Text {
                prompt: "a dog, sitting".into()
            }
        );
        let class = PictureGoal::parse("class=C:/nets/c.onnx:7").unwrap();
        assert_eq!(
            class[0].kind,
            PictureGoalKind::Class {
                network: "C:/nets/c.onnx".into(),
                class: 7,
                input: NetworkInput::default(),
            }
        );
        let reward = PictureGoal::parse("reward=r.onnx,input=0..255+bgr").unwrap();
        let PictureGoalKind::Reward { input, .. } = &reward[0].kind else {
            panic!("{reward:?}");
        };
        assert_eq!(input.range, Some([0.0, 255.0]));
    }

    #[test]
    fn a_goal_reads_back_what_it_writes() {
        for text in [
            "text=a dog, sitting",
            "text:0.5=a dog",
            "seg=m.png",
            "class:2=c.onnx:7",
            "class=c.onnx:7,input=nhwc+0..1",
            "bicubic=4,image=low.png",
            "blur:3=1.5,image=soft.png",
        ] {
            assert_eq!(PictureGoal::parse(text).unwrap()[0].to_string(), text);
        }
    }

    #[test]
    fn what_is_no_loss_is_refused_by_name() {
        for (text, part) in [
            ("", "is no KEY=VALUE"),
            ("heart", "`heart` is no KEY=VALUE"),
            ("txt=heart", "the keys are text"),
            ("text=", "text= has no value"),
            ("text:x=heart", "`x` is no weight of text"),
            ("text:-1=heart", "`-1` is no weight"),
            ("text:nan=heart", "`nan` is no weight"),
            ("inpaint=m.png", "inpaint= needs image="),
            ("image=a.png", "belongs to exactly one"),
            ("image=a.png,sr=2,blur=1", "belongs to exactly one"),
            ("sr=two,image=a.png", "sr=two is no whole number"),
            ("blur=wide,image=a.png", "blur=wide is no deviation"),
            ("class=c.onnx", "expected FILE.onnx:INDEX"),
            ("text=a,input=0..1", "belongs to exactly one of class="),
            ("reward=c.onnx,input=grey", "`grey` is no word"),
        ] {
            let message = PictureGoal::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }
}
