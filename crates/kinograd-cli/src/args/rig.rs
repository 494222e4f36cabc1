//! Options and commands of characters.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kinograd::{RigSettings, TravelSetting};

/// On whom clips are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Character")]
pub struct RigArgs {
    /// Character that the clips are for: .glb, .vrm, .fbx or .bvh. A .glb has the character's own mesh
    /// and materials; goals are reached on its proportions.
    #[arg(long, value_name = "FILE")]
    pub rig: Option<PathBuf>,
    /// Which of its joints are which, where their names do not tell: see `kinograd rig inspect`.
    #[arg(long, value_name = "FILE", requires = "rig")]
    pub rig_mapping: Option<PathBuf>,
    /// How far the character travels; in proportion to its legs if not given.
    #[arg(long, value_enum, requires = "rig")]
    pub travel: Option<TravelArg>,
    /// Write nothing where a clip does not sit well on the character: feet that slide or sink, hands off
    /// their places, knees bent the wrong way.
    #[arg(long)]
    pub strict: bool,
}

impl RigArgs {
    /// As a task has it.
    pub fn settings(&self) -> Option<RigSettings> {
        self.rig.as_ref().map(|file| RigSettings {
            mapping: self.rig_mapping.clone(),
            travel: match self.travel {
                Some(TravelArg::Keep) => TravelSetting::Kept,
                Some(TravelArg::Scale) | None => TravelSetting::Scaled,
            },
            ..RigSettings::new(file)
        })
    }
}

/// How far a character travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TravelArg {
    /// In proportion to its legs, so that its feet do not slide.
    Scale,
    /// As far as the clip's own body.
    Keep,
}

/// Commands of `rig`.
#[derive(Debug, Subcommand)]
pub enum RigCommand {
    /// Show which joints of a character are which, and what is doubtful.
    #[command(after_help = "Examples:\n  \
        kinograd rig inspect hero.vrm\n  \
        kinograd rig inspect hero.glb --write hero-mapping.json\n  \
        kinograd generate \"a person waves\" --rig hero.glb --rig-mapping hero-mapping.json -o wave.glb")]
    Inspect(RigInspectArgs),
}

/// Arguments of `rig inspect`.
#[derive(Debug, Args)]
pub struct RigInspectArgs {
    /// Character: .glb, .vrm, .fbx, .bvh or .npz.
    pub file: PathBuf,
    /// Mapping to check against the file.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Write the mapping as JSON, to be corrected and given back with --mapping or --rig-mapping.
    #[arg(long, value_name = "FILE.json")]
    pub write: Option<PathBuf>,
}
