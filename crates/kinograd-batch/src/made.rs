//! A clip that was kept, as it is written.

use kinograd::{Clip, ClipReport, Task};

use crate::make::Made;

/// A clip with what the index says of it.
pub(crate) struct MadeClip<'a> {
    pub(crate) id: &'a str,
    pub(crate) label: Option<&'a str>,
    pub(crate) task: &'a Task,
    pub(crate) clip: &'a Clip,
    pub(crate) report: &'a ClipReport,
    pub(crate) made: Made,
}
