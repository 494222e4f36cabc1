use super::{Mark, MarkKind, Measure, MotionGoal, Timeline, goal, value_of};
use crate::loss::{self, FacingTarget, MotionLoss};
use crate::{DecodedMotion, GroundPoint, GuidanceError};

goal! {
    /// Where the body faces: mean of 1 − cos of the angle. Either a heading or a point.
    Facing over a span {
        /// Angle about Y that turns +Z to the facing, degrees.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub heading_deg: Option<f64>,
        /// A point (x, z), metres.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub towards_m: Option<GroundPoint>,
    }
}

impl MotionGoal for Facing {
    fn describe(&self) -> String {
        "facing".to_owned()
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let target = match (self.heading_deg, self.towards_m) {
            (Some(angle), None) => FacingTarget::Heading(angle.to_radians()),
            (None, Some(point)) => FacingTarget::Point(point),
            (heading, towards) => {
                return Err(GuidanceError::Field {
                    field: "heading_deg, towards_m",
                    value: format!("{heading:?}, {towards:?}"),
                    expected: "must be one of the two",
                });
            }
        };
        Ok(Box::new(loss::Facing::new(target, self.span(timeline)?)?))
    }

    /// Degrees: what people notice of where somebody looks.
    fn tolerance(&self) -> f64 {
        10.0
    }

    fn measure(
        &self,
        motion: &DecodedMotion,
        timeline: &Timeline,
    ) -> Result<Measure, GuidanceError> {
        let value = value_of(&*self.loss(timeline)?, motion)?;
        Ok(Measure {
            off: (1.0 - value).clamp(-1.0, 1.0).acos().to_degrees(),
            unit: "°",
        })
    }

    fn marks(&self) -> Vec<Mark> {
        let point = self.towards_m.into_iter();
        point
            .map(|at| MarkKind::LookAt(at).with_handle(0))
            .collect()
    }

    fn handles(&self) -> Vec<GroundPoint> {
        self.towards_m.into_iter().collect()
    }

    fn move_handle(&mut self, handle: usize, to: GroundPoint) -> bool {
        match &mut self.towards_m {
            Some(point) if handle == 0 => {
                *point = to;
                true
            }
            _ => false,
        }
    }
}
