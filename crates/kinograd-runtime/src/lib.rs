//! ONNX sessions on ONNX Runtime or a built-in engine, and model packages.
