//! What an outsider is given: whole, provable without us, and nothing of another's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anlauf_model::Role;
use anlauf_recovery::Entry;
use anlauf_recovery::event::Scope;
use anlauf_transparency::checkpoint::verifier_key;
use anlauf_transparency::cosignature::{Policy, cosign, witness_key};
use anlauf_trust::{Checkpoint, Signer};

use super::cast::{ORIGIN, ledger, notices, public, signer};
use crate::export::check::{Believed, check};
use crate::export::{Exported, FILE_COSIGNED, export};
use crate::{Reader, StoreError};

/// A ledger of some entries, of three readers in turn; its folder and where exports go.
fn data(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = ledger(&folder.path().join("data")).unwrap();
    let mut entries = notices(count);
    for (place, entry) in entries.iter_mut().enumerate() {
        entry.scope = match place % 3 {
            0 => Scope::Everyone,
            1 => Scope::Tenant("bkk-amsel".parse().unwrap()),
            _ => Scope::Tenant("bkk-birke".parse().unwrap()),
        };
        entry.reason = format!("reason-of-{}", ["all", "amsel", "birke"][place % 3]);
    }
    ledger.append(&entries).unwrap();
    ledger.checkpoint(&signer()).unwrap().unwrap();
    folder
}

fn exported(folder: &Path, tenant: Option<&str>) -> (PathBuf, Exported) {
    let out = folder.join(tenant.unwrap_or("all"));
    let tenant = tenant.map(|tenant| tenant.parse().unwrap());
    let log = public();
    let report = export(&folder.join("data"), &out, tenant.as_ref(), (ORIGIN, &log)).unwrap();
    (out, report)
}

fn believed(out: &Path) -> Result<Exported, StoreError> {
    check(out, Believed::Log(ORIGIN, &public()))
}

/// The verifier that shares no code with ours.
fn python(out: &Path, more: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify/verify.py");
    let key = verifier_key(ORIGIN, &public()).unwrap();
    let mut command = Command::new("python3");
    command
        .arg(script)
        .arg(out)
        .args(["--log", &key])
        .args(more);
    command.output().expect("python3 is installed")
}

#[track_caller]
fn python_says(out: &Path, holds: bool, word: &str) {
    let run = python(out, &[]);
    let said = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
    assert_eq!(run.status.success(), holds, "{said}");
    assert!(said.contains(word), "no `{word}` in {said}");
}

fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "no `{from}` in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_tenant_gets_its_own_and_nothing_else() {
    let folder = data(600);
    let (out, report) = exported(folder.path(), Some("bkk-amsel"));
    assert_eq!((report.size, report.body_count), (600, 400));
    assert_eq!(believed(&out).unwrap(), report);
    python_says(&out, true, "600 entries under the signed head");
    // Nowhere in the folder: not a body, not a name, not a kind of entry of the other tenant.
    let mut files = vec![out.clone()];
    let mut seen = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("birke"), "{}", path.display());
        seen += usize::from(text.contains("amsel"));
    }
    assert_eq!(seen, 1, "the own entries are in one file");
}

#[test]
fn a_foreign_body_cannot_be_found_by_trying() {
    let folder = data(9);
    let (out, _) = exported(folder.path(), Some("bkk-amsel"));
    let tile = fs::read(out.join("tile/0/000.p/9")).unwrap();
    // Whoever knows the whole body of entry 3 but not its salt cannot recognise its leaf.
    let reader = Reader::open(&folder.path().join("data")).unwrap();
    let record = reader.record(3).unwrap().unwrap();
    let leaf = |salt: &[u8; 32]| crate::leaf::leaf_of(&record.entry, salt, &record.body).unwrap();
    assert_eq!(leaf(&record.salt).hash().0, tile[64..96]);
    assert_ne!(leaf(&[0; 32]).hash().0, tile[64..96]);
    let other = reader.record(6).unwrap().unwrap();
    assert_ne!(record.salt, other.salt);
}

#[test]
fn a_provider_gets_every_entry_and_bundles() {
    let folder = data(300);
    let (out, report) = exported(folder.path(), None);
    assert_eq!(report.body_count, 300);
    assert_eq!(believed(&out).unwrap(), report);
    assert!(out.join("tile/entries/000").is_file() && out.join("tile/entries/001.p/44").is_file());
    python_says(&out, true, "300 bodies, 0 erased");
}

#[test]
fn a_body_is_erased_and_the_tree_stands() {
    let folder = data(9);
    let (out, _) = exported(folder.path(), Some("bkk-amsel"));
    let path = out.join("entries.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        if value["index"] == 1 {
            value
                .as_object_mut()
                .unwrap()
                .retain(|key, _| key == "index" || key == "leaf");
        }
        format!("{value}\n")
    });
    fs::write(&path, lines.collect::<String>()).unwrap();
    let report = believed(&out).unwrap();
    assert_eq!((report.body_count, report.erased_count), (5, 1));
    python_says(&out, true, "5 bodies, 1 erased");
}

/// A file, what happens to it, and the words that name it.
type Damage<'d> = (&'d str, &'d dyn Fn(&Path), &'d str);

/// Each damage with the words that name it, for us and for the verifier in Python.
#[test]
fn damage_is_named() {
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let cases: [Damage<'_>; 8] = [
        ("tile/0/001", &flip, "tile/1/000.p/2"),
        ("tile/0/002.p/88", &flip, "checkpoint"),
        ("tile/1/000.p/2", &flip, "tile/1/000.p/2"),
        (
            "tile/0/001",
            &|path| fs::write(path, [0; 31]).unwrap(),
            "tile/0/001",
        ),
        ("tile/0/001", &|path| fs::remove_file(path).unwrap(), "001"),
        (
            "entries.jsonl",
            &|path| change(path, "reason-of-amsel", "reason-of-bmsel"),
            "entry 2",
        ),
        (
            "entries.jsonl",
            &|path| change(path, "anlauf-leaf/1\\n4\\n", "anlauf-leaf/1\\n5\\n"),
            "entry 4",
        ),
        ("checkpoint", &|path| change(path, "600", "601"), "head"),
    ];
    let folder = data(600);
    let (whole, _) = exported(folder.path(), Some("bkk-amsel"));
    for (number, (name, damage, word)) in cases.into_iter().enumerate() {
        let out = folder.path().join(format!("case-{number}"));
        let copied = Command::new("cp")
            .arg("-r")
            .args([&whole, &out])
            .status()
            .unwrap();
        assert!(copied.success());
        damage(&out.join(name));
        let error = believed(&out).unwrap_err();
        assert_eq!(error.code(), "AN-STO-016");
        let said = error.to_string();
        let ours = if word == "head" { "checkpoint" } else { word };
        assert!(said.contains(ours), "{name}: {said}");
        let theirs = if word == "checkpoint" { "signed" } else { word };
        python_says(&out, false, theirs);
    }
}

#[test]
fn another_logs_head_is_not_believed() {
    let folder = data(9);
    let (out, _) = exported(folder.path(), None);
    let other = Signer::from_seed([8; 32]).public();
    let found = check(&out, Believed::Log(ORIGIN, &other));
    assert_eq!(found.unwrap_err().code(), "AN-STO-016");
    assert!(check(&out, Believed::Log("anlauf/other", &public())).is_err());
    // The folder's own key shows damage only, and says so by its name.
    check(&out, Believed::Folder).unwrap();
}

#[test]
fn cosignatures_travel_with_the_export() {
    let folder = data(9);
    let data = folder.path().join("data");
    let note = fs::read_to_string(data.join("checkpoint.txt")).unwrap();
    let head = Checkpoint::verify(&note, ORIGIN, &public()).unwrap();
    let witnesses = [100, 101].map(|seed| Signer::from_seed([seed; 32]));
    let lines: String = ["w0", "w1"]
        .iter()
        .zip(&witnesses)
        .map(|(name, key)| cosign(&head, name, key, 1_777_000_000).unwrap())
        .collect();
    fs::write(data.join(FILE_COSIGNED), note + &lines).unwrap();
    let (out, _) = exported(folder.path(), Some("bkk-amsel"));
    let keys = [0, 1].map(|at| witness_key(&format!("w{at}"), &witnesses[at].public()).unwrap());
    let policy = format!(
        "log {}\nwitness w0 {}\nwitness w1 {}\ngroup all all w0 w1\nquorum all\n",
        verifier_key(ORIGIN, &public()).unwrap(),
        keys[0],
        keys[1]
    );
    let policy = Policy::parse(&policy, 1).unwrap();
    check(&out, Believed::Witnessed(&policy)).unwrap();
    let both = [
        "--witness",
        &keys[0],
        "--witness",
        &keys[1],
        "--quorum",
        "2",
    ];
    assert!(python(&out, &both).status.success());
    let three = ["--witness", &keys[0], "--quorum", "2"];
    assert!(!python(&out, &three).status.success());
    // A line less.
    change(&out.join("checkpoint"), "\u{2014} w1", "\u{2014} w2");
    let refused = check(&out, Believed::Witnessed(&policy)).unwrap_err();
    assert!(refused.to_string().contains("AN-TRU-055"), "{refused}");
}

#[test]
fn an_export_is_never_written_over_and_needs_a_signature() {
    let folder = data(3);
    let (out, _) = exported(folder.path(), None);
    let log = public();
    let again = export(&folder.path().join("data"), &out, None, (ORIGIN, &log));
    assert_eq!(again.unwrap_err().code(), "AN-STO-011");
    let fresh = tempfile::tempdir().unwrap();
    let (mut unsigned, _) = ledger(fresh.path()).unwrap();
    let entry: Entry = notices(1).remove(0);
    assert_eq!(entry.actor.role, Role::Operator);
    unsigned.append(&[entry]).unwrap();
    let found = export(
        fresh.path(),
        &fresh.path().join("out"),
        None,
        (ORIGIN, &log),
    );
    assert_eq!(found.unwrap_err().code(), "AN-STO-015");
}
