//! Values with a syntax of their own: `x,z`, `x,z@seconds`, `x,z,radius`, `prompt@seconds`,
//! `from,to`, `from..to`, `count@from..to`, `file,weight`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use kinograd::guidance::{StepSchedule, TimestepInterval};
use kinograd::motion::export::{JointNaming, RestPose, RootMotion};
use kinograd::motion::mapping::Up;
use kinograd::task::Resampling;
use kinograd::{Method, SamplerKind};
use kinograd_eval::PromptList;
use kinograd_files::Budget;

/// A size in bytes, such as `500MB`, `20 GB` or `1e9`.
pub fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 5] = [
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("B", 1.0),
    ];
    let text = text.trim();
    let unit = UNITS.iter().find_map(|(unit, factor)| {
        let at = text.len().checked_sub(unit.len())?;
        let ending = text.get(at..)?;
        ending
            .eq_ignore_ascii_case(unit)
            .then(|| (&text[..at], *factor))
    });
    let (number, factor) = unit.unwrap_or((text, 1.0));
    let bytes = number
        .trim()
        .parse::<f64>()
        .ok()
        .map(|number| number * factor);
    let bytes = bytes.filter(|bytes| (0.0..1e18).contains(bytes));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within 0 and 1e18"
    )]
    bytes
        .map(|bytes| bytes as u64)
        .ok_or_else(|| format!("`{text}` is no size such as 500MB or 20GB"))
}

/// Guidance methods by name.
pub fn method_values() -> impl TypedValueParser<Value = Method> {
    let all = std::iter::once(Method::None).chain(Method::STEERING);
    named(all.collect(), Method::name, Method::summary)
}

/// Samplers by name.
pub fn sampler_values() -> impl TypedValueParser<Value = SamplerKind> {
    let all = SamplerKind::ALL.to_vec();
    named(all, SamplerKind::name, SamplerKind::summary)
}

/// Lists of prompts by name.
pub fn prompt_list_values() -> impl TypedValueParser<Value = PromptList> {
    let all = PromptList::ALL.to_vec();
    named(all, PromptList::name, PromptList::summary)
}

/// Schedules of the strength by name.
pub fn strength_values() -> impl TypedValueParser<Value = StepSchedule> {
    let all = StepSchedule::ALL.to_vec();
    named(all, StepSchedule::name, StepSchedule::summary)
}

/// Axes that point up: `y`, `z`, `x` and their opposites.
pub fn up_values() -> impl TypedValueParser<Value = Up> {
    let name = |up: Up| match up {
        Up::Y => "y",
        Up::Z => "z",
        Up::X => "x",
        Up::NegY => "-y",
        Up::NegZ => "-z",
        Up::NegX => "-x",
    };
    let summary = |up: Up| match up {
        Up::Y => "as in glTF",
        Up::Z => "as in Blender",
        Up::NegY => "as seen by a camera",
        _ => "",
    };
    named(Up::ALL.to_vec(), name, summary)
}

/// Where the travel lies: `keep`, `extract`, `in-place`.
pub fn root_motion_values() -> impl TypedValueParser<Value = RootMotion> {
    named(
        RootMotion::ALL.to_vec(),
        RootMotion::name,
        |way| match way {
            RootMotion::Keep => "in the hips",
            RootMotion::Extract => "in a bone on the ground under the hips, with the heading",
            RootMotion::InPlace => "nowhere: the hips stay over the origin, heights are kept",
        },
    )
}

/// Whose names joints get.
pub fn naming_values() -> impl TypedValueParser<Value = JointNaming> {
    named(
        JointNaming::ALL.to_vec(),
        JointNaming::name,
        |whose| match whose {
            JointNaming::Ours => "SMPL's and HumanML3D's: left_hip",
            JointNaming::Mixamo => "mixamorig:LeftUpLeg",
            JointNaming::Ue5 => "Manny's: thigh_l",
            JointNaming::Unity => "Humanoid's: LeftUpperLeg",
            JointNaming::Vrm => "leftUpperLeg",
        },
    )
}

/// Poses in which a skeleton rests.
pub fn rest_pose_values() -> impl TypedValueParser<Value = RestPose> {
    named(RestPose::ALL.to_vec(), RestPose::name, |pose| match pose {
        RestPose::T => "arms held out",
        RestPose::A => "arms lowered by 45 degrees",
    })
}

/// Frames per second, within the budget for foreign input.
pub fn frame_rate(text: &str) -> Result<f64, String> {
    let fps = text.parse().map_err(|_| "a number was expected")?;
    let checked = Budget::of_process().check_fps("frames per second", fps);
    checked.map(|()| fps).map_err(|error| error.to_string())
}

/// Metres per unit of length, within the budget for foreign input.
pub fn unit(text: &str) -> Result<f64, String> {
    let metres = text.parse().map_err(|_| "a number was expected")?;
    let checked = Budget::of_process().check_unit("metres per unit", metres);
    checked.map(|()| metres).map_err(|error| error.to_string())
}

/// One of several things that have names.
fn named<T: Copy + Send + Sync + 'static>(
    all: Vec<T>,
    name: fn(T) -> &'static str,
    summary: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let values: Vec<PossibleValue> = all
        .iter()
        .map(|&one| PossibleValue::new(name(one)).help(summary(one)))
        .collect();
    PossibleValuesParser::new(values).try_map(move |text| {
        let found = all.iter().copied().find(|&one| name(one) == text);
        found.ok_or_else(|| format!("unknown `{text}`"))
    })
}

/// `x,z` or `x,z@seconds`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetArg {
    /// Ground position, metres.
    pub xz_m: [f64; 2],
    /// When; the end of the clip if not given.
    pub seconds: Option<f64>,
}

/// `x,z@seconds`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WaypointArg {
    /// Ground position, metres.
    pub xz_m: [f64; 2],
    /// When.
    pub seconds: f64,
}

/// `prompt@seconds`.
#[derive(Debug, Clone, PartialEq)]
pub struct ThenArg {
    /// What the person does.
    pub prompt: String,
    /// From when on.
    pub seconds: f64,
}

/// `x,z,radius`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObstacleArg {
    /// Centre on the ground, metres.
    pub xz_m: [f64; 2],
    /// Radius, metres.
    pub radius_m: f64,
}

/// `file` or `file,weight`.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkArg {
    /// The file.
    pub path: PathBuf,
    /// Its weight.
    pub weight: f64,
}

/// `widthxheight`, pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeArg(pub u32, pub u32);

/// `from..to`, timesteps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimestepsArg(pub TimestepInterval);

/// `visits` or `count@from..to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResamplingArg(pub Resampling);

/// `from,to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowArg {
    /// First second.
    pub from_secs: f64,
    /// Last second.
    pub to_secs: f64,
}

fn numbers<const N: usize>(text: &str, form: &str) -> Result<[f64; N], String> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    if parts.len() != N {
        return Err(format!(
            "expected {form}, got {} value{}",
            parts.len(),
            if parts.len() == 1 { "" } else { "s" }
        ));
    }
    let mut values = [0.0; N];
    for (value, part) in values.iter_mut().zip(parts) {
        *value = number(part)?;
    }
    Ok(values)
}

fn number(text: &str) -> Result<f64, String> {
    let value: f64 = text
        .trim()
        .parse()
        .map_err(|_| format!("`{text}` is not a number"))?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(format!("`{text}` is not a finite number"))
    }
}

impl FromStr for TargetArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (position, seconds) = match text.split_once('@') {
            Some((position, seconds)) => (position, Some(number(seconds)?)),
            None => (text, None),
        };
        let xz_m = numbers::<2>(position, "X,Z or X,Z@SECONDS")?;
        Ok(Self { xz_m, seconds })
    }
}

impl FromStr for WaypointArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let target: TargetArg = text.parse()?;
        let seconds = target
            .seconds
            .ok_or("expected X,Z@SECONDS: a waypoint needs its time")?;
        Ok(Self {
            xz_m: target.xz_m,
            seconds,
        })
    }
}

impl FromStr for ThenArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (prompt, seconds) = text
            .rsplit_once('@')
            .ok_or("expected PROMPT@SECONDS: what is done later needs its time")?;
        Ok(Self {
            prompt: prompt.trim().to_owned(),
            seconds: number(seconds)?,
        })
    }
}

impl FromStr for NetworkArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A comma may be part of the path.
        let (path, weight) = match text.rsplit_once(',') {
            Some((path, weight)) if !weight.to_lowercase().ends_with(".onnx") => {
                (path, number(weight)?)
            }
            _ => (text, 1.0),
        };
        if path.is_empty() {
            return Err("expected FILE or FILE,WEIGHT".to_owned());
        }
        Ok(Self {
            path: path.into(),
            weight,
        })
    }
}

impl FromStr for WindowArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [from_secs, to_secs] = numbers::<2>(text, "FROM,TO in seconds")?;
        Ok(Self { from_secs, to_secs })
    }
}

impl FromStr for SizeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once(['x', 'X', '×']);
        let parsed = sides.and_then(|(width, height)| {
            let side = |text: &str| text.trim().parse().ok();
            Some(Self(side(width)?, side(height)?))
        });
        parsed.ok_or_else(|| "expected WIDTHxHEIGHT in pixels, such as 960x540".to_owned())
    }
}

impl FromStr for TimestepsArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("..").ok_or("expected FROM..TO")?;
        Ok(Self(TimestepInterval {
            from_timestep: number(from)?,
            to_timestep: number(to)?,
        }))
    }
}

impl FromStr for ResamplingArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, window) = match text.split_once('@') {
            Some((count, window)) => (count, Some(window.parse::<TimestepsArg>()?.0)),
            None => (text, None),
        };
        let count = count.trim().parse();
        let count = count.map_err(|_| "expected COUNT or COUNT@FROM..TO")?;
        Ok(Self(Resampling { count, window }))
    }
}

impl FromStr for ObstacleArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [x, z, radius_m] = numbers::<3>(text, "X,Z,RADIUS")?;
        Ok(Self {
            xz_m: [x, z],
            radius_m,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_prompt_has_its_time_after_the_last_at() {
        let then = ThenArg {
            prompt: "a person walks @ home".to_owned(),
            seconds: 3.5,
        };
        assert_eq!("a person walks @ home@3.5".parse(), Ok(then));
        for wrong in ["a person walks", "a person walks@soon"] {
            assert!(wrong.parse::<ThenArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_in_bytes() {
        for (text, expected) in [
            ("500MB", 500_000_000),
            ("20 gb", 20_000_000_000),
            ("1.5kB", 1500),
            ("7 B", 7),
            ("1e9", 1_000_000_000),
            ("0", 0),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for wrong in ["", "MB", "-1GB", "much", "nan", "1e30", "5 €"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!("960x540".parse(), Ok(SizeArg(960, 540)));
        for wrong in ["960", "x540", "-1x5", "axb", "1x2x3"] {
            assert!(wrong.parse::<SizeArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn visits_with_and_without_window() {
        let window = TimestepInterval {
            from_timestep: 100.0,
            to_timestep: 600.0,
        };
        assert_eq!("100..600".parse(), Ok(TimestepsArg(window)));
        let visits = |window| ResamplingArg(Resampling { count: 3, window });
        assert_eq!("3".parse(), Ok(visits(None)));
        assert_eq!("3@100..600".parse(), Ok(visits(Some(window))));
        for wrong in ["", "x", "3@", "3@100", "-1", "3@a..b"] {
            assert!(wrong.parse::<ResamplingArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn target_with_and_without_time() {
        assert_eq!(
            "-2,3".parse(),
            Ok(TargetArg {
                xz_m: [-2.0, 3.0],
                seconds: None
            })
        );
        assert_eq!(
            " 1.5, -0.25 @ 4".parse(),
            Ok(TargetArg {
                xz_m: [1.5, -0.25],
                seconds: Some(4.0)
            })
        );
    }

    #[test]
    fn a_network_may_have_a_weight() {
        let network = |text: &str| text.parse::<NetworkArg>().map(|n| (n.path, n.weight));
        assert_eq!(network("a.onnx"), Ok(("a.onnx".into(), 1.0)));
        assert_eq!(network("a,b.onnx"), Ok(("a,b.onnx".into(), 1.0)));
        assert_eq!(network("a,b.onnx,0.5"), Ok(("a,b.onnx".into(), 0.5)));
        assert!(network("a.onnx,much").is_err_and(|error| error.contains("much")));
        assert!(network(",2").is_err());
    }

    #[test]
    fn what_is_not_a_place_is_refused_by_name() {
        for (text, part) in [
            ("", "got 1 value"),
            ("1", "got 1 value"),
            ("1,2,3", "got 3 values"),
            ("nan,1", "`nan` is not a finite number"),
            ("1,inf", "`inf` is not a finite number"),
            ("1,1e999", "`1e999` is not a finite number"),
            ("1,two", "`two` is not a number"),
            ("1,2@", "`` is not a number"),
            ("1,2@inf", "`inf` is not a finite number"),
        ] {
            let error = TargetArg::from_str(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(WaypointArg::from_str("1,2").is_err());
        assert!(ObstacleArg::from_str("1,2").is_err());
    }
}
