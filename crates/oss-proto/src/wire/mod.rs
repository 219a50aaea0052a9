//! The vocabulary of the operation tables: how a Rust value becomes text, an element, a header, and back.

pub(crate) mod checked;
pub(crate) mod draft;
pub(crate) mod occurs;
pub(crate) mod spec;
pub(crate) mod text;
