//! The access log of a record, for its insured person: who did what, written before the answer.
//!
//! In:    who asks, what they get. Out: one `AuditEvent` in the record.
//! Never: an answer whose log entry is not on disk; contents of documents.

use serde_json::{Value, json};

use super::access;
use super::shelf::{Record, Shelf};
use crate::kernel::ask::Ask;
use crate::kernel::clock::rfc3339;
use crate::kernel::miss::Miss;
use crate::login;

/// Numbers of insured people, as German FHIR profiles name them.
pub(super) const KVNR_SYSTEM: &str = "http://fhir.de/sid/gkv/kvid-10";

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    Read,
    ReadVersion,
    History,
    Search,
    Create,
    Update,
    Delete,
}

/// Writes down that somebody gets to see or makes something.
pub(super) fn write(
    ask: &Ask<'_>,
    shelf: &Shelf<'_>,
    record: &Record,
    (deed, what): (Deed, &[String]),
) -> Result<(), Miss> {
    let id = fresh_id(ask)?;
    let event = event(ask, &id, (deed, what))?;
    shelf.put(record, ("AuditEvent", &id), &event)
}

fn event(ask: &Ask<'_>, id: &str, (deed, what): (Deed, &[String])) -> Result<Value, Miss> {
    let (code, action) = match deed {
        Deed::Read => ("read", "R"),
        Deed::Search => ("search-type", "E"),
        Deed::ReadVersion => ("vread", "R"),
        Deed::History => ("history-instance", "R"),
        Deed::Create => ("create", "C"),
        Deed::Update => ("update", "U"),
        Deed::Delete => ("delete", "D"),
    };
    let now = rfc3339(ask.now);
    let mut entities: Vec<Value> = what
        .iter()
        .map(|reference| json!({ "what": { "reference": reference } }))
        .collect();
    if entities.is_empty() {
        entities.push(json!({ "description": ask.path }));
    }
    Ok(json!({
        "resourceType": "AuditEvent",
        "id": id,
        "meta": { "versionId": "1", "lastUpdated": now },
        "type": { "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest", "display": "RESTful Operation" },
        "subtype": [{ "system": "http://hl7.org/fhir/restful-interaction", "code": code }],
        "action": action,
        "recorded": now,
        "outcome": "0",
        "agent": [{
            "who": { "identifier": { "system": KVNR_SYSTEM, "value": ask.subject()? } },
            "requestor": true,
        }],
        "source": { "observer": { "display": ask.tenant.name } },
        "entity": entities,
    }))
}

/// `DocumentReference/3fa…` of a resource.
pub(super) fn reference(resource: &Value) -> String {
    let part = |name: &str| resource[name].as_str().unwrap_or_default();
    format!("{}/{}", part("resourceType"), part("id"))
}

/// The person a value of `patient` names.
pub(super) fn number(value: &str) -> &str {
    access::patient(value).unwrap_or(value)
}

/// An id nobody guesses: 128 random bits in hex.
pub(super) fn fresh_id(ask: &Ask<'_>) -> Result<String, Miss> {
    let mut id = login::secret(ask)?;
    id.truncate(32);
    Ok(id)
}
