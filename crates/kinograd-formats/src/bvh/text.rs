//! Lines, words and numbers of a BVH file.

use kinograd_motion::MotionError;

pub(super) fn error(line: usize, message: impl Into<String>) -> MotionError {
    MotionError::Bvh {
        line,
        message: message.into(),
    }
}

/// The trimmed lines of a file that are not blank; `number` is that of the last one given out.
pub(super) struct Lines<'a> {
    pub rest: &'a [u8],
    pub number: usize,
    next_number: usize,
}

impl<'a> Lines<'a> {
    pub fn new(rest: &'a [u8]) -> Self {
        Self {
            rest,
            number: 0,
            next_number: 1,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = self.rest.iter().position(|&b| b == b'\n' || b == b'\r');
            let (line, rest) = match end {
                // CRLF counts as one line end.
                Some(end) if self.rest[end..].starts_with(b"\r\n") => {
                    (&self.rest[..end], &self.rest[end + 2..])
                }
                Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
                None => (self.rest, &[][..]),
            };
            self.rest = rest;
            self.number = self.next_number;
            self.next_number += 1;
            let line = line.trim_ascii();
            if !line.is_empty() {
                return Some(line);
            }
        }
        None
    }
}

pub(super) fn parse_text<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

pub(super) fn is_word(line: &[u8], word: &[u8]) -> bool {
    line.eq_ignore_ascii_case(word)
}

pub(super) fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(u8::is_ascii_whitespace) {
        Some(at) => (&line[..at], line[at..].trim_ascii()),
        None => (line, &[]),
    }
}

/// Splits `JOINT name {` before the brace.
pub(super) fn split_at_brace(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|&b| b == b'{' || b == b'}') {
        Some(at) => (line[..at].trim_ascii(), &line[at..]),
        None => (line, &[]),
    }
}

/// Text that is UTF-8, or else Latin-1, in which each byte is a code point.
pub(super) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&b| char::from(b)).collect(),
    }
}

/// A line shortened for a message.
pub(super) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 60;
    let text = text(bytes);
    if text.chars().count() > MOST {
        text.chars().take(MOST).chain("…".chars()).collect()
    } else {
        text
    }
}

/// Adds a line's white-space separated finite numbers; returns how many it has.
pub(super) fn numbers(
    line: &[u8],
    values: &mut Vec<f32>,
    number: usize,
) -> Result<usize, MotionError> {
    let before = values.len();
    for word in line
        .split(u8::is_ascii_whitespace)
        .filter(|w| !w.is_empty())
    {
        let value = number_of(word)
            .ok_or_else(|| error(number, format!("`{}` is not a number", shown(word))))?;
        if !value.is_finite() {
            let message = format!(
                "value {} is not finite: `{}`",
                values.len() - before + 1,
                shown(word)
            );
            return Err(error(number, message));
        }
        values.push(value);
    }
    Ok(values.len() - before)
}

/// A number, with a decimal point or a decimal comma.
pub(super) fn number_of(word: &[u8]) -> Option<f32> {
    if let Some(value) = parse_text(word) {
        return Some(value);
    }
    let mut word = word.to_vec();
    let comma = word.iter().position(|&b| b == b',')?;
    word[comma] = b'.';
    parse_text(&word)
}

/// Whether numbers of the file are written with decimal commas.
pub(super) fn has_decimal_commas(bytes: &[u8]) -> bool {
    bytes
        .windows(3)
        .any(|three| three[1] == b',' && three[0].is_ascii_digit() && three[2].is_ascii_digit())
}
