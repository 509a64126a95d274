//! One insurer: its name, colour, public address, data.
//!
//! In:    a line of the list of tenants. Out: [`Tenant`]. Never: knows another one.

use std::path::{Path, PathBuf};

use super::store::{HOUSE, Store};
use crate::login::key::Key;
use crate::record::shelf::{RECORDS, RECORDS_FILE};

/// Colours of the synthetic insurers. Each has contrast 4.5 : 1 or more with white.
const COLOURS: [&str; 8] = [
    "#0b5c8a", "#7a1f5c", "#1c6b3a", "#8a3b0b", "#3f3d9e", "#0a6a6a", "#8c1c2b", "#55600f",
];

/// What the list of tenants says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TenantLine {
    /// `bkk-eisvogel`; the first label of its host names.
    pub id: String,
    /// `BKK Eisvogel`.
    pub name: String,
}

/// One insurer with its data.
#[derive(Debug)]
pub struct Tenant {
    /// `bkk-eisvogel`.
    pub id: String,
    /// `BKK Eisvogel`.
    pub name: String,
    /// `#0b5c8a`.
    pub colour: &'static str,
    /// Where people reach it: `http://bkk-eisvogel.localhost:8490`, no slash at the end.
    pub origin: String,
    /// Its folder.
    pub folder: PathBuf,
    /// People, photos, messages.
    pub store: Store,
    /// Patient records, sealed.
    pub records: Store,
    /// Signs its tokens.
    pub key: Key,
}

impl Tenant {
    /// Lays out one insurer; opens nothing yet.
    pub fn new(
        line: &TenantLine,
        place: usize,
        (origin, folder): (String, &Path),
        key: Key,
    ) -> Self {
        Self {
            id: line.id.clone(),
            name: line.name.clone(),
            colour: COLOURS[place % COLOURS.len()],
            origin,
            folder: folder.to_owned(),
            store: Store::new(folder.join("house.sqlite"), HOUSE),
            records: Store::new(folder.join(RECORDS_FILE), RECORDS),
            key,
        }
    }

    /// Who its tokens come from.
    pub fn issuer(&self) -> String {
        format!("{}/idp", self.origin)
    }
}

/// The insurers of a house that was given no list.
pub fn usual_tenants() -> Vec<TenantLine> {
    let line = |(id, name): (&str, &str)| TenantLine {
        id: id.to_owned(),
        name: name.to_owned(),
    };
    let all = [
        ("bkk-eisvogel", "BKK Eisvogel"),
        ("ek-amsel", "EK Amsel"),
        ("ek-drossel", "EK Drossel"),
        ("ikk-bussard", "IKK Bussard"),
    ];
    all.map(line).into()
}
