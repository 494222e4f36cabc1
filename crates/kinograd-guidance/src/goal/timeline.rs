use crate::{Frame, GuidanceError, Span};

/// A clip's length and frame rate: turns seconds into frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timeline {
    /// Length of the clip, seconds.
    pub duration_secs: f64,
    /// Frames per second.
    pub fps: f64,
}

impl Timeline {
    /// A clip of this length, seconds, at this rate.
    #[must_use]
    pub fn new(duration_secs: f64, fps: f64) -> Self {
        Self { duration_secs, fps }
    }

    /// Frames of the clip.
    #[must_use]
    pub fn frames(&self) -> usize {
        (self.duration_secs * self.fps).round() as usize
    }

    /// The frame at a time; the last one where no time is given.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the time lies outside the clip.
    pub fn frame_at(&self, time_secs: Option<f64>) -> Result<Frame, GuidanceError> {
        let Some(time) = time_secs else {
            return Ok(Frame::Last);
        };
        if !(0.0..=self.duration_secs).contains(&time) {
            return Err(GuidanceError::Field {
                field: "time_secs",
                value: time.to_string(),
                expected: "must lie within the clip",
            });
        }
        let last = self.frames().saturating_sub(1);
        Ok(Frame::At(((time * self.fps).round() as usize).min(last)))
    }

    /// The frames from one time to another; the clip's own ends where none are given.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a time lies outside the clip or the span ends before it starts.
    pub fn span(
        &self,
        from_secs: Option<f64>,
        to_secs: Option<f64>,
    ) -> Result<Span, GuidanceError> {
        let index = |time: Option<f64>| -> Result<Option<usize>, GuidanceError> {
            Ok(match (time, self.frame_at(time)?) {
                (Some(_), Frame::At(frame)) => Some(frame),
                _ => None,
            })
        };
        let span = Span {
            from: index(from_secs)?,
            to: index(to_secs)?,
        };
        span.range("span", self.frames())?;
        Ok(span)
    }
}
