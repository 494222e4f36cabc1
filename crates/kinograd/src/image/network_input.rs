//! How a network of the user's sees pictures.

use std::fmt;
use std::str::FromStr;

use kinograd_image::{ChannelOrder, Interpolation, PixelFormat, PixelLayout};
use kinograd_runtime::PixelHints;
use serde::{Deserialize, Serialize};

use crate::Error;

/// How a network of the user's sees pictures, as far as its graph does not say it.
///
/// In words, as [`FromStr`] reads them and [`Display`](fmt::Display) writes them, joined by `+`:
///
/// | word | |
/// |---|---|
/// | `imagenet`, `clip`, `caffe` | what these were trained with: a range, a mean and a deviation, and the order of colours |
/// | `0..1`, `0..255`, `-1..1` | the numbers of black and white |
/// | `rgb`, `bgr` | the order of colours |
/// | `nchw`, `nhwc` | where the channels lie |
/// | `224x224` | height and width, where the graph leaves them free |
/// | `bilinear`, `bicubic` | how pictures are resized |
/// | `mean:A/B/C`, `std:A/B/C` | what is subtracted and divided by, in units of the range, one number or one a channel of the network |
///
/// ```
/// use kinograd::image::NetworkInput;
/// let input: NetworkInput = "caffe+224x224".parse()?;
/// assert_eq!(input.range, Some([0.0, 255.0]));
/// assert_eq!(input.to_string(), "224x224+bgr+0..255+mean:103.939/116.779/123.68");
/// # Ok::<(), kinograd::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkInput {
    /// Height and width, pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// Where the channels lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<PixelLayout>,
    /// The order of colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<ChannelOrder>,
    /// How pictures are resized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<Interpolation>,
    /// The numbers of black and white.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// Subtracted from each of the network's channels, in units of the range.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mean: Vec<f64>,
    /// What each is divided by then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub std: Vec<f64>,
}

/// The largest side that pictures are resized to for a network.
const MAX_SIDE_PX: usize = 4096;

impl NetworkInput {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What a network takes of pictures of `[channels, height, width]`: what is said here, else what its
    /// graph says, else the picture's own. The error says what to do.
    pub(super) fn format(
        &self,
        hints: &PixelHints,
        [channels, height, width]: [usize; 3],
    ) -> Result<PixelFormat, String> {
        let layout = self.layout.unwrap_or(if hints.channels_last {
            PixelLayout::Nhwc
        } else {
            PixelLayout::Nchw
        });
        let [channel, rows, columns] = match layout {
            PixelLayout::Nchw => [1, 2, 3],
            PixelLayout::Nhwc => [3, 1, 2],
        }
        .map(|axis: usize| hints.shape[axis]);
        let channels = channel.unwrap_or(channels);
        if !matches!(channels, 1 | 3 | 4) {
            return Err(format!(
                "it takes {channels} channels; pictures have 1, 3 or 4"
            ));
        }
        let own = self.size.unwrap_or([height, width]);
        let size = [rows.unwrap_or(own[0]), columns.unwrap_or(own[1])];
        if self.size.is_some_and(|asked| asked != size) {
            let [rows, columns] = size;
            return Err(format!(
                "the graph fixes {rows}x{columns}, input= says {}x{}",
                own[0], own[1]
            ));
        }
        if size.iter().any(|side| !(1..=MAX_SIDE_PX).contains(side)) {
            let [rows, columns] = size;
            return Err(format!(
                "{rows}x{columns} is outside 1 to {MAX_SIDE_PX} pixels a side"
            ));
        }
        let is_bgr = hints.is_bgr == Some(true);
        let order = if is_bgr {
            ChannelOrder::Bgr
        } else {
            ChannelOrder::Rgb
        };
        Ok(PixelFormat {
            channels,
            size,
            order: self.order.unwrap_or(order),
            layout,
            interpolation: self.interpolation.unwrap_or_default(),
            range: self.range_for(hints, size == [height, width])?,
            mean: self.mean.clone(),
            std: self.std.clone(),
        })
    }

    /// A network of the model's own size is taken for one of the model's own numbers; of another, for
    /// one that was made for something else.
    fn range_for(&self, hints: &PixelHints, is_own_size: bool) -> Result<[f64; 2], String> {
        if let Some(range) = self.range.or(hints.range) {
            return Ok(range);
        }
        match self.mean.iter().copied().reduce(f64::max) {
            Some(largest) if largest > 1.0 => return Ok([0.0, 255.0]),
            Some(_) => return Ok([0.0, 1.0]),
            None => {}
        }
        if is_own_size {
            return Ok([-1.0, 1.0]);
        }
        if let Some(range) = hints.begins_with {
            return Ok(range);
        }
        Err(
            "nothing in the graph says which numbers are black and white: say it with input=imagenet, \
             input=clip, input=caffe, input=0..1, input=0..255 or input=-1..1"
                .to_owned(),
        )
    }

    fn add(&mut self, word: &str) -> Result<(), String> {
        let mut set = |range, mean: &[f64], std: &[f64]| {
            self.range = Some(range);
            self.mean = mean.to_vec();
            self.std = std.to_vec();
        };
        match word {
            "imagenet" => set([0.0, 1.0], &[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]),
            "clip" => {
                let mean = [0.481_454_66, 0.457_827_5, 0.408_210_73];
                set(
                    [0.0, 1.0],
                    &mean,
                    &[0.268_629_54, 0.261_302_58, 0.275_777_11],
                );
                self.interpolation = Some(Interpolation::Bicubic);
            }
            "caffe" => {
                set([0.0, 255.0], &[103.939, 116.779, 123.68], &[]);
                self.order = Some(ChannelOrder::Bgr);
            }
            "rgb" => self.order = Some(ChannelOrder::Rgb),
            "bgr" => self.order = Some(ChannelOrder::Bgr),
            "nchw" => self.layout = Some(PixelLayout::Nchw),
            "nhwc" => self.layout = Some(PixelLayout::Nhwc),
            "bilinear" => self.interpolation = Some(Interpolation::Bilinear),
            "bicubic" => self.interpolation = Some(Interpolation::Bicubic),
            other => return self.add_numbers(other),
        }
        Ok(())
    }

    fn add_numbers(&mut self, word: &str) -> Result<(), String> {
        let unknown = || {
            format!(
                "`{word}` is no word of a network's input; the words are imagenet, clip, caffe, rgb, \
                 bgr, nchw, nhwc, bilinear, bicubic, 0..1 and the like, 224x224 and the like, \
                 mean:A/B/C and std:A/B/C"
            )
        };
        let list = |text: &str| -> Option<Vec<f64>> {
            text.split('/')
                .map(|number| number.trim().parse().ok())
                .collect()
        };
        if let Some((low, high)) = word.split_once("..") {
            let ends = [low.parse().ok(), high.parse().ok()];
            let [Some(low), Some(high)] = ends else {
                return Err(unknown());
            };
            self.range = Some([low, high]);
        } else if let Some(numbers) = word.strip_prefix("mean:") {
            self.mean = list(numbers).ok_or_else(unknown)?;
        } else if let Some(numbers) = word.strip_prefix("std:") {
            self.std = list(numbers).ok_or_else(unknown)?;
        } else {
            let sides = word.split_once('x').ok_or_else(unknown)?;
            let sides = (sides.0.parse().ok(), sides.1.parse().ok());
            let (Some(height), Some(width)) = sides else {
                return Err(unknown());
            };
            self.size = Some([height, width]);
        }
        Ok(())
    }
}

impl FromStr for NetworkInput {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut input = Self::default();
        for word in text.split('+') {
            input.add(word.trim()).map_err(|message| Error::Request {
                field: "input",
                message,
            })?;
        }
        Ok(input)
    }
}

impl fmt::Display for NetworkInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |name: &str, numbers: &[f64]| {
            let all: Vec<String> = numbers.iter().map(f64::to_string).collect();
            (!all.is_empty()).then(|| format!("{name}:{}", all.join("/")))
        };
        let words = [
            self.size.map(|[height, width]| format!("{height}x{width}")),
            self.layout.map(|layout| match layout {
                PixelLayout::Nchw => "nchw".to_owned(),
                PixelLayout::Nhwc => "nhwc".to_owned(),
            }),
            self.order.map(|order| match order {
                ChannelOrder::Rgb => "rgb".to_owned(),
                ChannelOrder::Bgr => "bgr".to_owned(),
            }),
            self.interpolation.map(|kernel| match kernel {
                Interpolation::Bilinear => "bilinear".to_owned(),
                Interpolation::Bicubic => "bicubic".to_owned(),
            }),
            self.range.map(|[low, high]| format!("{low}..{high}")),
            list("mean", &self.mean),
            list("std", &self.std),
        ];
        f.write_str(&words.into_iter().flatten().collect::<Vec<_>>().join("+"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(shape: [usize; 4]) -> PixelHints {
        PixelHints {
            shape: shape.map(|n| (n > 0).then_some(n)),
            channels_last: shape[3] == 3,
            ..PixelHints::default()
        }
    }

    #[test]
    fn words_come_back_as_they_were_said() {
        for text in [
            "224x192+nhwc+bgr+bicubic+0..255+mean:1/2/3+std:0.5",
            "-1..1",
            "nchw+rgb+bilinear+0..1",
        ] {
            let input: NetworkInput = text.parse().unwrap();
            assert_eq!(input.to_string(), text);
            let json = serde_json::to_string(&input).unwrap();
            assert_eq!(serde_json::from_str::<NetworkInput>(&json).unwrap(), input);
        }
        for (text, part) in [
            ("imagnet", "`imagnet` is no word"),
            ("224xx", "`224xx` is no word"),
            ("mean:a", "`mean:a` is no word"),
            ("0..white", "`0..white` is no word"),
        ] {
            let message = text.parse::<NetworkInput>().unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn what_is_not_said_is_seen_in_the_graph_or_asked_for() {
        let picture = [3, 64, 64];
        let plain = NetworkInput::default();
        let free = plain.format(&hints([0, 3, 0, 0]), picture).unwrap();
        assert_eq!((free.size, free.range), ([64, 64], [-1.0, 1.0]));
        let last = "0..255".parse::<NetworkInput>().unwrap();
        let last = last.format(&hints([1, 224, 192, 3]), picture).unwrap();
        assert_eq!((last.size, last.layout), ([224, 192], PixelLayout::Nhwc));
        let known = PixelHints {
            range: Some([0.0, 255.0]),
            is_bgr: Some(true),
            ..hints([1, 1, 224, 224])
        };
        let grey = plain.format(&known, picture).unwrap();
        assert_eq!((grey.channels, grey.order), (1, ChannelOrder::Bgr));
        assert_eq!(grey.range, [0.0, 255.0]);
        let by_mean: NetworkInput = "mean:0.5".parse().unwrap();
        let by_mean = by_mean.format(&hints([1, 3, 224, 224]), picture).unwrap();
        assert_eq!(by_mean.range, [0.0, 1.0]);
        for (input, shape, part) in [
            ("rgb", [1, 3, 224, 224], "say it with input=imagenet"),
            (
                "imagenet+32x32",
                [1, 3, 224, 224],
                "the graph fixes 224x224",
            ),
            ("imagenet", [1, 5, 224, 224], "it takes 5 channels"),
            ("imagenet+0x7", [1, 3, 0, 0], "0x7 is outside"),
        ] {
            let input: NetworkInput = input.parse().unwrap();
            let message = input.format(&hints(shape), picture).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }
}
