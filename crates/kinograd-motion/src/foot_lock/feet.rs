//! The feet of the canonical body.

/// One foot of the canonical skeleton.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foot {
    pub hip: usize,
    pub knee: usize,
    pub ankle: usize,
    pub toe: usize,
    /// Heights of a standing foot's joints over the floor, metres.
    pub ankle_rest_m: f64,
    pub toe_rest_m: f64,
}

pub(super) const FEET: [Foot; 2] = [
    Foot {
        hip: 1,
        knee: 4,
        ankle: 7,
        toe: 10,
        ankle_rest_m: 0.06,
        toe_rest_m: 0.015,
    },
    Foot {
        hip: 2,
        knee: 5,
        ankle: 8,
        toe: 11,
        ankle_rest_m: 0.06,
        toe_rest_m: 0.015,
    },
];
