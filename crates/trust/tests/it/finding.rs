//! Signed findings: whose, about what, and in which shape.

use anlauf_model::{Digest, FindingKind, Minutes, Verdict};
use anlauf_trust::{Finding, Refusal, Statement, Verified};

use crate::cast::{DOMAIN, authority, cell, codes, now, sealed};

/// Forensics found nothing on the record of bkk-amsel.
fn finding() -> Finding {
    Finding {
        domain: DOMAIN.into(),
        cells: vec![cell("bkk-amsel/epa")],
        kind: FindingKind::ForensicsVerdict,
        verdict: Verdict::Pass,
        evidence: Digest::of(b"image of the disk"),
        at: now(),
        note: "nothing found".into(),
    }
}

fn judge(finding: &Finding, names: &[&str]) -> Result<Verified<Finding>, Refusal> {
    authority().check_finding(&sealed(finding.to_payload(), names), now())
}

#[test]
fn a_kind_is_signed_by_those_whose_finding_it_is() {
    let all = [
        "op-1", "sec-1", "own-1", "for-1", "auto-1", "amsel-1", "gate-1", "aud-1",
    ];
    let cases: [(FindingKind, &[&str]); 4] = [
        (FindingKind::ForensicsVerdict, &["sec-1", "for-1", "auto-1"]),
        (FindingKind::EntryPathClosed, &["sec-1", "for-1"]),
        (FindingKind::Commissioned, &["sec-1"]),
        (FindingKind::TenantAccepted, &[]),
    ];
    for (kind, finders) in cases {
        let mut said = finding();
        said.kind = kind;
        if kind.is_incident_wide() {
            said.cells.clear();
        }
        for name in all {
            match judge(&said, &[name]) {
                Ok(held) => {
                    assert!(finders.contains(&name), "{kind} by {name}");
                    assert_eq!(held.signers().first().unwrap().as_str(), name);
                    assert_eq!(held.statement(), &said);
                }
                Err(refusal) => {
                    assert!(!finders.contains(&name), "{kind} by {name}: {refusal}");
                    assert!(refusal.has("AN-TRU-046"));
                }
            }
        }
    }
    // A stranger beside the finder does no harm, and does not become the finder.
    let held = judge(&finding(), &["op-1", "for-1"]).unwrap();
    assert_eq!(held.signers().len(), 1);
}

#[test]
fn a_signature_is_over_this_finding_in_this_domain() {
    let mut bent = sealed(finding().to_payload(), &["for-1"]);
    let mut other = finding();
    other.verdict = Verdict::Fail;
    bent.payload = other.to_payload();
    let refused = authority().check_finding(&bent, now());
    assert_eq!(codes(refused), ["AN-TRU-046", "AN-TRU-033"]);
    let mut foreign = finding();
    foreign.domain = "drill-other".into();
    assert_eq!(codes(judge(&foreign, &["for-1"])), ["AN-TRU-012"]);
    let mut ahead = finding();
    ahead.at = now() + Minutes(6);
    assert_eq!(codes(judge(&ahead, &["for-1"])), ["AN-TRU-041"]);
    // Nothing else is read as a finding, nor a finding as anything else.
    let bytes = finding().to_payload();
    assert!(matches!(
        Statement::parse(&bytes),
        Ok(Statement::Finding(_))
    ));
    assert_eq!(
        codes(authority().check_close(&sealed(bytes, &["for-1"]), &|_| None, now())),
        ["AN-TRU-006"]
    );
}

#[test]
fn a_finding_speaks_for_cells_of_one_owner_or_for_the_incident() {
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Finding));
    let cases: [Change<'_>; 5] = [
        ("AN-TRU-009", &|said| said.cells.clear()),
        ("AN-TRU-009", &|said| {
            said.kind = FindingKind::EntryPathClosed;
        }),
        ("AN-TRU-009", &|said| said.cells.push(said.cells[0].clone())),
        ("AN-TRU-021", &|said| said.cells.push(cell("bkk-birke/epa"))),
        ("AN-TRU-009", &|said| said.note = "x".repeat(2_001)),
    ];
    for (code, change) in cases {
        let mut said = finding();
        change(&mut said);
        assert_eq!(codes(judge(&said, &["sec-1"])), [code]);
    }
}
