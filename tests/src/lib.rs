//! Simulator, conformance suite and vectors.

extern crate alloc;

pub mod fuzz;
pub mod naive_sign;
pub mod vectors;
