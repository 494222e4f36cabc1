use super::{MotionGoal, Role, Timeline, goal};
use crate::GuidanceError;
use crate::loss::{GroundPenetration, MotionLoss};

goal! {
    /// No joint below the floor: mean squared depth over frames, m².
    Ground {}
}

impl MotionGoal for Ground {
    fn describe(&self) -> String {
        "nothing below the floor".to_owned()
    }

    fn role(&self) -> Role {
        Role::Soft
    }

    /// Metres: deeper is seen.
    fn tolerance(&self) -> f64 {
        0.05
    }

    fn loss(&self, _: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        Ok(Box::new(GroundPenetration::default()))
    }
}
