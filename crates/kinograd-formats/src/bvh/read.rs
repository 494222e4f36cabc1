//! Parsing of BVH text, line by line from bytes.

use std::{collections::HashSet, path::Path};

use glam::DVec3;
use kinograd_files::Budget;

use super::clip::{Bvh, Channel};
use super::frames;
use super::text::{
    Lines, error, is_word, numbers, parse_text, shown, split_at_brace, split_word, text,
};
use kinograd_motion::{MotionError, Skeleton};

const MAX_JOINTS: usize = 1000;
const MAX_DEPTH: usize = 200;
const MAX_FPS: f64 = 100_000.0;

/// Reads a BVH file.
///
/// # Errors
/// When the file cannot be read, or as [`parse`].
pub fn read(path: &Path) -> Result<Bvh, MotionError> {
    parse(&kinograd_files::read(path, Budget::of_process())?)
}

/// Parses a BVH file: one root, any hierarchy, channel order, channel subset and frame rate.
/// Names may have spaces and be UTF-8 or Latin-1; lines may end in LF or CRLF.
///
/// Harmless irregularities are read over and listed in [`Bvh::warnings`]: another number of frames
/// than announced, rows that are wrapped, channels on End Sites, text after the last frame.
///
/// # Errors
/// [`MotionError::Bvh`] with the line, for malformed files, files cut off inside a frame, numbers
/// that are not finite, no frames, more than 1000 joints or more than 200 levels.
pub fn parse(bytes: &[u8]) -> Result<Bvh, MotionError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // DOS's end-of-file mark, and zeros of a block that was not filled.
    let padding = |b: &u8| matches!(b, 0 | 0x1a) || b.is_ascii_whitespace();
    let end = bytes
        .iter()
        .rposition(|b| !padding(b))
        .map_or(0, |at| at + 1);
    let mut lines = Lines::new(&bytes[..end]);
    let mut rig = hierarchy(&mut lines)?;
    let stride = rig.channels.iter().map(Vec::len).sum();
    if stride == 0 {
        return Err(error(lines.number, "no joint has CHANNELS"));
    }
    let (announced, fps) = motion_header(&mut lines)?;
    let values = frames::read(&mut lines, announced, stride, &mut rig.warnings)?;
    Ok(Bvh {
        warnings: rig.warnings,
        end_sites: rig.end_sites,
        skeleton: Skeleton {
            names: rig.names,
            parents: rig.parents,
            offsets_m: rig.offsets,
        },
        channels: rig.channels,
        fps,
        stride,
        values,
    })
}

#[derive(Default)]
struct Rig {
    names: Vec<String>,
    parents: Vec<Option<usize>>,
    offsets: Vec<DVec3>,
    channels: Vec<Vec<Channel>>,
    end_sites: Vec<bool>,
    taken: HashSet<String>,
    warnings: Vec<String>,
}

impl Rig {
    fn add(&mut self, name: String, parent: Option<usize>, end_site: bool) -> usize {
        let mut unique = name.clone();
        let mut copy = 1;
        while !self.taken.insert(unique.clone()) {
            copy += 1;
            unique = format!("{name}#{copy}");
        }
        self.names.push(unique);
        self.parents.push(parent);
        self.offsets.push(DVec3::ZERO);
        self.channels.push(Vec::new());
        self.end_sites.push(end_site);
        self.names.len() - 1
    }
}

fn hierarchy(lines: &mut Lines<'_>) -> Result<Rig, MotionError> {
    match lines.next() {
        Some(line) if is_word(line, b"HIERARCHY") => {}
        Some(line) => {
            let message = format!("expected HIERARCHY, got `{}`", shown(line));
            return Err(error(lines.number, message));
        }
        None => return Err(error(1, "the file is empty")),
    }
    let mut rig = Rig::default();
    let mut open: Vec<usize> = Vec::new();
    let mut pending: Option<usize> = None;
    while let Some(line) = lines.next() {
        let number = lines.number;
        let mut rest = line;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(b"{") {
                let joint = pending
                    .take()
                    .ok_or_else(|| error(number, "`{` without a joint"))?;
                if open.len() >= MAX_DEPTH {
                    let message = format!("joints are nested deeper than {MAX_DEPTH} levels");
                    return Err(error(number, message));
                }
                open.push(joint);
                rest = after.trim_ascii();
                continue;
            }
            if let Some(joint) = pending {
                let message = format!("expected `{{` after joint `{}`", rig.names[joint]);
                return Err(error(number, message));
            }
            if let Some(after) = rest.strip_prefix(b"}") {
                open.pop()
                    .ok_or_else(|| error(number, "`}` without a joint to close"))?;
                rest = after.trim_ascii();
                continue;
            }
            if is_word(rest, b"MOTION") {
                if let Some(&joint) = open.last() {
                    let message = format!("MOTION before joint `{}` is closed", rig.names[joint]);
                    return Err(error(number, message));
                }
                if rig.names.is_empty() {
                    return Err(error(number, "MOTION before any ROOT"));
                }
                return Ok(rig);
            }
            let (statement, after) = split_at_brace(rest);
            pending = joint_statement(&mut rig, open.last().copied(), statement, number)?;
            rest = after;
        }
    }
    let message = if rig.names.is_empty() {
        "the file ends before any ROOT"
    } else {
        "the file ends inside the hierarchy: no MOTION section"
    };
    Err(error(lines.number, message))
}

/// Handles ROOT, JOINT, End Site, OFFSET and CHANNELS; returns a joint that awaits its `{`.
fn joint_statement(
    rig: &mut Rig,
    parent: Option<usize>,
    statement: &[u8],
    number: usize,
) -> Result<Option<usize>, MotionError> {
    let (word, argument) = split_word(statement);
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    if is(b"ROOT") || is(b"JOINT") || is(b"End") || is(b"EndSite") {
        if rig.names.len() >= MAX_JOINTS {
            return Err(error(number, format!("more than {MAX_JOINTS} joints")));
        }
        return add_joint(rig, parent, word, argument, number).map(Some);
    }
    let Some(joint) = parent else {
        let message = format!("unexpected `{}` outside a joint", shown(statement));
        return Err(error(number, message));
    };
    if is(b"OFFSET") {
        let mut offset = Vec::new();
        let got = numbers(argument, &mut offset, number)?;
        let [x, y, z] = offset[..] else {
            return Err(error(number, format!("OFFSET needs 3 numbers, got {got}")));
        };
        rig.offsets[joint] = DVec3::from_array([x, y, z].map(f64::from));
    } else if is(b"CHANNELS") {
        if !rig.channels[joint].is_empty() {
            let message = format!("CHANNELS twice in joint `{}`", rig.names[joint]);
            return Err(error(number, message));
        }
        if rig.end_sites[joint] {
            let message = format!("line {number}: `{}` has channels", rig.names[joint]);
            rig.warnings.push(message);
        }
        rig.channels[joint] = channels(argument, number, &mut rig.warnings)?;
    } else {
        let message = format!(
            "expected JOINT, End Site, OFFSET, CHANNELS or a brace, got `{}`",
            shown(statement)
        );
        return Err(error(number, message));
    }
    Ok(None)
}

fn add_joint(
    rig: &mut Rig,
    parent: Option<usize>,
    word: &[u8],
    argument: &[u8],
    number: usize,
) -> Result<usize, MotionError> {
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    if let Some(parent) = parent
        && rig.end_sites[parent]
    {
        return Err(error(number, "an End Site cannot have children"));
    }
    match parent {
        None if !is(b"ROOT") => {
            let message = format!("`{}` before ROOT", shown(word));
            Err(error(number, message))
        }
        None if !rig.names.is_empty() => {
            let message = format!(
                "a second ROOT `{}`: files with several roots are not supported",
                text(argument)
            );
            Err(error(number, message))
        }
        Some(_) if is(b"ROOT") => Err(error(number, "ROOT inside another joint")),
        Some(parent) if is(b"End") || is(b"EndSite") => {
            if !word.eq_ignore_ascii_case(b"EndSite") && !argument.eq_ignore_ascii_case(b"Site") {
                let message = format!("expected `End Site`, got `End {}`", shown(argument));
                return Err(error(number, message));
            }
            let name = format!("{}_end", rig.names[parent]);
            Ok(rig.add(name, Some(parent), true))
        }
        _ => {
            if argument.is_empty() {
                return Err(error(number, format!("{} without a name", shown(word))));
            }
            Ok(rig.add(text(argument), parent, false))
        }
    }
}

fn channels(
    argument: &[u8],
    number: usize,
    warnings: &mut Vec<String>,
) -> Result<Vec<Channel>, MotionError> {
    let (count, mut rest) = split_word(argument);
    let count: usize = parse_text(count)
        .ok_or_else(|| error(number, "CHANNELS needs a count, then that many names"))?;
    let mut list = Vec::new();
    while !rest.is_empty() {
        let (name, after) = split_word(rest);
        let channel = channel(name)
            .ok_or_else(|| error(number, format!("unknown channel `{}`", shown(name))))?;
        if matches!(channel, Channel::Position(_)) && list.contains(&channel) {
            return Err(error(number, format!("channel `{}` twice", shown(name))));
        }
        if list.len() >= 12 {
            return Err(error(number, "more than 12 channels on one joint"));
        }
        list.push(channel);
        rest = after;
    }
    if list.len() != count {
        warnings.push(format!(
            "line {number}: CHANNELS announces {count} names, {} follow",
            list.len()
        ));
    }
    Ok(list)
}

fn channel(name: &[u8]) -> Option<Channel> {
    let axis = match name.first()?.to_ascii_uppercase() {
        b'X' => 0,
        b'Y' => 1,
        b'Z' => 2,
        _ => return None,
    };
    if name[1..].eq_ignore_ascii_case(b"position") {
        Some(Channel::Position(axis))
    } else if name[1..].eq_ignore_ascii_case(b"rotation") {
        Some(Channel::Rotation(axis))
    } else {
        None
    }
}

fn motion_header(lines: &mut Lines<'_>) -> Result<(usize, f64), MotionError> {
    let (mut frames, mut frame_time_secs) = (None, None);
    while frames.is_none() || frame_time_secs.is_none() {
        let Some(line) = lines.next() else {
            let message = "the file ends before `Frames:` and `Frame Time:`";
            return Err(error(lines.number, message));
        };
        let number = lines.number;
        let colon = line.iter().position(|&b| b == b':');
        let (key, value) = match colon {
            Some(at) => (line[..at].trim_ascii(), line[at + 1..].trim_ascii()),
            None => (line, &[][..]),
        };
        let mut words = key.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        let words = (words.next(), words.next());
        let is = |word: Option<&[u8]>, name: &[u8]| {
            word.is_some_and(|word| word.eq_ignore_ascii_case(name))
        };
        if is(words.0, b"Frames") && colon.is_some() {
            let count: usize = parse_text(value).ok_or_else(|| {
                let message = format!("`Frames:` needs a whole number, got `{}`", shown(value));
                error(number, message)
            })?;
            frames = Some(count);
        } else if is(words.0, b"Frame") && is(words.1, b"Time") && colon.is_some() {
            let point = String::from_utf8_lossy(value).replace(',', ".");
            let seconds = parse_text::<f64>(point.as_bytes())
                .filter(|s| s.is_finite() && *s > 1.0 / MAX_FPS && *s < 1000.0);
            let seconds = seconds.ok_or_else(|| {
                let message = format!(
                    "`Frame Time:` needs a positive number of seconds, got `{}`",
                    shown(value)
                );
                error(number, message)
            })?;
            frame_time_secs = Some(seconds);
        } else {
            let message = format!(
                "expected `Frames:` and `Frame Time:`, got `{}`",
                shown(line)
            );
            return Err(error(number, message));
        }
    }
    let fps = 1.0 / frame_time_secs.unwrap_or(1.0);
    // Files round the frame time to a few digits: 0.033333 means 30 per second.
    let whole = fps.round();
    let fps = if (fps - whole).abs() < 2e-4 * whole {
        whole
    } else {
        fps
    };
    Ok((frames.unwrap_or(0), fps))
}
