//! What was measured of a part's clips, as Parquet: a row a clip.

use std::io::Write;
use std::sync::Arc;

use kinograd::Error;
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use crate::made::MadeClip;

// Columns that are read again.
pub(crate) const ID: &str = "id";
pub(crate) const MODEL: &str = "model";
pub(crate) const MODEL_VERSION: &str = "model_version";
pub(crate) const PROMPT: &str = "prompt";
pub(crate) const SEED: &str = "seed";
pub(crate) const METHOD: &str = "method";
pub(crate) const LABEL: &str = "label";
pub(crate) const EMBEDDING: &str = "embedding";

/// The rows of a part, by column.
#[derive(Debug, Default)]
pub(crate) struct Index {
    columns: Vec<(&'static str, Column)>,
}

#[derive(Debug)]
enum Column {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    Number(Vec<Option<f64>>),
    Flag(Vec<bool>),
    MaybeText(Vec<Option<ByteArray>>),
    Numbers(Vec<Option<Vec<f32>>>),
}

/// A cell of the row that is being added.
enum Cell {
    Text(String),
    Whole(i64),
    Number(Option<f64>),
    Flag(bool),
    MaybeText(Option<String>),
    Numbers(Option<Vec<f32>>),
}

impl Index {
    /// Adds the row of a clip that lies in the tar of this name.
    pub(crate) fn push(&mut self, tar: &str, clip: &MadeClip<'_>) -> Result<(), Error> {
        for (name, cell) in cells(tar, clip)? {
            let known = self.columns.iter_mut().find(|(known, _)| *known == name);
            match (known.map(|(_, column)| column), cell) {
                (Some(Column::Text(rows)), Cell::Text(text)) => rows.push(text.into_bytes().into()),
                (Some(Column::Whole(rows)), Cell::Whole(number)) => rows.push(number),
                (Some(Column::Number(rows)), Cell::Number(number)) => rows.push(number),
                (Some(Column::Flag(rows)), Cell::Flag(flag)) => rows.push(flag),
                (Some(Column::MaybeText(rows)), Cell::MaybeText(text)) => {
                    rows.push(text.map(|text| text.into_bytes().into()));
                }
                (Some(Column::Numbers(rows)), Cell::Numbers(numbers)) => rows.push(numbers),
                (None, cell) => self.columns.push((name, Column::of(cell))),
                (Some(_), _) => {
                    return Err(Error::Internal(format!("the column {name} has two types")));
                }
            }
        }
        Ok(())
    }

    /// Writes all rows.
    pub(crate) fn write(self, file: impl Write + Send) -> Result<(), ParquetError> {
        let fields: String = self
            .columns
            .iter()
            .map(|(name, column)| column.field(name))
            .collect();
        let schema = parse_message_type(&format!("message clip {{ {fields} }}"))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("kinograd {}", env!("CARGO_PKG_VERSION")))
            .build();
        let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?;
        let mut group = writer.next_row_group()?;
        for (_, column) in self.columns {
            let mut into = group
                .next_column()?
                .ok_or_else(|| ParquetError::General("a column is missing".to_owned()))?;
            column.write(&mut into)?;
            into.close()?;
        }
        group.close()?;
        writer.close()?;
        Ok(())
    }
}

/// The row of a clip; lengths in metres.
fn cells(tar: &str, made: &MadeClip<'_>) -> Result<Vec<(&'static str, Cell)>, Error> {
    use Cell::{Flag, MaybeText, Number, Numbers, Text, Whole};
    let (task, motion, report) = (made.task, &made.clip.motion, made.report);
    let json = |value: Result<String, serde_json::Error>| {
        value.map_err(|error| Error::Internal(error.to_string()))
    };
    let method = task.guidance.method;
    let whole = |number: usize| Whole(i64::try_from(number).unwrap_or(i64::MAX));
    Ok(vec![
        (ID, Text(made.id.to_owned())),
        ("tar", Text(tar.to_owned())),
        (PROMPT, Text(task.prompts_in_words())),
        (LABEL, MaybeText(made.label.map(str::to_owned))),
        (MODEL, Text(made.made.model.clone())),
        (MODEL_VERSION, Text(made.made.model_version.clone())),
        ("engine", Text(made.made.engine.clone())),
        ("version", Text(env!("CARGO_PKG_VERSION").to_owned())),
        // Two's complement where it is above 2⁶³, which a stated seed may be.
        (SEED, Whole(report.seed.cast_signed())),
        ("duration_secs", Number(Some(task.duration_secs))),
        ("frames", whole(motion.len())),
        ("fps", Number(Some(motion.fps))),
        (METHOD, Text(method.to_string())),
        ("steps", whole(task.sampling.steps_or_usual())),
        (
            "sampler",
            Text(task.sampling.sampler_for(method).to_string()),
        ),
        ("text_score", Number(report.text_score)),
        ("target_error_m", Number(report.target_error_m)),
        ("max_penetration_m", Number(report.max_penetration_m)),
        ("foot_skate_ratio", Number(Some(report.foot_skate_ratio))),
        (
            "foot_skate_ratio_before",
            Number(Some(report.foot_skate_ratio_before)),
        ),
        ("jerk_m_s3", Number(Some(report.jerk_m_s3))),
        ("implausibly_fast", Flag(report.implausibly_fast)),
        ("goals", Text(json(serde_json::to_string(&report.goals))?)),
        ("task", Text(json(serde_json::to_string(task))?)),
        (EMBEDDING, Numbers(made.clip.embedding.clone())),
    ])
}

impl Column {
    fn of(cell: Cell) -> Self {
        match cell {
            Cell::Text(text) => Self::Text(vec![text.into_bytes().into()]),
            Cell::Whole(number) => Self::Whole(vec![number]),
            Cell::Number(number) => Self::Number(vec![number]),
            Cell::Flag(flag) => Self::Flag(vec![flag]),
            Cell::MaybeText(text) => {
                Self::MaybeText(vec![text.map(|text| text.into_bytes().into())])
            }
            Cell::Numbers(numbers) => Self::Numbers(vec![numbers]),
        }
    }

    fn field(&self, name: &str) -> String {
        match self {
            Self::Text(_) => format!("required binary {name} (UTF8); "),
            Self::Whole(_) => format!("required int64 {name}; "),
            Self::Number(_) => format!("optional double {name}; "),
            Self::Flag(_) => format!("required boolean {name}; "),
            Self::MaybeText(_) => format!("optional binary {name} (UTF8); "),
            Self::Numbers(_) => format!(
                "optional group {name} (LIST) {{ repeated group list {{ required float element; }} }} "
            ),
        }
    }

    fn write(self, into: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        match self {
            Self::Text(rows) => into
                .typed::<ByteArrayType>()
                .write_batch(&rows, None, None)?,
            Self::Whole(rows) => into.typed::<Int64Type>().write_batch(&rows, None, None)?,
            Self::Flag(rows) => into.typed::<BoolType>().write_batch(&rows, None, None)?,
            Self::MaybeText(rows) => {
                let levels: Vec<i16> = rows.iter().map(|row| i16::from(row.is_some())).collect();
                let values: Vec<ByteArray> = rows.into_iter().flatten().collect();
                into.typed::<ByteArrayType>()
                    .write_batch(&values, Some(&levels), None)?
            }
            Self::Number(rows) => {
                let levels: Vec<i16> = rows.iter().map(|row| i16::from(row.is_some())).collect();
                let values: Vec<f64> = rows.into_iter().flatten().collect();
                into.typed::<DoubleType>()
                    .write_batch(&values, Some(&levels), None)?
            }
            Self::Numbers(rows) => {
                let (mut defined, mut repeated) = (Vec::new(), Vec::new());
                for row in &rows {
                    let len = row.as_ref().map_or(0, Vec::len);
                    // Of no list 0, of an empty one 1, of each number 2.
                    let level = i16::from(row.is_some()) + i16::from(len > 0);
                    defined.extend(std::iter::repeat_n(level, len.max(1)));
                    repeated.extend((0..len.max(1)).map(|at| i16::from(at > 0)));
                }
                let values: Vec<f32> = rows.into_iter().flatten().flatten().collect();
                into.typed::<FloatType>()
                    .write_batch(&values, Some(&defined), Some(&repeated))?
            }
        };
        Ok(())
    }
}
