//! One entry as it lies in the file, and the leaf of the tree that binds it.
//!
//! In:    an entry and fresh salt, or the columns of a row. Out: [`Row`], the leaf's hash.
//! Never: a leaf without salt: whoever gets the tree must not be able to guess the bodies.

use anlauf_model::{Digest, Timestamp};
use anlauf_recovery::Entry;
use anlauf_recovery::event::Scope;
use anlauf_trust::leaf::{Leaf, salted};
use rusqlite::types::ValueRef;
use serde::Deserialize;

/// An entry as it is written.
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) scope: String,
    pub(crate) leaf: Digest,
    pub(crate) salt: [u8; 32],
    pub(crate) body: String,
}

/// The columns of every query that reads rows, in order.
pub(crate) const COLUMNS: &str = "seq, at, scope, leaf, salt, body";

/// Makes the row of an entry.
pub(crate) fn seal(entry: &Entry) -> Result<Row, getrandom::Error> {
    let mut salt = [0u8; 32];
    getrandom::fill(&mut salt)?;
    let body = serde_json::to_string(entry).expect("entries have only string keys");
    let scope = scope_word(&entry.scope);
    let leaf = leaf(entry, &scope, &salt, &body).expect("events and scopes have plain names");
    let seq = i64::try_from(entry.seq).expect("a ledger ends long before 2^63 entries");
    Ok(Row {
        seq,
        at: entry.at.0,
        scope,
        leaf,
        salt,
        body,
    })
}

/// A row as it lies in the file, not yet believed.
pub(crate) struct Raw {
    seq: i64,
    at: i64,
    scope: Vec<u8>,
    leaf: [u8; 32],
    salt: [u8; 32],
    body: String,
}

/// Takes a row's columns out of the database.
pub(crate) fn read(row: &rusqlite::Row<'_>) -> Result<Raw, &'static str> {
    let columns = "a column has another type than an entry's";
    let get = |index: usize| row.get_ref(index).map_err(|_| columns);
    Ok(Raw {
        seq: get(0)?.as_i64().map_err(|_| columns)?,
        at: get(1)?.as_i64().map_err(|_| columns)?,
        scope: get(2)?.as_bytes().map_err(|_| columns)?.to_owned(),
        leaf: blob(get(3)?).ok_or(columns)?,
        salt: blob(get(4)?).ok_or(columns)?,
        body: get(5)?
            .as_str()
            .map_err(|_| "its body is not text")?
            .to_owned(),
    })
}

impl Raw {
    /// How much of it has no fixed size. Bytes.
    pub(crate) fn size(&self) -> usize {
        self.scope.len() + self.body.len()
    }

    /// Checks it against the position it must have; gives its entry and leaf.
    pub(crate) fn open(&self, seq: u64) -> Result<(Entry, Digest), &'static str> {
        if u64::try_from(self.seq) != Ok(seq) {
            return Err("it is missing");
        }
        let entry: Entry =
            serde_json::from_str(&self.body).map_err(|_| "its body cannot be read")?;
        if entry.seq != seq {
            return Err("its body is that of another entry");
        }
        let word = scope_word(&entry.scope);
        if entry.at != Timestamp(self.at) || word.as_bytes() != self.scope {
            return Err("its time or scope differs from its body");
        }
        let leaf = leaf(&entry, &word, &self.salt, &self.body).ok_or("its body has no event")?;
        if leaf.0 != self.leaf {
            return Err("its body does not match its leaf");
        }
        Ok((entry, leaf))
    }
}

/// Checks a row against the position it must have; gives its entry and leaf.
pub(crate) fn open(row: &rusqlite::Row<'_>, seq: u64) -> Result<(Entry, Digest), &'static str> {
    read(row)?.open(seq)
}

fn blob(value: ValueRef<'_>) -> Option<[u8; 32]> {
    value.as_blob().ok()?.try_into().ok()
}

fn leaf(entry: &Entry, scope: &str, salt: &[u8; 32], body: &str) -> Option<Digest> {
    leaf_text(entry, scope, salt, body).map(|leaf| leaf.hash())
}

/// The leaf of an entry, in whole.
pub(crate) fn leaf_of(entry: &Entry, salt: &[u8; 32], body: &str) -> Option<Leaf> {
    leaf_text(entry, &scope_word(&entry.scope), salt, body)
}

fn leaf_text(entry: &Entry, scope: &str, salt: &[u8; 32], body: &str) -> Option<Leaf> {
    let digest = salted(salt, body.as_bytes());
    Leaf::new(entry.seq, entry.at, kind(body)?, scope, digest).ok()
}

/// Who may read the entry, as one word: `provider`, `everyone`, `tenant/bkk-amsel`.
fn scope_word(scope: &Scope) -> String {
    match scope {
        Scope::Provider => "provider".to_owned(),
        Scope::Everyone => "everyone".to_owned(),
        Scope::Tenant(tenant) => format!("tenant/{tenant}"),
    }
}

/// The name of the event, as the body says it.
fn kind(body: &str) -> Option<&str> {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        event: Inner<'a>,
    }
    #[derive(Deserialize)]
    struct Inner<'a> {
        event: &'a str,
    }
    Some(serde_json::from_str::<Outer<'_>>(body).ok()?.event.event)
}
