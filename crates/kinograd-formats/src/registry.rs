//! The list of formats.

use std::path::Path;

use crate::format::Format;
use crate::{bvh, fbx, glb, npz};

/// Every format of clips. A new one is its file, with a [`Format`], and a line here.
pub const FORMATS: &[Format] = &[glb::FORMAT, fbx::FORMAT, bvh::FORMAT, npz::FORMAT];

/// The format of a path, by its extension in any case.
#[must_use]
pub fn format_of(path: &Path) -> Option<&'static Format> {
    let extension = path.extension()?.to_string_lossy().to_ascii_lowercase();
    FORMATS
        .iter()
        .find(|f| f.extension == extension || f.also_reads.contains(&extension.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{ClipRef, LoadOptions};
    use kinograd_motion::Provenance;
    use kinograd_motion::synth::synth_walk;

    /// What each says that it holds comes back.
    #[test]
    fn formats_read_what_they_write() {
        let folder = tempfile::tempdir().unwrap();
        let motion = synth_walk(1.2, 1.0, 20.0);
        let features = ndarray::Array2::zeros((motion.len(), 263));
        let provenance = Provenance::new().by_command("test");
        let clip = ClipRef {
            motion: &motion,
            features: Some(&features),
            provenance: &provenance,
            unit_to_metre: 1.0,
        };
        for format in FORMATS {
            let path = folder.path().join(format!("walk.{}", format.extension));
            assert_eq!(format_of(&path), Some(format));
            (format.write)(&path, clip).unwrap();
            let back = format.load(&path, &LoadOptions::default()).unwrap();
            // A BVH adds End Sites; the root is every format's.
            let roots = back
                .motion
                .root_in_world_m
                .iter()
                .zip(&motion.root_in_world_m);
            let off = roots.map(|(a, b)| a.distance(*b)).fold(0.0, f64::max);
            assert_eq!(back.motion.len(), motion.len(), "{}", format.name);
            assert!(off < 1e-4, "{}: {off}", format.name);
            assert_eq!(back.features.is_some(), format.holds_features);
            assert_eq!(back.provenance.is_some(), format.read_record.is_some());
            if let Some(read_record) = format.read_record {
                assert_eq!(read_record(&path).unwrap(), Some(provenance.clone()));
            }
        }
    }

    #[test]
    fn names_have_formats_in_any_case() {
        assert_eq!(format_of(Path::new("a/b.GLB")), Some(&glb::FORMAT));
        for other in ["walk", "walk.abc", ".glb", "glb"] {
            assert_eq!(format_of(Path::new(other)), None);
        }
    }
}
