//! A clip as engines want it: where its travel lies, what its joints are called, in which pose its
//! skeleton rests. The motion in the world stays the same, but for travel that is taken away.
//!
//! ```
//! use kinograd_motion::export::{Export, JointNaming, RootMotion};
//! let walk = kinograd_motion::synth::synth_walk(1.2, 1.0, 20.0);
//! let export = Export {
//!     root_motion: RootMotion::Extract,
//!     names: Some(JointNaming::Ue5),
//!     rest_pose: None,
//! };
//! let written = export.apply(&walk)?;
//! assert_eq!(written.skeleton.names[..3], ["root", "pelvis", "thigh_l"]);
//! # Ok::<(), kinograd_motion::MotionError>(())
//! ```

mod body;
mod names;
mod rest_pose;
mod root_motion;

pub use body::{CanonicalForm, plain};
pub use names::JointNaming;
pub use rest_pose::{A_POSE_DEG, RestPose};
pub use root_motion::{RootMotion, headings_rad, travel};

pub(crate) use root_motion::hips_of;

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::{Motion, MotionError, Provenance, Skeleton};

/// The key of a record under which it says what was done to the clip.
const RECORD_KEY: &str = "export";

/// What is done to a clip before it is written. The default leaves it as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Export {
    /// Where the travel lies.
    pub root_motion: RootMotion,
    /// Whose names the joints get; their own if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<JointNaming>,
    /// The pose in which the skeleton rests; its own if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest_pose: Option<RestPose>,
}

impl Export {
    /// The clip in this form.
    ///
    /// # Errors
    /// [`MotionError::Clip`] where names or a rest pose are asked for and the clip is not on the
    /// canonical body, or the root bone's name is taken.
    pub fn apply(&self, motion: &Motion) -> Result<Motion, MotionError> {
        let mut written = motion.clone();
        let mut naming = self.names.unwrap_or_default();
        if self.names.is_some() || self.rest_pose.is_some() {
            let form = CanonicalForm::of(&motion.skeleton);
            let body = plain(motion);
            let (Some(form), Some(body)) = (form, body) else {
                return Err(not_canonical(motion));
            };
            naming = self.names.unwrap_or(form.naming);
            let rest_pose = self.rest_pose.unwrap_or(form.rest_pose);
            written = body;
            rest_pose::rested(&mut written, &rest_pose.turns(&Skeleton::canonical()));
            written.skeleton.names = naming.joints().map(str::to_owned).to_vec();
        }
        match self.root_motion {
            RootMotion::Keep => Ok(written),
            RootMotion::Extract => root_motion::extracted(&written, naming.root()),
            RootMotion::InPlace => {
                root_motion::in_place(&mut written);
                Ok(written)
            }
        }
    }

    /// Says in the record of a clip in which form it is, now that this was done to it: travel that
    /// was ever taken away, a root bone, names and a rest pose that are not the plain body's.
    pub fn record(&self, written: &Motion, provenance: &mut Provenance) {
        let earlier = Self::recorded(provenance).unwrap_or_default();
        let done = |way| self.root_motion == way || earlier.root_motion == way;
        let form = CanonicalForm::of(&written.skeleton).unwrap_or_default();
        let now = Self {
            root_motion: if done(RootMotion::InPlace) {
                RootMotion::InPlace
            } else if done(RootMotion::Extract) && hips_of(&written.skeleton) != 0 {
                RootMotion::Extract
            } else {
                RootMotion::Keep
            },
            names: Some(form.naming).filter(|naming| *naming != JointNaming::Ours),
            rest_pose: Some(form.rest_pose).filter(|pose| *pose != RestPose::T),
        };
        provenance.extra.remove(RECORD_KEY);
        if let Ok(value) = serde_json::to_value(now)
            && now != Self::default()
        {
            provenance.extra.insert(RECORD_KEY.to_owned(), value);
        }
    }

    /// What a record says was done.
    #[must_use]
    pub fn recorded(provenance: &Provenance) -> Option<Self> {
        serde_json::from_value(provenance.extra.get(RECORD_KEY)?.clone()).ok()
    }
}

fn not_canonical(motion: &Motion) -> MotionError {
    MotionError::Clip {
        clip: "motion".to_owned(),
        message: format!(
            "its skeleton (root `{}`, {} joints) is not the canonical body, whose names and rest pose \
             can be chosen; `--retarget` puts the motion on it",
            motion.skeleton.names[0],
            motion.skeleton.len()
        ),
    }
}

/// Rest position of each joint in the world, metres.
#[must_use]
pub fn rest_positions(skeleton: &Skeleton) -> Vec<DVec3> {
    let mut positions: Vec<DVec3> = Vec::with_capacity(skeleton.len());
    for (joint, parent) in skeleton.parents.iter().enumerate() {
        let base = parent.map_or(DVec3::ZERO, |parent| positions[parent]);
        positions.push(base + skeleton.offsets_m[joint]);
    }
    positions
}

#[cfg(test)]
fn largest_distance_m(a: &Motion, b: &Motion) -> f64 {
    let joints = a.joints_in_world_m().into_iter().zip(b.joints_in_world_m());
    joints
        .flat_map(|(a, b)| a.into_iter().zip(b))
        .map(|(a, b)| a.distance(b))
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::SynthWalk;

    fn all() -> impl Iterator<Item = Export> {
        let names = std::iter::once(None).chain(JointNaming::ALL.map(Some));
        names.flat_map(|names| {
            [None, Some(RestPose::T), Some(RestPose::A)]
                .into_iter()
                .flat_map(move |rest_pose| {
                    RootMotion::ALL.map(|root_motion| Export {
                        root_motion,
                        names,
                        rest_pose,
                    })
                })
        })
    }

    #[test]
    fn every_form_is_recognised_and_undone() {
        let walk = SynthWalk {
            turn_rad_per_s: 0.5,
            ..SynthWalk::default()
        }
        .motion();
        for export in all() {
            let written = export.apply(&walk).unwrap();
            written.validate().unwrap();
            let form = CanonicalForm::of(&written.skeleton).unwrap();
            assert_eq!(form.naming, export.names.unwrap_or_default());
            assert_eq!(form.rest_pose, export.rest_pose.unwrap_or_default());
            let back = plain(&written).unwrap();
            assert_eq!(back.skeleton, walk.skeleton);
            let off = largest_distance_m(&back, &walk);
            if export.root_motion == RootMotion::InPlace {
                assert!(off > 1.0);
            } else {
                assert!(off < 1e-9, "{export:?}: {off} m");
            }
            // From one form to another.
            let other = Export {
                names: Some(JointNaming::Vrm),
                ..Export::default()
            };
            let other = other.apply(&written).unwrap();
            assert_eq!(other.skeleton.names[0], "hips");
        }
    }

    #[test]
    fn other_bodies_keep_their_names() {
        let mut walk = SynthWalk::default().motion();
        walk.skeleton.offsets_m[4].y *= 1.1;
        let export = Export {
            names: Some(JointNaming::Ue5),
            ..Export::default()
        };
        let said = export.apply(&walk).unwrap_err().to_string();
        assert!(said.contains("--retarget"), "{said}");
    }

    #[test]
    fn records_say_in_which_form_a_clip_is() {
        let walk = SynthWalk::default().motion();
        let mut record = Provenance::new();
        let mut said = |export: Export, motion: &Motion| {
            let written = export.apply(motion).unwrap();
            export.record(&written, &mut record);
            (written, Export::recorded(&record))
        };
        assert_eq!(said(Export::default(), &walk).1, None);
        let export = Export {
            root_motion: RootMotion::Extract,
            names: Some(JointNaming::Ue5),
            rest_pose: Some(RestPose::A),
        };
        let (written, first) = said(export, &walk);
        assert_eq!(first, Some(export));
        // Written again as it is, then as the plain body.
        assert_eq!(said(Export::default(), &written).1, Some(export));
        assert_eq!(said(Export::default(), &plain(&written).unwrap()).1, None);
        // Travel stays away.
        let in_place = Export {
            root_motion: RootMotion::InPlace,
            ..Export::default()
        };
        let (still, _) = said(in_place, &walk);
        assert_eq!(said(Export::default(), &still).1, Some(in_place));
    }
}
