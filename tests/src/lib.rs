//! Simulator, conformance suite and vectors.
