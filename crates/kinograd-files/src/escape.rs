use std::borrow::Cow;
use std::fmt::Write as _;

/// Foreign text for one line of a terminal: control characters, and those that turn the direction
/// of writing, are shown as `\u{1b}` and not obeyed.
///
/// ```
/// use kinograd_files::escape;
/// assert_eq!(escape("MIT"), "MIT");
/// assert_eq!(escape("\x1b]0;owned\x07"), "\\u{1b}]0;owned\\u{7}");
/// assert_eq!(escape("two\nlines"), "two\\u{a}lines");
/// ```
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    replaced(text, is_active, |c| format!("\\u{{{:x}}}", u32::from(c)))
}

/// As [`escape`], with line ends and tabs left as they are.
///
/// ```
/// assert_eq!(kinograd_files::escape_lines("a\n\tb\x1b[2J"), "a\n\tb\\u{1b}[2J");
/// ```
#[must_use]
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    let active = |c| is_active(c) && c != '\n' && c != '\t';
    replaced(text, active, |c| format!("\\u{{{:x}}}", u32::from(c)))
}

/// JSON whose strings hold no character that a terminal obeys; what it says stays the same.
///
/// ```
/// assert_eq!(kinograd_files::escape_json("{\"a\": \"\u{9b}2J\"}"), r#"{"a": "\u009b2J"}"#);
/// ```
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let active = |c| is_active(c) && !matches!(c, '\n' | '\r' | '\t');
    // All of them are below U+10000: one escape is enough.
    replaced(json, active, |c| format!("\\u{:04x}", u32::from(c)))
}

fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

fn replaced(
    text: &str,
    active: impl Fn(char) -> bool,
    shown: impl Fn(char) -> String,
) -> Cow<'_, str> {
    if !text.chars().any(&active) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if active(c) {
            // Writing to a `String` cannot fail.
            let _ = write!(safe, "{}", shown(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}
