//! Writing of BVH files.

use std::{fmt::Write as _, io::Write as _, path::Path};

use glam::{DQuat, DVec3, EulerRot};

use kinograd_motion::{Motion, MotionError, write_atomic};

/// How a BVH file is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WriteOptions {
    /// Metres per file unit: 1 writes metres, 0.01 centimetres.
    pub unit_to_metre: f64,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { unit_to_metre: 1.0 }
    }
}

/// Writes a motion as BVH through a temporary file, so that no half-written file appears.
///
/// # Errors
/// When the motion is empty or not finite, or the file cannot be written.
pub fn write(path: &Path, motion: &Motion, options: WriteOptions) -> Result<(), MotionError> {
    let bytes = to_bytes(motion, options)?;
    write_atomic(path, |file| file.write_all(&bytes))
}

/// A motion as the text of a BVH file: channels in ZXY order, an End Site at every leaf.
///
/// A leaf named `PARENT_end` that never turns is written as its parent's End Site; any other
/// leaf gets an End Site half its own offset further on.
///
/// # Errors
/// When the motion is empty, or a number is not finite.
pub fn to_bytes(motion: &Motion, options: WriteOptions) -> Result<Vec<u8>, MotionError> {
    check(motion, options)?;
    let scale = 1.0 / options.unit_to_metre;
    let writer = Tree::new(motion, scale);
    let mut text = String::from("HIERARCHY\n");
    let mut order = Vec::new();
    writer.joint(&mut text, &mut order);
    let _ = write!(
        text,
        "MOTION\nFrames: {}\nFrame Time: {:.9}\n",
        motion.len(),
        1.0 / motion.fps
    );
    let mut previous = vec![[0.0; 3]; motion.skeleton.len()];
    for (frame, rotations) in motion.local_rotations.iter().enumerate() {
        for (place, &joint) in order.iter().enumerate() {
            let position = match joint {
                0 => Some(motion.root_in_world_m[frame]),
                _ => motion.translations.get(&joint).map(|way| way[frame]),
            };
            if let Some(position) = position {
                let position = position * scale;
                let space = if place == 0 { "" } else { " " };
                let _ = write!(
                    text,
                    "{space}{:.6} {:.6} {:.6}",
                    position.x, position.y, position.z
                );
            }
            let angles = euler_deg(rotations[joint], previous[joint]);
            previous[joint] = angles;
            let [z, x, y] = angles;
            let _ = write!(text, " {z:.6} {x:.6} {y:.6}");
        }
        text.push('\n');
    }
    Ok(text.into_bytes())
}

fn check(motion: &Motion, options: WriteOptions) -> Result<(), MotionError> {
    let bad = |message: String| MotionError::Format {
        format: "BVH",
        message,
    };
    motion.validate()?;
    if motion.is_empty() {
        return Err(bad("a motion without frames".into()));
    }
    if !(options.unit_to_metre.is_finite() && options.unit_to_metre > 0.0) {
        return Err(bad(format!("unit of {} m", options.unit_to_metre)));
    }
    Ok(())
}

/// Angles of `R = Rz · Rx · Ry` in degrees as `[z, x, y]`, as near to `previous` as turns allow.
fn euler_deg(rotation: DQuat, previous: [f64; 3]) -> [f64; 3] {
    let (z, x, y) = rotation.to_euler(EulerRot::ZXY);
    let near = |angle: f64, to: f64| angle + 360.0 * ((to - angle) / 360.0).round();
    let candidate = |angles: [f64; 3]| {
        let angles = [0, 1, 2].map(|i| near(angles[i].to_degrees(), previous[i]));
        let distance: f64 = (0..3).map(|i| (angles[i] - previous[i]).abs()).sum();
        (distance, angles)
    };
    let pi = std::f64::consts::PI;
    let first = candidate([z, x, y]);
    let second = candidate([z + pi, pi - x, y + pi]);
    if first.0 <= second.0 {
        first.1
    } else {
        second.1
    }
}

struct Tree<'a> {
    motion: &'a Motion,
    scale: f64,
    children: Vec<Vec<usize>>,
    is_end_site: Vec<bool>,
}

impl<'a> Tree<'a> {
    fn new(motion: &'a Motion, scale: f64) -> Self {
        let skeleton = &motion.skeleton;
        let mut children = vec![Vec::new(); skeleton.len()];
        for (joint, parent) in skeleton.parents.iter().enumerate() {
            if let Some(parent) = *parent {
                children[parent].push(joint);
            }
        }
        let is_end_site = (0..skeleton.len())
            .map(|joint| {
                let Some(parent) = skeleton.parents[joint] else {
                    return false;
                };
                children[joint].is_empty()
                    && children[parent].len() == 1
                    && skeleton.names[joint] == format!("{}_end", skeleton.names[parent])
                    && !motion.translations.contains_key(&joint)
                    && motion
                        .local_rotations
                        .iter()
                        .all(|r| r[joint].is_near_identity())
            })
            .collect();
        Self {
            motion,
            scale,
            children,
            is_end_site,
        }
    }

    /// Writes the hierarchy depth first, without recursion; `order` gets the channel order.
    fn joint(&self, text: &mut String, order: &mut Vec<usize>) {
        enum Step {
            Open(usize, usize),
            Close(usize),
        }
        let mut steps = vec![Step::Open(0, 0)];
        while let Some(step) = steps.pop() {
            match step {
                Step::Close(depth) => indented(text, depth, "}"),
                Step::Open(joint, depth) => {
                    self.open(text, joint, depth);
                    steps.push(Step::Close(depth));
                    if !self.is_end_site[joint] {
                        order.push(joint);
                        let deeper = self.children[joint].iter().rev();
                        steps.extend(deeper.map(|&child| Step::Open(child, depth + 1)));
                    }
                }
            }
        }
    }

    fn open(&self, text: &mut String, joint: usize, depth: usize) {
        let skeleton = &self.motion.skeleton;
        let name: String = skeleton.names[joint]
            .chars()
            .map(|c| {
                if c.is_control() || c == '{' || c == '}' {
                    '_'
                } else {
                    c
                }
            })
            .collect();
        let offset = skeleton.offsets_m[joint] * self.scale;
        if self.is_end_site[joint] {
            indented(text, depth, "End Site");
            indented(text, depth, "{");
            indented(text, depth + 1, &offset_line(offset));
            return;
        }
        let keyword = if joint == 0 { "ROOT" } else { "JOINT" };
        indented(text, depth, &format!("{keyword} {name}"));
        indented(text, depth, "{");
        // The root's place comes from its channels alone.
        let written = if joint == 0 { DVec3::ZERO } else { offset };
        indented(text, depth + 1, &offset_line(written));
        let channels = if joint == 0 || self.motion.translations.contains_key(&joint) {
            "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
        } else {
            "CHANNELS 3 Zrotation Xrotation Yrotation"
        };
        indented(text, depth + 1, channels);
        if self.children[joint].is_empty() {
            indented(text, depth + 1, "End Site");
            indented(text, depth + 1, "{");
            indented(text, depth + 2, &offset_line(offset * 0.5));
            indented(text, depth + 1, "}");
        }
    }
}

fn offset_line(offset: DVec3) -> String {
    format!("OFFSET {:.6} {:.6} {:.6}", offset.x, offset.y, offset.z)
}

fn indented(text: &mut String, depth: usize, line: &str) {
    text.extend(std::iter::repeat_n('\t', depth));
    text.push_str(line);
    text.push('\n');
}
