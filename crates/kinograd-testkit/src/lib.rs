//! Tolerances, goldens and gradient checks for Kinograd's tests.
