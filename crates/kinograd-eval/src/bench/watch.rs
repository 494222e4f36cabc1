//! Progress of a benchmark.

use std::ops::ControlFlow;

use kinograd::{Error, Event, Observer};

/// Passes on the benchmark's own progress in place of each run's, and no warnings: a benchmark
/// asks for what it asks for, many times over.
pub(super) struct Watch<'a> {
    observer: &'a mut dyn Observer,
    done: u64,
}

impl<'a> Watch<'a> {
    /// Shows nothing, but can be stopped.
    pub fn silent(observer: &'a mut dyn Observer) -> Self {
        Self { observer, done: 0 }
    }

    /// Shows `total` of what is made.
    pub fn start(
        observer: &'a mut dyn Observer,
        work: &'static str,
        total: usize,
    ) -> Result<Self, Error> {
        let event = Event::Started {
            work,
            total: total as u64,
        };
        match observer.event(&event) {
            ControlFlow::Continue(()) => Ok(Self::silent(observer)),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }

    /// So many more are done.
    pub fn advance(&mut self, made: usize) {
        self.done += made as u64;
    }
}

impl Observer for Watch<'_> {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Advanced { .. } => self.observer.event(&Event::Advanced { done: self.done }),
            _ => ControlFlow::Continue(()),
        }
    }
}
