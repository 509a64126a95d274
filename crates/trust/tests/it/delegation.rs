//! A tenant's keys are the tenant's: what the root's holders and others cannot do to them.

use anlauf_model::{CellId, Epoch, Minutes, Role};
use anlauf_trust::{Authority, CellFacts, Delegation, Envelope, KeyRecord, Root, Signer};

use crate::cast::{
    DOMAIN, RELEASE_SIGNERS, ROOT_SIGNERS, authority, cell, facts, now, policy, policy_envelope,
    record, release, root, root_envelope, sealed, signer,
};

/// New keys of the tenant's people, in no root.
fn fresh(seed: u8) -> Signer {
    Signer::from_seed([seed; 32])
}

fn person(name: &str, key: &Signer) -> KeyRecord {
    record(name, "bkk-amsel", Role::Tenant, key)
}

/// The first list: both founders with new keys, and one more.
fn list() -> Delegation {
    Delegation {
        domain: DOMAIN.into(),
        tenant: "bkk-amsel".parse().unwrap(),
        version: 1,
        keys: vec![
            person("amsel-1", &fresh(41)),
            person("amsel-2", &fresh(42)),
            person("amsel-3", &fresh(43)),
        ],
        threshold: 2,
    }
}

/// Signed by persons of the root, and by new keys.
fn signed(list: &Delegation, names: &[&str], seeds: &[u8]) -> Envelope {
    let mut envelope = sealed(list.to_payload(), names);
    for seed in seeds {
        fresh(*seed).sign(&mut envelope);
    }
    envelope
}

fn founded() -> Authority {
    let mut authority = authority();
    let envelope = signed(&list(), &["amsel-1", "amsel-2"], &[41, 42]);
    authority.adopt_delegation(&envelope, now()).unwrap();
    authority
}

#[track_caller]
fn refused(authority: &Authority, envelope: &Envelope, codes: &[&str]) {
    let mut next = authority.clone();
    let refusal = next.adopt_delegation(envelope, now()).unwrap_err();
    let got: Vec<_> = refusal.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(got, codes, "{refusal}");
    assert_eq!(next, *authority, "a refusal changes nothing");
}

#[test]
fn a_tenant_takes_its_keys_over_and_the_root_s_no_longer_count() {
    let authority = founded();
    let release = release();
    let by = |tenant: &dyn Fn(&mut Envelope)| {
        let mut envelope = sealed(release.to_payload(), &["sec-1", "sec-2", "own-1"]);
        tenant(&mut envelope);
        authority.check_release(&envelope, &facts, now())
    };
    by(&|envelope| fresh(43).sign(envelope)).unwrap();
    let refusal = by(&|envelope| signer("amsel-1").sign(envelope)).unwrap_err();
    assert!(
        refusal.has("AN-TRU-030") && refusal.has("AN-TRU-032"),
        "{refusal}"
    );
    // Other tenants are as they were.
    let birke = signer("birke-1").keyid();
    assert!(authority.keys().any(|key| key.id == birke));
}

#[test]
fn the_first_list_is_signed_by_two_founders_and_by_its_own_threshold() {
    let all = authority();
    refused(
        &all,
        &signed(&list(), &["amsel-1"], &[41, 42]),
        &["AN-TRU-030", "AN-TRU-032", "AN-TRU-032"],
    );
    refused(
        &all,
        &signed(&list(), &["amsel-1", "amsel-2"], &[41]),
        &["AN-TRU-030", "AN-TRU-032", "AN-TRU-032"],
    );
    // All who sign roots, and whoever else is no tenant of this one.
    for names in [&ROOT_SIGNERS[..], &["sec-1", "sec-2"], &["birke-1", "op-1"]] {
        let mut next = all.clone();
        let envelope = signed(&list(), names, &[41, 42]);
        let refusal = next.adopt_delegation(&envelope, now()).unwrap_err();
        assert!(refusal.has("AN-TRU-030"), "{names:?}: {refusal}");
    }
    // A single founder is enough where there is one only.
    let mut one = list();
    one.tenant = "bkk-birke".parse().unwrap();
    one.keys = vec![record("birke-1", "bkk-birke", Role::Tenant, &fresh(51))];
    one.threshold = 1;
    let mut next = all.clone();
    next.adopt_delegation(&signed(&one, &["birke-1"], &[51]), now())
        .unwrap();
    // A tenant that nobody founded has nobody to sign for it.
    one.tenant = "bkk-dohle".parse().unwrap();
    one.keys = vec![record("dohle-1", "bkk-dohle", Role::Tenant, &fresh(52))];
    let envelope = signed(&one, &ROOT_SIGNERS, &[52]);
    assert!(all.clone().adopt_delegation(&envelope, now()).is_err());
}

#[test]
fn the_next_list_needs_the_thresholds_of_both() {
    let mut authority = founded();
    let mut next = list();
    next.version = 2;
    next.keys[0] = person("amsel-4", &fresh(44));
    // Founders and root count for nothing any more.
    let mut envelope = signed(&next, &["amsel-1", "amsel-2"], &[44, 43]);
    assert!(
        authority
            .clone()
            .adopt_delegation(&envelope, now())
            .is_err()
    );
    envelope = signed(&next, &[], &[42, 43]);
    authority.adopt_delegation(&envelope, now()).unwrap();
    let tenant = "bkk-amsel".parse().unwrap();
    assert_eq!(authority.delegation(&tenant).unwrap().version, 2);
    // Sequential, and no way back.
    refused(&authority, &signed(&next, &[], &[42, 43]), &["AN-TRU-011"]);
    let first = signed(&list(), &["amsel-1", "amsel-2"], &[41, 42, 43]);
    refused(&authority, &first, &["AN-TRU-011"]);
}

#[test]
fn the_holders_of_the_root_give_no_founded_tenant_a_key() {
    for authority in [authority(), founded()] {
        let enrol = |key: KeyRecord| {
            let mut next = Root {
                version: 2,
                ..root()
            };
            next.keys.push(key);
            let envelope = sealed(next.to_payload(), &ROOT_SIGNERS);
            authority.clone().advance_root(&envelope, now())
        };
        let refusal = enrol(person("amsel-9", &fresh(61))).unwrap_err();
        assert!(refusal.has("AN-TRU-090"), "{refusal}");
        // Nor in the name of somebody who is there.
        let refusal = enrol(person("amsel-1", &fresh(61))).unwrap_err();
        assert!(refusal.has("AN-TRU-090"), "{refusal}");
        // Somebody else's key, and a new tenant's first, are the root's to enrol.
        enrol(record("sec-9", "provider", Role::Security, &fresh(62))).unwrap();
        enrol(record("dohle-1", "bkk-dohle", Role::Tenant, &fresh(63))).unwrap();
    }
}

#[test]
fn a_tenant_that_was_taken_out_is_not_founded_anew() {
    let mut authority = authority();
    let mut next = Root {
        version: 2,
        ..root()
    };
    next.keys
        .retain(|key| key.organisation.as_str() != "bkk-amsel");
    let without = sealed(next.to_payload(), &ROOT_SIGNERS);
    authority.advance_root(&without, now()).unwrap();
    next.version = 3;
    next.keys.push(person("amsel-9", &fresh(61)));
    let again = sealed(next.to_payload(), &ROOT_SIGNERS);
    let refusal = authority.advance_root(&again, now()).unwrap_err();
    assert!(refusal.has("AN-TRU-090"), "{refusal}");
    // A restart remembers it too.
    let chain = [root_envelope(), policy_envelope(), without, again];
    assert!(Authority::replay(&chain[0].digest(), &chain[..3]).is_ok());
    assert!(Authority::replay(&chain[0].digest(), &chain).is_err());
}

#[test]
fn the_root_may_prolong_and_end_a_tenant_s_key() {
    let mut authority = authority();
    let mut next = Root {
        version: 2,
        ..root()
    };
    for key in &mut next.keys {
        key.not_after = now() + Minutes::days(350);
    }
    let envelope = sealed(next.to_payload(), &ROOT_SIGNERS);
    authority.advance_root(&envelope, now()).unwrap();

    // What has ended stays ended: it was ended because somebody stole it.
    let alike = |key: &&mut KeyRecord| key.person.as_str() == "amsel-1";
    let mut step = |version: u64, days: i64| {
        next.version = version;
        for key in next.keys.iter_mut().filter(alike) {
            key.not_after = now() + Minutes::days(days);
        }
        let envelope = sealed(next.to_payload(), &ROOT_SIGNERS);
        authority.advance_root(&envelope, now())
    };
    step(3, -1).unwrap();
    let refusal = step(4, 300).unwrap_err();
    assert!(refusal.has("AN-TRU-090"), "{refusal}");
}

#[test]
fn others_lists_are_told_of_to_nobody_who_has_not_signed() {
    let authority = founded();
    let mut birke = list();
    birke.tenant = "bkk-birke".parse().unwrap();
    birke.keys = vec![record("birke-1", "bkk-birke", Role::Tenant, &fresh(41))];
    birke.threshold = 1;
    refused(
        &authority,
        &signed(&birke, &[], &[41]),
        &["AN-TRU-030", "AN-TRU-035"],
    );
    refused(
        &authority,
        &signed(&birke, &["birke-1"], &[41]),
        &["AN-TRU-091"],
    );
}

#[test]
fn an_unsound_list_is_refused_whoever_signs_it() {
    let authority = authority();
    let with = |change: &dyn Fn(&mut Delegation)| {
        let mut list = list();
        change(&mut list);
        let envelope = signed(&list, &["amsel-1", "amsel-2"], &[41, 42, 43, 44]);
        authority.clone().adopt_delegation(&envelope, now())
    };
    with(&|_| {}).unwrap();
    type Change<'a> = (&'a str, &'a str, &'a dyn Fn(&mut Delegation));
    let cases: [Change<'_>; 10] = [
        ("no threshold", "AN-TRU-091", &|list| list.threshold = 0),
        ("out of reach", "AN-TRU-030", &|list| list.threshold = 4),
        ("another tenant's", "AN-TRU-091", &|list| {
            list.keys
                .push(record("birke-2", "bkk-birke", Role::Tenant, &fresh(44)));
        }),
        ("another role", "AN-TRU-091", &|list| {
            list.keys
                .push(record("sec-8", "bkk-amsel", Role::Security, &fresh(44)));
        }),
        // The same human would count as two persons.
        ("a key of the provider's", "AN-TRU-091", &|list| {
            list.keys.push(person("amsel-4", &signer("sec-1")));
        }),
        ("a person of the provider's", "AN-TRU-091", &|list| {
            list.keys.push(person("sec-1", &fresh(44)));
        }),
        ("a key twice", "AN-TRU-091", &|list| {
            list.keys.push(person("amsel-4", &fresh(41)));
        }),
        // Two words of one tenant would be two organisations, enough for break-glass.
        ("an organisation of its own making", "AN-TRU-091", &|list| {
            let mut two = person("amsel-4", &fresh(44));
            two.organisation = "amsel-holding".parse().unwrap();
            list.keys.push(two);
        }),
        ("another domain", "AN-TRU-012", &|list| {
            list.domain = "drill-other".into()
        }),
        ("no key", "AN-TRU-009", &|list| list.keys.clear()),
    ];
    for (what, code, change) in cases {
        let refusal = with(change).unwrap_err();
        assert!(refusal.has(code), "{what}: {refusal}");
    }
}

#[test]
fn a_root_takes_no_key_of_a_tenant_s_list_for_somebody_else() {
    let mut authority = founded();
    let mut next = Root {
        version: 2,
        ..root()
    };
    next.keys
        .push(record("sec-9", "provider", Role::Security, &fresh(41)));
    let envelope = sealed(next.to_payload(), &ROOT_SIGNERS);
    let refusal = authority.advance_root(&envelope, now()).unwrap_err();
    assert!(refusal.has("AN-TRU-015"), "{refusal}");
}

#[test]
fn what_rested_on_a_key_that_is_gone_is_lost() {
    let authority = founded();
    let release = release();
    let open = |id: &CellId| {
        facts(id).map(|facts| CellFacts {
            epoch: Epoch(5),
            ..facts
        })
    };
    let lost =
        |envelope: &Envelope| authority.cells_lost(envelope, (&release, &policy()), &open, now());
    let founders = sealed(release.to_payload(), &RELEASE_SIGNERS);
    assert_eq!(lost(&founders), [cell("bkk-amsel/epa")]);
    let mut own = sealed(release.to_payload(), &["sec-1", "sec-2", "own-1"]);
    fresh(42).sign(&mut own);
    assert_eq!(lost(&own), []);
}

#[test]
fn a_restart_walks_the_lists_again() {
    let one = signed(&list(), &["amsel-1", "amsel-2"], &[41, 42]);
    let chain = [root_envelope(), policy_envelope(), one.clone()];
    let again = Authority::replay(&chain[0].digest(), &chain).unwrap();
    assert_eq!(again, founded());
    let twice = [root_envelope(), one.clone(), one];
    assert!(Authority::replay(&twice[0].digest(), &twice).is_err());
}
