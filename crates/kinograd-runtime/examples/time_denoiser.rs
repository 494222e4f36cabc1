//! Times a package's denoiser on clips of 80 frames:
//! `time_denoiser [PACKAGE] [onnxruntime|built-in] [THREADS] [RUNS] [CLIPS,...]`.
//!
//! Each line has elapsed and processor time; the latter holds on a busy machine too.
#![expect(clippy::print_stdout, reason = "this is the program's result")]

use std::time::Instant;

use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, NoiseLevel};
use kinograd_runtime::{
    ClipBatch, EngineOptions, MotionEmbedding, OnnxDenoiser, SessionOptions, TextEncoder,
    cache_dir, find_package, open_engine,
};
use ndarray::{Array2, ArrayD};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let package = arguments.next().unwrap_or_else(|| "motion-base".into());
    let engine = arguments.next().unwrap_or_else(|| "auto".into()).parse()?;
    let threads = arguments.next().map_or(Ok(0), |n| n.parse())?;
    let runs = arguments.next().map_or(Ok(10), |n| n.parse())?;
    let clips = arguments.next().unwrap_or_else(|| "1,16".into());

    let start = Clock::now();
    let opened = open_engine(&EngineOptions {
        engine,
        threads,
        ..EngineOptions::default()
    })?;
    println!(
        "{} {} on {}",
        opened.report.engine, opened.report.version, opened.report.provider
    );
    start.lap("engine open");
    let package = find_package(&package)?;
    let options = SessionOptions {
        cache_dir: cache_dir(),
        ..SessionOptions::default()
    };
    let mut text = TextEncoder::open(&opened.engine, &package, &options)?;
    start.lap("text encoder open");
    let condition = text.encode(&["a person walks forward"])?;
    start.lap("prompt encoded");
    let mut denoiser = OnnxDenoiser::open(opened.engine.clone(), &package, options.clone())?;
    start.lap("denoiser open (hash checked)");

    let level = NoiseLevel {
        timestep: 500.0,
        alpha_bar: 0.5,
    };
    for batch in clips.split(',') {
        let batch: usize = batch.parse()?;
        let scale = 1.5;
        let rows = Array2::from_shape_fn((batch, condition.condition.ncols()), |(_, dim)| {
            condition.condition[[0, dim]]
        });
        denoiser.set_batch(ClipBatch {
            condition: rows,
            blend_weights: None,
            lengths: vec![80; batch],
            guidance_scale: scale,
        })?;
        let x = ArrayD::from_shape_fn(vec![batch, 80, 263], |i| ((i[1] * 263 + i[2]) as f32).sin());
        denoiser.prepare(true)?;
        start.lap("gradient ready");
        let (linear, mut pull_back) = denoiser.linearize(&x, level)?;
        let gradient = pull_back(&linear)?;
        drop(pull_back);
        start.lap("first guided step");
        println!("peak memory, guided only: {}", peak_memory());
        let both = median(runs, || {
            let (x0, mut pull_back) = denoiser.linearize(&x, level)?;
            pull_back(&x0).map(|_| ())
        })?;
        let start = Clock::now();
        denoiser.prepare(false)?;
        start.lap("plain graph ready, from here");
        let x0 = denoiser.denoise(&x, level)?;
        start.lap("first plain step");
        let forward = median(runs, || denoiser.denoise(&x, level).map(|_| ()))?;
        let difference = x0
            .iter()
            .zip(&linear)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0_f32, f32::max);
        println!(
            "{batch} clips, cfg {scale}: forward {forward}; forward and pull-back {both}; \
             |Jᵀx̂0| {:.4}, difference of the forwards {difference:.1e}",
            gradient.iter().map(|g| g * g).sum::<f32>().sqrt()
        );
    }
    let mut embedding = MotionEmbedding::open(opened.engine, &package, options)?;
    let x = ArrayD::from_shape_fn(vec![1, 80, 263], |i| ((i[1] * 263 + i[2]) as f32).sin());
    let (values, _) = embedding.cosine_distance_and_grad(&x, &[80], condition.embedding.view())?;
    let both = median(runs, || {
        embedding
            .cosine_distance_and_grad(&x, &[80], condition.embedding.view())
            .map(|_| ())
    })?;
    println!("text loss {:.4}, value and gradient: {both}", values[0]);
    println!("peak memory: {}", peak_memory());
    Ok(())
}

/// Elapsed time and the processor time of all threads.
#[derive(Clone, Copy)]
struct Clock {
    start: Instant,
    cpu_ms: f64,
}

impl Clock {
    fn now() -> Self {
        Self {
            start: Instant::now(),
            cpu_ms: process_cpu_ms(),
        }
    }

    fn lap(&self, what: &str) {
        println!("{self}  {what}");
    }
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let elapsed = self.start.elapsed().as_secs_f64() * 1e3;
        write!(
            f,
            "{elapsed:.1} ms ({:.1} of processor)",
            process_cpu_ms() - self.cpu_ms
        )
    }
}

/// Summed over the threads; 0 where the system has no such file.
fn process_cpu_ms() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return 0.0;
    };
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .sum::<f64>()
        / 1e6
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

fn median<E>(runs: usize, mut run: impl FnMut() -> Result<(), E>) -> Result<String, E> {
    let mut elapsed = Vec::with_capacity(runs);
    let cpu = process_cpu_ms();
    for _ in 0..runs {
        let start = Instant::now();
        run()?;
        elapsed.push(start.elapsed().as_secs_f64() * 1e3);
    }
    elapsed.sort_by(f64::total_cmp);
    let cpu = (process_cpu_ms() - cpu) / runs as f64;
    Ok(format!(
        "{:.1} ms ({cpu:.1} of processor)",
        elapsed[runs / 2]
    ))
}
