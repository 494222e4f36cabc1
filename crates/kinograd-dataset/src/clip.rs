//! One clip, from file to features and segments.

use kinograd_files::error_chain;
use kinograd_formats::bvh;
use kinograd_motion::features::{
    FEATURE_FPS, FloorLevel, Heading, canonicalize, decode_joints, features_from_joints,
    joints_from_motion,
};
use kinograd_motion::mapping::{Mapping, MappingFile};
use kinograd_motion::metrics::{mean_jerk, root_speed};
use kinograd_motion::resample::resample;
use kinograd_motion::retarget::{Retargeted, retarget_motion};
use kinograd_motion::{JOINTS, Motion, MotionError, mirror};
use ndarray::{Array2, Array3, Axis, s};

use crate::captions::Kinematics;
use crate::check::{JERK_PER_SPEED, Limits, Quality, measure, refuse};
use crate::fitness::{part, stretches_on_floor};
use crate::manifest::Entry;
use crate::segment::{ClipText, Segment, segments};
use crate::short::{SHORTEST_ACTION_SECS, is_short_action, lengthen};
use crate::smooth::smoothed;

/// A clip, or a part of one, ready to be written.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// The clip's id, or that of the part.
    pub id: String,
    pub features: Array2<f32>,
    /// The mirrored copy, if asked for.
    pub mirrored: Option<Array2<f32>>,
    pub segments: Vec<Segment>,
    pub quality: Quality,
}

/// What came of a source clip.
#[derive(Debug)]
pub(crate) struct Encodings {
    pub parts: Vec<Encoded>,
    /// Frames read from the file.
    pub source_frames: usize,
    /// What was cut away, if anything.
    pub cut: Option<String>,
}

/// Parts shorter than this are left out, seconds.
const SHORTEST_PART_SECS: f64 = 2.5;

/// Reads, retargets, checks and encodes a clip. Where it leaves its floor, the stretches on the
/// floor are kept as parts, with the captions that hold for them. An action shorter than the
/// limit is lengthened by its own first and last pose.
///
/// # Errors
/// The reason why the clip is left out.
pub(crate) fn encode(
    entry: &Entry,
    mappings: Option<&MappingFile>,
    limits: &Limits,
    with_mirror: bool,
) -> Result<Encodings, String> {
    let reason = |error: MotionError| error_chain(&error);
    let clip = bvh::read(&entry.path).map_err(reason)?;
    let source_frames = clip.len();
    if source_frames < 2 {
        return Err(format!("one frame: {source_frames} is no motion"));
    }
    let secs = clip.duration_secs();
    let short = secs < limits.min_secs;
    if short && (secs < SHORTEST_ACTION_SECS.min(limits.min_secs) || !is_short_action(entry)) {
        return Err(format!("too short: {secs:.2} s"));
    }
    let mapping = match mappings.and_then(|file| file.get(&entry.family)) {
        Some(mapping) => mapping.clone(),
        None => Mapping::automatic(&clip.skeleton).map_err(reason)?,
    };
    let mut source = clip.retarget(&mapping, FEATURE_FPS).map_err(reason)?;
    if short && !lengthen(&mut source) {
        return Err(format!("too short: {secs:.2} s of travelling"));
    }
    let frames = source.motion.len();
    let stretches = stretches_on_floor(&source, limits, FEATURE_FPS);
    if stretches.len() == 1 && stretches[0].len() == frames {
        let text = ClipText {
            label: &entry.label,
            captions: &entry.captions,
            part: false,
        };
        let whole = encode_part(entry.id.clone(), source, text, limits, with_mirror)?;
        return Ok(Encodings {
            parts: vec![whole],
            source_frames,
            cut: None,
        });
    }
    let text = ClipText {
        label: &entry.label,
        captions: &entry.captions,
        part: true,
    };
    let parts: Vec<Encoded> = stretches
        .into_iter()
        .filter(|range| range.len() as f64 >= SHORTEST_PART_SECS * FEATURE_FPS)
        .enumerate()
        .filter_map(|(index, range)| {
            let id = format!("{}_part{}", entry.id, index + 1);
            encode_part(id, part(&source, range), text, limits, with_mirror).ok()
        })
        .filter(|part| !part.segments.is_empty())
        .collect();
    let kept: usize = parts.iter().map(|part| part.features.nrows()).sum();
    let off_floor = format!(
        "feet leave the floor: {:.1} of {:.1} s",
        (frames - kept) as f64 / FEATURE_FPS,
        frames as f64 / FEATURE_FPS
    );
    if parts.is_empty() || ((frames - kept) as f64) > limits.max_cut_share * frames as f64 {
        return Err(off_floor);
    }
    Ok(Encodings {
        parts,
        source_frames,
        cut: Some(off_floor),
    })
}

/// What is said of a clip that was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub id: &'a str,
    pub label: &'a str,
    pub caption: &'a str,
}

/// Retargets, checks and encodes a clip that was made: one segment, with its prompt as caption.
///
/// # Errors
/// The reason why the clip is left out.
pub(crate) fn encode_motion_of(
    motion: &Motion,
    told: Told<'_>,
    limits: &Limits,
    with_mirror: bool,
) -> Result<Encodings, String> {
    let reason = |error: MotionError| error_chain(&error);
    if !told.caption.chars().any(char::is_alphabetic) {
        return Err("no prompt: it says nothing to learn by".to_owned());
    }
    let secs = motion.len() as f64 / motion.fps;
    if motion.len() < 2 || secs < limits.min_secs {
        return Err(format!("too short: {secs:.2} s"));
    }
    let at_rate = resample(motion, FEATURE_FPS).map_err(reason)?;
    let mapping = Mapping {
        unit_to_metre: Some(1.0),
        ..Mapping::automatic(&at_rate.skeleton).map_err(reason)?
    };
    let source = retarget_motion(&at_rate, &mapping).map_err(reason)?;
    let captions = [told.caption.to_owned()];
    let text = ClipText {
        label: told.label,
        captions: &captions,
        part: false,
    };
    let mut whole = encode_part(told.id.to_owned(), source, text, limits, with_mirror)?;
    whole.segments = vec![Segment::whole(whole.features.nrows(), text)];
    Ok(Encodings {
        parts: vec![whole],
        source_frames: motion.len(),
        cut: None,
    })
}

fn encode_part(
    id: String,
    mut source: Retargeted,
    text: ClipText<'_>,
    limits: &Limits,
    with_mirror: bool,
) -> Result<Encoded, String> {
    let reason = |error: MotionError| error_chain(&error);
    let (features, joints, mut quality) = fit(&mut source, limits).map_err(reason)?;
    if let Some(refusal) = refuse(&quality, limits) {
        return Err(refusal);
    }
    if features.iter().any(|v| !v.is_finite()) {
        return Err("not finite: a joint is nowhere".to_owned());
    }
    quality.round_trip_m = round_trip_m(&features, &joints).map_err(reason)?;
    let mirrored = with_mirror
        .then(|| encode_motion(&mirror(&source.motion)?).map(|(features, _)| features))
        .transpose()
        .map_err(reason)?;
    let kinematics = Kinematics::new(joints.view()).map_err(reason)?;
    Ok(Encoded {
        segments: segments(&kinematics, text, seed_of(&id)),
        id,
        features,
        mirrored,
        quality,
    })
}

/// Features, the joints of the same frames, and measurements, after smoothing if needed.
fn fit(
    source: &mut Retargeted,
    limits: &Limits,
) -> Result<(Array2<f32>, Array3<f64>, Quality), MotionError> {
    let raw = joints_from_motion(&source.motion)?.mapv(|v| v as f32);
    let speed = root_speed(raw.view(), FEATURE_FPS).mean_mps;
    let allowed = limits.smooth_jerk_m_s3 + JERK_PER_SPEED * speed;
    let jerky = mean_jerk(raw.view(), FEATURE_FPS) > allowed;
    if jerky {
        source.motion = smoothed(&source.motion);
    }
    let (features, joints) = encode_motion(&source.motion)?;
    let quality = Quality {
        smoothed: jerky,
        ..measure(joints.view(), source, FEATURE_FPS)
    };
    Ok((features, joints, quality))
}

/// Features of a clip that stands on the floor, without frame 0, and the joints of the same frames.
///
/// The published heading is zero at frame 0 and smoothed from frame 1 on; that jump is no movement,
/// so the data set starts after it.
fn encode_motion(motion: &Motion) -> Result<(Array2<f32>, Array3<f64>), MotionError> {
    let canonical = canonicalize(motion, FloorLevel::At(0.0))?;
    let joints = joints_from_motion(&canonical)?;
    let features = features_from_joints(
        joints.view(),
        &canonical.local_rotations,
        Heading::Published,
    )?;
    let frames = features.nrows();
    Ok((
        features.slice(s![1.., ..]).to_owned(),
        joints.slice(s![1..frames, .., ..]).to_owned(),
    ))
}

/// Largest distance between joints and the joints decoded from features, after laying the first
/// frames' roots and headings on each other.
fn round_trip_m(features: &Array2<f32>, joints: &Array3<f64>) -> Result<f64, MotionError> {
    let decoded = decode_joints(features.view())?;
    let frames = decoded.len_of(Axis(0));
    // The features do not know where the first frame was: align its ground plane.
    let (mut sin, mut cos) = (0.0, 0.0);
    for joint in 1..JOINTS {
        let a = [
            decoded[[0, joint, 0]] - decoded[[0, 0, 0]],
            decoded[[0, joint, 2]] - decoded[[0, 0, 2]],
        ];
        let b = [
            joints[[0, joint, 0]] - joints[[0, 0, 0]],
            joints[[0, joint, 2]] - joints[[0, 0, 2]],
        ];
        cos += a[0] * b[0] + a[1] * b[1];
        sin += a[1] * b[0] - a[0] * b[1];
    }
    let (sin, cos) = sin.atan2(cos).sin_cos();
    let mut worst: f64 = 0.0;
    for f in 0..frames {
        for j in 0..JOINTS {
            let (x, z) = (decoded[[f, j, 0]], decoded[[f, j, 2]]);
            let world = [
                x * cos + z * sin + joints[[0, 0, 0]],
                decoded[[f, j, 1]],
                -x * sin + z * cos + joints[[0, 0, 2]],
            ];
            let distance = (0..3)
                .map(|a| (world[a] - joints[[f, j, a]]).powi(2))
                .sum::<f64>()
                .sqrt();
            worst = worst.max(distance);
        }
    }
    Ok(worst)
}

/// FNV-1a: the same clip gets the same captions on every machine.
fn seed_of(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
