//! Converts a clip between formats: `convert FROM TO [--animation NAME] [--fps N] [--up AXIS] [--unit METRES]
//! [--retarget yes] [--root-motion WAY] [--names WHOSE] [--rest-pose POSE]`.
//!
//! Says what was read: the choices that a file leaves open, and what was odd about it.

use std::io::{self, Write};
use std::path::Path;

use kinograd_formats::{ClipRef, LoadOptions, format_of};
use kinograd_motion::Provenance;
use kinograd_motion::export::{Export, JointNaming, RestPose, RootMotion};
use kinograd_motion::mapping::Up;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err(
            "convert FROM TO [--animation NAME] [--fps N] [--up AXIS] [--unit METRES] [--retarget yes] \
             [--root-motion WAY] [--names WHOSE] [--rest-pose POSE]"
                .into(),
        );
    };
    let mut options = LoadOptions::default();
    let mut export = Export::default();
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or("a flag without a value")?;
        match flag.as_str() {
            "--animation" => options.animation = Some(value),
            "--up" => {
                let up = Up::ALL.into_iter().find(|up| up.name() == value);
                options.up = Some(up.ok_or("an axis such as +Z")?);
            }
            "--unit" => options.unit_to_metre = Some(value.parse()?),
            "--retarget" => options.retarget = value == "yes",
            "--root-motion" => {
                let known = RootMotion::ALL.into_iter().find(|way| way.name() == value);
                export.root_motion = known.ok_or("keep, extract or in-place")?;
            }
            "--names" => {
                let known = JointNaming::ALL.into_iter().find(|all| all.name() == value);
                export.names = Some(known.ok_or("ours, mixamo, ue5, unity or vrm")?);
            }
            "--rest-pose" => {
                let known = RestPose::ALL.into_iter().find(|pose| pose.name() == value);
                export.rest_pose = Some(known.ok_or("t or a")?);
            }
            "--fps" => options.fps = Some(value.parse()?),
            _ => return Err(format!("no flag {flag}").into()),
        }
    }
    let format = |path: &str| format_of(Path::new(path)).ok_or(format!("no format of {path}"));
    let clip = format(&from)?.load(Path::new(&from), &options)?;
    writeln!(io::stdout(), "{}", serde_json::to_string(&clip.reading)?)?;
    let mut provenance = clip.provenance.unwrap_or_else(Provenance::new);
    let motion = export.apply(&clip.motion)?;
    export.record(&motion, &mut provenance);
    let out = ClipRef {
        motion: &motion,
        features: clip
            .features
            .as_ref()
            .filter(|_| export == Export::default()),
        provenance: &provenance,
        unit_to_metre: 1.0,
    };
    (format(&to)?.write)(Path::new(&to), out)?;
    Ok(())
}
