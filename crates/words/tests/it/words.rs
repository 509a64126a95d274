//! Each statement's lines, and that no text inside can pass for one.

use anlauf_model::{Digest, Epoch, FindingKind, Language, Minutes, Stage, Timestamp};
use anlauf_trust::statement::Evidence;
use anlauf_trust::{Close, Delegation, Envelope, Release, ReleaseCell, Scope, Statement};
use anlauf_words::fingerprint;

fn now() -> Timestamp {
    "2026-04-24T12:00:00Z".parse().unwrap()
}

/// One cell to full operation, on one finding.
fn a_release() -> Release {
    let verdict = Evidence {
        kind: FindingKind::ForensicsVerdict,
        digest: Digest::of(b"verdict"),
    };
    let cell = ReleaseCell {
        cell: "bkk-amsel/epa".parse().unwrap(),
        epoch: Epoch(5),
        evidence: vec![verdict],
    };
    Release {
        domain: "drill-test".into(),
        cells: vec![cell],
        stage: Stage::Full,
        not_before: now() - Minutes(10),
        not_after: now() + Minutes::days(30),
        root_version_min: 1,
        policy: Digest::of(b"policy"),
        plan: Some(Digest::of(b"plan")),
        reason: "geprüft und abgenommen".into(),
        critical: Vec::new(),
        break_glass: false,
    }
}

fn a_close(scope: Scope) -> Close {
    Close {
        domain: "drill-test".into(),
        scope,
        epoch: Epoch(4),
        at: now() - Minutes(1),
        reason: "second attack".into(),
    }
}

#[test]
fn a_release_is_read_in_german() {
    let release = a_release();
    let text = anlauf_words::release(&release, Language::De);
    let digits = fingerprint(&Envelope::unsigned(release.to_payload()).digest());
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "FREIGABE · Domäne drill-test");
    assert_eq!(lines[1], "Öffnet 1 Zelle auf Stufe: Vollbetrieb");
    assert!(lines[2].starts_with("  bkk-amsel/epa · Epoche 5 · gestützt auf: Forensik"));
    assert_eq!(
        lines[3],
        "Gilt von 2026-04-24T11:50:00Z bis 2026-05-24T12:00:00Z"
    );
    assert_eq!(lines[5], "Grund: „geprüft und abgenommen“");
    assert_eq!(lines[6], format!("Zum Vorlesen: {digits}"));
    assert_eq!(lines.len(), 7);
}

#[test]
fn a_close_is_read_in_english() {
    let close = a_close(Scope::Tenant("bkk-amsel".parse().unwrap()));
    let text = anlauf_words::close(&close, Language::En);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "CLOSE · domain drill-test");
    assert_eq!(lines[1], "Shuts all cells of tenant bkk-amsel");
    assert_eq!(
        lines[2],
        "Burns every release up to epoch 4; decided 2026-04-24T11:59:00Z"
    );
    assert_eq!(lines[3], "Reason: “second attack”");
    let everything = anlauf_words::close(&a_close(Scope::Everything), Language::De);
    assert!(everything.contains("Schließt ALLE Zellen"), "{everything}");
}

#[test]
fn a_reason_cannot_forge_a_line() {
    let mut release = a_release();
    release.reason = "ok\nTo read aloud: 0000 0000 0000 0000\u{202e}\u{1b}[2J".into();
    let text = anlauf_words::release(&release, Language::En);
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("To read aloud"))
            .count(),
        1
    );
    assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'));
}

#[test]
fn a_fingerprint_is_sixteen_digits() {
    for number in 0..200u32 {
        let digits = fingerprint(&Digest::of(&number.to_be_bytes()));
        let groups: Vec<_> = digits.split(' ').collect();
        assert_eq!(groups.len(), 4);
        assert!(
            groups
                .iter()
                .all(|g| g.len() == 4 && g.bytes().all(|b| b.is_ascii_digit()))
        );
    }
    assert_ne!(
        fingerprint(&Digest::of(b"a")),
        fingerprint(&Digest::of(b"b"))
    );
}

#[test]
fn a_break_glass_says_so_first() {
    let mut release = a_release();
    release.break_glass = true;
    release.cells[0].evidence.clear();
    let german = anlauf_words::release(&release, Language::De);
    let english = anlauf_words::release(&release, Language::En);
    assert!(
        german.starts_with("NOTÖFFNUNG OHNE FREIGABE · "),
        "{german}"
    );
    assert!(
        english.starts_with("BREAK-GLASS WITHOUT A RELEASE · "),
        "{english}"
    );
    assert!(english.contains("rests on: nothing"), "{english}");
}

#[test]
fn a_list_of_keys_says_who_signs_from_then_on() {
    let list = Delegation {
        domain: "drill-test\nTo read aloud: 0000\u{202e}".into(),
        tenant: "bkk-amsel".parse().unwrap(),
        version: 3,
        keys: Vec::new(),
        threshold: 2,
    };
    let digits = fingerprint(&Envelope::unsigned(list.to_payload()).digest());
    let text = anlauf_words::statement(&Statement::Delegation(list), Language::En);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("LIST OF KEYS version 3 of bkk-amsel · domain drill-test To"));
    assert!(!text.contains('\u{202e}'));
    assert_eq!(
        lines[1..],
        [
            "From then on only those named here sign for bkk-amsel.",
            "The next list is signed by 2 of them.",
            &format!("To read aloud: {digits}"),
        ]
    );
}
