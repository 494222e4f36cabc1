//! From a prompt, a goal and an obstacle to a GLB.
//!
//! `cargo run --release --example generate_guided`

#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::ops::ControlFlow;
use std::path::Path;

use kinograd::runtime::EngineOptions;
use kinograd::{Event, MotionGenerator, Observer, Task};

/// Prints every warning and the share of the work that is done.
struct Console {
    total: u64,
}

impl Observer for Console {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Started { total, .. } => self.total = *total,
            Event::Advanced { done } => print!("\r{:3} %", 100 * done / self.total),
            Event::Finished => println!(),
            Event::Warning(warning) => println!("{warning}"),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), kinograd::Error> {
    let mut generator = MotionGenerator::open("motion-base", &EngineOptions::default())?;
    let task = Task::builder("a person walks forward")
        .duration(5.0)
        .target(2.0, 3.0)
        .obstacle(1.0, 1.5, 0.5)
        .build()?;
    for clip in generator.generate(&task, &mut Console { total: 1 })? {
        clip.save(Path::new("guided.glb"))?;
        if let Some(report) = &clip.report {
            println!(
                "guided.glb: {:.2} m from the target",
                report.target_error_m.unwrap_or(0.0)
            );
        }
    }
    Ok(())
}
