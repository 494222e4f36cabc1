//! One run of a model at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use kinograd::{Error, MotionGenerator};
use pyo3::prelude::*;

use crate::error::{Failure, refused};

/// How long a thread waits for the generator before it looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// A generator, and who has it.
pub(crate) struct Seat {
    state: Mutex<State>,
    changed: Condvar,
}

enum State {
    Free(Box<MotionGenerator>),
    Taken(ThreadId),
    /// A run panicked, and nobody knows in what state it left the generator.
    Lost,
}

impl Seat {
    pub fn new(generator: MotionGenerator) -> Self {
        Self {
            state: Mutex::new(State::Free(Box::new(generator))),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does work with the generator once no other thread has it. To be called without the
    /// interpreter, which the thread that has the generator may need to get on.
    ///
    /// # Errors
    /// What the work gives, and what a signal's handler raises while this thread waits.
    pub fn with_generator<T>(
        &self,
        work: impl FnOnce(&mut MotionGenerator) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut generator = self.take()?;
        let mut turn = Turn {
            seat: self,
            after: State::Lost,
        };
        let made = work(&mut generator);
        turn.after = State::Free(generator);
        made
    }

    fn take(&self) -> Result<Box<MotionGenerator>, Failure> {
        loop {
            let mut state = self.state();
            match std::mem::replace(&mut *state, State::Taken(thread::current().id())) {
                State::Free(generator) => return Ok(generator),
                State::Taken(thread) if thread == thread::current().id() => {
                    let message = "this model is at work: a function that it calls called it";
                    return Err(refused(message).into());
                }
                State::Taken(thread) => *state = State::Taken(thread),
                State::Lost => {
                    *state = State::Lost;
                    let message = "an earlier run of this model failed inside: open it again";
                    return Err(Error::Internal(message.to_owned()).into());
                }
            }
            let woken = self.changed.wait_timeout(state, LOOK);
            drop(woken.unwrap_or_else(PoisonError::into_inner));
            Python::attach(|py| py.check_signals())?;
        }
    }
}

/// A run's turn with the generator. Its end, also by a panic, makes way for the next.
struct Turn<'a> {
    seat: &'a Seat,
    after: State,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        std::mem::swap(&mut *self.seat.state(), &mut self.after);
        self.seat.changed.notify_all();
    }
}
