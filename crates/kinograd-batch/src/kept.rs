//! Clips that a shard has kept, read again from the indices of its parts.

use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{List, ListAccessor as _, Row, RowAccessor as _};
use parquet::schema::types::Type;

use crate::BatchError;
use crate::index::{EMBEDDING, ID, LABEL, MODEL, MODEL_VERSION};
use crate::make::model_name;

/// What later clips are held against.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptClip {
    pub(crate) id: String,
    pub(crate) label: Option<String>,
    /// Name and version of the model.
    pub(crate) model: String,
    /// Motion embedding, if its model has one.
    pub(crate) embedding: Option<Vec<f32>>,
}

/// The columns, in the order of [`clip_of`].
const COLUMNS: [&str; 5] = [ID, MODEL, MODEL_VERSION, EMBEDDING, LABEL];

/// The clips of an index, in its order.
pub(crate) fn read_kept(path: &Path) -> Result<Vec<KeptClip>, BatchError> {
    rows(path, &COLUMNS, clip_of)
}

/// What `of` makes of each row of an index, with these columns alone.
pub(crate) fn rows<T>(
    path: &Path,
    columns: &[&str],
    of: impl Fn(&Row) -> Result<T, ParquetError>,
) -> Result<Vec<T>, BatchError> {
    let broken = |error: ParquetError| BatchError::Folder {
        path: path.to_owned(),
        message: format!("it is no index of a batch: {error}"),
    };
    let file = kinograd_files::open(path).map_err(|e| BatchError::read(path)(e.into_io()))?;
    let reader = SerializedFileReader::new(file).map_err(broken)?;
    let schema = reader.metadata().file_metadata().schema();
    let columns = columns.iter().map(|name| {
        let found = schema.get_fields().iter().find(|own| own.name() == *name);
        let missing = || ParquetError::General(format!("the column {name} is missing"));
        found.cloned().ok_or_else(missing)
    });
    let columns: Result<Vec<_>, ParquetError> = columns.collect();
    let projection = Type::group_type_builder(schema.name())
        .with_fields(columns.map_err(broken)?)
        .build()
        .map_err(broken)?;
    let rows = reader.get_row_iter(Some(projection)).map_err(broken)?;
    rows.map(|row| row.and_then(|row| of(&row)).map_err(broken))
        .collect()
}

/// A text of a column that may have none.
pub(crate) fn text_or_none(row: &Row, column: usize) -> Result<Option<String>, ParquetError> {
    match row.is_null(column)? {
        true => Ok(None),
        false => Ok(Some(row.get_string(column)?.clone())),
    }
}

fn clip_of(row: &Row) -> Result<KeptClip, ParquetError> {
    Ok(KeptClip {
        id: row.get_string(0)?.clone(),
        model: model_name(row.get_string(1)?, row.get_string(2)?),
        label: text_or_none(row, 4)?,
        embedding: match row.is_null(3)? {
            true => None,
            false => Some(numbers(row.get_list(3)?)?),
        },
    })
}

fn numbers(list: &List) -> Result<Vec<f32>, ParquetError> {
    (0..list.len()).map(|at| list.get_float(at)).collect()
}
