//! How a run reports what it does, and how it is stopped.

use std::ops::ControlFlow;

use kinograd_motion::{Motion, MotionRepresentation};
use ndarray::{ArrayD, Axis, Ix2};

use crate::Error;
use crate::body::motion_on_body;
use crate::warning::Warning;

/// What a run reports.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// `total` units of work begin.
    Started {
        /// What the work is, such as `sampling`.
        work: &'static str,
        /// Units of work.
        total: u64,
    },
    /// So many units are done.
    Advanced {
        /// Units done since the start.
        done: u64,
    },
    /// The loss that steers, as of the last step: the mean over the samples at work.
    Loss {
        /// Its value.
        value: f64,
    },
    /// The work is done.
    Finished,
    /// Something the user should know.
    Warning(Warning),
}

/// What a denoising step made.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Denoised<'a> {
    /// Which step, from 0.
    pub index: usize,
    /// Number of steps.
    pub total: usize,
    /// x̂0 as used by the step, `[batch, frames, 263]`, normalised.
    pub x0: &'a ArrayD<f32>,
    pub(crate) representation: &'a MotionRepresentation,
}

impl Denoised<'_> {
    /// A sample of x̂0 as a motion on the canonical body at 20 fps, without the clean-up that the run's
    /// clip gets.
    ///
    /// # Errors
    /// [`Error::Motion`] if there is no such sample or it holds a number that is not finite.
    pub fn motion(&self, sample: usize) -> Result<Motion, Error> {
        let missing = || kinograd_motion::MotionError::Shape {
            what: "x0",
            expected: format!("[more than {sample}, frames, 263]"),
            got: self.x0.shape().to_vec(),
        };
        if self.x0.ndim() != 3 || sample >= self.x0.len_of(Axis(0)) {
            return Err(missing().into());
        }
        let features = self.x0.index_axis(Axis(0), sample);
        let features = features.into_dimensionality::<Ix2>();
        let features = features.map_err(|_| missing())?;
        let features = self.representation.features(features)?;
        motion_on_body(&features)
    }
}

/// Follows a run and may stop it.
///
/// ```
/// use std::ops::ControlFlow;
/// use kinograd::{Event, Observer};
///
/// struct Steps(u64);
/// impl Observer for Steps {
///     fn event(&mut self, event: &Event) -> ControlFlow<()> {
///         if let Event::Advanced { done } = event {
///             self.0 = *done;
///         }
///         ControlFlow::Continue(())
///     }
/// }
/// ```
pub trait Observer {
    /// Receives an event; `Break` stops the run with [`crate::Error::Cancelled`].
    fn event(&mut self, event: &Event) -> ControlFlow<()>;

    /// Receives what a denoising step made, after its [`Event::Advanced`]; `Break` stops the run.
    fn denoised(&mut self, step: &Denoised<'_>) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
    }
}

/// Listens to nothing and never stops a run.
impl Observer for () {
    fn event(&mut self, _event: &Event) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
