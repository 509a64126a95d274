//! FHIR R4: update with `If-Match`, delete.
//!
//! In:    a changed resource and the version it was made from; an id.
//! Out:   the next version; a mark that something was deleted.
//! Never: a change made from a version that is no longer the latest; contents that stay behind a
//!        deletion, in old versions either.
//!
//! What a record must not lose by a client's slip is not offered: a document (`Binary`) is not
//! changed but followed by another, and a `Consent` is not deleted but set to `inactive`, because
//! with the latest word gone an older one would hold again.

use serde_json::{Value, json};

use super::audit::{self, Deed};
use super::outcome::{self, reply};
use super::shelf::{self, Record, Shelf};
use super::{api, create, link};
use crate::kernel::ask::{Ask, Reply};
use crate::kernel::clock::rfc3339;
use crate::kernel::miss::Miss;

/// Most versions of a resource that are kept.
const VERSION_COUNT_MAX: u64 = 100;

/// Whether a kind can be changed, and deleted.
pub(super) fn can_change(kind: &str) -> bool {
    matches!(kind, "DocumentReference" | "Consent")
}

/// See [`can_change`].
pub(super) fn can_delete(kind: &str) -> bool {
    matches!(kind, "DocumentReference" | "Binary")
}

/// `PUT /epa/{kind}/{id}`.
pub(super) fn update(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let (kind, id) = (api::kind(ask)?, ask.gap(1));
    if !can_change(kind) {
        return Err(create::not_here());
    }
    let mut wanted = create::read(ask, kind)?;
    let faults = super::shape::faults(kind, &wanted);
    if !faults.is_empty() {
        return Ok(outcome::faults(ask.language, &faults));
    }
    if wanted["id"] != id {
        return Err(other_id());
    }
    link::short(ask.tenant, &mut wanted);
    let kvnr = create::owner(ask, kind, &wanted)?;
    let from = version_known(ask)?.ok_or_else(no_version)?;
    let mut resource = shelf::with(ask.tenant, &ask.house.master, |shelf| {
        let record = api::holder(ask, shelf, (kind, id))?;
        if record.name != ask.house.master.record_name(&ask.tenant.id, &kvnr) {
            return Err(other_owner());
        }
        let old = shelf.get(&record, kind, id)?.ok_or_else(Miss::not_found)?;
        let number = version(&old);
        if from != number {
            return Err(other_version());
        }
        if shelf.is_full(&record)? || number >= VERSION_COUNT_MAX {
            return Err(create::full());
        }
        api::check_attachments(shelf, &record, &wanted)?;
        shelf.put(&record, old_place(kind, id, number).each(), &old)?;
        shelf.remove(&record, kind, id)?;
        let mut resource = wanted.clone();
        resource["meta"] = meta(ask, number + 1);
        shelf.put(&record, (kind, id), &resource)?;
        let seen = [audit::reference(&resource)];
        audit::write(ask, shelf, &record, (Deed::Update, &seen))?;
        Ok(resource)
    })?;
    link::whole(ask.tenant, &mut resource);
    Ok(reply(200, &resource).with("etag", tag(&resource)))
}

/// `DELETE /epa/{kind}/{id}`.
pub(super) fn delete(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let (kind, id) = (api::kind(ask)?, ask.gap(1));
    if !can_delete(kind) {
        return Err(create::not_here());
    }
    let from = version_known(ask)?;
    shelf::with(ask.tenant, &ask.house.master, |shelf| {
        let record = match api::holder(ask, shelf, (kind, id)) {
            // It was deleted before: that is what is wanted.
            Err(miss) if miss.status == 410 => return Ok(()),
            found => found?,
        };
        let old = shelf.get(&record, kind, id)?.ok_or_else(Miss::not_found)?;
        // Whom the person lets in may read and add, not delete.
        let reader = ask.subject()?;
        if record.name != ask.house.master.record_name(&ask.tenant.id, reader) {
            return Err(Miss::forbidden());
        }
        if from.is_some_and(|from| from != version(&old)) {
            return Err(other_version());
        }
        if kind == "Binary" && is_named(shelf, &record, id)? {
            return Err(still_named());
        }
        for number in 1..version(&old) {
            let (kind, id) = old_place(kind, id, number).0;
            shelf.remove(&record, &kind, &id)?;
        }
        shelf.remove(&record, kind, id)?;
        let mark = json!({
            "resourceType": kind, "id": id, "meta": meta(ask, version(&old) + 1),
        });
        shelf.put(&record, (&deleted(kind), id), &mark)?;
        let seen = [audit::reference(&old)];
        audit::write(ask, shelf, &record, (Deed::Delete, &seen))
    })?;
    Ok(Reply {
        headers: Vec::new(),
        ..Reply::new(204, outcome::MEDIA, "")
    })
}

/// Whether a document is named by one of the record's references.
fn is_named(shelf: &Shelf<'_>, record: &Record, id: &str) -> Result<bool, Miss> {
    let url = format!("Binary/{id}");
    let names = |resource: &Value| {
        let contents = resource["content"].as_array();
        let mut all = contents.into_iter().flatten();
        all.any(|content| content["attachment"]["url"] == url.as_str())
    };
    let all = shelf.all(record, "DocumentReference")?;
    Ok(all.iter().any(|kept| names(&kept.resource)))
}

/// The kind under which it is noted that something was deleted.
pub(super) fn deleted(kind: &str) -> String {
    format!("{kind}_deleted")
}

/// Where an old version lies.
pub(super) struct OldPlace(pub (String, String));

impl OldPlace {
    /// Kind and id in the store.
    pub(super) fn each(&self) -> (&str, &str) {
        (&self.0.0, &self.0.1)
    }
}

/// The place of an old version. Its seal holds there only: it cannot be put back as the latest.
pub(super) fn old_place(kind: &str, id: &str, number: u64) -> OldPlace {
    OldPlace((format!("{kind}_history"), format!("{id}.{number}")))
}

fn meta(ask: &Ask<'_>, number: u64) -> Value {
    json!({ "versionId": number.to_string(), "lastUpdated": rfc3339(ask.now) })
}

/// Number of a resource's version, from 1 on; of what the server keeps itself 1.
pub(super) fn version(resource: &Value) -> u64 {
    let number = resource["meta"]["versionId"].as_str();
    number.and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// `W/"3"`.
pub(super) fn tag(resource: &Value) -> String {
    format!("W/\"{}\"", version(resource))
}

/// The version that `If-Match` names.
fn version_known(ask: &Ask<'_>) -> Result<Option<u64>, Miss> {
    let Some(line) = ask.header("if-match") else {
        return Ok(None);
    };
    let inside = line.trim().trim_start_matches("W/");
    let inside = inside.strip_prefix('"').and_then(|i| i.strip_suffix('"'));
    match inside.and_then(|inside| inside.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(Miss::bad(
            "if-match",
            "If-Match braucht die Version wie im ETag: W/\"1\".",
            "If-Match needs the version as in the ETag: W/\"1\".",
        )),
    }
}

fn no_version() -> Miss {
    Miss::new(
        428,
        "no-version",
        "Bitte nennen Sie mit If-Match die Version, von der Sie ausgehen.",
        "Please name the version that you start from by If-Match.",
    )
}

fn other_version() -> Miss {
    Miss::new(
        412,
        "other-version",
        "Inzwischen gibt es eine andere Version. Bitte lesen Sie sie zuerst.",
        "There is another version meanwhile. Please read it first.",
    )
}

fn other_id() -> Miss {
    Miss::bad(
        "other-id",
        "id: hier muss dieselbe Id wie in der Adresse stehen",
        "id: the id of the address must stand here",
    )
}

fn other_owner() -> Miss {
    Miss::new(
        422,
        "other-patient",
        "Eine Ressource kann nicht in eine andere Akte wandern.",
        "A resource cannot move to another record.",
    )
}

fn still_named() -> Miss {
    Miss::new(
        409,
        "still-named",
        "Eine DocumentReference nennt dieses Dokument noch. Bitte löschen Sie sie zuerst.",
        "A DocumentReference still names this document. Please delete it first.",
    )
}
