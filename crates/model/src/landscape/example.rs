//! A small example landscape.
