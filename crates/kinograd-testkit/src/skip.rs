//! Tests that need what a machine may lack.

/// Says on stderr that a test is skipped for want of `need`. Where `CI` is set that is a failure, unless
/// `KINOGRAD_MAY_SKIP`, a list with commas, names the need.
///
/// # Panics
/// If `CI` is set and the need is not one that may be absent.
#[expect(clippy::print_stderr, reason = "a helper of tests talks as tests do")]
pub fn skip(need: &str, reason: impl std::fmt::Display) {
    let is_set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let allowed = std::env::var("KINOGRAD_MAY_SKIP").unwrap_or_default();
    assert!(
        !is_set("CI") || allowed.split(',').any(|name| name == need),
        "CI lacks {need}: {reason}"
    );
    eprintln!("SKIPPED for want of {need}: {reason}");
}
