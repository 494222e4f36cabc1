//! Guidance losses and methods for diffusion models.
