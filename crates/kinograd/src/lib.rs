//! Steerable motion generation from exported ONNX diffusion models.
