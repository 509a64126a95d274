//! Addresses of documents: short in the store, whole on the wire.
//!
//! In:    a `DocumentReference`. Out: the same with `Binary/…` as `https://…/epa/Binary/…`, or back.
//! Never: an address in the store that a change of the insurer's host breaks.

use serde_json::Value;

use crate::kernel::tenant::Tenant;

/// As clients follow it: the type `url` of FHIR is absolute.
pub(super) fn whole(tenant: &Tenant, resource: &mut Value) {
    each(resource, |url| {
        let is_own = url.starts_with("Binary/");
        is_own.then(|| format!("{}/epa/{url}", tenant.origin))
    });
}

/// As it is kept.
pub(super) fn short(tenant: &Tenant, resource: &mut Value) {
    let base = format!("{}/epa/", tenant.origin);
    each(resource, |url| url.strip_prefix(&base).map(str::to_owned));
}

fn each(resource: &mut Value, change: impl Fn(&str) -> Option<String>) {
    let contents = resource.get_mut("content").and_then(Value::as_array_mut);
    for content in contents.into_iter().flatten() {
        let Some(url) = content.pointer_mut("/attachment/url") else {
            continue;
        };
        if let Some(other) = url.as_str().and_then(&change) {
            *url = other.into();
        }
    }
}
