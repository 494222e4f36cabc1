//! NumPy arrays.

use numpy::ndarray::{Array, Dimension};
use numpy::{Element, IntoPyArray, PyArrayMethods};
use pyo3::prelude::*;

/// An array that takes over the numbers, without a copy, and that cannot be written to.
pub(crate) fn read_only<T: Element, D: Dimension>(py: Python<'_>, array: Array<T, D>) -> Py<PyAny> {
    let array = array.into_pyarray(py);
    let fixed = array.readwrite().make_nonwriteable();
    drop(fixed);
    array.into_any().unbind()
}
