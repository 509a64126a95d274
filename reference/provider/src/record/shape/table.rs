//! The fields of the resources that clients make, as FHIR R4 (4.0.1) lists them.
//!
//! In:    nothing. Out: tables. Never: extensions, contained resources, narratives: this server
//!        keeps none and says so by refusing them.
//! See:   <https://hl7.org/fhir/R4/documentreference.html>, `consent.html`, `binary.html`.

use super::Shape::{Base64, Bool, Code, Count, DateTime, Group, Id, Instant, OneOf, Text, Uri};
use super::{Field, Shape};

/// The fields of a kind.
pub(super) fn of(kind: &str) -> Option<&'static [Field]> {
    match kind {
        "DocumentReference" => Some(DOCUMENT),
        "Binary" => Some(BINARY),
        "Consent" => Some(CONSENT),
        _ => None,
    }
}

/// 0..1.
const fn one(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        is_needed: false,
        is_many: false,
        shape,
    }
}

/// 1..1.
const fn must(name: &'static str, shape: Shape) -> Field {
    Field {
        is_needed: true,
        ..one(name, shape)
    }
}

/// 0..*.
const fn many(name: &'static str, shape: Shape) -> Field {
    Field {
        is_many: true,
        ..one(name, shape)
    }
}

/// 1..*.
const fn some(name: &'static str, shape: Shape) -> Field {
    Field {
        is_needed: true,
        ..many(name, shape)
    }
}

const DOCUMENT: &[Field] = &[
    one("id", Id),
    one("meta", Group(meta)),
    one("language", Code),
    one("masterIdentifier", Group(identifier)),
    many("identifier", Group(identifier)),
    must(
        "status",
        OneOf(&["current", "superseded", "entered-in-error"]),
    ),
    one(
        "docStatus",
        OneOf(&["preliminary", "final", "amended", "entered-in-error"]),
    ),
    one("type", Group(concept)),
    many("category", Group(concept)),
    must("subject", Group(reference)),
    one("date", Instant),
    many("author", Group(reference)),
    one("authenticator", Group(reference)),
    one("custodian", Group(reference)),
    one("description", Text),
    many("securityLabel", Group(concept)),
    some("content", Group(content)),
    one("context", Group(context)),
];

const BINARY: &[Field] = &[
    one("id", Id),
    one("meta", Group(meta)),
    one("language", Code),
    must("contentType", Code),
    one("securityContext", Group(reference)),
    must("data", Base64),
];

const CONSENT: &[Field] = &[
    one("id", Id),
    one("meta", Group(meta)),
    one("language", Code),
    many("identifier", Group(identifier)),
    must(
        "status",
        OneOf(&[
            "draft",
            "proposed",
            "active",
            "rejected",
            "inactive",
            "entered-in-error",
        ]),
    ),
    must("scope", Group(concept)),
    some("category", Group(concept)),
    must("patient", Group(reference)),
    one("dateTime", DateTime),
    many("performer", Group(reference)),
    many("organization", Group(reference)),
    must("policyRule", Group(concept)),
    must("provision", Group(provision)),
];

fn provision() -> &'static [Field] {
    const FIELDS: &[Field] = &[
        must("type", OneOf(&["deny", "permit"])),
        one("period", Group(period)),
        some("actor", Group(actor)),
        many("action", Group(concept)),
    ];
    FIELDS
}

fn actor() -> &'static [Field] {
    const FIELDS: &[Field] = &[
        must("role", Group(concept)),
        must("reference", Group(reference)),
    ];
    FIELDS
}

fn content() -> &'static [Field] {
    const FIELDS: &[Field] = &[
        must("attachment", Group(attachment)),
        one("format", Group(coding)),
    ];
    FIELDS
}

fn attachment() -> &'static [Field] {
    const FIELDS: &[Field] = &[
        one("contentType", Code),
        one("language", Code),
        must("url", Uri),
        one("size", Count),
        one("hash", Base64),
        one("title", Text),
        one("creation", DateTime),
    ];
    FIELDS
}

fn context() -> &'static [Field] {
    const FIELDS: &[Field] = &[
        many("event", Group(concept)),
        one("period", Group(period)),
        one("facilityType", Group(concept)),
        one("practiceSetting", Group(concept)),
    ];
    FIELDS
}

fn meta() -> &'static [Field] {
    const FIELDS: &[Field] = &[
        one("versionId", Id),
        one("lastUpdated", Instant),
        one("source", Uri),
        many("profile", Uri),
        many("security", Group(coding)),
        many("tag", Group(coding)),
    ];
    FIELDS
}

fn identifier() -> &'static [Field] {
    const FIELDS: &[Field] = &[
        one(
            "use",
            OneOf(&["usual", "official", "temp", "secondary", "old"]),
        ),
        one("type", Group(concept)),
        one("system", Uri),
        must("value", Text),
        one("period", Group(period)),
    ];
    FIELDS
}

fn concept() -> &'static [Field] {
    const FIELDS: &[Field] = &[many("coding", Group(coding)), one("text", Text)];
    FIELDS
}

fn coding() -> &'static [Field] {
    const FIELDS: &[Field] = &[
        one("system", Uri),
        one("version", Text),
        one("code", Code),
        one("display", Text),
        one("userSelected", Bool),
    ];
    FIELDS
}

fn reference() -> &'static [Field] {
    const FIELDS: &[Field] = &[
        one("reference", Text),
        one("type", Uri),
        one("identifier", Group(identifier)),
        one("display", Text),
    ];
    FIELDS
}

fn period() -> &'static [Field] {
    const FIELDS: &[Field] = &[one("start", DateTime), one("end", DateTime)];
    FIELDS
}
