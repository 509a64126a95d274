//! What people outside of the control plane do: hold keys, prove a ledger, witness it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::house::{Desk, House};
use crate::process::{Run, Running};

const ORIGIN: &str = "anlauf/beispiel";

/// A house whose documents were signed with a software key and with one of OpenSSH, started once.
fn house() -> House {
    let house = House::with_landscape(None);
    house.make_keys();
    house.genesis("beispiel", "data/authority").done();
    house.sign_documents("security-1");
    let files = ["root", "policy-normal", "policy"];
    let files = files
        .map(|name| format!("data/authority/{name}.json"))
        .join(" ");
    house
        .run(&format!("sign {files} --ssh-key ssh/forensics-1 --yes"))
        .done();
    house.make_logins();
    house.start(0).process.terminate().done();
    house
}

/// Adds an entry to the ledger.
fn grow(house: &House, title: &str) {
    let plane = house.start(0);
    let desk = Desk {
        house,
        control: &plane.control,
    };
    desk.must(
        "operator-1",
        &format!("incident declare --de {title} --en {title}"),
    );
    plane.process.terminate().done();
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = all
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect();
    found.sort();
    found
}

/// How many signatures of OpenSSH there are, each verified by OpenSSH for its own kind of
/// statement and for no other.
fn ssh_signatures(export: &Path) -> usize {
    let mut checked = 0;
    for sig in files(&export.join("signed"), "sig") {
        if !fs::read_to_string(&sig)
            .unwrap()
            .starts_with("-----BEGIN SSH SIGNATURE")
        {
            continue;
        }
        let name = sig.file_name().unwrap().to_str().unwrap();
        let (number, _) = name.split_once('.').unwrap();
        let pae = fs::File::open(export.join("signed").join(format!("{number}.pae"))).unwrap();
        let text = fs::read_to_string(export.join("signed").join(format!("{number}.pae"))).unwrap();
        let kind = if text.contains("urn:anlauf:root:v1") {
            "root"
        } else {
            "policy"
        };
        let verify = |namespace: &str, input: fs::File| {
            Command::new("ssh-keygen")
                .args(["-Y", "verify", "-f", "allowed_signers", "-I", "forensics-1"])
                .args(["-n", namespace, "-s"])
                .arg(&sig)
                .current_dir(export)
                .stdin(input)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap()
                .success()
        };
        assert!(
            verify(&format!("{kind}.v1@beispiel"), pae.try_clone().unwrap()),
            "{name}"
        );
        assert!(!verify("release.v1@beispiel", pae));
        checked += 1;
    }
    checked
}

#[test]
fn an_export_is_proven_by_tools_that_are_not_ours() {
    let house = house();
    house
        .run("ledger export data --tenant town-alder --out export")
        .done();
    house
        .run(&format!(
            "ledger verify export --origin {ORIGIN} --key data/log.pub"
        ))
        .done();
    house
        .run("ledger export data --out export")
        .says(5, &["cannot create"]);

    let export = house.path("export");
    let key = fs::read_to_string(export.join("log.vkey")).unwrap();
    let root = fs::read_to_string(house.path("data/authority/root.json")).unwrap();
    let digest = {
        let shown = house
            .run("--json key protocol data/authority/root.json")
            .done();
        let at = shown.find("SHA-256 `").unwrap() + 9;
        shown[at..at + 64].to_owned()
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify/verify.py");
    let python = |digest: &str| {
        let mut command = Command::new("python3");
        command
            .arg(&script)
            .arg(&export)
            .args(["--log", key.trim(), "--root-digest", digest]);
        Run::of(&mut command)
    };
    // Two documents are in force, each signed raw and by OpenSSH.
    assert!(
        python(&digest)
            .done()
            .contains("4 signatures hold, 0 are left")
    );
    python(&"0".repeat(64)).says(1, &["not the pinned one"]);
    assert!(root.contains("signatures"));

    // Each signature of OpenSSH by OpenSSH itself, from the folder's own files.
    assert_eq!(ssh_signatures(&export), 2);

    // Damage is named, with its own exit code.
    let path = export.join("entries.jsonl");
    let changed = fs::read_to_string(&path)
        .unwrap()
        .replacen("genesis", "Genesis", 1);
    let changed = match changed.contains("Genesis") {
        true => changed,
        false => changed.replacen("\\\"actor\\\"", "\\\"Actor\\\"", 1),
    };
    fs::write(&path, changed).unwrap();
    house
        .run(&format!(
            "ledger verify export --origin {ORIGIN} --key data/log.pub"
        ))
        .says(5, &["AN-STO-016", "entries.jsonl", "entry "]);
}

/// A card is bound to its person and key: somebody else's name on it is found out.
fn false_cards_are_refused(house: &House, rotate: &str) {
    let card = fs::read_to_string(house.path("keys/operator-1-ssh.pub")).unwrap();
    let stolen = card.replace("operator-1", "security-1");
    fs::create_dir(house.path("cards")).unwrap();
    fs::write(house.path("cards/stolen.pub"), stolen).unwrap();
    house.run(rotate).says(6, &["proof of possession"]);
    let bare = card
        .lines()
        .filter(|line| !line.contains("\"proof\""))
        .collect::<Vec<_>>()
        .join("\n");
    let last = bare.rfind("\",").unwrap();
    let bare = format!("{}{}", &bare[..=last], &bare[last + 2..]);
    fs::write(house.path("cards/stolen.pub"), bare).unwrap();
    house
        .run(rotate)
        .says(6, &["lacks the proof of possession"]);
    fs::remove_file(house.path("cards/stolen.pub")).unwrap();
}

#[test]
fn keys_are_enrolled_rotated_revoked_and_reviewed_with_files_only() {
    let house = House::with_landscape(None);
    house.make_keys();
    house.genesis("beispiel", "out").done();
    let rotate = "key rotate --landscape land --keys cards --root out/root.json --out root-2.json";
    false_cards_are_refused(&house, rotate);

    // A new key, of the other kind, takes the place of security-1's two.
    house.make_ssh_key("ecdsa", "fresh");
    house
        .run("key enrol --person security-1 --ssh-key ssh/fresh --out cards/security-1.pub")
        .done();
    let told: Value = serde_json::from_str(&house.run(&format!("--json {rotate}")).done()).unwrap();
    assert_eq!(told["version"], 2);
    assert_eq!(told["added"].as_array().unwrap().len(), 1);
    assert_eq!(told["removed"].as_array().unwrap().len(), 2);
    house.run(rotate).says(1, &["cannot write"]);

    // Both thresholds sign, one of them with the fresh key; ECDSA of OpenSSH counts.
    house
        .run("sign root-2.json --ssh-key ssh/fresh --yes")
        .done();
    house
        .run("sign root-2.json --ssh-key ssh/forensics-1 --yes")
        .done();
    house
        .run("sign root-2.json --ssh-key ssh/operator-1 --yes")
        .done();
    house
        .run("sign root-2.json --ssh-key ssh/fresh --yes")
        .says(6, &["signed with this key already"]);

    let review = house
        .run("key review --root root-2.json --policy out/policy.json")
        .done();
    assert!(review.contains("ssh-ecdsa-p256"), "{review}");
    assert!(review.contains("! owner: 1 ≤ 1"), "{review}");
    assert!(review.contains("release (B, C)"), "{review}");
    let paper = house
        .run("key protocol root-2.json out/policy.json --lang de")
        .done();
    assert!(
        paper.contains("# Protokoll") && paper.contains("security-1"),
        "{paper}"
    );
    assert!(paper.contains("Zum Vorlesen: **"), "{paper}");

    let revoke = |whom: &str, out: &str| {
        house.run(&format!(
            "key revoke --root root-2.json --person {whom} --out {out}"
        ))
    };
    let told = revoke("town-birch.approver-1", "root-3.json").done();
    assert!(told.contains("root version 3: +0 −2"), "{told}");
    revoke("nobody", "root-4.json").says(6, &["has no key"]);
    house
        .run("key revoke --root root-2.json --person security-1 --person forensics-1 --out x.json")
        .says(6, &["could ever change it again"]);
}

#[test]
fn a_key_of_the_wrong_kind_or_without_its_half_is_named() {
    let house = House::with_landscape(None);
    house.make_keys();
    let rsa = |args: &[&str]| {
        let made = Command::new("ssh-keygen")
            .args(args)
            .current_dir(house.path("ssh"))
            .status();
        assert!(made.unwrap().success());
    };
    rsa(&["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", "rsa"]);
    let enrol =
        |more: &str| house.run(&format!("key enrol --person security-1 --out x.pub {more}"));
    enrol("--ssh-key ssh/rsa").says(3, &["AN-TRU-044"]);
    fs::remove_file(house.path("ssh/rsa.pub")).unwrap();
    enrol("--ssh-key ssh/rsa").says(9, &["ssh-keygen -y"]);
    enrol("--ssh-key ssh/security-1 --touch-only").says(2, &["for keys on tokens"]);
    enrol("").says(2, &["--ssh-key"]);
    // The public half of somebody else's: what comes back is not believed.
    let theirs = house.path("ssh/forensics-1.pub");
    fs::copy(theirs, house.path("ssh/security-1.pub")).unwrap();
    enrol("--ssh-key ssh/security-1").says(1, &["did not sign"]);
    assert!(!house.path("x.pub").exists());
}

#[test]
fn a_witness_cosigns_growth_and_refuses_a_fork() {
    let house = house();
    house.run("key new --person witness --out w1.key").done();
    let serve = || {
        Running::start(&mut house.command(&format!(
            "--json witness serve --name w1 --key w1.key --log {ORIGIN}=data/log.pub \
             --state w1 --listen 127.0.0.1:0"
        )))
    };
    let witness = serve();
    let told = witness.listens().unwrap();
    let url = told["listening"].as_str().unwrap().to_owned();
    // One witness at a time on one memory.
    let second = serve();
    assert!(second.listens().is_none());
    second.end().says(6, &["is running"]);

    house.run("ledger export data --out export").done();
    let log = fs::read_to_string(house.path("export/log.vkey")).unwrap();
    let key = house.run("witness show --name w1 --key w1.key").done();
    let policy = |url: &str| {
        let text = format!(
            "log {}\nwitness w1 {} {url}\ngroup all all w1\nquorum all\n",
            log.trim(),
            key.trim()
        );
        fs::write(house.path("policy"), text).unwrap();
    };
    policy(&url);
    let cosign = "ledger cosign data --policy policy";
    house.run(cosign).says(3, &["AN-TRU-054"]);
    let cosign = format!("{cosign} --faulty 0");
    assert!(
        house
            .run(&cosign)
            .done()
            .contains("cosigned by 1 witnesses")
    );
    assert!(
        house
            .run(&cosign)
            .done()
            .contains("cosigned by 1 witnesses")
    );

    // A copy is kept; the ledger goes on and is cosigned, the copy goes another way and is not.
    let copied = Command::new("cp")
        .args(["-r", "data", "fork"])
        .current_dir(house.path("."))
        .status();
    assert!(copied.unwrap().success());
    grow(&house, "growth");
    house.run(&cosign).done();
    house
        .run("ledger export data --tenant town-alder --out cosigned")
        .done();
    house
        .run("ledger verify cosigned --policy policy --faulty 0")
        .done();
    house
        .run("ledger verify export --policy policy --faulty 0")
        .says(5, &["AN-TRU-055"]);

    forks_and_is_refused(&house, &cosign);
    witness.kill();
    remembers(&house);
}

/// The copy goes on in another way in the ledger's place.
fn forks_and_is_refused(house: &House, cosign: &str) {
    fs::rename(house.path("data"), house.path("honest")).unwrap();
    fs::rename(house.path("fork"), house.path("data")).unwrap();
    grow(house, "fork");
    let refused = house.run(cosign);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(
        refused.err.contains("AN-TRU-055") && refused.err.contains("w1"),
        "{}",
        refused.err
    );
}

/// Killed and started again it remembers, also when the request comes as a file.
fn remembers(house: &House) {
    let size = fs::read_to_string(house.path("honest/checkpoint.txt")).unwrap();
    let size = size.lines().nth(1).unwrap();
    let by_hand = |data: &str, old: &str| {
        house
            .run(&format!(
                "ledger cosign {data} --policy policy --faulty 0 --request {old}=ask.txt"
            ))
            .done();
        house.run(&format!(
            "witness cosign ask.txt --name w1 --key w1.key --log {ORIGIN}=honest/log.pub --state w1"
        ))
    };
    by_hand("data", "0").says(3, &[&format!("has {size} entries")]);
    by_hand("data", size).says(3, &["has "]);
    let answer = by_hand("honest", size).done();
    assert!(answer.starts_with("\u{2014} w1 "), "{answer}");
}

const ROOT: &str = "data/authority/root.json";

#[test]
fn a_tenant_owns_its_keys() {
    let house = House::new(None);
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    fs::create_dir(house.path("cards")).unwrap();
    house.make_ssh_key("ed25519", "own");
    house
        .run("key enrol --person town-alder.approver-1 --ssh-key ssh/own --out cards/own.pub")
        .done();

    the_provider_gives_the_town_no_key(&desk);
    the_town_takes_its_keys_over(&desk);

    // It stands after a restart.
    plane.process.terminate().done();
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    desk.change("operator-1", "adopt m.json")
        .says(3, &["AN-TRU-011"]);
    plane.process.terminate().done();
    an_export_holds_the_list(&house);
}

fn the_provider_gives_the_town_no_key(desk: &Desk<'_>) {
    let house = desk.house;
    house
        .run(&format!(
            "key rotate --landscape land --keys cards --keep --root {ROOT} --out root-2.json"
        ))
        .done();
    for signer in ["security-1", "forensics-1", "operator-1"] {
        house
            .run(&format!("sign root-2.json --ssh-key ssh/{signer} --yes"))
            .done();
    }
    desk.change("operator-1", "adopt root-2.json")
        .says(3, &["AN-TRU-090", "town-alder"]);
}

fn the_town_takes_its_keys_over(desk: &Desk<'_>) {
    let house = desk.house;
    let draft = format!(
        "key delegate --tenant town-alder --root {ROOT} --landscape land --keys cards --out l.json"
    );
    house
        .run(&draft.replace("town-alder", "town-birch"))
        .says(6, &["is not of `town-birch`"]);
    house
        .run(&format!("{draft} --threshold 2"))
        .says(6, &["1 persons"]);
    house.run(&draft).done();
    house.run("sign l.json --ssh-key ssh/own --yes").done();
    house
        .run("sign l.json --ssh-key ssh/security-1 --yes")
        .done();
    desk.change("operator-1", "adopt l.json")
        .says(3, &["AN-TRU-030"]);
    house.run(&draft.replace("l.json", "m.json")).done();
    let words = house.run("sign m.json --ssh-key ssh/own --yes");
    let said = format!("{}{}", words.out, words.err);
    assert!(
        said.contains("LIST OF KEYS version 1 of town-alder"),
        "{said}"
    );
    words.done();
    house
        .run("sign m.json --ssh-key ssh/town-alder.approver-1 --yes")
        .done();
    desk.change("town-birch.approver-1", "adopt m.json")
        .says(3, &["AN-REC-004"]);
    desk.must("town-alder.approver-1", "adopt m.json");
    desk.change("operator-1", "adopt m.json")
        .says(3, &["AN-TRU-011"]);
    let review = house
        .run(&format!("key review --root {ROOT} --list m.json"))
        .done();
    assert_eq!(
        review.matches("town-alder.approver-1").count(),
        1,
        "{review}"
    );
}

/// Its signatures hold for OpenSSH's own tool; another tenant's copy has no word of it.
fn an_export_holds_the_list(house: &House) {
    house
        .run("ledger export data --tenant town-alder --out theirs")
        .done();
    let signers = fs::read_to_string(house.path("theirs/allowed_signers")).unwrap();
    assert!(signers.contains("delegation.v1@beispiel"), "{signers}");
    let kept = fs::read_dir(house.path("theirs/signed")).unwrap();
    let names = kept.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(names.filter(|name| name.ends_with(".sig")).count() >= 2);
    house
        .run("ledger export data --tenant town-birch --out others")
        .done();
    let others = fs::read_to_string(house.path("others/entries.jsonl")).unwrap();
    assert!(!others.contains("DelegationAdopted") && !others.contains("delegation_adopted"));
}

#[test]
fn a_finding_is_signed_where_it_was_found_and_carried_by_anyone() {
    let house = House::new(None);
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    desk.must("operator-1", "incident declare --de Übung --en rehearsal");
    let draft = format!(
        "finding draft --kind entry_path_closed --verdict pass --root {ROOT} \
         --evidence {} --note patched --out f.json",
        "5e".repeat(32)
    );
    house
        .run(&draft.replace("--note", "town-alder/portal --note"))
        .says(3, &["AN-TRU-009", "name no cell"]);
    house.run(&draft).done();
    desk.change("operator-1", "finding bring f.json")
        .says(3, &["AN-TRU-046"]);
    house
        .run("sign f.json --ssh-key ssh/operator-1 --yes")
        .done();
    desk.change("operator-1", "finding bring f.json")
        .says(3, &["AN-TRU-046"]);
    let words = house.run("sign f.json --ssh-key ssh/forensics-1 --yes");
    let said = format!("{}{}", words.out, words.err);
    assert!(said.contains("entry path closed: clear"), "{said}");
    words.done();
    house
        .run("adopt f.json --reason r")
        .says(6, &["finding bring"]);
    desk.must("operator-1", "finding bring f.json");
    desk.change("operator-1", "finding bring f.json")
        .says(3, &["AN-REC-046"]);
    let found = desk.read("security-1", "finding list --kind entry_path_closed");
    assert_eq!(found[0]["by"], "forensics-1", "{found}");
    assert!(found[0]["signed"].is_string(), "{found}");
    plane.process.terminate().done();

    // Outsiders check the finder's signature with OpenSSH's own tool.
    house.run("ledger export data --out all").done();
    let signers = fs::read_to_string(house.path("all/allowed_signers")).unwrap();
    assert!(signers.contains("finding.v1@"), "{signers}");
}
