//! The workspace automation.
fn main() {}
