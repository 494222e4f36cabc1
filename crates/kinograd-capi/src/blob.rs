//! Bytes whose number is known only when they are there.

use crate::argument::{out, write_bytes};
use crate::entry::entry;
use crate::handle::{get, insert, object, remove};
use crate::status::{Failure, kg_status};

/// Bytes that the library made: a file in memory, or a report as JSON in UTF-8, without a NUL.
pub struct kg_blob(());

/// The bytes behind a handle.
pub(crate) struct Blob(Vec<u8>);

object!(Blob, kg_blob, 1, "blob");

/// A new handle of bytes.
pub(crate) fn blob(bytes: Vec<u8>) -> Result<*mut kg_blob, Failure> {
    insert(Blob(bytes))
}

/// Number of bytes.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_blob_size(blob: *const kg_blob, size: *mut u64) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let size = unsafe { out(size, "size") }?;
        size.set(get::<Blob>(blob)?.0.len() as u64);
        Ok(())
    })
}

/// Copies all bytes into `buffer`, which holds `capacity` of them.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_blob_copy(
    blob: *const kg_blob,
    buffer: *mut u8,
    capacity: u64,
) -> kg_status {
    entry(|| {
        let blob = get::<Blob>(blob)?;
        if buffer.is_null() {
            return Err(Failure::argument("buffer is NULL"));
        }
        // SAFETY: the caller keeps to the rules of `argument`.
        unsafe { write_bytes(&blob.0, 0, buffer, capacity, std::ptr::null_mut()) }?;
        Ok(())
    })
}

/// Destroys a blob; NULL is taken.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_blob_destroy(blob: *mut kg_blob) -> kg_status {
    entry(|| remove::<Blob>(blob).map(drop))
}
