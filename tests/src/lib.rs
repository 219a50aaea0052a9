//! Simulator, conformance suite and vectors.

pub mod fuzz;
