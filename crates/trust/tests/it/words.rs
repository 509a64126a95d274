//! What people read before they sign.

use anlauf_model::{Digest, Language};
use anlauf_trust::{Envelope, Scope, fingerprint};

use crate::cast::{close, release};

#[test]
fn a_release_is_read_in_german() {
    let release = release();
    let text = release.in_words(Language::De);
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
    let text = close(Scope::Tenant("bkk-amsel".parse().unwrap())).in_words(Language::En);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "CLOSE · domain drill-test");
    assert_eq!(lines[1], "Shuts all cells of tenant bkk-amsel");
    assert_eq!(
        lines[2],
        "Burns every release up to epoch 4; decided 2026-04-24T11:59:00Z"
    );
    assert_eq!(lines[3], "Reason: “second attack”");
    let everything = close(Scope::Everything).in_words(Language::De);
    assert!(everything.contains("Schließt ALLE Zellen"), "{everything}");
}

#[test]
fn a_reason_cannot_forge_a_line() {
    let mut release = release();
    release.reason = "ok\nTo read aloud: 0000 0000 0000 0000\u{202e}\u{1b}[2J".into();
    let text = release.in_words(Language::En);
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
