//! Versions, when a program is compiled and when it runs.

use std::ffi::c_char;

/// The version of this header, first part. Programs of one major version run with libraries of the
/// same one that are not older.
pub const KG_VERSION_MAJOR: u32 = 0;
/// The version of this header, second part. While the first is 0, another one may be incompatible.
pub const KG_VERSION_MINOR: u32 = 1;
/// The version of this header, third part.
pub const KG_VERSION_PATCH: u32 = 0;

/// The version of the library that runs, as `major << 20 | minor << 10 | patch`. Compare with the
/// same of KG_VERSION_MAJOR, KG_VERSION_MINOR and KG_VERSION_PATCH.
///
/// Any thread may call it. It does not fail.
#[unsafe(no_mangle)]
pub extern "C" fn kg_version() -> u32 {
    KG_VERSION_MAJOR << 20 | KG_VERSION_MINOR << 10 | KG_VERSION_PATCH
}

/// The version of the library that runs, as text such as `0.1.0`. It is not freed.
///
/// Any thread may call it. It does not fail.
#[unsafe(no_mangle)]
pub extern "C" fn kg_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_the_package_version() {
        let parts = format!("{KG_VERSION_MAJOR}.{KG_VERSION_MINOR}.{KG_VERSION_PATCH}");
        assert_eq!(parts, env!("CARGO_PKG_VERSION"));
    }
}
