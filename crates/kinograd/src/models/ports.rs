//! Which of a graph's tensors is which.

use std::collections::BTreeMap;
use std::path::Path;

use kinograd_runtime::TensorSummary;

use crate::Error;

/// The tensor of this name, else the only one that fits.
pub(super) fn find(
    tensors: &[TensorSummary],
    name: &str,
    fits: impl Fn(&TensorSummary) -> bool,
) -> Option<String> {
    if tensors.iter().any(|tensor| tensor.name == name) {
        return Some(name.to_owned());
    }
    let mut fitting = tensors.iter().filter(|tensor| fits(tensor));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only.name.clone()),
        _ => None,
    }
}

pub(super) fn renamed(
    onnx: &Path,
    found: &[(&str, Option<String>)],
    tensors: &[TensorSummary],
) -> Result<BTreeMap<String, String>, Error> {
    let mut names = BTreeMap::new();
    for (canonical, own) in found {
        let own = own.as_ref().ok_or_else(|| Error::Request {
            field: "model",
            message: format!(
                "{}: cannot emit which tensor is `{canonical}` among {}; name it so when you export",
                onnx.display(),
                tensors
                    .iter()
                    .map(|t| format!("`{}` {:?}", t.name, t.shape.as_deref().unwrap_or_default()))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        })?;
        if own != canonical {
            names.insert((*canonical).to_owned(), own.clone());
        }
    }
    Ok(names)
}
