//! What stands and lies on the ground of a picture.

/// What is on the ground, metres, (x, z).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SceneMarks {
    /// Where the clip should end.
    pub target_m: Option<[f64; 2]>,
    /// Where it should pass.
    pub waypoints_m: Vec<[f64; 2]>,
    /// What it should go round: x, z and radius.
    pub obstacles_m: Vec<[f64; 3]>,
    /// Places for joints: x, y, z.
    pub places_m: Vec<[f64; 3]>,
    /// Lines on the ground: ways to walk, or others walk.
    pub lines_m: Vec<Vec<[f64; 2]>>,
    /// Upright shapes and areas.
    pub prisms: Vec<Prism>,
    /// Beams and balls.
    pub rods: Vec<Rod>,
}

/// An outline on the ground and what stands on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prism {
    /// Corners (x, z), metres.
    pub corners_m: Vec<[f64; 2]>,
    /// Lower and upper height, metres; equal for an area.
    pub heights_m: [f64; 2],
    /// Whether to stay within rather than outside.
    pub keep_in: bool,
}

/// All points near a line; a ball where its ends are one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rod {
    /// Both ends (x, y, z), metres.
    pub ends_m: [[f64; 3]; 2],
    /// Radius, metres.
    pub radius_m: f64,
    /// Whether to stay within rather than outside.
    pub keep_in: bool,
}
