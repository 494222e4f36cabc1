//! The curves of an animation.

use glam::{DQuat, DVec3};
use serde_json::Value;

use kinograd_motion::MotionError;

use super::document::{Document, Node, bad, size, unit};

/// Slowest rate that is taken for that of frames; fewer keys are a curve.
const LEAST_FRAME_FPS: f64 = 15.0;
/// Rate at which curves are sampled, at least.
const CURVE_FPS: f64 = 30.0;
const MOST_CURVE_FPS: f64 = 120.0;

pub(super) enum Property {
    Translation,
    Rotation,
    Scale,
}

#[derive(Clone, Copy, PartialEq)]
enum Interpolation {
    Linear,
    Step,
    CubicSpline,
}

/// A curve of one property of one node.
pub(super) struct Channel {
    pub node: usize,
    pub path: Property,
    interpolation: Interpolation,
    pub times: Vec<f64>,
    values: Vec<f64>,
}

/// The animation of a name, or of a number from 0; the first if none is asked for.
pub(super) fn pick(names: &[String], wanted: Option<&str>) -> Result<usize, MotionError> {
    if names.is_empty() {
        return Err(bad("no animation"));
    }
    let Some(wanted) = wanted else {
        return Ok(0);
    };
    let by_number = || wanted.parse().ok().filter(|&at: &usize| at < names.len());
    names
        .iter()
        .position(|name| name == wanted)
        .or_else(by_number)
        .or_else(|| names.iter().position(|n| n.eq_ignore_ascii_case(wanted)))
        .ok_or_else(|| {
            bad(&format!(
                "no animation `{wanted}`; there are {}",
                names.join(", ")
            ))
        })
}

/// Names of the animations; those without one have their number.
pub(super) fn animation_names(document: &Document) -> Vec<String> {
    let list = document.json["animations"].as_array();
    list.map_or_else(Vec::new, |list| {
        list.iter()
            .enumerate()
            .map(|(index, animation)| {
                animation["name"]
                    .as_str()
                    .map_or_else(|| index.to_string(), str::to_owned)
            })
            .collect()
    })
}

/// The curves of an animation; `warnings` gets what of it is not read.
pub(super) fn channels(
    document: &Document,
    animation: usize,
    nodes: &[Node],
    warnings: &mut Vec<String>,
) -> Result<Vec<Channel>, MotionError> {
    let animation = &document.json["animations"][animation];
    let list = animation["channels"]
        .as_array()
        .ok_or_else(|| bad("no animation"))?;
    let mut channels = Vec::new();
    let mut pointers = 0;
    for (index, channel) in list.iter().enumerate() {
        let target = &channel["target"];
        let path = match target["path"].as_str() {
            Some("translation") => Property::Translation,
            Some("rotation") => Property::Rotation,
            Some("scale") => Property::Scale,
            Some("pointer") => {
                pointers += 1;
                continue;
            }
            _ => continue,
        };
        let Some(node) = size(&target["node"]) else {
            continue;
        };
        let read = |message: &str| bad(&format!("animation channel {index}: {message}"));
        if node >= nodes.len() {
            return Err(read("its node is not there"));
        }
        channels.push(channel_of(document, animation, channel, node, path, &read)?);
    }
    if pointers > 0 {
        warnings.push(format!(
            "{pointers} channels of KHR_animation_pointer are not read"
        ));
    }
    if channels.is_empty() {
        return Err(bad("the animation moves no node"));
    }
    Ok(channels)
}

fn channel_of(
    document: &Document,
    animation: &Value,
    channel: &Value,
    node: usize,
    path: Property,
    fail: &dyn Fn(&str) -> MotionError,
) -> Result<Channel, MotionError> {
    let width = match path {
        Property::Rotation => 4,
        _ => 3,
    };
    let sampler = size(&channel["sampler"])
        .map(|sampler| &animation["samplers"][sampler])
        .ok_or_else(|| fail("no sampler"))?;
    let accessor = |key: &str| size(&sampler[key]).ok_or_else(|| fail("no key frames"));
    let times = document.numbers(accessor("input")?, 1)?;
    let values = document.numbers(accessor("output")?, width)?;
    let interpolation = match sampler["interpolation"].as_str() {
        None | Some("LINEAR") => Interpolation::Linear,
        Some("STEP") => Interpolation::Step,
        Some("CUBICSPLINE") => Interpolation::CubicSpline,
        Some(_) => return Err(fail("unknown interpolation")),
    };
    let parts = parts(interpolation);
    if values.len() != times.len() * width * parts
        || !times.iter().chain(&values).all(|v| v.is_finite())
        || times.windows(2).any(|pair| pair[0] > pair[1])
    {
        return Err(fail("key frames that are not finite, ordered and complete"));
    }
    Ok(Channel {
        node,
        path,
        interpolation,
        times,
        values,
    })
}

/// Values per key: a cubic has tangents on both sides.
fn parts(interpolation: Interpolation) -> usize {
    if interpolation == Interpolation::CubicSpline {
        3
    } else {
        1
    }
}

impl Channel {
    pub fn apply(&self, nodes: &mut [Node], secs: f64) {
        let node = &mut nodes[self.node];
        // A node that is animated has no matrix (glTF 2.0, section 3.5.2).
        node.matrix = None;
        match self.path {
            Property::Translation => node.translation = DVec3::from_array(self.vector(secs)),
            Property::Scale => node.scale = DVec3::from_array(self.vector(secs)),
            Property::Rotation => node.rotation = self.rotation(secs),
        }
    }

    /// Key before, key after, share of the way.
    fn place(&self, secs: f64) -> (usize, usize, f64) {
        // Frame times are rounded: a step is not missed by a hair.
        let secs = secs + 1e-6;
        let after = self.times.partition_point(|&time| time <= secs);
        if after == 0 {
            return (0, 0, 0.0);
        }
        if after == self.times.len() {
            return (after - 1, after - 1, 0.0);
        }
        let (from, to) = (self.times[after - 1], self.times[after]);
        let share = if self.interpolation == Interpolation::Step {
            0.0
        } else {
            ((secs - 1e-6 - from) / (to - from)).clamp(0.0, 1.0)
        };
        (after - 1, after, share)
    }

    fn key<const N: usize>(&self, key: usize, part: usize) -> [f64; N] {
        let start = (key * parts(self.interpolation) + part) * N;
        std::array::from_fn(|axis| self.values[start + axis])
    }

    /// Linear or cubic Hermite interpolation (glTF 2.0, appendix C).
    fn vector<const N: usize>(&self, secs: f64) -> [f64; N] {
        let (before, after, t) = self.place(secs);
        if self.interpolation != Interpolation::CubicSpline {
            let (a, b) = (self.key::<N>(before, 0), self.key::<N>(after, 0));
            return std::array::from_fn(|axis| a[axis] + t * (b[axis] - a[axis]));
        }
        let span = self.times[after] - self.times[before];
        let (a, b) = (self.key::<N>(before, 1), self.key::<N>(after, 1));
        let (leave, arrive) = (self.key::<N>(before, 2), self.key::<N>(after, 0));
        let (t2, t3) = (t * t, t * t * t);
        std::array::from_fn(|axis| {
            (2.0 * t3 - 3.0 * t2 + 1.0) * a[axis]
                + span * (t3 - 2.0 * t2 + t) * leave[axis]
                + (3.0 * t2 - 2.0 * t3) * b[axis]
                + span * (t3 - t2) * arrive[axis]
        })
    }

    fn rotation(&self, secs: f64) -> DQuat {
        if self.interpolation == Interpolation::CubicSpline {
            return unit(DQuat::from_array(self.vector(secs)));
        }
        let (before, after, t) = self.place(secs);
        let key = |key: usize| unit(DQuat::from_array(self.key(key, 0)));
        unit(key(before).slerp(key(after), t))
    }

    /// Whether it is a number that never changes.
    fn is_still(&self) -> bool {
        let width = self.values.len() / (self.times.len().max(1) * parts(self.interpolation));
        self.interpolation != Interpolation::CubicSpline
            && self.values.chunks_exact(width.max(1)).all(|key| {
                key.iter()
                    .zip(&self.values)
                    .all(|(a, b)| (a - b).abs() < 1e-7)
            })
    }

    /// Keys per second, where they are evenly spaced and drawn straight from one to the next.
    fn frame_fps(&self) -> Option<f64> {
        let span = self.times.last()? - self.times.first()?;
        if self.interpolation != Interpolation::Linear || self.times.len() < 2 || span < 1e-6 {
            return None;
        }
        let step = span / (self.times.len() - 1) as f64;
        let even = self
            .times
            .windows(2)
            .all(|pair| (pair[1] - pair[0] - step).abs() < 0.02 * step);
        even.then_some(1.0 / step)
    }
}

/// The rate to sample at, and whether it is that of frames in the file.
pub(super) fn sampling_rate(channels: &[Channel], wanted: Option<f64>) -> (f64, bool) {
    let keyed = || channels.iter().filter(|channel| channel.times.len() > 1);
    let densest = keyed().max_by_key(|channel| channel.times.len());
    if let Some(fps) = densest.and_then(Channel::frame_fps)
        && fps >= LEAST_FRAME_FPS
        && keyed().all(|channel| on_grid(channel, fps, channel.interpolation))
    {
        let whole = fps.round();
        let fps = if (fps / whole - 1.0).abs() < 1e-3 {
            whole
        } else {
            fps.min(1000.0)
        };
        return (fps, true);
    }
    if let Some(fps) = wanted {
        return (fps, false);
    }
    // Curves: the slowest rate that meets every key, else one that is dense enough.
    let rates = (CURVE_FPS as u32)..=(MOST_CURVE_FPS as u32);
    let meets = |fps: &f64| keyed().all(|channel| on_grid(channel, *fps, Interpolation::Linear));
    let by_keys = rates.map(f64::from).find(meets);
    let closest = keyed()
        .flat_map(|channel| channel.times.windows(2))
        .map(|pair| pair[1] - pair[0])
        .filter(|gap| *gap > 1e-6)
        .fold(f64::INFINITY, f64::min);
    let dense = (1.0 / closest).ceil().clamp(CURVE_FPS, MOST_CURVE_FPS);
    (by_keys.unwrap_or(dense), false)
}

/// Whether all of a channel's keys are at frames, and straight lines between frames are the curve.
fn on_grid(channel: &Channel, fps: f64, interpolation: Interpolation) -> bool {
    if channel.is_still() {
        return true;
    }
    interpolation == Interpolation::Linear
        && channel.times.iter().all(|time| {
            let frame = time * fps;
            (frame - frame.round()).abs() < 0.02
        })
}

/// The last key's time, seconds.
pub(super) fn last_secs(channels: &[Channel]) -> f64 {
    channels
        .iter()
        .filter_map(|channel| channel.times.last())
        .fold(0.0, |a: f64, &b| a.max(b))
}
