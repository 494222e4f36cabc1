//! Retargets every clip of a folder with a `manifest.csv` (columns `id`, `file`, `family`) and a
//! mapping file `skeletons.json`, and prints one line of measurements per clip.
//!
//! ```sh
//! KINOGRAD_MOCAP=path/to/mocap cargo run --release -p kinograd-dataset --example retarget_folder
//! ```
//!
//! With `KINOGRAD_OUT` the retargeted clips are written to that folder as BVH.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{env, error::Error, path::PathBuf, time::Instant};

use glam::DVec3;
use kinograd_formats::bvh;
use kinograd_motion::{
    JOINT_NAMES,
    mapping::{Mapping, MappingFile},
};
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("KINOGRAD_MOCAP")?);
    let mappings = MappingFile::read(&folder.join("skeletons.json"))?;
    let mut table = csv::Reader::from_path(folder.join("manifest.csv"))?;
    let mut clips = Vec::new();
    for row in table.deserialize() {
        let row: std::collections::HashMap<String, String> = row?;
        clips.push((
            row["id"].clone(),
            folder.join(&row["file"]),
            row["family"].clone(),
        ));
    }
    let start = Instant::now();
    println!(
        "id,frames,unit,leg_m,scale,fit_mm,floor_m,drift_m,wrong_way,worst_turn_deg,standing,ankle_mm,toe_drop_m,worst_joint,automatic_mm,automatic_joint"
    );
    let lines: Vec<(usize, String)> = clips
        .par_iter()
        .map(
            |(id, path, family)| match measure(path, family, &mappings) {
                Ok((frames, line)) => (frames, format!("{id},{line}")),
                Err(error) => (0, format!("{id},ERROR {error}")),
            },
        )
        .collect();
    let frames: usize = lines.iter().map(|l| l.0).sum();
    for (_, line) in &lines {
        println!("{line}");
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "# {} clips, {frames} source frames, {seconds:.1} s, {:.0} frames/s",
        lines.len(),
        frames as f64 / seconds
    );
    Ok(())
}

fn measure(
    path: &std::path::Path,
    family: &str,
    mappings: &MappingFile,
) -> Result<(usize, String), Box<dyn Error>> {
    let clip = bvh::read(path)?;
    let mapping = mappings.get(family).ok_or("no mapping")?;
    let done = clip.retarget(mapping, 20.0)?;
    if let Some(folder) = env::var_os("KINOGRAD_OUT") {
        let name = path.file_name().unwrap_or_default();
        bvh::write(
            &PathBuf::from(folder).join(name),
            &done.motion,
            bvh::WriteOptions::default(),
        )?;
    }
    let joints = done.motion.joints_in_world_m();
    // Share of frames in which the left hip is on the left of where the feet point.
    let facing_right = joints.iter().filter(|p| {
        let left = p[1] - p[2];
        let forward = left.cross(DVec3::Y);
        let feet = (p[10] - p[7]) + (p[11] - p[8]);
        forward.dot(feet) < 0.0
    });
    let turned_wrong = facing_right.count() as f64 / joints.len() as f64;
    let (mut worst_turn, mut worst_joint): (f64, usize) = (0.0, 0);
    for pair in done.motion.local_rotations.windows(2) {
        for (joint, (a, b)) in pair[0].iter().zip(&pair[1]).enumerate() {
            let turn = a.angle_between(*b);
            if turn > worst_turn {
                (worst_turn, worst_joint) = (turn, joint);
            }
        }
    }
    // How the feet lie while they stand: toe above ankle, against the body's own -0.045 m.
    let mut toe_drop: Vec<f64> = Vec::new();
    for (points, &stands) in joints.iter().zip(&done.floor.standing) {
        for (ankle, toe) in [(7, 10), (8, 11)] {
            if stands && points[ankle].y < 0.12 {
                toe_drop.push(points[toe].y - points[ankle].y);
            }
        }
    }
    toe_drop.sort_by(f64::total_cmp);
    let toe_drop = toe_drop.get(toe_drop.len() / 2).copied().unwrap_or(0.0);
    let resolved = mapping.resolve(&clip.skeleton)?;
    let scale = done.unit_to_metre * done.scale;
    let source = clip.joints_at_fps_m(20.0, scale)?;
    let mut ankle = 0.0;
    for (from, to) in source.iter().zip(&joints) {
        let from = resolved.canonical(from);
        for joint in [7, 8] {
            ankle += from[joint].distance(to[joint] + DVec3::Y * done.floor.height_m);
        }
    }
    let (automatic_mm, automatic_joint) = match Mapping::automatic(&clip.skeleton) {
        Err(error) => (f64::NAN, error.to_string()),
        Ok(automatic) => {
            let automatic = automatic.resolve(&clip.skeleton)?;
            let mut apart = [0.0; 22];
            for from in &source {
                let pairs = resolved
                    .canonical(from)
                    .into_iter()
                    .zip(automatic.canonical(from));
                for (sum, (a, b)) in apart.iter_mut().zip(pairs) {
                    *sum += a.distance(b) * 1000.0 / source.len() as f64;
                }
            }
            let worst = (0..22).fold(0, |w, j| if apart[j] > apart[w] { j } else { w });
            let mean = apart.iter().sum::<f64>() / 22.0;
            (mean, format!("{}={:.0}", JOINT_NAMES[worst], apart[worst]))
        }
    };
    let line = format!(
        "{},{:.4},{:.3},{:.3},{:.1},{:.3},{:.3},{:.2},{:.2},{:.2},{:.1},{:.3},{},{automatic_mm:.1},{automatic_joint}",
        clip.len(),
        done.unit_to_metre,
        done.source_leg_m,
        done.scale,
        done.fit_error_m * 1000.0,
        done.floor.height_m,
        done.floor.drift_m,
        turned_wrong,
        worst_turn.to_degrees(),
        done.floor.standing.iter().filter(|s| **s).count() as f64 / joints.len() as f64,
        ankle / (2 * joints.len()) as f64 * 1000.0,
        toe_drop,
        JOINT_NAMES[worst_joint],
    );
    Ok((clip.len(), line))
}
