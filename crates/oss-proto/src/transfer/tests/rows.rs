//! Rows by their ids.
