//! Errors with what caused them.

/// An error's message and those of what caused it, as one line. Some libraries repeat their cause's message
/// in their own: it is told once.
///
/// ```
/// use kinograd_files::error_chain;
///
/// let cause = std::io::Error::other("the disk is full");
/// assert_eq!(error_chain(&cause), "the disk is full");
/// ```
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.ends_with(&own) {
            text = format!("{text}: {own}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Outer(&'static str, #[source] std::fmt::Error);

    #[test]
    fn causes_are_told_once() {
        let cause = std::fmt::Error.to_string();
        assert_eq!(
            error_chain(&Outer("a", std::fmt::Error)),
            format!("a: {cause}")
        );
        let repeated: &'static str = format!("a: {cause}").leak();
        assert_eq!(error_chain(&Outer(repeated, std::fmt::Error)), repeated);
    }
}
