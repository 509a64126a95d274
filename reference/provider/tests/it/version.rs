//! Versions of what is in a record: changed from the latest only, listed, deleted with all of it.

use reference_provider::kernel::house::set_emergency;
use serde_json::{Value, json};

use crate::record::{Person, binary, document, id, issues};
use crate::stage::{EISVOGEL, Stage};

/// A person with a document of their own; where it is, and where its words are.
fn with_document(stage: &Stage) -> (Person<'_>, String, String) {
    let person = Person::new(stage, 2);
    let words = id(&person.send("/epa/Binary", &binary("Impfausweis"), &[]));
    let made = person.send(
        "/epa/DocumentReference",
        &document(&person.kvnr, &words, "a"),
        &[],
    );
    let at = format!("/epa/DocumentReference/{}", id(&made));
    (person, at, format!("/epa/Binary/{words}"))
}

const FIRST: [(&str, &str); 1] = [("if-match", "W/\"1\"")];

#[test]
fn a_resource_is_changed_from_its_latest_version_only() {
    let stage = Stage::new();
    let (person, at, _) = with_document(&stage);
    let mut next = person.found(&at);
    next["description"] = json!("zweite Fassung");
    let put = |body: &Value, more: &[(&str, &str)]| person.ask(("PUT", &at), body, more);
    let unnamed = put(&next, &[]);
    assert_eq!(
        (unnamed.status, &issues(&unnamed)[0].0[..]),
        (428, "required")
    );
    let other = put(&next, &[("if-match", "W/\"2\"")]);
    assert_eq!((other.status, &issues(&other)[0].0[..]), (412, "conflict"));
    assert_eq!(put(&next, &[("if-match", "1")]).status, 400);
    let mut spoilt = next.clone();
    spoilt["colour"] = json!("red");
    let told = put(&spoilt, &FIRST);
    let wanted = (
        "structure".to_owned(),
        "DocumentReference.colour".to_owned(),
    );
    assert_eq!((told.status, issues(&told)), (422, vec![wanted]));
    let mut moved = next.clone();
    moved["id"] = json!("another");
    assert_eq!(put(&moved, &FIRST).status, 400);
    let none = Person::new(&stage, 5);
    next["subject"]["reference"] = json!(format!("Patient/{}", none.kvnr));
    assert_eq!(put(&next, &FIRST).status, 422, "into another record");
    next["subject"]["reference"] = json!(format!("Patient/{}", person.kvnr));
    assert_eq!(
        person.found(&at)["meta"]["versionId"],
        "1",
        "nothing was changed"
    );
}

#[test]
fn every_version_is_listed_and_read_and_the_log_says_so() {
    let stage = Stage::new();
    let (person, at, _) = with_document(&stage);
    let put = |body: &Value, more: &[(&str, &str)]| person.ask(("PUT", &at), body, more);
    let mut next = person.found(&at);
    next["description"] = json!("zweite Fassung");
    let told = put(&next, &FIRST);
    assert_eq!(
        (told.status, told.header("etag")),
        (200, "W/\"2\""),
        "{}",
        told.text()
    );
    assert_eq!(put(&next, &FIRST).status, 412, "somebody was faster");
    let now = person.get(&at);
    assert_eq!(now.header("etag"), "W/\"2\"");
    assert_eq!(now.json()["description"], "zweite Fassung");
    let first = person.found(&format!("{at}/_history/1"));
    assert_eq!(
        (&first["meta"]["versionId"], &first["description"]),
        (&json!("1"), &Value::Null)
    );
    assert_eq!(person.found(&format!("{at}/_history/2")), now.json());
    for none in ["3", "0", "-1", "x"] {
        assert_eq!(
            person.get(&format!("{at}/_history/{none}")).status,
            404,
            "{none}"
        );
    }
    let all = person.found(&format!("{at}/_history"));
    assert_eq!(
        (&all["type"], &all["total"]),
        (&json!("history"), &json!(2))
    );
    let methods = [0, 1].map(|place| all["entry"][place]["request"]["method"].clone());
    assert_eq!(methods, [json!("PUT"), json!("POST")]);
    assert_eq!(
        person.found("/epa/DocumentReference?identifier=urn:test%7Ca")["total"],
        1
    );
    let done: Vec<Value> = person
        .log()
        .iter()
        .map(|e| e["subtype"][0]["code"].clone())
        .collect();
    for deed in ["update", "vread", "history-instance"] {
        assert!(done.contains(&json!(deed)), "{deed} not in {done:?}");
    }
    let stranger = Person::new(&stage, 3);
    for path in [
        at.clone(),
        format!("{at}/_history"),
        format!("{at}/_history/1"),
    ] {
        assert_eq!(stranger.get(&path).status, 404, "{path}");
    }
    assert_eq!(stranger.ask(("DELETE", &at), &Value::Null, &[]).status, 404);
}

#[test]
fn what_is_deleted_is_gone_in_every_version() {
    let stage = Stage::new();
    let (person, at, words) = with_document(&stage);
    let delete = |path: &str, more: &[(&str, &str)]| {
        let told = person.ask(("DELETE", path), &Value::Null, more);
        (told.status, told.text())
    };
    let next = person.found(&at);
    assert_eq!(person.ask(("PUT", &at), &next, &FIRST).status, 200);
    assert_eq!(delete(&words, &[]).0, 409, "a document that is named");
    assert_eq!(delete(&at, &FIRST).0, 412, "not the latest");
    assert_eq!(delete(&at, &[]), (204, String::new()));
    assert_eq!(delete(&at, &[]).0, 204, "again is done");
    assert_eq!(delete(&words, &[]).0, 204);
    for path in [at.clone(), words.clone(), format!("{at}/_history/1")] {
        let told = person.get(&path);
        assert_eq!(
            (told.status, &issues(&told)[0].0[..]),
            (410, "deleted"),
            "{path}"
        );
    }
    let all = person.found(&format!("{at}/_history"));
    assert_eq!(all["total"], 1);
    assert_eq!(all["entry"][0]["request"]["method"], "DELETE");
    assert!(all["entry"][0]["resource"].is_null());
    assert_eq!(
        person.found("/epa/DocumentReference?identifier=urn:test%7Ca")["total"],
        0
    );
    let (_, own) = at.rsplit_once('/').expect("an id");
    let kinds: Vec<String> = stage
        .house
        .tenant(EISVOGEL)
        .expect("an insurer")
        .records
        .with(|c| {
            let mut all = c.prepare("SELECT kind FROM resource WHERE id LIKE ?1 || '%'")?;
            all.query_map([own], |row| row.get(0))?.collect()
        })
        .expect("read");
    assert_eq!(kinds, ["DocumentReference_deleted"], "old versions stayed");
    assert_eq!(delete("/epa/DocumentReference/none", &[]).0, 404);
}

#[test]
fn a_consent_is_taken_back_by_a_change_and_never_deleted() {
    let stage = Stage::new();
    let (person, friend) = (Person::new(&stage, 2), Person::new(&stage, 3));
    let made = person.send("/epa/Consent", &person.consent(&friend.kvnr, "permit"), &[]);
    let at = format!("/epa/Consent/{}", id(&made));
    let theirs = format!("/epa/DocumentReference?patient={}", person.kvnr);
    let first = person.found("/epa/DocumentReference")["entry"][0]["resource"].clone();
    let document = format!(
        "/epa/DocumentReference/{}?patient={}",
        first["id"].as_str().expect("an id"),
        person.kvnr
    );
    assert_eq!(friend.get(&theirs).status, 200);
    let told = friend.ask(("DELETE", &document), &Value::Null, &[]);
    assert_eq!(told.status, 403, "who is let in does not delete");
    let told = person.ask(("DELETE", &at), &Value::Null, &[]);
    assert_eq!(
        (told.status, &issues(&told)[0].0[..]),
        (405, "not-supported")
    );
    let mut none = made.json();
    none["status"] = json!("inactive");
    let told = friend.ask(
        ("PUT", &format!("{at}?patient={}", person.kvnr)),
        &none,
        &FIRST,
    );
    assert_eq!(told.status, 403, "only the person takes it back");
    assert_eq!(person.ask(("PUT", &at), &none, &FIRST).status, 200);
    assert_eq!(friend.get(&theirs).status, 404);
    let words = json!({ "resourceType": "Binary" });
    assert_eq!(
        person.ask(("PUT", "/epa/Binary/x"), &words, &FIRST).status,
        405
    );
    let tenant = stage.house.tenant(EISVOGEL).expect("an insurer");
    set_emergency(tenant, "epa", true).expect("on");
    for method in ["PUT", "DELETE"] {
        assert_eq!(
            person.ask((method, &at), &none, &FIRST).status,
            503,
            "{method}"
        );
    }
    assert_eq!(
        person.found(&format!("{at}/_history"))["total"],
        2,
        "reading goes on"
    );
}

#[test]
fn an_old_version_cannot_be_put_back_in_the_store() {
    let stage = Stage::new();
    let (person, at, _) = with_document(&stage);
    let next = person.found(&at);
    assert_eq!(person.ask(("PUT", &at), &next, &FIRST).status, 200);
    let (_, own) = at.rsplit_once('/').expect("an id");
    let tenant = stage.house.tenant(EISVOGEL).expect("an insurer");
    let count = tenant.records.with(|c| {
        c.execute(
            "UPDATE resource SET sealed = (SELECT sealed FROM resource WHERE id = ?1 || '.1')
             WHERE id = ?1",
            [own],
        )
    });
    assert_eq!(count.expect("a change"), 1);
    let told = person.get(&at);
    assert_eq!(
        (told.status, &told.json()["issue"][0]["diagnostics"]),
        (503, &json!("damaged"))
    );
}
