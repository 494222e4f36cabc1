//! A batch whose clips are computed instead of generated, for tests of everything around them:
//! `synthetic SOURCE FOLDER SHARD [PART_BYTES]`.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::path::PathBuf;

use kinograd::motion::Provenance;
use kinograd::motion::synth::synth_walk;
use kinograd::{Clip, ClipReport, Observer, Task};
use kinograd_batch::{BatchOptions, Made, Maker, SampleFormat, Source, run};

struct Synthetic;

impl Maker for Synthetic {
    fn make(&mut self, task: &Task, _: &mut dyn Observer) -> Result<Clip, kinograd::Error> {
        let walk = synth_walk(1.2, task.duration_secs, 20.0);
        let mut report = ClipReport::default();
        report.seed = task.sampling.seed;
        let mut clip = Clip::new(walk, Provenance::new());
        clip.report = Some(report);
        Ok(clip)
    }

    fn embeds(&mut self, _: &Task) -> Result<bool, kinograd::Error> {
        Ok(false)
    }

    fn describe(&self, _: &Task) -> Made {
        Made::default()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, folder, shard, rest @ ..] = &arguments[..] else {
        return Err("SOURCE FOLDER SHARD [PART_BYTES]".into());
    };
    let mut options = BatchOptions::default();
    options.shard = shard.parse()?;
    options.formats = vec![SampleFormat::Json];
    if let Some(bytes) = rest.first() {
        options.part_bytes = bytes.parse()?;
    }
    let source = Source::open(&PathBuf::from(source))?;
    let report = run(&source, folder.as_ref(), &options, &mut Synthetic, &mut ())?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
