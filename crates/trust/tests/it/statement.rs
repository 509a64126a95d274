//! The one byte form of each statement.

use anlauf_model::limits::{ENVELOPE_SIZE_MAX, REASON_SIZE_MAX, WAVE_CELL_COUNT_MAX};
use anlauf_model::{Epoch, FindingKind};
use anlauf_trust::payload::NUMBER_MAX;
use anlauf_trust::{Close, Envelope, Policy, Release, Root, Scope, Statement};
use proptest::prelude::*;

use crate::cast::{bound, close, codes, evidence, policy, release, root};

fn release_text() -> String {
    String::from_utf8(release().to_payload()).unwrap()
}

fn refused(text: &str) -> Vec<&'static str> {
    codes(Statement::parse(text.as_bytes()))
}

#[test]
fn what_is_written_is_read_again() {
    assert_eq!(
        Statement::parse(&root().to_payload()).unwrap(),
        Statement::Root(root())
    );
    assert_eq!(
        Statement::parse(&policy().to_payload()).unwrap(),
        Statement::Policy(policy())
    );
    assert_eq!(
        Statement::parse(&release().to_payload()).unwrap(),
        Statement::Release(release())
    );
    let scopes = [
        Scope::Everything,
        Scope::Site("dc-south".parse().unwrap()),
        Scope::Tenant("bkk-amsel".parse().unwrap()),
        Scope::Service("epa".parse().unwrap()),
        Scope::Cells(vec!["bkk-amsel/epa".parse().unwrap()]),
    ];
    for scope in scopes {
        let close = close(scope);
        assert_eq!(Close::parse(&close.to_payload()).unwrap(), close);
        assert_eq!(
            Statement::parse(&close.to_payload()).unwrap(),
            Statement::Close(close)
        );
    }
}

#[test]
fn a_statement_is_read_only_as_what_it_is() {
    let root = root().to_payload();
    assert_eq!(codes(Policy::parse(&root)), ["AN-TRU-006"]);
    assert_eq!(codes(Release::parse(&root)), ["AN-TRU-006"]);
    assert_eq!(codes(Close::parse(&root)), ["AN-TRU-006"]);
    assert_eq!(codes(Root::parse(&release().to_payload())), ["AN-TRU-006"]);
    let other = release_text().replace("urn:anlauf:release:v1", "urn:anlauf:release:v2");
    assert_eq!(refused(&other), ["AN-TRU-006"]);
    assert_eq!(
        refused(&release_text().replace("Statement/v1", "Statement/v2")),
        ["AN-TRU-006"]
    );
    // Dressed up as a close: the fields give it away.
    let dressed = release_text().replace("urn:anlauf:release:v1", "urn:anlauf:close:v1");
    assert_eq!(refused(&dressed), ["AN-TRU-005"]);
}

#[test]
fn unknown_fields_are_refused_at_every_depth() {
    for before in [
        "\"_type\"",
        "\"domain\"",
        "\"name\"",
        "\"sha256\"",
        "\"cell\"",
        "\"kind\"",
    ] {
        let text = release_text().replacen(before, &format!("\"note\":1,{before}"), 1);
        assert_eq!(refused(&text), ["AN-TRU-005"], "{before}");
    }
}

#[test]
fn equal_keys_are_refused_at_every_depth() {
    let text = release_text();
    for (field, value) in [
        ("\"_type\"", "\"https://in-toto.io/Statement/v1\""),
        ("\"domain\"", "\"drill-test\""),
        ("\"name\"", "\"bkk-amsel/epa\""),
        ("\"epoch\"", "5"),
        ("\"kind\"", "\"scan_clean\""),
    ] {
        let twice = text.replacen(field, &format!("{field}:{value},{field}"), 1);
        assert_eq!(refused(&twice), ["AN-TRU-005"], "{field}");
        let refusal = Statement::parse(twice.as_bytes()).unwrap_err().to_string();
        assert!(refusal.contains("occurs twice"), "{refusal}");
    }
    // The same key in another spelling.
    let spelt = text.replacen("\"epoch\"", "\"epoch\":9,\"\\u0065poch\"", 1);
    assert_eq!(refused(&spelt), ["AN-TRU-005"]);
}

#[test]
fn only_the_canonical_bytes_are_read() {
    let text = release_text();
    let others = [
        text.replacen(':', ": ", 1),
        format!("{text}\n"),
        text.replace("\"epoch\":5", "\"epoch\":5.0"),
        text.replace("\"cell\"", "\"\\u0063ell\""),
        text.replace("2026-04-24T11:50:00Z", "2026-04-24T11:50:00.0004Z"),
        text.replace("2026-04-24T11:50:00Z", "2026-04-24T13:50:00+02:00"),
        text.replace(",\"critical\":[]", ""),
    ];
    for other in others {
        assert_ne!(other, text);
        assert_eq!(refused(&other), ["AN-TRU-005"], "{other}");
    }
}

#[test]
fn subjects_follow_from_the_predicate() {
    let text = release_text();
    let other = text.replacen(
        "\"name\":\"bkk-amsel/epa\"",
        "\"name\":\"bkk-amsel/web\"",
        1,
    );
    assert_eq!(refused(&other), ["AN-TRU-007"]);
    // Another epoch in the predicate needs another digest in the subject.
    assert_eq!(
        refused(&text.replace("\"epoch\":5", "\"epoch\":6")),
        ["AN-TRU-007"]
    );
    assert_eq!(
        refused(&text.replace("drill-test", "drill-tess")),
        ["AN-TRU-007"]
    );
    let close = String::from_utf8(close(Scope::Everything).to_payload()).unwrap();
    assert_eq!(
        refused(&close.replace("\"epoch\":4", "\"epoch\":3")),
        ["AN-TRU-007"]
    );
}

#[test]
fn limits_hold() {
    let faults = |change: &dyn Fn(&mut Release)| {
        let mut release = release();
        change(&mut release);
        codes(Statement::parse(&release.to_payload()))
    };
    assert_eq!(faults(&|r| r.cells.clear()), ["AN-TRU-009"]);
    assert_eq!(
        faults(&|r| r.cells.push(bound("bkk-amsel/epa", 7))),
        ["AN-TRU-009"]
    );
    assert_eq!(
        faults(&|r| r.cells[0].epoch = Epoch(NUMBER_MAX + 1)),
        ["AN-TRU-009"]
    );
    assert_eq!(
        faults(&|r| r.reason = "x".repeat(REASON_SIZE_MAX + 1)),
        ["AN-TRU-009"]
    );
    assert_eq!(faults(&|r| r.reason = " \n".into()), ["AN-TRU-009"]);
    for domain in ["", "Drill", "a b", "ä", "a/b"] {
        assert_eq!(
            faults(&|r| r.domain = domain.into()),
            ["AN-TRU-009"],
            "{domain}"
        );
    }
    let huge = vec![b' '; ENVELOPE_SIZE_MAX + 1];
    assert_eq!(codes(Statement::parse(&huge)), ["AN-TRU-001"]);
}

#[test]
fn the_largest_wave_fits_into_an_envelope() {
    let wave = |count: usize| {
        let mut release = release();
        let one = |number| {
            let mut bound = bound(&format!("bkk-amsel/custom-{number:04}"), 1);
            bound.evidence = FindingKind::ALL.map(evidence).to_vec();
            bound
        };
        release.cells = (0..count).map(one).collect();
        Envelope::unsigned(release.to_payload()).to_bytes()
    };
    let envelope = Envelope::parse(&wave(WAVE_CELL_COUNT_MAX)).unwrap();
    Release::parse(&envelope.payload).unwrap();
    let more = Envelope::parse(&wave(WAVE_CELL_COUNT_MAX + 1)).unwrap();
    assert_eq!(codes(Release::parse(&more.payload)), ["AN-TRU-009"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Whatever byte is changed: what still parses is another statement, or the same bytes.
    #[test]
    fn no_two_byte_forms_mean_the_same(place in any::<prop::sample::Index>(), value: u8) {
        let mut bytes = release().to_payload();
        let place = place.index(bytes.len());
        let same = bytes[place] == value;
        bytes[place] = value;
        if let Ok(parsed) = Statement::parse(&bytes) {
            prop_assert_eq!(parsed == Statement::Release(release()), same);
        }
    }

    /// A reason of any characters survives.
    #[test]
    fn any_reason_is_kept(reason in "\\PC{1,60}[\n\t\"\\\\]?x") {
        let mut release = release();
        release.reason = reason;
        prop_assert_eq!(Release::parse(&release.to_payload()).unwrap(), release);
    }

    #[test]
    fn junk_is_refused(text in "\\PC*") {
        prop_assert!(Statement::parse(text.as_bytes()).is_err());
    }
}
