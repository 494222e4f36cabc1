//! The simulation of Guo et al. 2024: reward and distance from the data against the rounds.
//!
//! `cargo run --release --example optimize_simulation -- [ROUNDS] [FOLDER] [LEARNING_RATE] [MAX_MOVE]`
//! writes `simulation.json` and `simulation.png` to the folder; the learning rate is algorithm 2's, and
//! a move of 0 is unbounded.

use std::path::Path;

use kinograd::eval::{SimulationProtocol, simulation};
use kinograd::runtime::{EngineOptions, open_engine};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let mut protocol = SimulationProtocol::default();
    if let Some(rounds) = args.next() {
        protocol.rounds = rounds.parse()?;
    }
    let folder = args.next().unwrap_or_else(|| ".".to_owned());
    if let Some(rate) = args.next() {
        protocol.learning_rate = rate.parse()?;
    }
    if let Some(rms) = args.next() {
        let rms: f64 = rms.parse()?;
        protocol.max_move = (rms > 0.0).then_some(rms);
    }
    let options = EngineOptions {
        threads: 1,
        ..EngineOptions::default()
    };
    let engine = open_engine(&options)?.engine;
    let report = simulation(&engine, &protocol, &mut ())?;
    let folder = Path::new(&folder);
    report.save_plot(&folder.join("simulation.png"))?;
    kinograd::save_report(
        &folder.join("simulation.json"),
        &serde_json::to_value(&report)?,
    )?;
    #[expect(clippy::print_stdout, reason = "the table is what the example is for")]
    {
        print!("{report}");
    }
    Ok(())
}
