//! Gradients of networks.

use std::ffi::c_char;
use std::path::Path;

use kinograd::gradient::{GradientOptions, Weights, differentiate_file};

use crate::argument::{Structure, options, out, text, texts};
use crate::blob::{blob, kg_blob};
use crate::entry::entry;
use crate::status::{Failure, kg_status};

/// What is differentiated. All bytes 0 but `struct_size` is the default: the first output that
/// holds floats by the first input that does.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kg_gradient_options {
    /// sizeof(kg_gradient_options).
    pub struct_size: u32,
    /// Not 0 for two graphs, `NAME-forward.onnx` and `NAME-backward.onnx`, in place of one.
    pub split: u32,
    /// Not 0 for gradients by all weights, too.
    pub weights: u32,
    /// Number of `inputs`.
    pub input_count: u32,
    /// Number of `outputs`.
    pub output_count: u32,
    /// 0.
    pub reserved: u32,
    /// Names of the inputs to differentiate by.
    pub inputs: *const *const c_char,
    /// Names of the outputs to differentiate.
    pub outputs: *const *const c_char,
}

// SAFETY: `repr(C)`, the size first, numbers and pointers.
unsafe impl Structure for kg_gradient_options {
    const NAME: &'static str = "kg_gradient_options";
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// Reads the ONNX file `model` and writes `v -> J^T v` of it as the ONNX file `path`, for any engine
/// to run. `options` may be NULL. `report` gets what was written, as JSON: files, names of the
/// inputs that take cotangents and of the outputs that are gradients; it may be NULL.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_gradient_write(
    model: *const c_char,
    path: *const c_char,
    options: *const kg_gradient_options,
    report: *mut *mut kg_blob,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (model, path, options, report) = unsafe {
            let report = (!report.is_null()).then(|| out(report, "report"));
            (
                text(model, "model")?,
                text(path, "path")?,
                gradient_options(options)?,
                report.transpose()?,
            )
        };
        let written = differentiate_file(Path::new(model), Path::new(path), &options, None)?;
        if let Some(report) = report {
            let json = serde_json::to_vec(&written);
            let json = json.map_err(|e| Failure::new(kg_status::Internal, e.to_string()))?;
            report.set(blob(json)?);
        }
        Ok(())
    })
}

/// Reads a program's options.
///
/// # Safety
/// As `argument` says.
unsafe fn gradient_options(
    pointer: *const kg_gradient_options,
) -> Result<GradientOptions, Failure> {
    // SAFETY: as asked of the caller.
    let (asked, inputs, outputs) = unsafe {
        let asked = options(pointer)?;
        (
            asked,
            texts(asked.inputs, asked.input_count, "inputs")?,
            texts(asked.outputs, asked.output_count, "outputs")?,
        )
    };
    if asked.reserved != 0 {
        return Err(Failure::argument("reserved is not 0"));
    }
    Ok(GradientOptions {
        inputs,
        outputs,
        weights: if asked.weights == 0 {
            Weights::none()
        } else {
            Weights::all()
        },
        split: asked.split != 0,
        ..GradientOptions::default()
    })
}
