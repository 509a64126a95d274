//! What opens a cell, and everything that does not.

use std::collections::BTreeSet;

use anlauf_model::{CellId, Digest, Epoch, Minutes, PersonId, Role, Stage, Timestamp};
use anlauf_trust::{CellFacts, Envelope, KeyRecord, Refusal, Release, Root, Signer};
use proptest::prelude::*;

use crate::cast::{
    DOMAIN, PEOPLE, RELEASE_SIGNERS, ROOT_SIGNERS, authority, bound, cell, codes, facts, judge,
    now, policy, record, release, root, root_envelope, sealed, second_key, signer,
};

fn refused(change: impl FnOnce(&mut Release)) -> Vec<&'static str> {
    let mut release = release();
    change(&mut release);
    codes(judge(&release, &RELEASE_SIGNERS))
}

#[test]
fn a_full_quorum_opens() {
    let signers = judge(&release(), &RELEASE_SIGNERS).unwrap();
    let want: BTreeSet<PersonId> = RELEASE_SIGNERS.iter().map(|n| n.parse().unwrap()).collect();
    assert_eq!(signers, want.into_iter().collect::<Vec<_>>());
}

#[test]
fn a_wave_of_one_owner_opens_as_a_whole_or_not() {
    let mut wave = release();
    wave.cells.push(bound("bkk-amsel/web", 5));
    judge(&wave, &RELEASE_SIGNERS).unwrap();
    // Enough for the web cell alone, but the wave holds the patient record too.
    assert_eq!(
        codes(judge(&wave, &["sec-1", "amsel-1"])),
        ["AN-TRU-030", "AN-TRU-030"],
        "one security person and the owner are missing"
    );
    wave.cells[1].epoch = anlauf_model::Epoch(4);
    assert_eq!(codes(judge(&wave, &RELEASE_SIGNERS)), ["AN-TRU-023"]);
}

#[test]
fn a_wrong_cell_is_refused() {
    assert_eq!(
        refused(|r| r.cells[0].cell = cell("bkk-amsel/nix")),
        ["AN-TRU-020"]
    );
}

#[test]
fn cells_of_two_owners_are_refused() {
    let found = refused(|r| r.cells.push(bound("bkk-birke/epa", 5)));
    assert!(found.contains(&"AN-TRU-021"), "{found:?}");
}

#[test]
fn another_tenants_representative_does_not_count() {
    let foreign = ["sec-1", "sec-2", "own-1", "birke-1"];
    let found = codes(judge(&release(), &foreign));
    assert_eq!(found, ["AN-TRU-030", "AN-TRU-031", "AN-TRU-037"]);
}

#[test]
fn a_tenant_never_counts_for_a_shared_cell() {
    let mut shared = release();
    shared.cells = vec![bound("shared/mailinfra", 5)];
    judge(&shared, &["sec-1", "own-1", "for-1"]).unwrap();
    let found = codes(judge(&shared, &["sec-1", "own-1", "amsel-1"]));
    assert_eq!(found, ["AN-TRU-030", "AN-TRU-031", "AN-TRU-035"]);
}

#[test]
fn an_old_or_equal_epoch_is_refused() {
    for epoch in [0, 3, 4] {
        assert_eq!(refused(|r| r.cells[0].epoch.0 = epoch), ["AN-TRU-023"]);
    }
}

#[test]
fn the_time_window_holds_to_the_millisecond() {
    let edge = |r: &mut Release| r.not_after = now();
    assert_eq!(refused(edge), ["AN-TRU-025"]);
    assert_eq!(refused(|r| r.not_before.0 = now().0 + 1), ["AN-TRU-024"]);
    assert_eq!(
        refused(|r| r.not_after = r.not_before),
        ["AN-TRU-018", "AN-TRU-025"]
    );
    assert_eq!(
        refused(|r| r.not_after = r.not_before + Minutes(90 * 1440 + 1)),
        ["AN-TRU-018"]
    );
    let mut longest = release();
    longest.not_before = now();
    longest.not_after = longest.not_before + Minutes::days(90);
    judge(&longest, &RELEASE_SIGNERS).unwrap();
    longest.not_after.0 = now().0 + 1;
    judge(&longest, &RELEASE_SIGNERS).unwrap();
}

#[test]
fn a_release_never_closes() {
    // No rule is asked about `closed` in class C; class A rules speak about every stage.
    assert_eq!(refused(|r| r.stage = Stage::Closed), ["AN-TRU-022"]);
}

#[test]
fn a_stage_without_a_rule_stays_shut() {
    let mut web = release();
    web.cells = vec![bound("bkk-amsel/web", 5)];
    judge(&web, &["sec-1", "amsel-1"]).unwrap();
    web.stage = Stage::Pilot;
    assert_eq!(codes(judge(&web, &RELEASE_SIGNERS)), ["AN-TRU-028"]);
}

#[test]
fn missing_evidence_is_named() {
    assert_eq!(
        refused(|r| r.cells[0].evidence.clear()),
        ["AN-TRU-029", "AN-TRU-029"]
    );
    assert_eq!(refused(|r| r.cells[0].evidence.truncate(1)), ["AN-TRU-029"]);
}

#[test]
fn a_newer_root_or_another_policy_is_asked_for() {
    assert_eq!(refused(|r| r.root_version_min = 2), ["AN-TRU-026"]);
    assert_eq!(refused(|r| r.policy = Digest::of(b"other")), ["AN-TRU-027"]);
}

#[test]
fn a_foreign_domain_is_refused_before_all_else() {
    assert_eq!(refused(|r| r.domain = "drill-other".into()), ["AN-TRU-012"]);
}

#[test]
fn an_unknown_critical_name_is_refused() {
    assert_eq!(
        refused(|r| r.critical = vec!["witnesses".into()]),
        ["AN-TRU-008"]
    );
    let mut known = release();
    known.critical = vec!["notAfter".into(), "cells".into()];
    judge(&known, &RELEASE_SIGNERS).unwrap();
}

#[test]
fn every_reason_comes_at_once() {
    let mut release = release();
    release.cells[0].epoch.0 = 1;
    release.cells[0].evidence.clear();
    release.policy = Digest::of(b"other");
    release.not_after = now();
    let found = codes(judge(&release, &["sec-1"]));
    for code in [
        "AN-TRU-023",
        "AN-TRU-025",
        "AN-TRU-027",
        "AN-TRU-029",
        "AN-TRU-030",
    ] {
        assert!(found.contains(&code), "{code} in {found:?}");
    }
}

#[test]
fn each_missing_role_is_named() {
    for absent in RELEASE_SIGNERS {
        let present: Vec<_> = RELEASE_SIGNERS
            .into_iter()
            .filter(|name| *name != absent)
            .collect();
        let found = codes(judge(&release(), &present));
        assert_eq!(found[0], "AN-TRU-030", "{absent}");
    }
    let refusal = judge(&release(), &[]).unwrap_err();
    let text = refusal.to_string();
    for role in ["security", "owner", "tenant"] {
        assert!(
            text.contains(&format!("persons acting as {role} (AN-TRU-030)")),
            "{text}"
        );
    }
}

#[test]
fn one_person_with_two_keys_counts_once() {
    let mut envelope = sealed(release().to_payload(), &["sec-1", "own-1", "amsel-1"]);
    second_key().sign(&mut envelope);
    let result = authority().check_release(&envelope, &facts, now());
    assert_eq!(codes(result), ["AN-TRU-030", "AN-TRU-036"]);
}

#[test]
fn a_signature_given_twice_counts_once() {
    let mut envelope = sealed(release().to_payload(), &["sec-1", "own-1", "amsel-1"]);
    envelope.signatures.push(envelope.signatures[0].clone());
    let result = authority().check_release(&envelope, &facts, now());
    assert_eq!(codes(result), ["AN-TRU-030", "AN-TRU-036"]);
}

#[test]
fn a_signature_in_anothers_name_is_false() {
    let mut envelope = sealed(release().to_payload(), &["sec-1", "own-1", "amsel-1"]);
    let mut forged = signer("sec-1").signature(&envelope);
    forged.keyid = signer("sec-2").keyid();
    envelope.signatures.push(forged);
    let result = authority().check_release(&envelope, &facts, now());
    assert_eq!(codes(result), ["AN-TRU-030", "AN-TRU-033"]);
}

#[test]
fn strangers_and_broken_signatures_beside_a_quorum_do_no_harm() {
    let mut envelope = sealed(release().to_payload(), &RELEASE_SIGNERS);
    Signer::from_seed([99; 32]).sign(&mut envelope);
    let mut broken = signer("own-2").signature(&envelope);
    broken.sig.truncate(12);
    envelope.signatures.insert(0, broken);
    authority().check_release(&envelope, &facts, now()).unwrap();
}

#[test]
fn roles_that_never_release_do_not_count_whoever_they_are() {
    for name in ["op-1", "auto-1", "aud-1", "gate-1", "all-1"] {
        let found = codes(judge(&release(), &["sec-1", "own-1", "amsel-1", name]));
        assert_eq!(found, ["AN-TRU-030", "AN-TRU-035"], "{name}");
    }
}

#[test]
fn signatures_for_another_statement_do_not_count() {
    let mut other = release();
    other.cells[0].epoch.0 = 6;
    let mut envelope = sealed(release().to_payload(), &RELEASE_SIGNERS);
    envelope.signatures = sealed(other.to_payload(), &RELEASE_SIGNERS).signatures;
    let found = codes(authority().check_release(&envelope, &facts, now()));
    assert_eq!(
        found.iter().filter(|code| **code == "AN-TRU-033").count(),
        4
    );
}

#[test]
fn keys_count_within_their_time_only() {
    let late = now() + Minutes::days(20);
    let mut root = root();
    for key in &mut root.keys {
        if key.person.as_str() == "amsel-1" {
            key.not_after = late;
        }
    }
    let root = sealed(root.to_payload(), &crate::cast::ROOT_SIGNERS);
    let mut authority = anlauf_trust::Authority::pinned(&root, &root.digest(), now()).unwrap();
    authority
        .adopt_policy(&crate::cast::policy_envelope(), now())
        .unwrap();
    let envelope = sealed(release().to_payload(), &RELEASE_SIGNERS);
    let before = anlauf_model::Timestamp(late.0 - 1);
    authority.check_release(&envelope, &facts, before).unwrap();
    let found = codes(authority.check_release(&envelope, &facts, late));
    assert_eq!(found, ["AN-TRU-030", "AN-TRU-031", "AN-TRU-034"]);
}

#[test]
fn an_expired_root_opens_nothing() {
    let mut root = root();
    root.expires = now() + Minutes::days(1);
    let root = sealed(root.to_payload(), &crate::cast::ROOT_SIGNERS);
    let mut authority = anlauf_trust::Authority::pinned(&root, &root.digest(), now()).unwrap();
    authority
        .adopt_policy(&crate::cast::policy_envelope(), now())
        .unwrap();
    let envelope = sealed(release().to_payload(), &RELEASE_SIGNERS);
    let found = codes(authority.check_release(&envelope, &facts, now() + Minutes::days(1)));
    assert_eq!(found, ["AN-TRU-014"]);
}

#[test]
fn without_a_policy_nothing_opens() {
    let root = root_envelope();
    let authority = anlauf_trust::Authority::pinned(&root, &root.digest(), now()).unwrap();
    let envelope = sealed(release().to_payload(), &RELEASE_SIGNERS);
    assert_eq!(
        codes(authority.check_release(&envelope, &facts, now())),
        ["AN-TRU-017"]
    );
}

#[test]
fn a_close_or_policy_is_no_release() {
    let close = crate::cast::close(anlauf_trust::Scope::Everything);
    for payload in [
        close.to_payload(),
        policy().to_payload(),
        root().to_payload(),
    ] {
        let envelope = sealed(payload, &RELEASE_SIGNERS);
        assert_eq!(
            codes(authority().check_release(&envelope, &facts, now())),
            ["AN-TRU-006"]
        );
    }
}

#[test]
fn a_single_signature_can_be_judged_before_it_is_added() {
    let envelope = Envelope::unsigned(release().to_payload());
    let authority = authority();
    let signature = signer("sec-2").signature(&envelope);
    let record = authority
        .check_signature(&envelope, &signature, now())
        .unwrap();
    assert_eq!(record.person.as_str(), "sec-2");
    let stranger = Signer::from_seed([99; 32]).signature(&envelope);
    assert_eq!(
        codes(authority.check_signature(&envelope, &stranger, now())),
        ["AN-TRU-032"]
    );
    let other = Envelope::unsigned(b"other".to_vec());
    assert_eq!(
        codes(authority.check_signature(&other, &signature, now())),
        ["AN-TRU-033"]
    );
}

/// Counts the quorum of the patient record in the plainest way there is.
fn quorum_by_hand(names: &BTreeSet<usize>) -> bool {
    let people: Vec<_> = names.iter().map(|index| PEOPLE[*index]).collect();
    let security = people.iter().filter(|p| p.3 == Role::Security).count();
    let owner = people.iter().filter(|p| p.3 == Role::Owner).count();
    let tenant = people
        .iter()
        .filter(|p| p.3 == Role::Tenant && p.2 == "bkk-amsel")
        .count();
    security >= 2 && owner >= 1 && tenant >= 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any people in any order, any of them any number of times, also with second keys.
    #[test]
    fn only_distinct_persons_in_their_roles_open(
        picks in proptest::collection::vec((0..PEOPLE.len(), 1..4usize), 0..12),
        second in any::<bool>(),
    ) {
        let mut envelope = Envelope::unsigned(release().to_payload());
        let mut names = BTreeSet::new();
        for (index, times) in picks {
            names.insert(index);
            let signature = signer(PEOPLE[index].0).signature(&envelope);
            envelope.signatures.extend(vec![signature; times]);
        }
        if second {
            names.insert(0);
            second_key().sign(&mut envelope);
        }
        let result = authority().check_release(&envelope, &facts, now());
        prop_assert_eq!(result.is_ok(), quorum_by_hand(&names), "{:?}", result);
    }
}

#[test]
fn a_refusal_reads_as_one_line() {
    let refusal: Refusal = judge(&release(), &["sec-1"]).unwrap_err();
    assert!(refusal.has("AN-TRU-030"));
    assert!(!refusal.to_string().contains('\n'));
    assert!(
        refusal
            .to_string()
            .starts_with("refused: missing signers: 1 of 2 persons")
    );
}

#[test]
fn a_person_may_not_hold_two_roles() {
    let mut root = root();
    root.keys.push(record(
        "sec-1",
        "provider",
        Role::Owner,
        &Signer::from_seed([31; 32]),
    ));
    let root = sealed(root.to_payload(), &crate::cast::ROOT_SIGNERS);
    let result = anlauf_trust::Authority::pinned(&root, &root.digest(), now());
    assert_eq!(codes(result), ["AN-TRU-015"]);
    assert_eq!(DOMAIN, authority().root().domain);
}

/// What is lost of the usual release, signed by all it needs, under a next root.
fn lost(change: impl FnOnce(&mut Root), at: Timestamp) -> Vec<CellId> {
    let mut root = root();
    root.version = 2;
    change(&mut root);
    let mut next = authority();
    next.advance_root(&sealed(root.to_payload(), &ROOT_SIGNERS), now())
        .unwrap();
    let release = release();
    let envelope = sealed(release.to_payload(), &RELEASE_SIGNERS);
    // The cell is at the release's own epoch by then.
    let open = |id: &CellId| {
        facts(id).map(|facts| CellFacts {
            epoch: Epoch(5),
            ..facts
        })
    };
    next.cells_lost(&envelope, (&release, &policy()), &open, at)
}

#[test]
fn an_accepted_release_is_lost_with_a_key_that_it_needed() {
    let without = |person: &'static str| {
        move |root: &mut Root| root.keys.retain(|record| record.person.as_str() != person)
    };
    assert_eq!(lost(|_| {}, now()), [], "the same people");
    assert_eq!(lost(without("amsel-2"), now()), [], "who had not signed");
    assert_eq!(lost(without("amsel-1"), now()), [cell("bkk-amsel/epa")]);
    let short = |root: &mut Root| {
        let is_hers = |record: &&mut KeyRecord| record.person.as_str() == "amsel-1";
        let record = root.keys.iter_mut().find(is_hers).unwrap();
        record.not_after = now() + Minutes(1);
    };
    assert_eq!(lost(short, now()), [], "until its end the key counts");
    assert_eq!(lost(short, now() + Minutes(1)), [cell("bkk-amsel/epa")]);
}
