//! An FBX file as the crate `ufbx` reads it, with what the file says of itself.

use std::path::Path;

use glam::DMat3;
use kinograd_files::Budget;
use kinograd_motion::mapping::Up;
use kinograd_motion::{MotionError, Provenance};
use ufbx::{
    AllocatorOpts, CoordinateAxes, CoordinateAxis, ErrorType, FileFormat, InheritModeHandling,
    LoadOpts, Scene, SceneRoot,
};

use super::document::RECORD_PROPERTY;
use super::error::{bad, named};

/// Deepest chain of nodes that is read.
const DEPTH: u32 = 512;

/// What of a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nodes and animations; meshes only as far as they bind joints.
    Animation,
    /// What the file says of itself.
    Record,
}

/// Parses a file; nodes that do not inherit their parent's scale get a helper for it, so that
/// every node is its parent's transform times its own.
pub(super) fn parse(bytes: &[u8], content: Content) -> Result<SceneRoot, MotionError> {
    let bytes_allowed = usize::try_from(Budget::of_process().bytes).unwrap_or(usize::MAX);
    let memory = |times: usize| AllocatorOpts {
        memory_limit: bytes_allowed.saturating_mul(times),
        ..AllocatorOpts::default()
    };
    let options = LoadOpts {
        temp_allocator: memory(1),
        // A key takes 40 bytes, 12 on the disk.
        result_allocator: memory(2),
        file_format: FileFormat::Fbx,
        ignore_geometry: true,
        ignore_embedded: true,
        skip_skin_vertices: true,
        skip_mesh_parts: true,
        ignore_all_content: content == Content::Record,
        node_depth_limit: DEPTH,
        inherit_mode_handling: InheritModeHandling::HelperNodes,
        ..LoadOpts::default()
    };
    ufbx::load_memory(bytes, options).map_err(|error| bad(&explain(&error)))
}

fn explain(error: &ufbx::Error) -> String {
    let detail = match error.info() {
        "" => String::new(),
        info => format!(" ({info})"),
    };
    let no_fbx = error.description.as_ref() == "Not an FBX file";
    match error.type_ {
        _ if no_fbx || error.type_ == ErrorType::UnrecognizedFileFormat => {
            "is no FBX file, binary or text: `Kaydara FBX Binary` or `; FBX` was expected at its start"
                .to_owned()
        }
        ErrorType::EmptyFile => "is empty".to_owned(),
        ErrorType::TruncatedFile => {
            format!("ends before its records do{detail}; fetch or export it again")
        }
        ErrorType::MemoryLimit => {
            "takes more memory than is allowed; KINOGRAD_BUDGET raises the limit".to_owned()
        }
        ErrorType::NodeDepthLimit => format!("a chain of more than {DEPTH} nodes"),
        ErrorType::Unknown if error.info().is_empty() => {
            "its records do not fit together; export it again".to_owned()
        }
        _ => format!("cannot be read: {}{detail}", error.description),
    }
}

/// Reads the record that [`write_fbx`](super::write_fbx) left in the scene's information, if there
/// is one.
///
/// # Errors
/// [`MotionError::Io`] with the path, [`MotionError::Format`] for a file that is not an FBX.
pub fn fbx_provenance(path: &Path) -> Result<Option<Provenance>, MotionError> {
    let bytes = bytes_of(path)?;
    let scene = named(path, parse(&bytes, Content::Record))?;
    Ok(record(&scene))
}

/// The record in a file.
pub(super) fn record(scene: &Scene) -> Option<Provenance> {
    let property = scene.metadata.scene_props.find_prop(RECORD_PROPERTY)?;
    serde_json::from_str(&property.value_str).ok()
}

pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, MotionError> {
    Ok(kinograd_files::read(path, Budget::of_process())?)
}

/// How a file's axes lie.
pub(super) struct Axes {
    /// The axis that points up.
    pub up: Up,
    /// Brings the file's axes to those that [`Up::to_y_up`] takes: a turn about the axis that is
    /// up, with a mirror where the file is left-handed.
    pub to_usual: DMat3,
}

/// The axes of a file; `None` where it names none, or some that cannot be: then the body tells.
pub(super) fn axes(scene: &Scene) -> Option<Axes> {
    let CoordinateAxes { right, up, front } = scene.settings.axes;
    let rows = [right, up, front]
        .into_iter()
        .map(|axis| Some(of(axis)?.axis()))
        .collect::<Option<Vec<_>>>()?;
    let to_y_up = DMat3::from_cols(rows[0], rows[1], rows[2]).transpose();
    // Two axes that are one leave no volume.
    if to_y_up.determinant().abs() < 0.5 {
        return None;
    }
    let up = of(up)?;
    let usual = DMat3::from_quat(up.rotation_to_y_up());
    Some(Axes {
        up,
        to_usual: usual.transpose() * to_y_up,
    })
}

fn of(axis: CoordinateAxis) -> Option<Up> {
    match axis {
        CoordinateAxis::PositiveX => Some(Up::X),
        CoordinateAxis::NegativeX => Some(Up::NegX),
        CoordinateAxis::PositiveY => Some(Up::Y),
        CoordinateAxis::NegativeY => Some(Up::NegY),
        CoordinateAxis::PositiveZ => Some(Up::Z),
        CoordinateAxis::NegativeZ => Some(Up::NegZ),
        _ => None,
    }
}
