//! FHIR R4 over HTTP: read, search, create, conditional create. Versions: `history.rs`, changes:
//! `change.rs`.
//!
//! In:    requests of insured people. Out: resources, bundles, outcomes.
//! Never: an answer whose log entry is not on disk; a resource in a record of another person than
//!        it names.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use super::access;
use super::audit::{self, Deed, KVNR_SYSTEM};
use super::change::{deleted, tag};
use super::history::gone;
use super::link;
use super::outcome::{self, reply};
use super::search;
use super::shelf::{self, Kept, Record, Shelf};
use super::{create, statement};
use crate::kernel::ask::{Ask, Reply};
use crate::kernel::clock::rfc3339;
use crate::kernel::miss::Miss;

/// Kinds of resources of this server.
pub(super) const KINDS: [&str; 5] = [
    "Patient",
    "DocumentReference",
    "Binary",
    "Consent",
    "AuditEvent",
];

/// The kind a route asks for.
pub(super) fn kind<'a>(ask: &'a Ask<'_>) -> Result<&'a str, Miss> {
    let kind = ask.gap(0);
    match KINDS.contains(&kind) {
        true => Ok(kind),
        false => Err(Miss::not_found()),
    }
}

/// JSON is what there is.
pub(super) fn check_form(ask: &Ask<'_>) -> Result<(), Miss> {
    let accept = ask.header("accept").unwrap_or("*/*").to_ascii_lowercase();
    let format = ask.asked("_format").unwrap_or("json");
    let wants_xml_only =
        accept.contains("xml") && !accept.contains("json") && !accept.contains('*');
    if wants_xml_only || !format.contains("json") {
        return Err(Miss::new(
            406,
            "json-only",
            "Diese Akte spricht nur JSON (application/fhir+json).",
            "This record speaks JSON only (application/fhir+json).",
        ));
    }
    Ok(())
}

/// `GET /epa/metadata`.
pub(super) fn metadata(ask: &Ask<'_>) -> Result<Reply, Miss> {
    check_form(ask)?;
    Ok(reply(200, &statement::of(ask)))
}

/// `GET /epa/status`: 404, 200 or 409, as the ePA's information service says it.
pub(super) fn status(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let kvnr = whose(ask)?;
    shelf::with(ask.tenant, &ask.house.master, |shelf| {
        let record = access::open(ask, shelf, &kvnr)?;
        Ok(Reply::json(200, &json!({ "state": record.state.as_str() })))
    })
}

/// `GET /epa/{kind}/{id}`.
pub(super) fn read(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let (kind, id) = (kind(ask)?, ask.gap(1));
    if kind != "Binary" {
        check_form(ask)?;
    }
    let mut resource = shelf::with(ask.tenant, &ask.house.master, |shelf| {
        let (record, resource) = if kind == "Patient" {
            (access::open(ask, shelf, id)?, patient(ask, id)?)
        } else {
            let record = holder(ask, shelf, (kind, id))?;
            let found = shelf.get(&record, kind, id)?;
            (record, found.ok_or_else(Miss::not_found)?)
        };
        if kind != "AuditEvent" {
            audit::write(
                ask,
                shelf,
                &record,
                (Deed::Read, &[audit::reference(&resource)]),
            )?;
        }
        Ok(resource)
    })?;
    link::whole(ask.tenant, &mut resource);
    let etag = tag(&resource);
    Ok(plain(ask, &resource).unwrap_or_else(|| reply(200, &resource).with("etag", etag)))
}

/// The record that has a resource, among those that are open to who asks.
pub(super) fn holder(
    ask: &Ask<'_>,
    shelf: &Shelf<'_>,
    (kind, id): (&str, &str),
) -> Result<Record, Miss> {
    match holder_of_any(ask, shelf, (kind, id))? {
        (record, false) => Ok(record),
        (_, true) => Err(gone()),
    }
}

/// The same, also for a resource that was deleted (true).
pub(super) fn holder_of_any(
    ask: &Ask<'_>,
    shelf: &Shelf<'_>,
    (kind, id): (&str, &str),
) -> Result<(Record, bool), Miss> {
    let (name, is_gone) = match shelf.holder(kind, id)? {
        Some(name) => (name, false),
        None => {
            let name = shelf.holder(&deleted(kind), id)?;
            (name.ok_or_else(Miss::not_found)?, true)
        }
    };
    let reader = ask.subject()?;
    let own = ask.house.master.record_name(&ask.tenant.id, reader);
    if name == own {
        return Ok((access::open(ask, shelf, reader)?, is_gone));
    }
    // The log is for the insured person alone; of a record let in to, the query says whose it is.
    if kind == "AuditEvent" {
        return Err(Miss::not_found());
    }
    let other = ask.asked("patient").map(audit::number).unwrap_or_default();
    if ask.house.master.record_name(&ask.tenant.id, other) != name {
        return Err(Miss::not_found());
    }
    Ok((access::open(ask, shelf, other)?, is_gone))
}

/// A document as it is, when the client asks for its own media type.
fn plain(ask: &Ask<'_>, resource: &Value) -> Option<Reply> {
    let media = resource["contentType"].as_str()?;
    if ask.header("accept")?.trim() != media || resource["resourceType"] != "Binary" {
        return None;
    }
    let bytes = BASE64_STANDARD.decode(resource["data"].as_str()?).ok()?;
    Some(Reply::new(200, media, bytes).with("content-disposition", "attachment"))
}

/// `GET /epa/{kind}`.
pub(super) fn search(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let kind = kind(ask)?;
    check_form(ask)?;
    if kind == "Binary" {
        return Err(create::not_here());
    }
    search::check(kind, &ask.query)?;
    let kvnr = match kind {
        "Patient" => ask
            .asked("_id")
            .map_or_else(|| whose(ask), |id| Ok(id.to_owned()))?,
        _ => whose(ask)?,
    };
    if kind == "AuditEvent" && kvnr != ask.subject()? {
        return Err(Miss::not_found());
    }
    let mut page = shelf::with(ask.tenant, &ask.house.master, |shelf| {
        let record = access::open(ask, shelf, &kvnr)?;
        let mut all = match kind {
            "Patient" => vec![Kept {
                place: 1,
                resource: patient(ask, &kvnr)?,
            }],
            _ => shelf.all(&record, kind)?,
        };
        all.retain(|kept| search::fits(&kept.resource, &ask.query));
        let page = search::page(ask, all)?;
        if kind != "AuditEvent" {
            let seen: Vec<String> = page.found.iter().map(audit::reference).collect();
            audit::write(ask, shelf, &record, (Deed::Search, &seen))?;
        }
        Ok(page)
    })?;
    for resource in &mut page.found {
        link::whole(ask.tenant, resource);
    }
    Ok(reply(200, &search::bundle(ask, &page)))
}

/// Whose record a query is about: the person's own if it does not say.
fn whose(ask: &Ask<'_>) -> Result<String, Miss> {
    let wanted = ask.asked("patient").map(audit::number);
    Ok(wanted.map_or_else(|| ask.subject(), Ok)?.to_owned())
}

/// The person of a record, from the insurer's own data.
fn patient(ask: &Ask<'_>, kvnr: &str) -> Result<Value, Miss> {
    let found: Option<[String; 7]> = ask.tenant.store.with(|c| {
        c.query_row(
            "SELECT given, family, gender, birth, street, postcode, city FROM insured
             WHERE kvnr = ?1",
            [kvnr],
            |row| {
                let mut all = [const { String::new() }; 7];
                for (index, one) in all.iter_mut().enumerate() {
                    *one = row.get(index)?;
                }
                Ok(all)
            },
        )
        .optional()
    })?;
    let [given, family, gender, birth, street, postcode, city] =
        found.ok_or_else(Miss::not_found)?;
    Ok(json!({
        "resourceType": "Patient",
        "id": kvnr,
        "identifier": [{ "system": KVNR_SYSTEM, "value": kvnr }],
        "active": true,
        "name": [{ "use": "official", "family": family, "given": [given] }],
        "gender": gender,
        "birthDate": birth,
        "address": [{ "type": "both", "line": [street], "city": city, "postalCode": postcode,
            "country": "DE" }],
    }))
}

/// `POST /epa/{kind}`.
pub(super) fn make(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let kind = kind(ask)?;
    let mut wanted = create::read(ask, kind)?;
    let faults = super::shape::faults(kind, &wanted);
    if !faults.is_empty() {
        return Ok(outcome::faults(ask.language, &faults));
    }
    link::short(ask.tenant, &mut wanted);
    let kvnr = create::owner(ask, kind, &wanted)?;
    let condition = create::condition(ask, kind)?;
    let (status, mut resource) = shelf::with(ask.tenant, &ask.house.master, |shelf| {
        let record = access::open(ask, shelf, &kvnr)?;
        if let Some(query) = &condition
            && let Some(known) = known(shelf, (&record, kind), query)?
        {
            audit::write(
                ask,
                shelf,
                &record,
                (Deed::Read, &[audit::reference(&known)]),
            )?;
            return Ok((200, known));
        }
        if shelf.is_full(&record)? {
            return Err(create::full());
        }
        check_attachments(shelf, &record, &wanted)?;
        let id = audit::fresh_id(ask)?;
        let mut resource = wanted.clone();
        resource["id"] = id.as_str().into();
        resource["meta"] = json!({ "versionId": "1", "lastUpdated": rfc3339(ask.now) });
        shelf.put(&record, (kind, &id), &resource)?;
        audit::write(
            ask,
            shelf,
            &record,
            (Deed::Create, &[audit::reference(&resource)]),
        )?;
        Ok((201, resource))
    })?;
    link::whole(ask.tenant, &mut resource);
    let to = format!("{}/epa/{}", ask.tenant.origin, audit::reference(&resource));
    let answer = reply(status, &resource).with("etag", tag(&resource));
    Ok(answer.with("location", to))
}

/// What a conditional create finds.
fn known(
    shelf: &Shelf<'_>,
    (record, kind): (&Record, &str),
    query: &[(String, String)],
) -> Result<Option<Value>, Miss> {
    let all = shelf.all(record, kind)?;
    let mut fitting = all
        .into_iter()
        .filter(|kept| search::fits(&kept.resource, query));
    let first = fitting.next();
    match fitting.next() {
        Some(_) => Err(create::ambiguous()),
        None => Ok(first.map(|kept| kept.resource)),
    }
}

/// A document that a reference names must be in the same record, and be what it says.
pub(super) fn check_attachments(
    shelf: &Shelf<'_>,
    record: &Record,
    wanted: &Value,
) -> Result<(), Miss> {
    for content in wanted["content"].as_array().into_iter().flatten() {
        let said = &content["attachment"];
        let url = said["url"].as_str().unwrap_or_default();
        let id = url.strip_prefix("Binary/").unwrap_or_default();
        let binary = shelf
            .get(record, "Binary", id)?
            .ok_or_else(create::no_binary)?;
        let data = binary["data"].as_str().unwrap_or_default();
        let bytes = BASE64_STANDARD.decode(data).map_err(|_| shelf::damaged())?;
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &bytes);
        let is_it = (said["size"].is_null() || said["size"] == bytes.len())
            && (said["hash"].is_null() || said["hash"] == BASE64_STANDARD.encode(hash).as_str())
            && (said["contentType"].is_null() || said["contentType"] == binary["contentType"]);
        if !is_it {
            return Err(create::other_binary());
        }
    }
    Ok(())
}
