//! See the crate text.
