//! What this server can do, as a FHIR `CapabilityStatement`.
//!
//! In:    the insurer. Out: the statement, derived from the tables that decide.
//! Never: promises what the routes do not do.

use serde_json::{Value, json};

use super::api::KINDS;
use super::change::{can_change, can_delete};
use super::search::parameters;
use crate::kernel::ask::Ask;

/// The statement of an insurer's server.
pub(super) fn of(ask: &Ask<'_>) -> Value {
    let resources: Vec<Value> = KINDS.iter().map(|kind| resource(kind)).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-25",
        "kind": "instance",
        "software": { "name": "reference-provider", "version": env!("CARGO_PKG_VERSION") },
        "implementation": {
            "description": format!("Synthetic records of {}", ask.tenant.name),
            "url": format!("{}/epa", ask.tenant.origin),
        },
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{
            "mode": "server",
            "security": { "description": "OpenID Connect: Bearer token of the insurer's login" },
            "resource": resources,
        }],
    })
}

fn resource(kind: &str) -> Value {
    let is_made = matches!(kind, "DocumentReference" | "Binary" | "Consent");
    let parameters = parameters(kind);
    let mut can = vec![json!({ "code": "read" })];
    let more = [
        ("vread", is_made),
        ("history-instance", is_made),
        ("create", is_made),
        ("update", can_change(kind)),
        ("delete", can_delete(kind)),
    ];
    let more = more.iter().filter(|(_, can)| *can);
    can.extend(more.map(|(code, _)| json!({ "code": code })));
    // Changes must name the version they are made from.
    let versioning = match (can_change(kind), is_made) {
        (true, _) => "versioned-update",
        (false, true) => "versioned",
        (false, false) => "no-version",
    };
    let mut resource = json!({
        "type": kind,
        "versioning": versioning,
        "readHistory": is_made,
        "updateCreate": false,
        "conditionalCreate": is_made && kind != "Binary",
    });
    if !parameters.is_empty() {
        can.push(json!({ "code": "search-type" }));
        let all = parameters.iter();
        let all = all.map(|(name, kind)| json!({ "name": name, "type": kind }));
        resource["searchParam"] = all.collect();
    }
    resource["interaction"] = Value::Array(can);
    resource
}
