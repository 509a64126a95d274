//! The record's answers, judged by somebody else: PyPI `fhir.resources`, the release that
//! models FHIR R4 (4.0.1).
//!
//! In:    python3 and pip3; the package is installed once beside the build, into `foreign/`.
//! Out:   every kind of answer is a valid resource to a foreign model, and a spoilt one is not.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::record::{Person, binary, document};
use crate::stage::{Answer, EISVOGEL, Stage};

/// Later releases model R4B and R5; this one stands on the first pydantic.
const PACKAGES: [&str; 2] = ["fhir.resources==6.4.0", "pydantic==1.10.27"];

/// Reads a list of resources, writes for each `ok` or what is wrong with it.
const JUDGE: &str = r#"
import importlib, json, sys
import fhir.resources
assert fhir.resources.__fhir_version__ == "4.0.1"
for resource in json.load(sys.stdin):
    kind = resource["resourceType"]
    module = importlib.import_module("fhir.resources." + kind.lower())
    try:
        getattr(module, kind).parse_raw(json.dumps(resource))
        print("ok")
    except ValueError as error:
        print(kind, repr(str(error)))
"#;

/// The folder that holds the package.
fn installed() -> PathBuf {
    let own = std::env::current_exe().expect("a test");
    let folder = own.ancestors().nth(3).expect("target").join("foreign/fhir");
    let mark = folder.join("whole");
    if !mark.exists() {
        std::fs::create_dir_all(&folder).expect("a folder");
        let done = Command::new("pip3")
            .args([
                "install",
                "--quiet",
                "--quiet",
                "--root-user-action=ignore",
                "--target",
            ])
            .arg(&folder)
            .args(PACKAGES)
            .status();
        let is_done = done
            .expect("pip3 is installed (Debian: python3-pip)")
            .success();
        assert!(is_done, "{PACKAGES:?} cannot be installed");
        std::fs::write(mark, "").expect("a mark");
    }
    folder
}

/// What the foreign model says of each resource.
fn judge(resources: &[Value]) -> Vec<String> {
    let mut child = Command::new("python3")
        .args(["-c", JUDGE])
        .env("PYTHONPATH", installed())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let text = Value::from(resources).to_string();
    let mut input = child.stdin.take().expect("asked for");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let done = child.wait_with_output().expect("it ends");
    assert!(done.status.success(), "the judge itself failed");
    let lines = String::from_utf8(done.stdout).expect("text");
    let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), resources.len(), "{lines:?}");
    lines
}

/// A changed resource, its history, and the no to a change from an old version.
fn versions(person: &Person<'_>, made: &Answer) -> Vec<Value> {
    let mut next = made.json();
    next["description"] = json!("zweite Fassung");
    let own = next["id"].as_str().expect("an id");
    let at = format!("/epa/DocumentReference/{own}");
    let from = [("if-match", made.header("etag"))];
    let changed = person.ask(("PUT", &at), &next, &from);
    assert_eq!(changed.status, 200, "{}", changed.text());
    vec![
        changed.json(),
        person.found(&format!("{at}/_history/1")),
        person.found(&format!("{at}/_history")),
        person.ask(("PUT", &at), &next, &from).json(),
    ]
}

#[test]
fn a_foreign_model_of_fhir_takes_every_answer_and_no_spoilt_one() {
    let stage = Stage::new();
    let (person, none) = (Person::new(&stage, 2), Person::new(&stage, 4));
    let made = person
        .send("/epa/Binary", &binary("Impfausweis"), &[])
        .json();
    let id = made["id"].as_str().expect("an id");
    let reference = person.send(
        "/epa/DocumentReference",
        &document(&person.kvnr, id, "a"),
        &[],
    );
    let consent = person.send("/epa/Consent", &person.consent(&none.kvnr, "permit"), &[]);
    assert_eq!((reference.status, consent.status), (201, 201));
    let mut answers = vec![made.clone(), reference.json(), consent.json()];
    answers.extend(versions(&person, &reference));
    for path in [
        "metadata",
        "Patient",
        "DocumentReference",
        "DocumentReference?_count=1",
        "DocumentReference?type=none",
        "Consent",
        "AuditEvent",
    ] {
        answers.push(person.found(&format!("/epa/{path}")));
    }
    for path in [format!("Binary/{id}"), format!("Patient/{}", person.kvnr)] {
        answers.push(person.found(&format!("/epa/{path}")));
    }
    let kinds = [
        "Patient",
        "DocumentReference",
        "Binary",
        "Consent",
        "AuditEvent",
    ];
    let bundled = answers.iter().flat_map(|answer| answer["entry"].as_array());
    let bundled: Vec<Value> = bundled
        .flatten()
        .map(|entry| entry["resource"].clone())
        .collect();
    answers.extend(bundled);
    for kind in kinds {
        assert!(
            answers.iter().any(|answer| answer["resourceType"] == kind),
            "no {kind}"
        );
    }
    answers.push(none.get("/epa/DocumentReference").json());
    answers.push(
        person
            .send("/epa/Consent", &json!({ "resourceType": "Consent" }), &[])
            .json(),
    );
    answers.push(stage.get(EISVOGEL, "/epa/Consent", &[]).json());
    for (line, answer) in judge(&answers).iter().zip(&answers) {
        assert_eq!(line, "ok", "{answer:#}");
    }
    let mut spoilt = [reference.json(), consent.json()];
    spoilt[0]["colour"] = json!("red");
    spoilt[1]["status"] = Value::Null;
    assert!(
        judge(&spoilt).iter().all(|line| line != "ok"),
        "the judge takes everything"
    );
}
