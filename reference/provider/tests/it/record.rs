//! The patient record as its insured person, their representative and strangers see it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reference_provider::kernel::house::set_emergency;
use reference_provider::record::shelf::{State, set_state};
use serde_json::{Value, json};

use crate::stage::{Answer, EISVOGEL, Stage, kvnr};

const FHIR: &str = "application/fhir+json";

/// A person at the record server.
pub struct Person<'a> {
    stage: &'a Stage,
    pub kvnr: String,
    bearer: String,
}

impl<'a> Person<'a> {
    pub fn new(stage: &'a Stage, number: u32) -> Self {
        let kvnr = kvnr(EISVOGEL, number);
        let bearer = format!("Bearer {}", stage.token(EISVOGEL, "app", &kvnr));
        Self {
            stage,
            kvnr,
            bearer,
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        let shown = [("authorization", self.bearer.as_str())];
        self.stage.get(EISVOGEL, path, &shown)
    }

    pub fn found(&self, path: &str) -> Value {
        let told = self.get(path);
        assert_eq!(told.status, 200, "{path}: {}", told.text());
        told.json()
    }

    pub fn send(&self, path: &str, body: &Value, more: &[(&str, &str)]) -> Answer {
        self.send_text(path, (FHIR, body.to_string().as_bytes()), more)
    }

    pub fn send_text(
        &self,
        path: &str,
        (media, body): (&str, &[u8]),
        more: &[(&str, &str)],
    ) -> Answer {
        let mut shown = vec![
            ("authorization", self.bearer.as_str()),
            ("content-type", media),
        ];
        shown.extend(more);
        self.stage.ask(EISVOGEL, ("POST", path), &shown, body)
    }

    /// Any other method.
    pub fn ask(&self, (method, path): (&str, &str), body: &Value, more: &[(&str, &str)]) -> Answer {
        let mut shown = vec![
            ("authorization", self.bearer.as_str()),
            ("content-type", FHIR),
        ];
        shown.extend(more);
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        self.stage
            .ask(EISVOGEL, (method, path), &shown, body.as_bytes())
    }

    pub fn log(&self) -> Vec<Value> {
        let found = self.found("/epa/AuditEvent?_count=100");
        let all = found["entry"].as_array().cloned().unwrap_or_default();
        all.into_iter()
            .map(|mut entry| entry["resource"].take())
            .collect()
    }

    /// Lets another person in, or not any more.
    pub fn consent(&self, other: &str, kind: &str) -> Value {
        consent(&self.kvnr, other, kind)
    }
}

pub fn consent(patient: &str, other: &str, kind: &str) -> Value {
    let coding =
        |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    json!({
        "resourceType": "Consent", "status": "active",
        "scope": coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coding("http://loinc.org", "59284-0")],
        "patient": { "reference": format!("Patient/{patient}") },
        "dateTime": "2026-03-02T08:00:00Z",
        "policyRule": coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"),
        "provision": { "type": kind, "actor": [{
            "role": coding("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "AGNT"),
            "reference": { "reference": format!("Patient/{other}") },
        }] },
    })
}

pub fn binary(words: &str) -> Value {
    json!({ "resourceType": "Binary", "contentType": "text/plain",
        "data": BASE64_STANDARD.encode(words) })
}

pub fn document(kvnr: &str, binary: &str, name: &str) -> Value {
    json!({
        "resourceType": "DocumentReference", "status": "current",
        "identifier": [{ "system": "urn:test", "value": name }],
        "type": { "coding": [{ "system": "http://loinc.org", "code": "34133-9" }] },
        "subject": { "reference": format!("Patient/{kvnr}") },
        "date": "2026-03-01T10:00:00Z",
        "content": [{ "attachment": { "url": format!("Binary/{binary}") } }],
    })
}

pub fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

/// What a no says: kind of issue, and paths.
pub fn issues(answer: &Answer) -> Vec<(String, String)> {
    let told = answer.json();
    assert_eq!(told["resourceType"], "OperationOutcome", "{told}");
    assert!(answer.header("content-type").starts_with(FHIR));
    let all = told["issue"].as_array().expect("issues");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.iter()
        .map(|issue| (text(&issue["code"]), text(&issue["expression"][0])))
        .collect()
}

#[test]
fn a_person_finds_reads_and_pages_through_their_documents() {
    let stage = Stage::new();
    let person = Person::new(&stage, 2);
    let found = person.found("/epa/DocumentReference");
    assert_eq!(
        (&found["type"], &found["total"]),
        (&json!("searchset"), &json!(3))
    );
    let me = person.found(&format!("/epa/Patient/{}", person.kvnr));
    assert_eq!(me["identifier"][0]["value"], person.kvnr.as_str());
    let total =
        |query: &str| person.found(&format!("/epa/DocumentReference?{query}"))["total"].clone();
    assert_eq!(total("type=11502-2"), 1);
    assert_eq!(total("type=http%3A%2F%2Floinc.org%7C11502-2,18842-5"), 2);
    assert_eq!(total("type=urn%3Aother%7C11502-2"), 0);
    assert_eq!(total("date=ge2025-07-01&date=lt2025-08"), 1);
    assert_eq!(total("date=2025"), 3);
    assert_eq!(total("date=gt2025"), 0);
    assert_eq!(total(&format!("patient=Patient/{}", person.kvnr)), 3);
    assert_eq!(total("_count=0"), 3);
    let mut seen = Vec::new();
    let mut next = Some("/epa/DocumentReference?_count=1".to_owned());
    while let Some(path) = next.take() {
        assert!(seen.len() < 4, "the pages have no end");
        let page = person.found(&path);
        assert_eq!(page["entry"].as_array().map(Vec::len), Some(1));
        seen.push(page["entry"][0]["resource"]["id"].clone());
        let link = page["link"][1]["url"].as_str();
        next = link.map(|url| url[url.find("/epa/").expect("a path")..].to_owned());
    }
    seen.dedup();
    assert_eq!(seen.len(), 3);
    let one = &found["entry"][0]["resource"];
    let url = one["content"][0]["attachment"]["url"].as_str().unwrap();
    let path = url[url.find("/epa/").expect("a path")..].to_owned();
    let data = person.found(&path)["data"].as_str().unwrap().to_owned();
    let words = BASE64_STANDARD.decode(data).unwrap();
    assert_eq!(one["content"][0]["attachment"]["size"], words.len());
    let media = "text/plain; charset=utf-8";
    let shown = [("authorization", person.bearer.as_str()), ("accept", media)];
    let plain = stage.get(EISVOGEL, &path, &shown);
    assert_eq!((plain.header("content-type"), &plain.body), (media, &words));
}

#[test]
fn the_states_of_a_record_are_404_200_and_409() {
    let stage = Stage::new();
    let none = Person::new(&stage, 4);
    let person = Person::new(&stage, 2);
    assert_eq!(none.get("/epa/status").status, 404);
    assert_eq!(none.get("/epa/DocumentReference").status, 404);
    assert_eq!(person.found("/epa/status")["state"], "activated");
    let tenant = stage.house.tenant(EISVOGEL).unwrap();
    let set = |state| set_state(tenant, &stage.house.master, (Some(&person.kvnr), state)).unwrap();
    assert_eq!(set(State::Suspended), 1);
    let paths = [
        "status",
        "DocumentReference",
        "Consent",
        "AuditEvent",
        "Patient",
    ];
    for path in paths {
        let told = person.get(&format!("/epa/{path}"));
        assert_eq!(told.status, 409, "{path}: {}", told.text());
        assert_eq!(issues(&told)[0].0, "conflict");
    }
    assert_eq!(person.send("/epa/Binary", &binary("x"), &[]).status, 409);
    assert_eq!(
        Person::new(&stage, 3).found("/epa/status")["state"],
        "activated"
    );
    set(State::Activated);
    assert_eq!(person.found("/epa/DocumentReference")["total"], 3);
}

#[test]
fn a_document_is_made_once_however_often_it_is_sent() {
    let stage = Stage::new();
    let person = Person::new(&stage, 2);
    let made = person.send("/epa/Binary", &binary("Impfausweis"), &[]);
    let document = document(&person.kvnr, &id(&made), "impfung-1");
    let condition = [("if-none-exist", "identifier=urn:test|impfung-1")];
    let first = person.send("/epa/DocumentReference", &document, &condition);
    assert!(
        first
            .header("location")
            .ends_with(&format!("/epa/DocumentReference/{}", id(&first)))
    );
    let again = person.send("/epa/DocumentReference", &document, &condition);
    assert_eq!(
        (again.status, &again.json()["id"]),
        (200, &first.json()["id"])
    );
    assert_eq!(person.found("/epa/DocumentReference")["total"], 4);
    let mut whole = document.clone();
    let url = first.json()["content"][0]["attachment"]["url"].clone();
    assert!(url.as_str().expect("text").starts_with("http://"));
    whole["content"][0]["attachment"]["url"] = url;
    id(&person.send("/epa/DocumentReference", &whole, &[]));
    let several = person.send("/epa/DocumentReference", &document, &condition);
    assert_eq!(
        (several.status, issues(&several)[0].0.as_str()),
        (412, "multiple-matches")
    );
    let empty = person.send(
        "/epa/DocumentReference",
        &document,
        &[("if-none-exist", "status=current")],
    );
    assert_eq!(empty.status, 400);
}

#[test]
fn every_no_is_an_operation_outcome_that_names_the_place() {
    let stage = Stage::new();
    let person = Person::new(&stage, 2);
    let made = id(&person.send("/epa/Binary", &binary("x"), &[]));
    let good = document(&person.kvnr, &made, "a");
    let refused = |change: &dyn Fn(&mut Value), path: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        let told = person.send("/epa/DocumentReference", &bad, &[]);
        assert_eq!(told.status, 422, "{}", told.text());
        let found = issues(&told);
        assert!(
            found.iter().any(|(_, is)| is == path),
            "{path} not in {found:?}"
        );
    };
    refused(&|d| d["colour"] = json!("red"), "DocumentReference.colour");
    refused(&|d| d["_status"] = json!({}), "DocumentReference._status");
    refused(&|d| d["<b>ä"] = json!(1), "DocumentReference.?b??");
    refused(
        &|d| d["content"][0]["attachment"]["colour"] = json!(1),
        "DocumentReference.content[0].attachment.colour",
    );
    refused(&|d| d["content"] = json!([]), "DocumentReference.content");
    refused(&|d| d["content"] = json!({}), "DocumentReference.content");
    refused(&|d| d["subject"] = Value::Null, "DocumentReference.subject");
    refused(&|d| d["status"] = json!("good"), "DocumentReference.status");
    refused(
        &|d| d["date"] = json!("2026-02-30T10:00:00Z"),
        "DocumentReference.date",
    );
    refused(
        &|d| d["date"] = json!("2026-02-03 10:00Z"),
        "DocumentReference.date",
    );
    refused(
        &|d| drop(d.as_object_mut().unwrap().remove("status")),
        "DocumentReference.status",
    );
    let mut other = good.clone();
    other["content"][0]["attachment"]["size"] = json!(99);
    assert_eq!(
        person.send("/epa/DocumentReference", &other, &[]).status,
        422
    );
    let strange = document(&person.kvnr, "none", "a");
    assert_eq!(
        person.send("/epa/DocumentReference", &strange, &[]).status,
        422
    );
}

#[test]
fn every_other_no_is_an_operation_outcome_too() {
    let stage = Stage::new();
    let person = Person::new(&stage, 2);
    let said = |told: Answer, status: u16, code: &str| {
        assert_eq!(told.status, status, "{}", told.text());
        assert_eq!(issues(&told)[0].0, code);
    };
    let text = |media, body: &[u8]| person.send_text("/epa/Binary", (media, body), &[]);
    said(text(FHIR, b"{"), 400, "invalid");
    said(text(FHIR, b"[]"), 400, "invalid");
    said(text(FHIR, "[".repeat(5_000).as_bytes()), 400, "invalid");
    said(text("application/xml", b"<a/>"), 415, "not-supported");
    said(text(FHIR, &vec![b' '; 8 * 1024 * 1024]), 413, "too-long");
    said(
        person.send("/epa/Patient", &json!({}), &[]),
        405,
        "not-supported",
    );
    said(person.get("/epa/Binary"), 405, "not-supported");
    said(person.get("/epa/Observation"), 404, "not-found");
    said(person.get("/epa/Binary/none"), 404, "not-found");
    said(
        person.get("/epa/DocumentReference?colour=red"),
        400,
        "invalid",
    );
    said(
        person.get("/epa/DocumentReference?date=heute"),
        400,
        "invalid",
    );
    said(
        person.get("/epa/DocumentReference?_count=-1"),
        400,
        "invalid",
    );
    said(
        person.get("/epa/DocumentReference?_format=xml"),
        406,
        "not-supported",
    );
    said(
        stage.get(EISVOGEL, "/epa/DocumentReference", &[]),
        401,
        "login",
    );
    said(
        stage.ask(EISVOGEL, ("DELETE", "/epa/Consent"), &[], b""),
        405,
        "not-supported",
    );
    let good = document(&person.kvnr, "none", "a");
    let wrong = person.send("/epa/Binary", &good, &[]);
    assert_eq!(
        (wrong.status, issues(&wrong)[0].1.as_str()),
        (422, "resourceType")
    );
}

#[test]
fn a_representative_is_let_in_by_consent_and_sent_away_by_the_next() {
    let stage = Stage::new();
    let (owner, other) = (Person::new(&stage, 2), Person::new(&stage, 3));
    let search = format!("/epa/DocumentReference?patient={}", owner.kvnr);
    let one = owner.found("/epa/DocumentReference")["entry"][0]["resource"]["id"].clone();
    let one = format!("/epa/DocumentReference/{}", one.as_str().unwrap());
    let as_other = format!("{one}?patient={}", owner.kvnr);
    for path in [
        &search,
        &one,
        &as_other,
        &format!("/epa/Patient/{}", owner.kvnr),
    ] {
        assert_eq!(other.get(path).status, 404, "{path}");
    }
    let own = other.consent(&other.kvnr, "permit");
    let mut forged = own.clone();
    forged["patient"]["reference"] = json!(format!("Patient/{}", owner.kvnr));
    assert_eq!(other.send("/epa/Consent", &forged, &[]).status, 403);
    id(&owner.send("/epa/Consent", &owner.consent(&other.kvnr, "permit"), &[]));
    assert_eq!(other.found(&search)["total"], 3);
    assert_eq!(other.found(&as_other)["resourceType"], "DocumentReference");
    let log = format!("/epa/AuditEvent?patient={}", owner.kvnr);
    assert_eq!(
        other.get(&log).status,
        404,
        "the log is for the insured person"
    );
    assert_eq!(Person::new(&stage, 5).get(&search).status, 404);
    id(&owner.send("/epa/Consent", &owner.consent(&other.kvnr, "deny"), &[]));
    assert_eq!(other.get(&search).status, 404);
    let mut over = owner.consent(&other.kvnr, "permit");
    over["provision"]["period"] = json!({ "end": "2026-03-01" });
    id(&owner.send("/epa/Consent", &over, &[]));
    assert_eq!(other.get(&search).status, 404, "a consent that is over");
}

#[test]
fn the_log_says_who_read_what_and_nothing_is_read_without_it() {
    let stage = Stage::new();
    let (owner, other) = (Person::new(&stage, 2), Person::new(&stage, 3));
    assert_eq!(owner.log().len(), 0);
    id(&owner.send("/epa/Consent", &owner.consent(&other.kvnr, "permit"), &[]));
    let found = other.found(&format!("/epa/DocumentReference?patient={}", owner.kvnr));
    let seen = found["entry"].as_array().unwrap().iter();
    let seen: Vec<Value> = seen
        .map(|entry| {
            json!(format!(
                "DocumentReference/{}",
                entry["resource"]["id"].as_str().unwrap()
            ))
        })
        .collect();
    let log = owner.log();
    assert_eq!(log.len(), 2);
    let entry = &log[0];
    assert_eq!(
        entry["agent"][0]["who"]["identifier"]["value"],
        other.kvnr.as_str()
    );
    let what: Vec<Value> = entry["entity"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entity| entity["what"]["reference"].clone())
        .collect();
    assert_eq!((&entry["action"], what), (&json!("E"), seen));
    assert_eq!(log[1]["action"], "C");
    // A log that cannot be written is a read that does not happen.
    let tenant = stage.house.tenant(EISVOGEL).unwrap();
    let stop = "CREATE TRIGGER stop BEFORE INSERT ON resource WHEN new.kind = 'AuditEvent'
                BEGIN SELECT RAISE(ABORT, 'full'); END";
    tenant.records.with(|c| c.execute_batch(stop)).unwrap();
    for path in ["/epa/DocumentReference", "/epa/Patient"] {
        let told = owner.get(path);
        assert_eq!(
            (told.status, issues(&told)[0].0.as_str()),
            (503, "transient")
        );
    }
    let told = owner.send("/epa/Binary", &binary("x"), &[]);
    assert_eq!(told.status, 503);
    tenant
        .records
        .with(|c| c.execute_batch("DROP TRIGGER stop"))
        .unwrap();
    let ask = "SELECT count(*) FROM resource WHERE kind = 'Binary'";
    let count: i64 = tenant
        .records
        .with(|c| c.query_row(ask, [], |row| row.get(0)))
        .unwrap();
    assert_eq!(count, 3 * 7, "a document without its log entry");
}

#[test]
fn a_clerk_and_emergency_operation_change_nothing_in_a_record() {
    let stage = Stage::new();
    let clerk = format!("Bearer {}", stage.token(EISVOGEL, "desk", "clerk-1"));
    let told = stage.get(
        EISVOGEL,
        "/epa/DocumentReference",
        &[("authorization", &clerk)],
    );
    assert_eq!(
        (told.status, issues(&told)[0].0.as_str()),
        (403, "forbidden")
    );
    let person = Person::new(&stage, 2);
    set_emergency(stage.house.tenant(EISVOGEL).unwrap(), "epa", true).unwrap();
    assert_eq!(person.found("/epa/DocumentReference")["total"], 3);
    let told = person.send("/epa/Binary", &binary("x"), &[]);
    assert_eq!(
        (told.status, issues(&told)[0].0.as_str()),
        (503, "transient")
    );
}
