//! Mean and standard deviation of a motion data set as its users keep them.

use std::path::Path;

use kinograd_files::{Budget, FileError, read_npy};
use kinograd_runtime::{RepresentationKind, RuntimeError};
use ndarray::Array1;

/// Numbers per frame of HumanML3D.
pub(super) const FEATURES: usize = 263;
/// Names of the files, as MDM and as the data set have them.
const NAMES: &[[&str; 2]] = &[["t2m_mean.npy", "t2m_std.npy"], ["Mean.npy", "Std.npy"]];
/// The same where the root is by its place, as GMD has them.
const ABSOLUTE_NAMES: &[[&str; 2]] = &[["Mean_abs_3d.npy", "Std_abs_3d.npy"]];

/// Of every feature, `[263]` each, in the features' units.
#[derive(Debug)]
pub(super) struct Statistics {
    pub mean: Array1<f32>,
    pub std: Array1<f32>,
}

/// The two arrays of a folder.
///
/// # Errors
/// [`RuntimeError::Request`] if the folder has none, [`RuntimeError::PackageFormat`] if one is not of
/// finite numbers of HumanML3D's features, or a standard deviation is not positive.
pub(super) fn statistics(
    folder: &Path,
    kind: RepresentationKind,
) -> Result<Statistics, RuntimeError> {
    let names = match kind {
        RepresentationKind::HumanMl3d => NAMES,
        RepresentationKind::HumanMl3dAbsoluteRoot => ABSOLUTE_NAMES,
    };
    let mut pairs = names.iter().map(|pair| pair.map(|name| folder.join(name)));
    let found = pairs.find(|pair| pair.iter().all(|path| path.is_file()));
    let Some([mean, std]) = found else {
        let listed: Vec<String> = names
            .iter()
            .map(|[mean, std]| format!("{mean} with {std}"))
            .collect();
        return Err(RuntimeError::Request {
            field: "stats",
            message: format!("{} has no {}", folder.display(), listed.join(", and no ")),
        });
    };
    let data = Statistics {
        mean: array(&mean)?,
        std: array(&std)?,
    };
    match data.std.iter().position(|&std| std <= 0.0) {
        Some(at) => Err(refuse(&std, &format!("it is not positive at {at}"))),
        None => Ok(data),
    }
}

fn array(path: &Path) -> Result<Array1<f32>, RuntimeError> {
    let bytes = kinograd_files::read(path, Budget::of_process())
        .map_err(FileError::into_io)
        .map_err(|source| RuntimeError::Io {
            what: "cannot read",
            path: path.to_owned(),
            source,
        })?;
    let npy = read_npy(&bytes).map_err(|reason| refuse(path, &reason))?;
    // A row of them is what some write.
    let count: usize = npy.shape.iter().product();
    if count != FEATURES {
        let why = format!(
            "its shape is {:?}, not [{FEATURES}], which HumanML3D's features have (KIT-ML's 251 are of \
             another skeleton)",
            npy.shape
        );
        return Err(refuse(path, &why));
    }
    let values: Vec<f32> = match npy.descr {
        "<f4" => npy
            .data
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
        "<f8" => npy
            .data
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
            .collect(),
        other => {
            let why = format!("its numbers are `{other}`, not floats of 32 or 64 bits");
            return Err(refuse(path, &why));
        }
    };
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(refuse(path, &format!("it is not finite at {at}"))),
        None => Ok(Array1::from(values)),
    }
}

fn refuse(path: &Path, reason: &str) -> RuntimeError {
    RuntimeError::PackageFormat {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
