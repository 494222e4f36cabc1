//! Combinations of values, expanded one at a time.

use std::collections::BTreeMap;
use std::path::Path;

use kinograd_files::{Budget, escape};
use serde::Deserialize;
use serde_json::Value;

use crate::line::checked_label;
use crate::{BatchError, Line};

/// All combinations of the values of some fields of a task, or a random part of them.
///
/// ```json
/// {
///   "schema": "kinograd.sweep/1",
///   "task": {"prompts": [{"text": ""}], "duration_secs": 4},
///   "axes": {
///     "/prompts/0/text": ["a person walks", "a person jogs"],
///     "/goals": [[], [{"kind": "root_target", "position_m": [2, 3]}]],
///     "/sampling/seed": {"from": 0, "to": 1000}
///   },
///   "labels": {"a person walks": "walk", "a person jogs": "jog"},
///   "sample": {"count": 100, "seed": 1}
/// }
/// ```
///
/// `axes` maps JSON pointers into the task to the values that are put there: a list, or a range of whole
/// numbers without its end. `labels` says what clips are counted as, by the first prompt's text. `sample` draws so many different combinations. Nothing is held but this.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    task: Value,
    axes: Vec<(String, Axis)>,
    labels: BTreeMap<String, String>,
    total: u64,
    sample: Option<Sample>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    task: Value,
    axes: serde_json::Map<String, Value>,
    #[serde(default)]
    labels: serde_json::Map<String, Value>,
    sample: Option<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
enum Axis {
    Values(Vec<Value>),
    Range { from: i64, len: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    count: u64,
    #[serde(default)]
    seed: u64,
}

const SCHEMA: &str = "kinograd.sweep/1";
/// Most combinations: their numbers are exact in every JSON reader.
const MAX_COMBINATIONS: u64 = 1 << 53;

impl Sweep {
    /// Reads a sweep's file.
    ///
    /// # Errors
    /// [`BatchError::Read`]; [`BatchError::Sweep`] that names the axis.
    pub fn read(path: &Path) -> Result<Self, BatchError> {
        let text = kinograd_files::read_text(path, Budget::of_process())
            .map_err(|error| BatchError::read(path)(error.into_io()))?;
        Self::parse(&text).map_err(|message| BatchError::Sweep {
            path: path.to_owned(),
            message,
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if document.schema != SCHEMA {
            return Err(format!(
                "schema: `{}`: expected `{SCHEMA}`",
                document.schema
            ));
        }
        let document_task = document.task.clone();
        let mut task = document.task;
        let mut axes = Vec::with_capacity(document.axes.len());
        let mut total: u64 = 1;
        for (pointer, values) in document.axes {
            let axis =
                Axis::parse(values).map_err(|message| format!("axes[{pointer}]: {message}"))?;
            put(&mut task, &pointer, Value::Null)
                .map_err(|message| format!("axes[{pointer}]: {message}"))?;
            total = total
                .checked_mul(axis.len())
                .filter(|total| *total <= MAX_COMBINATIONS)
                .ok_or_else(|| format!("axes: more than {MAX_COMBINATIONS} combinations"))?;
            axes.push((pointer, axis));
        }
        let mut labels = BTreeMap::new();
        for (text, label) in document.labels {
            let label = checked_label(&label)
                .map_err(|message| format!("labels[{}]: {message}", escape(&text)))?;
            if !says(&document_task, &text) && !axes.iter().any(|(_, axis)| axis.says(&text)) {
                return Err(format!(
                    "labels[{}]: no prompt of the task or of an axis is this text",
                    escape(&text)
                ));
            }
            labels.insert(text, label);
        }
        if let Some(sample) = document.sample
            && sample.count > total
        {
            return Err(format!(
                "sample.count: {}: there are {total} combinations",
                sample.count
            ));
        }
        Ok(Self {
            task,
            axes,
            labels,
            total,
            sample: document.sample,
        })
    }

    /// How many tasks it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.sample.map_or(self.total, |sample| sample.count)
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its tasks; the id is the number of the combination, so that a larger sample holds a smaller one.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        (0..self.len()).map(|position| {
            let combination = match self.sample {
                None => position,
                Some(sample) => shuffled(position, self.total, sample.seed),
            };
            let task = self.combination(combination);
            let text = task.pointer("/prompts/0/text").and_then(Value::as_str);
            Line {
                number: position + 1,
                id: format!("sweep-{combination:012}"),
                label: text.and_then(|text| self.labels.get(text)).cloned(),
                task,
            }
        })
    }

    /// The last axis turns fastest.
    fn combination(&self, mut number: u64) -> Value {
        let mut task = self.task.clone();
        for (pointer, axis) in self.axes.iter().rev() {
            let value = axis.value(number % axis.len());
            number /= axis.len();
            // Every pointer was tried when the sweep was read.
            let _ = put(&mut task, pointer, value);
        }
        task
    }
}

impl Axis {
    fn parse(values: Value) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Range {
            from: i64,
            to: i64,
        }
        let axis = match values {
            Value::Array(values) => Self::Values(values),
            other => {
                let range: Range = serde_json::from_value(other)
                    .map_err(|error| format!("expected a list, or from and to: {error}"))?;
                let len = range.to.checked_sub(range.from).unwrap_or(0);
                Self::Range {
                    from: range.from,
                    len: u64::try_from(len).unwrap_or(0),
                }
            }
        };
        if axis.len() == 0 {
            return Err("it has no values".to_owned());
        }
        Ok(axis)
    }

    /// Whether one of its values has this text.
    fn says(&self, text: &str) -> bool {
        match self {
            Self::Values(values) => values.iter().any(|value| says(value, text)),
            Self::Range { .. } => false,
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Values(values) => values.len() as u64,
            Self::Range { len, .. } => *len,
        }
    }

    fn value(&self, index: u64) -> Value {
        match self {
            Self::Values(values) => usize::try_from(index)
                .ok()
                .and_then(|index| values.get(index))
                .cloned()
                .unwrap_or(Value::Null),
            Self::Range { from, .. } => from.saturating_add_unsigned(index).into(),
        }
    }
}

/// Whether a text is a value or within it.
fn says(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        Value::Array(list) => list.iter().any(|value| says(value, text)),
        Value::Object(fields) => fields.values().any(|value| says(value, text)),
        _ => false,
    }
}

/// Puts a value where an RFC 6901 pointer shows; objects on the way are made, elements of lists are not.
fn put(task: &mut Value, pointer: &str, value: Value) -> Result<(), String> {
    let path = pointer
        .strip_prefix('/')
        .ok_or("a pointer begins with /, as /sampling/seed")?;
    let mut at = task;
    for token in path.split('/') {
        let token = token.replace("~1", "/").replace("~0", "~");
        at = match at {
            Value::Array(list) => {
                let len = list.len();
                let index: Option<usize> = token.parse().ok();
                index
                    .and_then(|index| list.get_mut(index))
                    .ok_or_else(|| format!("there is no element {token} in a list of {len}"))?
            }
            Value::Object(object) => object.entry(token).or_insert(Value::Null),
            Value::Null => {
                *at = Value::Object(serde_json::Map::new());
                match at {
                    Value::Object(object) => object.entry(token).or_insert(Value::Null),
                    _ => return Err("no object".to_owned()),
                }
            }
            other => return Err(format!("{other} has no field {token}")),
        };
    }
    *at = value;
    Ok(())
}

/// Place `position` of a random order of `0..total`: a Feistel network over the next power of four, walked
/// until it lands within (Black & Rogaway 2002).
fn shuffled(position: u64, total: u64, seed: u64) -> u64 {
    let bits = (64 - total.saturating_sub(1).leading_zeros())
        .div_ceil(2)
        .max(1);
    let mask = (1_u64 << bits) - 1;
    let mut number = position;
    loop {
        let [mut left, mut right] = [number >> bits, number & mask];
        for round in 0..4 {
            [left, right] = [right, left ^ (mixed(right, seed, round) & mask)];
        }
        number = (left << bits) | right;
        if number < total {
            return number;
        }
    }
}

/// SplitMix64's finaliser (Steele et al. 2014).
fn mixed(value: u64, seed: u64, round: u64) -> u64 {
    let mut z = value
        .wrapping_add(seed.rotate_left(17))
        .wrapping_add((round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SWEEP: &str = r#"{
        "schema": "kinograd.sweep/1",
        "task": {"prompts": [{"text": ""}], "duration_secs": 4},
        "axes": {
            "/prompts/0/text": ["a person walks", "a person jogs"],
            "/sampling/seed": {"from": 10, "to": 13}
        }
    }"#;

    #[test]
    fn all_combinations_in_order() {
        let sweep = Sweep::parse(SWEEP).unwrap();
        let lines: Vec<Line> = sweep.lines().collect();
        assert_eq!(lines.len(), 6);
        let told = |line: &Line| {
            let task = line.checked(None).unwrap();
            (task.prompts[0].text.clone(), task.sampling.seed)
        };
        assert_eq!(told(&lines[0]), ("a person walks".to_owned(), 10));
        assert_eq!(told(&lines[2]), ("a person walks".to_owned(), 12));
        assert_eq!(told(&lines[5]), ("a person jogs".to_owned(), 12));
        assert_eq!(lines[5].id, "sweep-000000000005");
    }

    #[test]
    fn labels_are_those_of_the_prompts() {
        let labels = r#""labels": {"a person jogs": "jog"}, "axes"#;
        let sweep = Sweep::parse(&SWEEP.replace("\"axes", labels)).unwrap();
        let labels: Vec<_> = sweep.lines().map(|line| line.label).collect();
        let jog = Some("jog".to_owned());
        assert_eq!(labels, [None, None, None, jog.clone(), jog.clone(), jog]);
        for (labels, says) in [
            (r#"{"a person jogs": ""}"#, "labels[a person jogs]: label: "),
            (
                r#"{"a person hops": "hop"}"#,
                "labels[a person hops]: no prompt",
            ),
        ] {
            let text = SWEEP.replace("\"axes", &format!("\"labels\": {labels}, \"axes"));
            let error = Sweep::parse(&text).unwrap_err();
            assert!(error.contains(says), "{labels}: {error}");
        }
    }

    #[test]
    fn random_orders_are_permutations() {
        for total in [1, 2, 5, 64, 1000] {
            for seed in 0..3 {
                let order: BTreeSet<u64> = (0..total).map(|i| shuffled(i, total, seed)).collect();
                assert_eq!(order.len() as u64, total);
                assert_eq!(order.last().copied(), Some(total - 1));
            }
        }
        let first: Vec<u64> = (0..8).map(|i| shuffled(i, 1 << 40, 1)).collect();
        let other: Vec<u64> = (0..8).map(|i| shuffled(i, 1 << 40, 2)).collect();
        assert_ne!(first, other);
        // Spread over the whole: about half are in the lower half.
        let low = (0..1000)
            .filter(|i| shuffled(*i, 1 << 40, 1) < 1 << 39)
            .count();
        assert!(low.abs_diff(500) < 80, "{low}");
    }

    #[test]
    fn a_billion_combinations_take_no_room() {
        let text = SWEEP.replace("13", "1000000010").replacen(
            "\"axes\"",
            "\"sample\": {\"count\": 2000000000, \"seed\": 3}, \"axes\"",
            1,
        );
        let sweep = Sweep::parse(&text).unwrap();
        assert_eq!(sweep.len(), 2_000_000_000);
        assert!(sweep.lines().take(3).all(|line| line.checked(None).is_ok()));
    }

    #[test]
    fn bad_sweeps_name_the_axis() {
        for (from, to, says) in [
            ("sweep/1", "sweep/2", "sweep/2"),
            ("/prompts/0", "/prompts/1", "no element 1 in a list of 1"),
            ("/sampling/seed", "sampling/seed", "begins with /"),
            ("/sampling/seed", "/duration_secs/x", "has no field x"),
            ("13", "10", "axes[/sampling/seed]: it has no values"),
            ("\"to\"", "\"until\"", "until"),
        ] {
            let error = Sweep::parse(&SWEEP.replace(from, to)).unwrap_err();
            assert!(error.contains(says), "{from}: {error}");
        }
    }
}
