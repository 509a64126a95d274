//! Reads a landscape from texts: TOML for the tree, CSV for the long lists.
