//! Who may see a record: the insured person, and whom they let in by a consent that holds.
//!
//! In:    who asks, whose record. Out: the open record, 404, or 409 while it is suspended.
//! Never: tells a stranger that a record exists; a clerk of the insurer in a record.
//! See:   ePA 3.x, `I_Information_Service`: unknown 404, activated 200, suspended 409.

use serde_json::Value;

use super::date;
use super::shelf::{Record, Shelf, State};
use crate::kernel::ask::Ask;
use crate::kernel::miss::Miss;

/// The record of a person, for who asks.
pub(super) fn open(ask: &Ask<'_>, shelf: &Shelf<'_>, kvnr: &str) -> Result<Record, Miss> {
    let reader = ask.subject()?;
    let record = shelf.record(kvnr)?.ok_or_else(no_record)?;
    if reader != kvnr && !is_let_in(shelf, &record, (reader, ask.now))? {
        return Err(no_record());
    }
    match record.state {
        State::Activated => Ok(record),
        State::Suspended => Err(suspended()),
    }
}

/// The latest consent that names the reader decides.
fn is_let_in(shelf: &Shelf<'_>, record: &Record, (reader, now): (&str, i64)) -> Result<bool, Miss> {
    let all = shelf.all(record, "Consent")?;
    let latest = all.iter().find(|kept| names(&kept.resource, reader));
    Ok(latest.is_some_and(|kept| {
        let consent = &kept.resource;
        let permits = consent["status"] == "active" && consent["provision"]["type"] == "permit";
        permits && holds(&consent["provision"]["period"], now)
    }))
}

fn names(consent: &Value, reader: &str) -> bool {
    let actors = consent["provision"]["actor"].as_array();
    let is_reader = |actor: &Value| {
        let named = actor["reference"]["reference"].as_str().and_then(patient);
        named == Some(reader)
    };
    actors.is_some_and(|all| all.iter().any(is_reader))
}

fn holds(period: &Value, now: i64) -> bool {
    let span = |name: &str| period[name].as_str().map(date::span);
    let has_begun = match span("start") {
        None => true,
        Some(start) => start.is_some_and(|(from, _)| from <= now),
    };
    let is_on = match span("end") {
        None => true,
        Some(end) => end.is_some_and(|(_, to)| now < to),
    };
    has_begun && is_on
}

/// The number in `Patient/X110435031`.
pub(super) fn patient(reference: &str) -> Option<&str> {
    reference.strip_prefix("Patient/")
}

fn no_record() -> Miss {
    Miss::new(
        404,
        "noHealthRecord",
        "Hier ist keine Akte für Sie.",
        "There is no record for you here.",
    )
}

fn suspended() -> Miss {
    Miss::new(
        409,
        "statusMismatch",
        "Die Akte ist vorübergehend geschlossen. Es ist nichts verloren gegangen.",
        "The record is closed for a while. Nothing is lost.",
    )
}
