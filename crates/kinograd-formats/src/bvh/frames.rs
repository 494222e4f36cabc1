//! The rows of numbers of a BVH file.

use kinograd_motion::MotionError;

use super::text::{Lines, error, has_decimal_commas, number_of, numbers, shown};

/// Reads the frames, `[frames * stride]`: as many as there are, whatever was announced, in rows
/// that may be wrapped. Text after the last frame is left out.
pub(super) fn read(
    lines: &mut Lines<'_>,
    announced: usize,
    stride: usize,
    warnings: &mut Vec<String>,
) -> Result<Vec<f32>, MotionError> {
    if has_decimal_commas(lines.rest) {
        warnings.push("decimal commas are read as points".to_owned());
    }
    // A number and its separator take two bytes at least: the header alone cannot make us allocate.
    let bound = lines.rest.len() / 2 + 1;
    let mut rows = Rows {
        values: Vec::with_capacity(announced.saturating_mul(stride).min(bound)),
        stride,
        lines: 0,
        wrapped: false,
        even: true,
        first: 0,
        open: None,
    };
    let mut text: Option<(usize, String)> = None;
    while let Some(line) = lines.next() {
        let starts_with_number = line
            .split(u8::is_ascii_whitespace)
            .next()
            .is_some_and(|word| number_of(word).is_some());
        match (&text, starts_with_number) {
            (None, true) => rows.push(line, lines.number)?,
            // Text between frames is a fault.
            (Some((at, text)), true) => {
                return Err(error(*at, format!("`{text}` is not a number")));
            }
            (None, false) => text = Some((lines.number, shown(line))),
            (Some(_), false) => {}
        }
    }
    let mut values = rows.finish(announced, lines.number, warnings)?;
    if let Some((at, text)) = text {
        if values.is_empty() {
            return Err(error(at, format!("`{text}` is not a number")));
        }
        warnings.push(format!("text from line {at} on is left out: `{text}`"));
    }
    if values.is_empty() {
        return Err(error(lines.number, "the file has zero frames"));
    }
    values.shrink_to_fit();
    Ok(values)
}

struct Rows {
    values: Vec<f32>,
    stride: usize,
    lines: usize,
    wrapped: bool,
    /// Whether all lines have as many numbers as the first.
    even: bool,
    first: usize,
    /// The line on which a frame began that is not complete.
    open: Option<usize>,
}

impl Rows {
    fn push(&mut self, line: &[u8], number: usize) -> Result<(), MotionError> {
        let before = self.values.len() % self.stride;
        let frame = self.values.len() / self.stride;
        let got = numbers(line, &mut self.values, number)?;
        self.lines += 1;
        if self.lines == 1 {
            self.first = got;
        }
        self.even &= got == self.first;
        self.wrapped |= got != self.stride;
        let whole = before == 0 && got % self.stride == 0;
        if before + got > self.stride && !whole {
            let (at, got) = match self.open {
                Some(at) => (at, before),
                None => (number, got),
            };
            let message = format!("frame {frame} needs {} numbers, got {got}", self.stride);
            return Err(error(at, message));
        }
        let is_open = !self.values.len().is_multiple_of(self.stride);
        self.open = is_open.then(|| self.open.unwrap_or(number));
        Ok(())
    }

    fn finish(
        mut self,
        announced: usize,
        last_line: usize,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<f32>, MotionError> {
        let (frames, rest) = (
            self.values.len() / self.stride,
            self.values.len() % self.stride,
        );
        if let Some(at) = self.open {
            if frames < announced.max(1) {
                let message = format!("frame {frames} needs {} numbers, got {rest}", self.stride);
                return Err(error(at, message));
            }
            self.values.truncate(frames * self.stride);
            warnings.push(format!(
                "line {at}: a row of {rest} numbers after the last frame is left out"
            ));
        }
        if self.wrapped && self.open.is_none() {
            if self.lines == announced && self.even {
                let message = format!(
                    "the {announced} rows do not have {} numbers each, one for each channel",
                    self.stride
                );
                return Err(error(last_line, message));
            }
            warnings.push(format!(
                "rows are wrapped: {frames} frames are written in {} lines",
                self.lines
            ));
        }
        if frames != announced {
            warnings.push(format!(
                "{announced} frames are announced, {frames} are there and read"
            ));
        }
        Ok(self.values)
    }
}
