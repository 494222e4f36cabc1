//! Clips as files in memory.

use std::path::Path;

use kinograd_files::TemporaryFolder;

use crate::{Clip, Error, SaveOptions};

impl Clip {
    /// The bytes that [`Clip::save_with`] writes into a file with this extension: `glb`, `fbx`,
    /// `bvh`, `npz`, `png` or `json`. What it writes beside a BVH is left out. The formats write
    /// files, so that one lies in the system's temporary folder for as long as this takes.
    ///
    /// ```
    /// use kinograd::motion::{Provenance, synth::synth_walk};
    /// use kinograd::{Clip, SaveOptions};
    ///
    /// let clip = Clip::new(synth_walk(1.2, 1.0, 20.0), Provenance::new());
    /// let bytes = clip.to_bytes("glb", &SaveOptions::default())?;
    /// assert!(bytes.starts_with(b"glTF"));
    /// # Ok::<(), kinograd::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Clip::save`].
    pub fn to_bytes(&self, extension: &str, options: &SaveOptions) -> Result<Vec<u8>, Error> {
        let name = format!("clip.{extension}");
        // An extension with a separator would lead elsewhere.
        if Path::new(&name).file_name() != Some(name.as_ref()) || name.contains(['/', '\\']) {
            return Err(Error::Request {
                field: "format",
                message: format!("`{extension}` is no extension"),
            });
        }
        let fail = |source: std::io::Error| Error::Write {
            path: name.clone().into(),
            source: Box::new(source),
        };
        let folder = TemporaryFolder::new_in(&std::env::temp_dir()).map_err(fail)?;
        let path = folder.path().join(&name);
        self.save_with(&path, options)?;
        std::fs::read(&path).map_err(fail)
    }
}
