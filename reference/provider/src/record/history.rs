//! FHIR R4: the versions of a resource, one by one (`vread`) or all (`history`).
//!
//! In:    an id, a number. Out: resources, a bundle, the latest first.
//! Never: contents of what was deleted: only that it was.

use serde_json::{Value, json};

use super::audit::{self, Deed};
use super::change::{deleted, old_place, tag, version};
use super::outcome::reply;
use super::shelf::{self, Record, Shelf};
use super::{api, create, link};
use crate::kernel::ask::{Ask, Reply};
use crate::kernel::miss::Miss;

/// The kind of a route, if its versions can be asked for: those that clients make.
fn kind<'a>(ask: &'a Ask<'_>) -> Result<&'a str, Miss> {
    let kind = api::kind(ask)?;
    api::check_form(ask)?;
    match kind {
        "Patient" | "AuditEvent" => Err(create::not_here()),
        kind => Ok(kind),
    }
}

/// `GET /epa/{kind}/{id}/_history/{version}`.
pub(super) fn one(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let (kind, id) = (kind(ask)?, ask.gap(1));
    let number = u64::try_from(ask.number(2)?).map_err(|_| Miss::not_found())?;
    let mut resource = shelf::with(ask.tenant, &ask.house.master, |shelf| {
        let record = api::holder(ask, shelf, (kind, id))?;
        let found = at(shelf, &record, (kind, id, number))?;
        let found = found.ok_or_else(Miss::not_found)?;
        let seen = [format!("{kind}/{id}/_history/{number}")];
        audit::write(ask, shelf, &record, (Deed::ReadVersion, &seen))?;
        Ok(found)
    })?;
    link::whole(ask.tenant, &mut resource);
    let etag = tag(&resource);
    Ok(reply(200, &resource).with("etag", etag))
}

fn at(
    shelf: &Shelf<'_>,
    record: &Record,
    (kind, id, number): (&str, &str, u64),
) -> Result<Option<Value>, Miss> {
    let latest = shelf.get(record, kind, id)?;
    if latest
        .as_ref()
        .is_some_and(|latest| version(latest) == number)
    {
        return Ok(latest);
    }
    let place = old_place(kind, id, number);
    let (kind, id) = place.each();
    shelf.get(record, kind, id)
}

/// `GET /epa/{kind}/{id}/_history`.
pub(super) fn all(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let (kind, id) = (kind(ask)?, ask.gap(1));
    if let Some((name, _)) = ask
        .query
        .iter()
        .find(|(name, _)| name != "_format" && name != "patient")
    {
        return Err(super::search::wrong_name(name));
    }
    let (mut found, is_gone) = shelf::with(ask.tenant, &ask.house.master, |shelf| {
        let (record, is_gone) = api::holder_of_any(ask, shelf, (kind, id))?;
        let found = match is_gone {
            true => vec![
                shelf
                    .get(&record, &deleted(kind), id)?
                    .ok_or_else(Miss::not_found)?,
            ],
            false => versions(shelf, &record, (kind, id))?,
        };
        let seen = [format!("{kind}/{id}/_history")];
        audit::write(ask, shelf, &record, (Deed::History, &seen))?;
        Ok((found, is_gone))
    })?;
    for resource in &mut found {
        link::whole(ask.tenant, resource);
    }
    Ok(reply(200, &bundle(ask, &found, is_gone)))
}

/// All versions, the latest first.
fn versions(
    shelf: &Shelf<'_>,
    record: &Record,
    (kind, id): (&str, &str),
) -> Result<Vec<Value>, Miss> {
    let latest = shelf.get(record, kind, id)?.ok_or_else(Miss::not_found)?;
    let mut all = Vec::new();
    for number in (1..version(&latest)).rev() {
        let old = at(shelf, record, (kind, id, number))?;
        all.push(old.ok_or_else(shelf::damaged)?);
    }
    all.insert(0, latest);
    Ok(all)
}

fn bundle(ask: &Ask<'_>, found: &[Value], is_gone: bool) -> Value {
    let base = format!("{}/epa", ask.tenant.origin);
    let entry = |resource: &Value| {
        let reference = audit::reference(resource);
        let kind = resource["resourceType"].as_str().unwrap_or_default();
        let (method, url, status) = match (is_gone, version(resource)) {
            (true, _) => ("DELETE", reference.as_str(), "204"),
            (false, 1) => ("POST", kind, "201"),
            (false, _) => ("PUT", reference.as_str(), "200"),
        };
        let mut entry = json!({
            "fullUrl": format!("{base}/{reference}"),
            "request": { "method": method, "url": url },
            "response": { "status": status, "etag": tag(resource),
                "lastModified": resource["meta"]["lastUpdated"] },
        });
        if !is_gone {
            entry["resource"] = resource.clone();
        }
        entry
    };
    let own = format!("{}{}", ask.tenant.origin, ask.path);
    json!({
        "resourceType": "Bundle", "type": "history", "total": found.len(),
        "link": [{ "relation": "self", "url": own }],
        "entry": found.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// It was there.
pub(super) fn gone() -> Miss {
    Miss::new(410, "deleted", "Das wurde gelöscht.", "This was deleted.")
}
