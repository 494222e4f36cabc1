//! Times writing, reading and retargeting of clips: `time_formats [FRAMES] [ROUNDS]`.
//!
//! Prints milliseconds of a walk of FRAMES (600: 10 s at 60 fps) on the canonical body in every format, the median of
//! ROUNDS (7) and the whole spread, and each median against that of reading an NPZ. Cases take turns, so that what else
//! the machine does falls on all of them. Reading ends in metres with Y up, held against the file; retargeting starts
//! from a rig with bones of another length in memory.

use std::io::{self, Write};
use std::time::Instant;

use kinograd_formats::{ClipRef, FORMATS, LoadOptions};
use kinograd_motion::mapping::Mapping;
use kinograd_motion::retarget::retarget_motion;
use kinograd_motion::synth::SynthWalk;
use kinograd_motion::{Motion, Provenance};

type Failure = Box<dyn std::error::Error>;
type Case<'a> = (String, Box<dyn Fn() -> Result<(), Failure> + 'a>);

const FPS: f64 = 60.0;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse());
    let frames: usize = arguments.next().unwrap_or(Ok(600))?;
    let rounds: usize = arguments.next().unwrap_or(Ok(7))?;
    let folder = tempfile::tempdir()?;
    let motion = walk(frames);
    let provenance = Provenance::new();
    let clip = ClipRef {
        motion: &motion,
        features: None,
        provenance: &provenance,
        unit_to_metre: 1.0,
    };
    let mut cases: Vec<Case<'_>> = Vec::new();
    for format in FORMATS {
        let path = folder.path().join(format!("walk.{}", format.extension));
        (format.write)(&path, clip)?;
        let again = folder.path().join(format!("again.{}", format.extension));
        let write = move || Ok((format.write)(&again, clip)?);
        cases.push((format!("write {}", format.name), Box::new(write)));
        let read = move || {
            let back = format.load(&path, &LoadOptions::default())?;
            match back.motion.len() {
                read if read == frames => Ok(()),
                read => Err(format!("{}: {read} frames of {frames}", format.name).into()),
            }
        };
        cases.push((format!("read {}", format.name), Box::new(read)));
    }
    let taller = taller(&motion);
    let mapping = Mapping::automatic(&taller.skeleton)?;
    let retarget = move || {
        retarget_motion(&taller, &mapping)
            .map(drop)
            .map_err(Failure::from)
    };
    cases.push(("retarget".to_owned(), Box::new(retarget)));
    report(&cases, frames, rounds)
}

fn walk(frames: usize) -> Motion {
    let walk = SynthWalk {
        duration_secs: frames.saturating_sub(1) as f64 / FPS,
        fps: FPS,
        turn_rad_per_s: 0.2,
        ..SynthWalk::default()
    };
    walk.motion()
}

/// The same clip of a body with other proportions, which must be fitted.
fn taller(motion: &Motion) -> Motion {
    let mut taller = motion.clone();
    for (joint, offset) in taller.skeleton.offsets_m.iter_mut().enumerate() {
        *offset *= 1.05 + 0.004 * joint as f64;
    }
    taller
}

fn report(cases: &[Case<'_>], frames: usize, rounds: usize) -> Result<(), Failure> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
    for _ in 0..rounds.max(1) {
        for ((_, run), times) in cases.iter().zip(&mut times) {
            let start = Instant::now();
            run()?;
            times.push(1e3 * start.elapsed().as_secs_f64());
        }
    }
    times
        .iter_mut()
        .for_each(|times| times.sort_by(f64::total_cmp));
    let median = |times: &[f64]| times[times.len() / 2];
    let unit = cases.iter().position(|(name, _)| name == "read NPZ");
    let unit = unit.map_or(1.0, |at| median(&times[at]));
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{frames} frames, {rounds} rounds; ms: median (least to most), ratio to read NPZ"
    )?;
    for ((name, _), times) in cases.iter().zip(&times) {
        let (least, most) = (times[0], times[times.len() - 1]);
        let middle = median(times);
        writeln!(
            out,
            "{name:<10} {middle:9.1} ({least:.1} to {most:.1})  {:.2}",
            middle / unit
        )?;
    }
    Ok(())
}
