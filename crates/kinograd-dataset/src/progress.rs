//! Progress of a build.

/// Hears how far a long job is. Called from several threads.
pub trait Progress: Sync {
    /// The job begins: `total` items.
    fn start(&self, total: usize);
    /// One item is done, for good or ill.
    fn advance(&self, item: &str);
    /// The job is over.
    fn finish(&self);
    /// Whether the job shall stop; nothing is left behind then.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _total: usize) {}
    fn advance(&self, _item: &str) {}
    fn finish(&self) {}
}
