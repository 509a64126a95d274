//! Fills an empty store with synthetic records: always the same documents from the same seed.
//!
//! In:    a seed, the insurer's people. Out: records with three documents each.
//! Never: a document of a real person.

use anyhow::{Result, anyhow};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde_json::{Value, json};

use super::seal::Master;
use super::shelf::{self, Shelf};
use crate::kernel::house::Settings;
use crate::kernel::miss::Miss;
use crate::kernel::seed::{Insured, insured};
use crate::kernel::tenant::Tenant;

/// Who objected to a record: each fifth person, from number 4 on.
pub fn has_record(number: u32) -> bool {
    number % 5 != 4
}

/// LOINC code, its display, title, words.
const DOCUMENTS: [(&str, &str, &str, &str); 3] = [
    (
        "11488-4",
        "Consult note",
        "Arztbrief",
        "Befund ohne Besonderheiten. Kontrolle in sechs Monaten empfohlen.",
    ),
    (
        "11502-2",
        "Laboratory report",
        "Laborbefund",
        "Haemoglobin 14,1 g/dl. Leukozyten 6,2 /nl. Alle Werte im Referenzbereich.",
    ),
    (
        "18842-5",
        "Discharge summary",
        "Entlassbrief",
        "Entlassung in gutem Allgemeinzustand. Weiterbehandlung ambulant.",
    ),
];

/// Fills an insurer that never had records. Once it had some, an empty store is a loss: it is not
/// filled again, so that a check of what is missing says so.
///
/// # Errors
/// The machine has no randomness.
pub(crate) fn records(tenant: &Tenant, master: &Master, settings: &Settings) -> Result<()> {
    let was_filled = was_filled(tenant)?;
    let done = shelf::with(tenant, master, |shelf| {
        let ask = "SELECT count(*) FROM record";
        let count: i64 = shelf.change.query_row(ask, [], |row| row.get(0))?;
        if count > 0 || was_filled {
            return Ok(false);
        }
        let numbers = (0..settings.insured_count).filter(|number| has_record(*number));
        for number in numbers {
            let one = insured(&tenant.id, settings.seed, number);
            record(shelf, &one, settings.seed)?;
        }
        Ok(true)
    });
    match done {
        Ok(true) => {
            let mark = "INSERT INTO setting VALUES ('records-filled', 'yes')";
            tenant.store.with(|c| c.execute(mark, []))?;
            Ok(())
        }
        Ok(false) => Ok(()),
        // One insurer's damaged store must not keep the others from being served.
        Err(miss) if miss.status == 503 => {
            tracing::error!(tenant = tenant.id, "the records cannot be read");
            Ok(())
        }
        Err(miss) => Err(anyhow!(miss.words.en)),
    }
}

fn was_filled(tenant: &Tenant) -> Result<bool> {
    let ask = "SELECT count(*) FROM setting WHERE name = 'records-filled'";
    let count: i64 = tenant
        .store
        .with(|c| c.query_row(ask, [], |row| row.get(0)))?;
    Ok(count > 0)
}

fn record(shelf: &Shelf<'_>, one: &Insured, seed: u64) -> Result<(), Miss> {
    let kvnr = one.kvnr.as_str();
    if shelf.record(kvnr)?.is_some() {
        return Ok(());
    }
    let record = shelf.open_record(kvnr)?;
    for (index, about) in DOCUMENTS.iter().enumerate() {
        let mark = format!("{seed}/{}/{kvnr}/{index}", shelf.tenant.id);
        let id = |what: &str| {
            let mark = digest(&SHA256, format!("{what}/{mark}").as_bytes());
            hex::encode(&mark.as_ref()[..16])
        };
        let (binary, reference) = document(one, (index, about), (id("b"), id("d")));
        for (kind, resource) in [("Binary", binary), ("DocumentReference", reference)] {
            let id = resource["id"].as_str().unwrap_or_default().to_owned();
            shelf.put(&record, (kind, &id), &resource)?;
        }
    }
    Ok(())
}

fn document(
    one: &Insured,
    (index, (code, display, title, words)): (usize, &(&str, &str, &str, &str)),
    (binary, id): (String, String),
) -> (Value, Value) {
    let patient = json!({ "reference": format!("Patient/{}", one.kvnr.as_str()) });
    let at = format!("2025-{:02}-14T09:30:00Z", 3 + 4 * index);
    let meta = json!({ "versionId": "1", "lastUpdated": at });
    let text = format!(
        "{title} (synthetisch)\n{} {}, geboren {}\n\n{words}\n",
        one.given, one.family, one.birth
    );
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let media = "text/plain; charset=utf-8";
    let attachment = json!({
        "contentType": media, "language": "de", "url": format!("Binary/{binary}"),
        "size": text.len(), "hash": BASE64_STANDARD.encode(hash), "title": title,
        "creation": at,
    });
    let reference = json!({
        "resourceType": "DocumentReference", "id": id, "meta": meta,
        "identifier": [{ "system": "urn:ietf:rfc:3986", "value": format!("urn:synthetic:{id}") }],
        "status": "current", "docStatus": "final",
        "type": { "coding": [{ "system": "http://loinc.org", "code": code, "display": display }] },
        "subject": patient, "date": at, "description": title,
        "content": [{ "attachment": attachment }],
    });
    let binary = json!({
        "resourceType": "Binary", "id": binary, "meta": meta, "contentType": media,
        "securityContext": patient, "data": BASE64_STANDARD.encode(&text),
    });
    (binary, reference)
}
