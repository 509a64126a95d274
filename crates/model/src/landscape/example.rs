//! A small commented landscape to start from.
//!
//! In:    nothing. Out: the files that `anlauf init` writes.
//! Never: a landscape that lint has an error for; a test holds it.

use std::collections::BTreeMap;

use super::source::{FILE_LANDSCAPE, FILE_OFFERS, FILE_PEOPLE, FILE_POLICY, FILE_TENANTS};

/// The example's files: name and text. 2 sites, 3 tenants, 5 services.
pub fn example() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        (
            FILE_LANDSCAPE,
            include_str!("example/landscape.toml").to_owned(),
        ),
        (FILE_POLICY, include_str!("example/policy.toml").to_owned()),
        (FILE_TENANTS, include_str!("example/tenants.csv").to_owned()),
        (FILE_OFFERS, include_str!("example/offers.csv").to_owned()),
        (FILE_PEOPLE, include_str!("example/people.csv").to_owned()),
    ])
}
