//! Clips.

use std::path::PathBuf;

use kinograd::formats::LoadOptions;
use kinograd::motion::export::{Export, JointNaming, RestPose, RootMotion};
use kinograd::motion::joints_array;
use kinograd::motion::metrics::seam;
use kinograd::{Error, SaveOptions};
use numpy::ndarray::{Array1, Array2, Array3};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::array::read_only;
use crate::error::{Failure, detached, refused};
use crate::rig::Rig;

/// A clip that does not change, and the arrays that were asked of it.
#[pyclass(frozen, module = "kinograd._kinograd")]
pub(crate) struct Clip {
    clip: kinograd::Clip,
    joints: PyOnceLock<Py<PyAny>>,
    rotations: PyOnceLock<Py<PyAny>>,
    root: PyOnceLock<Py<PyAny>>,
    contacts: PyOnceLock<Py<PyAny>>,
    features: PyOnceLock<Py<PyAny>>,
    parents: PyOnceLock<Py<PyAny>>,
}

impl Clip {
    /// Holds a clip with frames, each with all its joints.
    pub fn new(clip: kinograd::Clip) -> PyResult<Self> {
        let motion = &clip.motion;
        let sound = motion.check_storable().and_then(|()| motion.validate());
        sound.map_err(|error| Failure::from(Error::from(error)))?;
        Ok(Self {
            clip,
            joints: PyOnceLock::new(),
            rotations: PyOnceLock::new(),
            root: PyOnceLock::new(),
            contacts: PyOnceLock::new(),
            features: PyOnceLock::new(),
            parents: PyOnceLock::new(),
        })
    }

    /// The clip at the frame rate that is asked for.
    fn at(&self, fps: Option<f64>) -> Result<kinograd::Clip, Failure> {
        let clip = self.clip.clone();
        Ok(match fps {
            Some(fps) => clip.resampled(fps)?,
            None => clip,
        })
    }

    fn is_loop(&self) -> bool {
        seam(&self.clip.motion).is_some_and(|seam| seam.is_loop())
    }
}

#[pymethods]
impl Clip {
    /// `f32 [frames, joints, 3]`, the world, metres, Y up.
    #[getter]
    fn joints(&self, py: Python<'_>) -> Py<PyAny> {
        let made = || read_only(py, joints_array(&self.clip.motion));
        self.joints.get_or_init(py, made).clone_ref(py)
    }

    /// `f64 [frames, joints, 4]`, quaternions x, y, z, w in the parent's frame; the root's in the world.
    #[getter]
    fn rotations(&self, py: Python<'_>) -> Py<PyAny> {
        let motion = &self.clip.motion;
        let made = || {
            let shape = (motion.len(), motion.skeleton.len(), 4);
            let rotations = Array3::from_shape_fn(shape, |(frame, joint, axis)| {
                motion.local_rotations[frame][joint].to_array()[axis]
            });
            read_only(py, rotations)
        };
        self.rotations.get_or_init(py, made).clone_ref(py)
    }

    /// `f64 [frames, 3]`, the root in the world, metres.
    #[getter]
    fn root(&self, py: Python<'_>) -> Py<PyAny> {
        let motion = &self.clip.motion;
        let made = || {
            let root = Array2::from_shape_fn((motion.len(), 3), |(frame, axis)| {
                motion.root_in_world_m[frame][axis]
            });
            read_only(py, root)
        };
        self.root.get_or_init(py, made).clone_ref(py)
    }

    /// `bool [frames, 4]`: left ankle, left toe, right ankle, right toe on the ground.
    #[getter]
    fn contacts(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let made = || -> PyResult<_> {
            let contacts = self.clip.foot_contacts().map_err(Failure::from)?;
            Ok(read_only(py, contacts))
        };
        let made = self.contacts.get_or_try_init(py, made)?;
        Ok(made.clone_ref(py))
    }

    /// `f32 [frames, 263]`, not normalised, before clean-up; `None` where no model made the clip.
    #[getter]
    fn features(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let features = self.clip.features.as_ref()?;
        let made = || read_only(py, features.clone());
        Some(self.features.get_or_init(py, made).clone_ref(py))
    }

    /// `i64 [joints]`, −1 for the root.
    #[getter]
    fn parents(&self, py: Python<'_>) -> Py<PyAny> {
        let parents = &self.clip.motion.skeleton.parents;
        let made = || {
            let number = |parent: &Option<usize>| {
                parent.map_or(-1, |parent| i64::try_from(parent).unwrap_or(i64::MAX))
            };
            read_only(py, parents.iter().map(number).collect::<Array1<i64>>())
        };
        self.parents.get_or_init(py, made).clone_ref(py)
    }

    #[getter]
    fn joint_names(&self) -> Vec<String> {
        self.clip.motion.skeleton.names.clone()
    }

    #[getter]
    fn fps(&self) -> f64 {
        self.clip.motion.fps
    }

    /// Seconds: a frame lasts 1 / fps.
    #[getter]
    fn duration_secs(&self) -> f64 {
        self.clip.motion.len() as f64 / self.clip.motion.fps
    }

    /// The clip's own seed.
    #[getter]
    fn seed(&self) -> Option<u64> {
        self.clip.provenance.seed
    }

    /// Whether it can be played again from its end.
    #[getter]
    fn loops(&self) -> bool {
        self.is_loop()
    }

    /// The record of how the clip came to be, as JSON.
    #[getter]
    fn record_json(&self) -> PyResult<String> {
        let record = serde_json::to_string(&self.clip.provenance);
        record.map_err(|error| refused(format!("internal: {error}")))
    }

    /// What was measured of the clip, as JSON; `null` where no model made it.
    #[getter]
    fn report_json(&self) -> PyResult<String> {
        let report = serde_json::to_string(&self.clip.report);
        report.map_err(|error| refused(format!("internal: {error}")))
    }

    /// The clip at another frame rate.
    fn resampled(&self, py: Python<'_>, fps: f64) -> PyResult<Self> {
        Self::new(detached(py, || self.at(Some(fps)))?)
    }

    /// The clip on a character.
    fn retarget(&self, py: Python<'_>, rig: &Rig, travel: &str) -> PyResult<Self> {
        Self::new(detached(py, || rig.put_on(self.clip.clone(), travel))?)
    }

    /// Writes a file by the extension of `path`.
    #[pyo3(signature = (path, fps, unit_to_metre, root_motion, joint_names, rest_pose))]
    #[expect(
        clippy::too_many_arguments,
        reason = "options by name, which the package's own function gives defaults"
    )]
    fn save(
        &self,
        py: Python<'_>,
        path: PathBuf,
        fps: Option<f64>,
        unit_to_metre: f64,
        root_motion: Option<&str>,
        joint_names: Option<&str>,
        rest_pose: Option<&str>,
    ) -> PyResult<()> {
        let options = save_options(unit_to_metre, root_motion, joint_names, rest_pose)?;
        let saved = detached(py, || Ok(self.at(fps)?.save_with(&path, &options)?));
        Ok(saved?)
    }

    /// The bytes of the file that [`save`](Self::save) writes, by an extension such as `glb`.
    #[pyo3(signature = (format, fps, unit_to_metre, root_motion, joint_names, rest_pose))]
    #[expect(
        clippy::too_many_arguments,
        reason = "options by name, which the package's own function gives defaults"
    )]
    fn encode(
        &self,
        py: Python<'_>,
        format: &str,
        fps: Option<f64>,
        unit_to_metre: f64,
        root_motion: Option<&str>,
        joint_names: Option<&str>,
        rest_pose: Option<&str>,
    ) -> PyResult<Vec<u8>> {
        let options = save_options(unit_to_metre, root_motion, joint_names, rest_pose)?;
        let bytes = detached(py, || Ok(self.at(fps)?.to_bytes(format, &options)?));
        Ok(bytes?)
    }

    fn __len__(&self) -> usize {
        self.clip.motion.len()
    }
}

/// Reads a clip: a .glb, .vrm, .fbx, .bvh, .npz or .npy.
#[pyfunction]
pub(crate) fn read(py: Python<'_>, path: PathBuf) -> PyResult<Clip> {
    let read = detached(py, || {
        Ok(kinograd::Clip::load(&path, &LoadOptions::default())?)
    });
    Clip::new(read?)
}

fn save_options(
    unit_to_metre: f64,
    root_motion: Option<&str>,
    joint_names: Option<&str>,
    rest_pose: Option<&str>,
) -> PyResult<SaveOptions> {
    if !(unit_to_metre.is_finite() && unit_to_metre > 0.0) {
        let message = format!("unit_to_metre is {unit_to_metre}; a number above 0 was expected");
        return Err(refused(message));
    }
    let root_motion = root_motion
        .map(|word| choice("root_motion", word, &RootMotion::ALL, |one| one.name()))
        .transpose()?;
    let names = joint_names
        .map(|word| choice("joint_names", word, &JointNaming::ALL, |one| one.name()))
        .transpose()?;
    let rest_pose = rest_pose
        .map(|word| choice("rest_pose", word, &RestPose::ALL, |one| one.name()))
        .transpose()?;
    Ok(SaveOptions {
        unit_to_metre,
        export: Export {
            root_motion: root_motion.unwrap_or_default(),
            names,
            rest_pose,
        },
    })
}

/// The one of all that has this name.
fn choice<T: Copy>(
    field: &str,
    word: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> PyResult<T> {
    let found = all.iter().copied().find(|one| name(*one) == word);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        let names = names.join(", ");
        refused(format!("{field} is `{word}`; choose one of {names}"))
    })
}
