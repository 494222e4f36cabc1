//! The gradient of an ONNX model, as ONNX.
