//! Search in one record: by id, type, date, status and identifier, page by page.
//!
//! In:    a query. Out: what fits, as a `Bundle`, the latest first.
//! Never: a parameter passed over that is not understood; more than a page at once.

use serde_json::{Value, json};

use super::date;
use super::shelf::Kept;
use crate::kernel::ask::{Ask, encode};
use crate::kernel::miss::Miss;

/// Entries of a page when nobody says.
const PAGE_COUNT: usize = 20;

/// Most entries of a page.
const PAGE_COUNT_MAX: usize = 100;

/// Most parameters of a query.
const PARAMETER_COUNT_MAX: usize = 12;

/// Parameters that say how an answer looks, not what is sought.
const FORM: [&str; 3] = ["_count", "_format", "page"];

/// Which parameters a kind is sought by, and of which type they are.
pub(super) fn parameters(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        "Patient" => &[("_id", "token")],
        "DocumentReference" => &[
            ("_id", "token"),
            ("patient", "reference"),
            ("type", "token"),
            ("date", "date"),
            ("status", "token"),
            ("identifier", "token"),
        ],
        "Consent" => &[
            ("_id", "token"),
            ("patient", "reference"),
            ("date", "date"),
            ("status", "token"),
            ("identifier", "token"),
        ],
        "AuditEvent" => &[("_id", "token"), ("patient", "reference"), ("date", "date")],
        _ => &[],
    }
}

/// Refuses what is not understood.
pub(super) fn check(kind: &str, query: &[(String, String)]) -> Result<(), Miss> {
    if query.len() > PARAMETER_COUNT_MAX {
        return Err(wrong("zu viele", "too many"));
    }
    for (name, value) in query {
        let known = parameters(kind).iter().find(|(known, _)| known == name);
        let is_form = FORM.contains(&name.as_str());
        if known.is_none() && !is_form {
            return Err(wrong_name(name));
        }
        let is_date = known.is_some_and(|(_, kind)| *kind == "date");
        if value.is_empty() || (is_date && date::fits((0, 1), value).is_none()) {
            return Err(wrong(name, name));
        }
    }
    Ok(())
}

/// A parameter that this server does not know.
pub(super) fn wrong_name(name: &str) -> Miss {
    let shown: String = name
        .chars()
        .filter(char::is_ascii_graphic)
        .take(40)
        .collect();
    wrong(&shown, &shown)
}

fn wrong(de: &str, en: &str) -> Miss {
    Miss::bad(
        "search-parameter",
        &format!("Suchparameter nicht verstanden: {de}"),
        &format!("search parameter not understood: {en}"),
    )
}

/// Whether a resource is what is sought.
pub(super) fn fits(resource: &Value, query: &[(String, String)]) -> bool {
    query.iter().all(|(name, value)| match name.as_str() {
        "_id" => any(value, |wanted| resource["id"] == wanted),
        "status" => any(value, |wanted| resource["status"] == wanted),
        "type" => any(value, |wanted| has_code(&resource["type"], wanted)),
        "identifier" => any(value, |wanted| has_identifier(resource, wanted)),
        "date" => date::fits(when(resource), value).unwrap_or(false),
        _ => true,
    })
}

fn any(value: &str, is_it: impl Fn(&str) -> bool) -> bool {
    value.split(',').any(is_it)
}

/// `system|code`, `|code` or `code`.
fn has_token(wanted: &str, system: &Value, code: &Value) -> bool {
    match wanted.split_once('|') {
        None => code == wanted,
        Some(("", wanted)) => system.is_null() && code == wanted,
        Some((from, "")) => system == from,
        Some((from, wanted)) => system == from && code == wanted,
    }
}

fn has_code(concept: &Value, wanted: &str) -> bool {
    let codings = concept["coding"].as_array();
    let is_it = |coding: &Value| has_token(wanted, &coding["system"], &coding["code"]);
    codings.is_some_and(|all| all.iter().any(is_it))
}

fn has_identifier(resource: &Value, wanted: &str) -> bool {
    let all = resource["identifier"].as_array();
    let mut all = all.into_iter().flatten();
    let is_it = |one: &Value| has_token(wanted, &one["system"], &one["value"]);
    all.any(is_it) || is_it(&resource["masterIdentifier"])
}

/// What `date` is held against; a resource without one lies before all dates.
fn when(resource: &Value) -> date::Span {
    let name = match resource["resourceType"].as_str() {
        Some("AuditEvent") => "recorded",
        Some("Consent") => "dateTime",
        _ => "date",
    };
    let span = resource[name].as_str().and_then(date::span);
    span.unwrap_or((i64::MIN, i64::MIN))
}

/// One page of what was found.
pub(super) struct Page {
    /// The entries.
    pub found: Vec<Value>,
    /// All that fit.
    pub total: usize,
    /// The place after which the next page begins.
    pub next: Option<i64>,
    count: usize,
}

/// Cuts a page out of what fits.
pub(super) fn page(ask: &Ask<'_>, all: Vec<Kept>) -> Result<Page, Miss> {
    let number = |name: &str| -> Result<Option<i64>, Miss> {
        let number = ask.asked(name).map(str::parse::<i64>).transpose();
        let number = number.map_err(|_| wrong(name, name))?;
        match number {
            Some(..0) => Err(wrong(name, name)),
            other => Ok(other),
        }
    };
    let before = number("page")?.unwrap_or(i64::MAX);
    let count = number("_count")?.map(|count| usize::try_from(count).unwrap_or(PAGE_COUNT_MAX));
    let count = count.unwrap_or(PAGE_COUNT).min(PAGE_COUNT_MAX);
    let total = all.len();
    let rest: Vec<Kept> = all.into_iter().filter(|kept| kept.place < before).collect();
    let has_more = count > 0 && rest.len() > count;
    let next = has_more.then(|| rest[count - 1].place);
    let found = rest.into_iter().take(count).map(|kept| kept.resource);
    Ok(Page {
        found: found.collect(),
        total,
        next,
        count,
    })
}

/// The page as a resource.
pub(super) fn bundle(ask: &Ask<'_>, page: &Page) -> Value {
    let base = format!("{}/epa", ask.tenant.origin);
    let own = |pairs: &[(String, String)]| {
        let pairs = pairs
            .iter()
            .map(|(k, v)| format!("{}={}", encode(k), encode(v)));
        let query = pairs.collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{query}", ask.tenant.origin, ask.path)
    };
    let mut links = vec![json!({ "relation": "self", "url": own(&ask.query) })];
    if let Some(place) = page.next {
        let kept = |(name, _): &&(String, String)| name != "page" && name != "_count";
        let mut query: Vec<_> = ask.query.iter().filter(kept).cloned().collect();
        query.push(("_count".to_owned(), page.count.to_string()));
        query.push(("page".to_owned(), place.to_string()));
        links.push(json!({ "relation": "next", "url": own(&query) }));
    }
    let entry = |resource: &Value| {
        json!({
            "fullUrl": format!("{base}/{}", super::audit::reference(resource)),
            "resource": resource,
            "search": { "mode": "match" },
        })
    };
    let entries: Vec<Value> = page.found.iter().map(entry).collect();
    let mut bundle = json!({
        "resourceType": "Bundle", "type": "searchset", "total": page.total, "link": links,
    });
    // FHIR has no empty lists.
    if !entries.is_empty() {
        bundle["entry"] = Value::Array(entries);
    }
    bundle
}
