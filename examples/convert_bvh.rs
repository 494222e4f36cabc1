//! Any rig's BVH onto the canonical body, as GLB for an engine and NPZ for NumPy.
//!
//! `cargo run --release --example convert_bvh -- take.bvh`

#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::path::Path;

use kinograd::{Clip, LoadOptions};

fn main() -> Result<(), kinograd::Error> {
    let Some(take) = std::env::args().nth(1) else {
        println!("usage: convert_bvh TAKE.bvh");
        return Ok(());
    };
    let path = Path::new(&take);
    let options = LoadOptions {
        retarget: true,
        ..LoadOptions::default()
    };
    let clip = Clip::load(path, &options)?.resampled(30.0)?;
    clip.save(&path.with_extension("glb"))?;
    clip.save(&path.with_extension("npz"))?;
    println!("{} frames at {} fps", clip.motion.len(), clip.motion.fps);
    Ok(())
}
