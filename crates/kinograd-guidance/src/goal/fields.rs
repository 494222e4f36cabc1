//! The fields that goals share, written once.

use crate::{GroundPoint, GuidanceError, Shape, loss::joint_index};
use kinograd_motion::JOINT_NAMES;

/// The pelvis, for whose sake most goals are.
pub(super) const ROOT: &str = "pelvis";

pub(super) fn one() -> f64 {
    1.0
}

/// Declares a goal's data: its own fields, then a time or a span where it has one, then its weight.
macro_rules! goal {
    (
        $(#[$meta:meta])*
        $name:ident { $($fields:tt)* }
    ) => {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        $(#[$meta])*
        pub struct $name {
            $($fields)*
            /// Its weight, at least 0; 0 leaves it out.
            #[serde(default = "super::one")]
            pub weight: f64,
        }

        impl super::Weighted for $name {
            fn weight(&self) -> f64 {
                self.weight
            }

            fn weight_mut(&mut self) -> &mut f64 {
                &mut self.weight
            }
        }
    };
    (
        $(#[$meta:meta])*
        $name:ident at a time { $($fields:tt)* }
    ) => {
        goal! {
            $(#[$meta])*
            $name {
                $($fields)*
                /// When, seconds from the start; the clip's end if absent.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub time_secs: Option<f64>,
            }
        }
    };
    (
        $(#[$meta:meta])*
        $name:ident over a span { $($fields:tt)* }
    ) => {
        goal! {
            $(#[$meta])*
            $name {
                $($fields)*
                /// Start, seconds; the clip's start if absent.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub from_secs: Option<f64>,
                /// End, seconds; the clip's end if absent.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub to_secs: Option<f64>,
            }
        }

        impl $name {
            /// The frames for which it holds.
            fn span(
                &self,
                timeline: &super::Timeline,
            ) -> Result<crate::Span, crate::GuidanceError> {
                timeline.span(self.from_secs, self.to_secs)
            }
        }
    };
}
pub(super) use goal;

/// The pelvis alone.
pub(super) fn root_alone() -> Vec<String> {
    vec![ROOT.to_owned()]
}

/// Joints by their names.
pub(super) fn keep_joints(names: &[String]) -> Result<Vec<usize>, GuidanceError> {
    let fault = |value: String, expected| GuidanceError::Field {
        field: "joints",
        value,
        expected,
    };
    if names.is_empty() {
        return Err(fault("[]".to_owned(), "must name at least one joint"));
    }
    if names.len() > JOINT_NAMES.len() {
        return Err(fault(
            format!("{} names", names.len()),
            "must name each joint at most once",
        ));
    }
    names.iter().map(|name| joint_index(name)).collect()
}

/// Moves a shape so that its middle is at a point of the ground.
pub(super) fn move_shape(shape: &mut Shape, to: GroundPoint) {
    let from = shape.center_m();
    shape.move_by([to[0] - from[0], to[1] - from[1]]);
}
