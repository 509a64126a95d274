//! Records on disk: nothing to read for who has the store, and every change is found.

use reference_provider::kernel::house::House;
use reference_provider::kernel::tenant::Tenant;
use reference_provider::record::manifest::{self, ManifestError, Verdict};

use crate::record::{Person, binary};
use crate::stage::{AMSEL, EISVOGEL, Stage};

fn tenant(stage: &Stage) -> &Tenant {
    stage.house.tenant(EISVOGEL).expect("an insurer")
}

fn change(stage: &Stage, statement: &str) {
    let count = tenant(stage)
        .records
        .with(|c| c.execute(statement, []))
        .expect("a change");
    assert!(count > 0, "nothing changed by: {statement}");
}

fn verdict(stage: &Stage, made: &manifest::Manifest) -> Verdict {
    manifest::verify(tenant(stage), &stage.house.master, (made, stage.time())).expect("a verdict")
}

#[test]
fn the_store_holds_nothing_that_can_be_read() {
    let stage = Stage::new();
    let person = Person::new(&stage, 2);
    let words = "Diagnose-die-niemand-sieht";
    assert_eq!(person.send("/epa/Binary", &binary(words), &[]).status, 201);
    let folder = &tenant(&stage).folder;
    let mut whole = Vec::new();
    for name in ["record.sqlite", "record.sqlite-wal"] {
        whole.extend(std::fs::read(folder.join(name)).expect("a file"));
    }
    let code = binary(words)["data"].as_str().unwrap().to_owned();
    let own = person.kvnr.as_str();
    let parts = [
        words,
        &code,
        own,
        "Laborbefund",
        "11502-2",
        "loinc",
        "text/plain",
        "resourceType",
    ];
    for part in parts {
        let is_there = whole.windows(part.len()).any(|at| at == part.as_bytes());
        assert!(!is_there, "`{part}` lies in the store in plain");
    }
    assert!(
        whole.windows(6).any(|at| at == b"Binary"),
        "the right files"
    );
}

#[test]
fn swapped_altered_and_forged_documents_are_not_given_out() {
    let stage = Stage::new();
    let person = Person::new(&stage, 2);
    let name = stage.house.master.record_name(EISVOGEL, &person.kvnr);
    let ids: Vec<String> = tenant(&stage)
        .records
        .with(|c| {
            let mut all =
                c.prepare("SELECT id FROM resource WHERE record = ?1 AND kind = 'Binary'")?;
            all.query_map([&name], |row| row.get(0))?.collect()
        })
        .unwrap();
    let [a, b, c] = ids.as_slice() else {
        panic!("three documents")
    };
    let read = |id: &str| person.get(&format!("/epa/Binary/{id}"));
    assert_eq!(read(a).status, 200);
    // The bytes of one document at the place of another, of the same record and of another one.
    change(
        &stage,
        &format!(
            "UPDATE resource SET sealed = (SELECT sealed FROM resource
        WHERE id = '{a}') WHERE id = '{b}'"
        ),
    );
    change(
        &stage,
        &format!(
            "UPDATE resource SET sealed = (SELECT sealed FROM resource
        WHERE kind = 'Binary' AND record <> '{name}' LIMIT 1) WHERE id = '{c}'"
        ),
    );
    assert_eq!(read(a).status, 200);
    for id in [b, c] {
        let told = read(id);
        assert_eq!(told.status, 503, "{}", told.text());
        assert_eq!(told.json()["issue"][0]["diagnostics"], "damaged");
    }
    // A document of another record, moved into this one.
    change(
        &stage,
        &format!(
            "UPDATE resource SET record = '{name}' WHERE place = (SELECT place
        FROM resource WHERE kind = 'DocumentReference' AND record <> '{name}' LIMIT 1)"
        ),
    );
    assert_eq!(person.get("/epa/DocumentReference").status, 503);
    // Another record's key.
    change(
        &stage,
        &format!(
            "UPDATE record SET key = (SELECT key FROM record WHERE name <> '{name}'
        LIMIT 1) WHERE name = '{name}'"
        ),
    );
    assert_eq!(person.get("/epa/status").status, 503);
}

#[test]
fn not_one_byte_changed_and_not_one_record_missing_is_computed() {
    let stage = Stage::new();
    let made = manifest::make(tenant(&stage), &stage.house.master, stage.time()).unwrap();
    assert_eq!((made.record_count, made.resource_count), (7, 42));
    let shown = serde_json::to_string(&made).unwrap();
    assert!(
        !shown.contains(&Person::new(&stage, 2).kvnr),
        "a manifest names nobody"
    );
    let good = verdict(&stage, &made);
    assert!(
        good.whole && good.added.is_empty() && good.checked_count == 49,
        "{good:?}"
    );

    Person::new(&stage, 2).found("/epa/DocumentReference");
    let later = verdict(&stage, &made);
    assert!(later.whole && later.added.len() == 1 && later.added[0].contains("/AuditEvent/"));

    let name = |kind: &str| {
        made.marks
            .keys()
            .find(|key| key.contains(kind))
            .unwrap()
            .clone()
    };
    let (binary, reference) = (name("/Binary/"), name("/DocumentReference/"));
    let (_, binary_id) = binary.rsplit_once('/').unwrap();
    let (record, reference_id) = (
        reference.split('/').next().unwrap(),
        reference.rsplit('/').next().unwrap(),
    );
    change(
        &stage,
        &format!(
            "UPDATE resource SET sealed = zeroblob(length(sealed))
        WHERE id = '{binary_id}'"
        ),
    );
    change(
        &stage,
        &format!("DELETE FROM resource WHERE id = '{reference_id}'"),
    );
    let bad = verdict(&stage, &made);
    assert!(!bad.whole);
    assert_eq!(
        (bad.altered, bad.missing),
        (vec![binary.clone()], vec![reference.clone()])
    );
    let refused = manifest::make(tenant(&stage), &stage.house.master, stage.time());
    assert!(matches!(refused, Err(ManifestError::Damaged(all)) if all == [binary]));

    change(
        &stage,
        &format!("DELETE FROM resource WHERE record = '{record}'"),
    );
    change(
        &stage,
        &format!("DELETE FROM record WHERE name = '{record}'"),
    );
    let gone = verdict(&stage, &made);
    assert!(
        gone.missing.contains(&record.to_owned()) && gone.missing.len() == 7,
        "{gone:?}"
    );
}

#[test]
fn a_lost_store_is_missing_and_not_made_anew() {
    let stage = Stage::new();
    let made = manifest::make(tenant(&stage), &stage.house.master, stage.time()).unwrap();
    tenant(&stage).records.let_go();
    for end in ["", "-wal", "-shm"] {
        let _gone = std::fs::remove_file(tenant(&stage).folder.join(format!("record.sqlite{end}")));
    }
    let again = House::open(stage.house.settings.clone()).unwrap();
    let asked = (&made, stage.time());
    let bad = manifest::verify(again.tenant(EISVOGEL).unwrap(), &again.master, asked).unwrap();
    assert!(
        !bad.whole && bad.missing.len() == made.marks.len(),
        "{bad:?}"
    );
}

/// An insurer's whole folder is gone.
fn lose(stage: &Stage) {
    let lost = tenant(stage);
    lost.records.let_go();
    lost.store.let_go();
    std::fs::remove_dir_all(&lost.folder).expect("it was there");
}

#[test]
fn an_insurer_that_is_lost_as_a_whole_is_said_and_not_made_anew() {
    let stage = Stage::new();
    let made = manifest::make(tenant(&stage), &stage.house.master, stage.time()).unwrap();
    lose(&stage);
    for _ in 0..2 {
        let again = House::open(stage.house.settings.clone()).unwrap();
        assert_eq!(again.lost(), [EISVOGEL]);
        let asked = (&made, stage.time());
        let bad = manifest::verify(again.tenant(EISVOGEL).unwrap(), &again.master, asked).unwrap();
        assert!(
            !bad.whole && bad.missing.len() == made.marks.len(),
            "{bad:?}"
        );
        let question = "SELECT count(*) FROM insured";
        let count = |id: &str| -> i64 {
            let store = &again.tenant(id).unwrap().store;
            store
                .with(|c| c.query_row(question, [], |row| row.get(0)))
                .unwrap()
        };
        assert_eq!((count(EISVOGEL), count(AMSEL)), (0, 8));
    }
}

#[test]
fn the_same_documents_made_anew_are_not_those_that_were_lost() {
    let stage = Stage::new();
    let made = manifest::make(tenant(&stage), &stage.house.master, stage.time()).unwrap();
    lose(&stage);
    let key = stage.house.settings.record_key.display();
    std::fs::remove_file(format!("{key}.filled")).unwrap();
    let again = House::open(stage.house.settings.clone()).unwrap();
    assert!(again.lost().is_empty(), "nobody knows any more");
    let asked = (&made, stage.time());
    let bad = manifest::verify(again.tenant(EISVOGEL).unwrap(), &again.master, asked).unwrap();
    assert!(!bad.whole && bad.missing.is_empty(), "{bad:?}");
    assert_eq!(
        bad.altered.len(),
        made.record_count,
        "each record is another one"
    );
}

#[test]
fn a_lost_master_key_is_said_and_not_made_anew_in_silence() {
    let stage = Stage::new();
    std::fs::remove_file(&stage.house.settings.record_key).unwrap();
    for _ in 0..2 {
        let told = House::open(stage.house.settings.clone()).unwrap_err();
        let told = format!("{told:#}");
        assert!(told.contains("is gone; bring it back"), "{told}");
    }
}

#[test]
fn a_manifest_that_was_changed_or_is_anothers_says_nothing() {
    let stage = Stage::new();
    let made = manifest::make(tenant(&stage), &stage.house.master, stage.time()).unwrap();
    let ask = |made: &manifest::Manifest| {
        manifest::verify(tenant(&stage), &stage.house.master, (made, stage.time()))
    };
    let mut shorter = made.clone();
    shorter.marks.pop_last();
    assert!(matches!(
        ask(&shorter),
        Err(ManifestError::Foreign("digest"))
    ));
    let other = stage.house.tenant(AMSEL).unwrap();
    let other = manifest::make(other, &stage.house.master, stage.time()).unwrap();
    assert!(matches!(ask(&other), Err(ManifestError::Foreign("tenant"))));
}
