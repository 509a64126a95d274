//! One signature shuts; of whom, and what.

use anlauf_model::{Epoch, Minutes, Timestamp};
use anlauf_trust::{Authority, Close, Refusal, Scope, Signer, Verified};

use crate::cast::{ROOT_SIGNERS, authority, cell, close, codes, facts, now, root, sealed, signer};

fn judge(scope: Scope, names: &[&str]) -> Result<Verified<Close>, Refusal> {
    let envelope = sealed(close(scope).to_payload(), names);
    authority().check_close(&envelope, &facts, now())
}

fn cells(names: &[&str]) -> Scope {
    Scope::Cells(names.iter().map(|name| cell(name)).collect())
}

#[test]
fn one_signature_of_the_provider_shuts_any_scope() {
    let site = Scope::Site("dc-south".parse().unwrap());
    let service = Scope::Service("epa".parse().unwrap());
    let tenant = Scope::Tenant("bkk-amsel".parse().unwrap());
    for scope in [
        Scope::Everything,
        site,
        service,
        tenant,
        cells(&["bkk-birke/epa"]),
    ] {
        for name in ["op-1", "sec-1", "own-1", "for-1", "auto-1"] {
            let verified = judge(scope.clone(), &[name]).unwrap();
            assert_eq!(verified.signers().first().unwrap().as_str(), name);
            assert_eq!(verified.statement().scope, scope);
        }
        for name in ["aud-1", "gate-1", "all-1"] {
            assert_eq!(
                codes(judge(scope.clone(), &[name])),
                ["AN-TRU-040"],
                "{name}"
            );
        }
        assert_eq!(codes(judge(scope, &[])), ["AN-TRU-040"]);
    }
}

#[test]
fn a_tenant_shuts_its_own_and_nothing_else() {
    let own = Scope::Tenant("bkk-amsel".parse().unwrap());
    for scope in [
        own,
        cells(&["bkk-amsel/epa", "bkk-amsel/web"]),
        cells(&["bkk-amsel/epa"]),
    ] {
        judge(scope, &["amsel-1"]).unwrap();
    }
    let foreign = [
        Scope::Everything,
        Scope::Site("dc-south".parse().unwrap()),
        Scope::Service("epa".parse().unwrap()),
        Scope::Tenant("bkk-birke".parse().unwrap()),
        cells(&["bkk-amsel/epa", "bkk-birke/epa"]),
        cells(&["shared/mailinfra"]),
        cells(&["bkk-amsel/epa", "bkk-birke/unknown"]),
    ];
    for scope in foreign {
        assert_eq!(
            codes(judge(scope.clone(), &["amsel-1"])),
            ["AN-TRU-040"],
            "{scope:?}"
        );
    }
}

#[test]
fn a_cell_the_table_does_not_know_keeps_no_other_open() {
    judge(cells(&["bkk-amsel/epa", "bkk-amsel/unknown"]), &["op-1"]).unwrap();
    judge(cells(&["bkk-amsel/epa", "bkk-amsel/unknown"]), &["amsel-2"]).unwrap();
    assert_eq!(
        codes(judge(cells(&["bkk-amsel/unknown"]), &["op-1"])),
        ["AN-TRU-020"]
    );
    assert_eq!(codes(judge(cells(&[]), &["op-1"])), ["AN-TRU-009"]);
}

#[test]
fn an_expired_root_still_shuts() {
    let mut root = root();
    root.expires = now() + Minutes(1);
    let root = sealed(root.to_payload(), &ROOT_SIGNERS);
    let authority = Authority::pinned(&root, &root.digest(), now()).unwrap();
    let envelope = sealed(close(Scope::Everything).to_payload(), &["op-1"]);
    authority
        .check_close(&envelope, &facts, now() + Minutes::days(30))
        .unwrap();
}

#[test]
fn a_close_from_the_far_future_is_refused() {
    let mut early = close(Scope::Everything);
    early.at = now() + Minutes(5);
    let envelope = sealed(early.to_payload(), &["op-1"]);
    authority().check_close(&envelope, &facts, now()).unwrap();
    early.at = Timestamp(early.at.0 + 1);
    let envelope = sealed(early.to_payload(), &["op-1"]);
    assert_eq!(
        codes(authority().check_close(&envelope, &facts, now())),
        ["AN-TRU-041"]
    );
    // A close decided long ago and delivered late still shuts.
    early.at = now() - Minutes::days(300);
    let envelope = sealed(early.to_payload(), &["op-1"]);
    authority().check_close(&envelope, &facts, now()).unwrap();
}

#[test]
fn foreign_domains_strangers_and_false_signatures_shut_nothing() {
    let mut foreign = close(Scope::Everything);
    foreign.domain = "drill-other".into();
    let envelope = sealed(foreign.to_payload(), &["op-1"]);
    assert_eq!(
        codes(authority().check_close(&envelope, &facts, now())),
        ["AN-TRU-012"]
    );

    let mut envelope = sealed(close(Scope::Everything).to_payload(), &[]);
    Signer::from_seed([99; 32]).sign(&mut envelope);
    let found = codes(authority().check_close(&envelope, &facts, now()));
    assert_eq!(found, ["AN-TRU-040", "AN-TRU-032"]);

    let mut other = close(Scope::Everything);
    other.epoch = Epoch(9);
    let mut envelope = sealed(close(Scope::Everything).to_payload(), &[]);
    envelope.signatures = sealed(other.to_payload(), &["op-1"]).signatures;
    let found = codes(authority().check_close(&envelope, &facts, now()));
    assert_eq!(found, ["AN-TRU-040", "AN-TRU-033"]);
}

#[test]
fn a_key_that_has_ended_shuts_nothing() {
    let envelope = sealed(close(Scope::Everything).to_payload(), &["op-1"]);
    let late = now() + Minutes::days(300);
    let found = codes(authority().check_close(&envelope, &facts, late));
    assert_eq!(found, ["AN-TRU-040", "AN-TRU-034"]);
    assert_eq!(signer("op-1").keyid(), envelope.signatures[0].keyid);
}

#[test]
fn a_scope_covers_what_it_says() {
    let epa = cell("bkk-amsel/epa");
    let own = facts(&epa).unwrap();
    let inside = [
        Scope::Everything,
        Scope::Site("dc-south".parse().unwrap()),
        Scope::Tenant("bkk-amsel".parse().unwrap()),
        Scope::Service("epa".parse().unwrap()),
        cells(&["bkk-birke/epa", "bkk-amsel/epa"]),
    ];
    for scope in inside {
        assert!(own.is_in(&scope, &epa), "{scope:?}");
    }
    let outside = [
        Scope::Site("dc-west".parse().unwrap()),
        Scope::Tenant("bkk-birke".parse().unwrap()),
        Scope::Service("web".parse().unwrap()),
        cells(&["bkk-amsel/web"]),
    ];
    for scope in outside {
        assert!(!own.is_in(&scope, &epa), "{scope:?}");
    }
}
