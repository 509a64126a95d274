//! A no in FHIR's own form: `OperationOutcome`.
//!
//! In:    a miss, faults of a resource. Out: replies. Never: a page, or a no without its reason.

use serde_json::{Value, json};

use super::shape::Fault;
use crate::kernel::ask::{Ask, Reply};
use crate::kernel::miss::{Language, Miss};

/// Media type of FHIR in JSON.
pub const MEDIA: &str = "application/fhir+json; charset=utf-8; fhirVersion=4.0";

/// A resource as an answer.
pub fn reply(status: u16, resource: &Value) -> Reply {
    Reply::new(status, MEDIA, resource.to_string())
}

/// The error form of the service.
pub fn miss(ask: &Ask<'_>, miss: &Miss) -> Reply {
    let status = miss.status.as_u16();
    let code = match (status, miss.code) {
        (401, _) => "login",
        (403, _) => "forbidden",
        (404, _) => "not-found",
        (405 | 406 | 415, _) => "not-supported",
        (409, _) => "conflict",
        (410, _) => "deleted",
        (412, "other-version") => "conflict",
        (412, _) => "multiple-matches",
        (428, _) => "required",
        (413, _) => "too-long",
        (503, "damaged") => "exception",
        (503, _) => "transient",
        _ => "invalid",
    };
    let issue = json!({
        "severity": "error", "code": code, "diagnostics": miss.code,
        "details": { "text": miss.words.get(ask.language) },
    });
    let answer = reply(status, &outcome(vec![issue]));
    match status {
        401 => answer.with("www-authenticate", "Bearer error=\"invalid_token\""),
        _ => answer,
    }
}

/// All faults of a resource at once, each with its path.
pub fn faults(language: Language, faults: &[Fault]) -> Reply {
    let issues = faults.iter().map(|fault| {
        let text = format!("{}: {}", fault.path, language.pick(fault.de, fault.en));
        json!({
            "severity": "error", "code": fault.code, "expression": [fault.path],
            "details": { "text": text },
        })
    });
    reply(422, &outcome(issues.collect()))
}

fn outcome(issues: Vec<Value>) -> Value {
    json!({ "resourceType": "OperationOutcome", "issue": issues })
}
