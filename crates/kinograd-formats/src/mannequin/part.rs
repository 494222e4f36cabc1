//! What the mannequin is made of.

/// Up to four joints that carry a vertex, and their shares of 255, largest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Influences {
    pub joints: [u16; 4],
    pub shares: [u8; 4],
}

/// Triangles that share a material.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Rest positions in the world, metres.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals.
    pub normals: Vec<[f32; 3]>,
    /// What carries each vertex.
    pub influences: Vec<Influences>,
    /// Three per triangle, anticlockwise from outside.
    pub indices: Vec<u32>,
    /// How the vertices of each closed surface hang on the skeleton: their number, and how.
    pub pieces: Vec<(usize, Hold)>,
}

/// How the vertices of one closed surface hang on the skeleton.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hold {
    /// On one joint.
    Rigid(usize),
    /// On pelvis and spine, by height.
    Trunk,
    /// On the joint at which a bone begins, partly on the next where the bone ends, and partly on the
    /// one before where it begins.
    Bone {
        /// The joint at which the bone begins.
        parent: usize,
        /// The joint at which it ends, if it ends in one.
        child: Option<usize>,
        /// Radius at its beginning, metres.
        start_m: f64,
        /// Radius at its end, metres.
        end_m: f64,
    },
}

impl Hold {
    /// The bone with its radii.
    pub fn with_radii(self, start: f64, end: f64) -> Self {
        match self {
            Self::Bone { parent, child, .. } => Self::Bone {
                parent,
                child,
                start_m: start,
                end_m: end,
            },
            other => other,
        }
    }
}
