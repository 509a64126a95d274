//! Drafts: what was typed into a form and not sent.
//!
//! In:    a form's fields, as the page sends them while a person types. Out: the same, later.
//! Never: a draft of another person, or of a form that does not exist.

use rusqlite::OptionalExtension;

use crate::kernel::ask::{Ask, Reply, decode_form, encode, field};
use crate::kernel::miss::Miss;

/// Forms that have drafts.
const FORMS: [&str; 4] = ["address", "application", "message", "photo"];

/// What was kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Draft {
    fields: Vec<(String, String)>,
    /// Seconds since 1970; 0 when there is none.
    pub saved_at: i64,
}

impl Draft {
    /// One field; none when nothing was typed.
    pub fn get(&self, name: &str) -> Option<&str> {
        Some(field(&self.fields, name)).filter(|text| !text.is_empty())
    }
}

/// `PUT /og/drafts/{form}`.
pub(super) fn keep(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let form = ask.gap(0);
    if !FORMS.contains(&form) {
        return Err(Miss::not_found());
    }
    let pairs = ask.form()?;
    let body: Vec<String> = pairs
        .iter()
        .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
        .collect();
    let kvnr = ask.subject()?;
    ask.tenant.store.with(|c| {
        c.execute(
            "INSERT OR REPLACE INTO draft VALUES (?1, ?2, ?3, ?4)",
            (kvnr, form, body.join("&"), ask.now),
        )
    })?;
    Ok(Reply::new(204, "text/plain", ""))
}

/// What was kept of a form.
pub(super) fn of(ask: &Ask<'_>, form: &str) -> Result<Draft, Miss> {
    let kvnr = ask.subject()?;
    let found: Option<(String, i64)> = ask.tenant.store.with(|c| {
        c.query_row(
            "SELECT body, saved_at FROM draft WHERE kvnr = ?1 AND form = ?2",
            (kvnr, form),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
    })?;
    Ok(found.map_or_else(Draft::default, |(body, saved_at)| Draft {
        fields: decode_form(body.as_bytes()),
        saved_at,
    }))
}
