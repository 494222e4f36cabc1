//! Options of what is written to clips' files.

use clap::Args;
use kinograd::motion::export::{Export, JointNaming, RestPose, RootMotion};

use crate::values::{naming_values, rest_pose_values, root_motion_values};

/// In which form clips are written.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Writing")]
pub struct OutputArgs {
    /// Where the travel of the clip lies; keep if not given.
    #[arg(long, value_name = "WAY", value_parser = root_motion_values())]
    pub root_motion: Option<RootMotion>,
    /// Whose names the joints of the canonical body get; their own if not given.
    #[arg(long, value_name = "WHOSE", conflicts_with = "rig", value_parser = naming_values())]
    pub names: Option<JointNaming>,
    /// The pose in which the canonical body rests; its own if not given.
    #[arg(long, value_name = "POSE", conflicts_with = "rig", value_parser = rest_pose_values())]
    pub rest_pose: Option<RestPose>,
}

impl OutputArgs {
    /// The options of the library.
    pub fn export(&self) -> Export {
        Export {
            root_motion: self.root_motion.unwrap_or_default(),
            names: self.names,
            rest_pose: self.rest_pose,
        }
    }
}
