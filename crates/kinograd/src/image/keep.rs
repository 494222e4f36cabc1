//! What is kept beside the pictures.

/// What is kept of how images came out of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Pictures of some steps, for a strip; a latent model decodes each.
    pub strip: bool,
    /// Every step as numbers.
    pub trace: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            strip: true,
            trace: false,
        }
    }
}
