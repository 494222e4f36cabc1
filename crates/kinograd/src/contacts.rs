//! When the feet of a clip stand.

use kinograd_motion::retarget::to_canonical_body;
use kinograd_motion::{contacts_from_features, contacts_from_joints, joints_array};
use ndarray::Array2;

use crate::{Clip, Error};

impl Clip {
    /// Which parts of the feet stand on the ground, `[frames, 4]`: left ankle, left toe, right
    /// ankle, right toe. It is what the model says, where the clip has its features; otherwise
    /// what speed and height of the joints say, on the canonical body.
    ///
    /// ```
    /// use kinograd::Clip;
    /// use kinograd::motion::{Provenance, synth::synth_walk};
    ///
    /// let clip = Clip::new(synth_walk(1.2, 1.0, 20.0), Provenance::new());
    /// let contacts = clip.foot_contacts()?;
    /// assert_eq!(contacts.dim(), (clip.motion.len(), 4));
    /// assert!(contacts.iter().any(|&stands| stands) && contacts.iter().any(|&stands| !stands));
    /// # Ok::<(), kinograd::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Motion`] for a clip whose joints cannot be told.
    pub fn foot_contacts(&self) -> Result<Array2<bool>, Error> {
        let motion = &self.motion;
        if let Some(features) = &self.features
            && features.nrows() == motion.len()
        {
            return Ok(contacts_from_features(features.view())?);
        }
        let joints = match &self.character {
            Some(character) => {
                let rig = character.rig();
                let scale = rig.scale();
                let joints = rig.canonical_joints(motion);
                joints.mapv(|metres| (metres / scale) as f32)
            }
            None => joints_array(to_canonical_body(motion)?.as_ref().unwrap_or(motion)),
        };
        Ok(contacts_from_joints(joints.view(), motion.fps)?)
    }
}
