use kinograd_diffusion::DiffusionError;
use kinograd_motion::MotionError;

/// What can go wrong in a loss or a guidance method.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuidanceError {
    /// A field outside its range.
    #[error("{field} = {value}: {expected}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// The value that came.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A frame beyond the end of a sample.
    #[error("{what}: frame {frame} lies beyond the clip's {length} frames")]
    FrameOutOfRange {
        /// Which goal.
        what: &'static str,
        /// The frame that was asked for.
        frame: usize,
        /// Length of the sample.
        length: usize,
    },
    /// Two arrays that must agree in shape do not.
    #[error("{what}: expected shape {expected:?}, got {got:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape that was needed.
        expected: Vec<usize>,
        /// The shape that came.
        got: Vec<usize>,
    },
    /// A loss gave a value or gradient that is not finite.
    #[error("loss `{loss}` is not finite for sample {sample}")]
    NonFinite {
        /// The loss's name.
        loss: String,
        /// Index in the batch.
        sample: usize,
    },
    /// The network or closure behind a loss failed.
    #[error("loss `{loss}` failed")]
    Loss {
        /// The loss's name.
        loss: String,
        /// The network's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No method has this name.
    #[error("unknown guidance method `{name}`: {known}")]
    UnknownMethod {
        /// The name that came.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A part of a task is at fault.
    #[error("{place}")]
    In {
        /// Which part.
        place: String,
        /// What is wrong with it.
        source: Box<GuidanceError>,
    },
    /// A document is no JSON of the expected kind.
    #[error("{message}")]
    Json {
        /// What is wrong, and where.
        message: String,
    },
    /// No thing of this kind has this name.
    #[error("unknown {kind} `{name}`: did you mean `{nearest}`?")]
    UnknownName {
        /// What kind of thing.
        kind: &'static str,
        /// The name that came.
        name: String,
        /// The known name nearest to it.
        nearest: String,
    },
    /// A model or noise source behind a method failed.
    #[error(transparent)]
    Diffusion(#[from] DiffusionError),
    /// Features could not be decoded.
    #[error(transparent)]
    Motion(#[from] MotionError),
}

impl GuidanceError {
    /// Names the part of a task in which the error happened.
    pub(crate) fn inside(self, place: String) -> Self {
        Self::In {
            place,
            source: Box::new(self),
        }
    }

    pub(crate) fn unknown_name(kind: &'static str, name: &str, known: &[&str]) -> Self {
        Self::UnknownName {
            kind,
            name: name.to_owned(),
            nearest: nearest_name(name, known.iter().copied())
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// Names the method and step in which the error happened.
    pub(crate) fn during(self, method: &str, timestep: f64) -> DiffusionError {
        DiffusionError::Guidance {
            method: method.to_owned(),
            timestep,
            source: Box::new(self),
        }
    }
}

/// The known name nearest to one that is not: a typing error's remedy.
#[must_use]
pub fn nearest_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .min_by_key(|candidate| strsim::levenshtein(name, candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let known = ["left_wrist", "right_wrist", "head"];
        assert_eq!(nearest_name("right_wirst", known), Some("right_wrist"));
        assert_eq!(nearest_name("x", []), None);
    }
}
