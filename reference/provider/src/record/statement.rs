//! What this server can do, as a FHIR `CapabilityStatement`.
//!
//! In:    the insurer. Out: the statement, derived from the tables that decide.
//! Never: promises what the routes do not do.

use serde_json::{Value, json};

use super::api::KINDS;
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
    if is_made {
        can.push(json!({ "code": "create" }));
    }
    let mut resource = json!({
        "type": kind,
        "versioning": "no-version",
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
