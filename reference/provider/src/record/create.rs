//! What a client wants to put into a record, before it goes in.
//!
//! In:    a body, a header. Out: JSON, the person it belongs to, the condition; or why not.
//! Never: a resource of a kind that the server itself keeps.

use serde_json::Value;

use super::access::patient;
use super::search;
use crate::kernel::ask::{Ask, decode_form};
use crate::kernel::miss::Miss;

/// The resource of a body.
pub(super) fn read(ask: &Ask<'_>, kind: &str) -> Result<Value, Miss> {
    if matches!(kind, "Patient" | "AuditEvent") {
        return Err(not_here());
    }
    super::api::check_form(ask)?;
    if !matches!(
        ask.media().as_str(),
        "application/fhir+json" | "application/json"
    ) {
        return Err(Miss::new(
            415,
            "json-only",
            "Bitte senden Sie JSON (application/fhir+json).",
            "Please send JSON (application/fhir+json).",
        ));
    }
    let read: Result<Value, _> = serde_json::from_slice(&ask.body);
    read.ok().filter(Value::is_object).ok_or_else(|| {
        Miss::bad(
            "json-broken",
            "Das ist kein JSON-Objekt.",
            "This is no JSON object.",
        )
    })
}

/// Whose record it goes into.
pub(super) fn owner(ask: &Ask<'_>, kind: &str, wanted: &Value) -> Result<String, Miss> {
    let reader = ask.subject()?;
    let field = match kind {
        "DocumentReference" => "subject",
        "Consent" => "patient",
        _ => "securityContext",
    };
    let named = match (&wanted[field], kind) {
        (Value::Null, "Binary") => reader,
        (named, _) => {
            let named = named["reference"].as_str().and_then(patient);
            named.ok_or_else(|| no_owner(field))?
        }
    };
    // Only the insured person lets others in.
    if kind == "Consent" && named != reader {
        return Err(Miss::forbidden());
    }
    Ok(named.to_owned())
}

/// `If-None-Exist`.
pub(super) fn condition(ask: &Ask<'_>, kind: &str) -> Result<Option<Vec<(String, String)>>, Miss> {
    let Some(line) = ask.header("if-none-exist") else {
        return Ok(None);
    };
    let query = decode_form(line.trim_start_matches('?').as_bytes());
    search::check(kind, &query)?;
    let is_sought = |(name, _): &(String, String)| name == "identifier" || name == "_id";
    match query.iter().any(is_sought) {
        true => Ok(Some(query)),
        false => Err(Miss::bad(
            "condition",
            "If-None-Exist braucht identifier oder _id.",
            "If-None-Exist needs identifier or _id.",
        )),
    }
}

fn no_owner(field: &str) -> Miss {
    let path = format!("{field}.reference");
    Miss::new(
        422,
        "no-patient",
        &format!("{path}: hier muss Patient/ und die Versichertennummer stehen"),
        &format!("{path}: Patient/ and the insurance number must stand here"),
    )
}

/// The server keeps this kind itself, or cannot search in it.
pub(super) fn not_here() -> Miss {
    Miss::new(
        405,
        "not-supported",
        "Das geht mit dieser Art von Ressource hier nicht; siehe /epa/metadata.",
        "This cannot be done with this kind of resource here; see /epa/metadata.",
    )
}

pub(super) fn full() -> Miss {
    Miss::new(
        422,
        "record-full",
        "Die Akte ist voll.",
        "The record is full.",
    )
}

pub(super) fn ambiguous() -> Miss {
    Miss::new(
        412,
        "several",
        "Mehrere Ressourcen passen auf If-None-Exist.",
        "Several resources fit If-None-Exist.",
    )
}

pub(super) fn no_binary() -> Miss {
    Miss::new(
        422,
        "no-document",
        "content.attachment.url: hier muss Binary/ und die Id eines Dokuments dieser Akte stehen",
        "content.attachment.url: Binary/ and the id of a document of this record must stand here",
    )
}

pub(super) fn other_binary() -> Miss {
    Miss::new(
        422,
        "other-document",
        "content.attachment: Größe, Hash oder Art passt nicht zum Dokument",
        "content.attachment: size, hash or type does not fit the document",
    )
}
