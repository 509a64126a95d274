//! Whether what insured people gave into an insurer's house is whole: computed, not declared.
//!
//! In:    people, photos, card orders, messages and applications on disk.
//! Out:   a mark per row; later, what was altered, is missing or came in.
//! Never: contents in a mark: they are keyed; a column that changes in ordinary use.
//! See:   record/manifest.rs, the same for patient records.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use serde::{Deserialize, Serialize};

use super::miss::Miss;
use super::tenant::Tenant;
use crate::record::seal::Master;

/// Tables, and in each what stays as it came, its name first.
const KEPT: [(&str, &str); 6] = [
    (
        "insured",
        "kvnr, given, family, birth, gender, since, password",
    ),
    (
        "photo",
        "id, kvnr, received_at, by, jpeg, width, height, digest",
    ),
    (
        "card_order",
        "id, photo, kvnr, digest, ordered_at, ordered_by",
    ),
    ("message", "id, kvnr, from_insured, subject, body, at"),
    (
        "address_change",
        "id, kvnr, street, postcode, city, received_at",
    ),
    ("application", "id, kvnr, kind, body, received_at"),
];

/// Name of each row, `photo/17`, and keyed mark of what stays in it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Stock(pub BTreeMap<String, String>);

/// What became of the rows since.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Difference {
    /// There, but not what they were.
    pub altered: Vec<String>,
    /// Not there.
    pub missing: Vec<String>,
    /// Came in since.
    pub added: Vec<String>,
}

impl Stock {
    /// Takes down what is there.
    ///
    /// # Errors
    /// The store does not answer: it is gone, or is no database.
    pub fn take(tenant: &Tenant, master: &Master) -> Result<Self, Miss> {
        let mut marks = BTreeMap::new();
        tenant.store.with(|c| {
            for (table, columns) in KEPT {
                let mut statement = c.prepare(&format!("SELECT {columns} FROM {table}"))?;
                let count = statement.column_count();
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    let mut all = Vec::new();
                    for place in 0..count {
                        add(&mut all, row.get_ref(place)?);
                    }
                    let name = match row.get_ref(0)? {
                        ValueRef::Integer(id) => id.to_string(),
                        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                        _ => String::new(),
                    };
                    marks.insert(format!("{table}/{name}"), master.document_mark(&all));
                }
            }
            Ok(())
        })?;
        Ok(Self(marks))
    }

    /// What became of these rows in what is there now.
    pub fn against(&self, now: &Stock) -> Difference {
        let mut difference = Difference::default();
        for (name, mark) in &self.0 {
            match now.0.get(name) {
                None => difference.missing.push(name.clone()),
                Some(other) if other == mark => {}
                Some(_) => difference.altered.push(name.clone()),
            }
        }
        let added = now.0.keys().filter(|name| !self.0.contains_key(*name));
        difference.added = added.cloned().collect();
        difference
    }
}

impl Difference {
    /// Nothing altered, nothing missing.
    pub fn is_whole(&self) -> bool {
        self.altered.is_empty() && self.missing.is_empty()
    }
}

/// One value: kind, length, bytes, so that no two rows read the same.
fn add(all: &mut Vec<u8>, value: ValueRef<'_>) {
    let (kind, bytes) = match value {
        ValueRef::Null => (b'n', Vec::new()),
        ValueRef::Integer(number) => (b'i', number.to_be_bytes().to_vec()),
        ValueRef::Real(number) => (b'r', number.to_be_bytes().to_vec()),
        ValueRef::Text(text) => (b't', text.to_vec()),
        ValueRef::Blob(bytes) => (b'b', bytes.to_vec()),
    };
    all.push(kind);
    all.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    all.extend(bytes);
}
