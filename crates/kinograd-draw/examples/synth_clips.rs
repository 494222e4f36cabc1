//! Writes a synthesised walk as GLB, NPZ and a contact sheet into a folder.
//!
//! ```sh
//! cargo run --release -p kinograd-draw --example synth_clips -- assets/clips
//! ```

use std::error::Error;
use std::path::PathBuf;

use kinograd_draw::sheet::{SceneMarks, SheetClip, render_sheet};
use kinograd_formats::glb::{GlbOptions, write_glb};
use kinograd_formats::npz::write_npz;
use kinograd_motion::synth::SynthWalk;
use kinograd_motion::{Provenance, joints_array};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let walk = SynthWalk {
        speed_mps: 1.1,
        turn_rad_per_s: 0.35,
        ..SynthWalk::default()
    };
    let motion = walk.motion();
    let mut record = Provenance::new().by_command("synth_clips");
    record.extra.insert("licence".into(), "CC0-1.0".into());
    write_glb(
        &folder.join("walk.glb"),
        &motion,
        &GlbOptions::default(),
        &record,
    )?;
    write_npz(&folder.join("walk.npz"), &motion, None, &record)?;
    let clip = SheetClip {
        title: "a synthesised walk".to_owned(),
        joints: joints_array(&motion),
        fps: motion.fps,
    };
    let end = motion.root_in_world_m[motion.len() - 1];
    let marks = SceneMarks {
        target_m: Some([end.x, end.z]),
        ..SceneMarks::default()
    };
    render_sheet(&[clip], &marks, (1280, 720))?.write_png(&folder.join("walk.png"))?;
    Ok(())
}
