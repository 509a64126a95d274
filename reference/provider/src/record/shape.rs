//! Whether a resource has the shape of FHIR R4: known fields only, each of its type.
//!
//! In:    JSON, a table of fields. Out: every fault with its path. Never: a field nobody knows
//!        kept in silence; what was typed repeated beyond the name of the field.
//! See:   docs/adr: own small FHIR types.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::date;

mod table;

/// Most faults that are told at once.
const FAULT_COUNT_MAX: usize = 50;

/// Longest text outside of documents. Characters.
const TEXT_LENGTH_MAX: usize = 4_000;

/// What a value must be.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Code,
    OneOf(&'static [&'static str]),
    Bool,
    Count,
    Uri,
    Id,
    DateTime,
    Instant,
    Base64,
    Group(fn() -> &'static [Field]),
}

/// A field of a group.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    is_needed: bool,
    is_many: bool,
    shape: Shape,
}

/// One fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// FHIR's kind of issue: `structure`, `required`, `value`.
    pub code: &'static str,
    /// `DocumentReference.content[0].attachment.size`.
    pub path: String,
    /// German.
    pub de: &'static str,
    /// English.
    pub en: &'static str,
}

/// All faults of a resource; none for a kind that is not made by clients.
pub fn faults(kind: &str, resource: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    let Some(fields) = table::of(kind) else {
        return found;
    };
    if resource["resourceType"] != kind {
        found.push(fault(
            "invalid",
            "resourceType".to_owned(),
            "die Adresse ist für eine andere Art von Ressource",
            "the address is for another kind of resource",
        ));
        return found;
    }
    check_group(fields, resource, kind, &mut found);
    found.truncate(FAULT_COUNT_MAX);
    found
}

fn fault(code: &'static str, path: String, de: &'static str, en: &'static str) -> Fault {
    Fault { code, path, de, en }
}

fn check_group(fields: &[Field], value: &Value, path: &str, found: &mut Vec<Fault>) {
    let Some(group) = value.as_object().filter(|group| !group.is_empty()) else {
        let (de, en) = (
            "hier fehlt eine Gruppe von Feldern",
            "a group of fields is missing here",
        );
        found.push(fault("structure", path.to_owned(), de, en));
        return;
    };
    check_names(fields, group, path, found);
    for field in fields {
        if found.len() > FAULT_COUNT_MAX {
            return;
        }
        let path = format!("{path}.{}", field.name);
        match group.get(field.name) {
            None if field.is_needed => {
                found.push(fault("required", path, "fehlt", "is missing"));
            }
            None => {}
            Some(value) => check_field(field, value, &path, found),
        }
    }
}

/// Fields that are not in the table, one by one.
fn check_names(fields: &[Field], group: &Map<String, Value>, path: &str, found: &mut Vec<Fault>) {
    let is_top = !path.contains('.');
    for name in group.keys() {
        let is_known = fields.iter().any(|field| field.name == name);
        if is_known || (is_top && name == "resourceType") {
            continue;
        }
        let path = format!("{path}.{}", shown(name));
        found.push(fault(
            "structure",
            path,
            "unbekanntes Feld",
            "unknown field",
        ));
    }
}

/// A name of a field as it may be repeated: letters and digits, not long.
fn shown(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '?'
        }
    };
    name.chars().take(64).map(plain).collect()
}

fn check_field(field: &Field, value: &Value, path: &str, found: &mut Vec<Fault>) {
    if !field.is_many {
        return check_value(field.shape, value, path, found);
    }
    let Some(all) = value.as_array().filter(|all| !all.is_empty()) else {
        let (de, en) = ("hier gehört eine Liste hin", "a list belongs here");
        found.push(fault("structure", path.to_owned(), de, en));
        return;
    };
    for (index, value) in all.iter().enumerate().take(FAULT_COUNT_MAX + 1) {
        check_value(field.shape, value, &format!("{path}[{index}]"), found);
    }
    if all.len() > FAULT_COUNT_MAX {
        let (de, en) = ("zu viele Einträge", "too many entries");
        found.push(fault("too-long", path.to_owned(), de, en));
    }
}

fn check_value(shape: Shape, value: &Value, path: &str, found: &mut Vec<Fault>) {
    if let Shape::Group(fields) = shape {
        return check_group(fields(), value, path, found);
    }
    let is_good = match (shape, value) {
        (Shape::Bool, value) => value.is_boolean(),
        (Shape::Count, value) => value.as_u64().is_some_and(|n| n <= i32::MAX as u64),
        (_, Value::String(text)) => is_text_good(shape, text),
        _ => false,
    };
    if !is_good {
        let (de, en) = ("passt nicht zu diesem Feld", "does not fit this field");
        found.push(fault("value", path.to_owned(), de, en));
    }
}

fn is_text_good(shape: Shape, text: &str) -> bool {
    let is_short = text.chars().count() <= TEXT_LENGTH_MAX;
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let is_id = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    match shape {
        Shape::Text => is_short && !text.trim().is_empty() && text.chars().all(is_plain),
        Shape::Code => {
            let is_trim = !text.is_empty() && text.trim() == text && !text.contains("  ");
            is_short && is_trim && !text.chars().any(char::is_control)
        }
        Shape::OneOf(all) => all.contains(&text),
        Shape::Uri => is_short && !text.is_empty() && !text.contains(char::is_whitespace),
        Shape::Id => !text.is_empty() && text.len() <= 64 && text.chars().all(is_id),
        Shape::DateTime => date::span(text).is_some(),
        Shape::Instant => date::instant(text).is_some(),
        Shape::Base64 => !text.is_empty() && BASE64_STANDARD.decode(text).is_ok(),
        Shape::Bool | Shape::Count | Shape::Group(_) => false,
    }
}
