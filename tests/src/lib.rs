//! Simulator, conformance suite and vectors.

#![allow(clippy::exhaustive_enums)] // Unpublished: a match that must grow with an enum is in this package.

extern crate alloc;

pub mod agreement;
pub mod blocking;
pub mod canary;
pub mod catalog;
pub mod chaos;
pub mod conformance;
pub mod every;
pub mod fuzz;
pub mod http1;
pub mod naive_sign;
#[cfg(doctest)]
pub mod pages;
pub mod peer;
pub mod retry_cases;
pub mod sim;
pub mod sim_fs;
pub mod tcp;
pub mod transfers;
pub mod vectors;
pub mod world;
pub mod xml_agreement;
