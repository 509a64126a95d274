//! The chain of roots and policies.

use anlauf_model::{Digest, Minutes, Role};
use anlauf_trust::{Authority, Envelope, Policy, Refusal, Root, Signer};

use crate::cast::{
    ROOT_SIGNERS, authority, close, codes, count, now, policy, policy_envelope, record, root,
    root_envelope, sealed, signer,
};

fn pinned(root: &Root, names: &[&str]) -> Result<Authority, Refusal> {
    let envelope = sealed(root.to_payload(), names);
    Authority::pinned(&envelope, &envelope.digest(), now())
}

fn unsound(change: impl FnOnce(&mut Root)) -> Vec<&'static str> {
    let mut root = root();
    change(&mut root);
    codes(pinned(&root, &ROOT_SIGNERS))
}

/// Tries the step, and sees that a refused one changes nothing.
fn advanced(next: &Envelope) -> Result<Authority, Refusal> {
    let before = authority();
    let mut after = before.clone();
    match after.advance_root(next, now()) {
        Ok(()) => Ok(after),
        Err(refusal) => {
            assert_eq!(before, after);
            Err(refusal)
        }
    }
}

fn root_2() -> Root {
    let mut next = root();
    next.version = 2;
    next
}

#[test]
fn the_pinned_root_and_no_other_starts() {
    let envelope = root_envelope();
    let authority = Authority::pinned(&envelope, &envelope.digest(), now()).unwrap();
    assert_eq!(*authority.root(), root());
    assert!(authority.policy().is_none());
    let other = Digest::of(b"other");
    assert_eq!(
        codes(Authority::pinned(&envelope, &other, now())),
        ["AN-TRU-010"]
    );
}

#[test]
fn a_root_needs_its_own_threshold() {
    assert_eq!(
        codes(pinned(&root(), &["sec-1", "own-1"])),
        ["AN-TRU-030", "AN-TRU-031"]
    );
    assert_eq!(
        codes(pinned(&root(), &["sec-1", "sec-2", "own-1"])),
        ["AN-TRU-031"]
    );
    // Known, but no root key.
    let found = codes(pinned(&root(), &["sec-1", "for-1", "own-2"]));
    assert_eq!(found, ["AN-TRU-030", "AN-TRU-035"]);
}

#[test]
fn unsound_roots_are_refused() {
    assert_eq!(unsound(|r| r.version = 0), ["AN-TRU-015"]);
    assert_eq!(unsound(|r| r.drill = false), ["AN-TRU-015"]);
    assert_eq!(unsound(|r| r.root_threshold = 0), ["AN-TRU-015"]);
    assert_eq!(
        unsound(|r| r.root_threshold = 5),
        ["AN-TRU-015", "AN-TRU-030"]
    );
    assert_eq!(
        unsound(|r| r.root_organisations_min = 3),
        ["AN-TRU-015", "AN-TRU-031"]
    );
    assert_eq!(
        unsound(|r| r.root_keys[1] = signer("auto-1").keyid()),
        ["AN-TRU-015"]
    );
    let stranger = Signer::from_seed([99; 32]).keyid();
    assert_eq!(unsound(|r| r.root_keys[1] = stranger), ["AN-TRU-015"]);
    assert_eq!(unsound(|r| r.expires = now()), ["AN-TRU-014"]);
    assert_eq!(
        unsound(|r| r.expires = now() + Minutes(400 * 1440 + 1)),
        ["AN-TRU-014"]
    );
}

#[test]
fn unsound_key_records_are_refused() {
    let zero = "01".to_owned() + &"00".repeat(31);
    let last = |r: &mut Root| r.keys.len() - 1;
    assert_eq!(
        unsound(|r| r.keys.push(r.keys[3].clone())),
        ["AN-TRU-015"],
        "a key twice"
    );
    // A point of small order: every message would verify under it.
    assert_eq!(
        unsound(|r| {
            let i = last(r);
            r.keys[i].public.0 = zero;
        }),
        ["AN-TRU-015"; 2]
    );
    assert_eq!(
        unsound(|r| {
            let i = last(r);
            r.keys[i].id.0 = "0".repeat(32);
        }),
        ["AN-TRU-015"]
    );
    let backwards = |r: &mut Root| {
        let i = last(r);
        r.keys[i].not_after = r.keys[i].not_before
    };
    assert_eq!(unsound(backwards), ["AN-TRU-015"]);
    assert_eq!(unsound(|r| r.keys[5].tenant = None), ["AN-TRU-015"]);
    assert_eq!(
        unsound(|r| r.keys[0].tenant = Some("bkk-amsel".parse().unwrap())).len(),
        2
    );
}

#[test]
fn the_next_root_needs_both_thresholds() {
    let mut next = root_2();
    let fresh = Signer::from_seed([41; 32]);
    let newcomer = record("sec-9", "provider", Role::Security, &fresh);
    next.keys.retain(|key| key.person.as_str() != "sec-1");
    next.keys.push(newcomer);
    next.root_keys[0] = fresh.keyid();

    // The old threshold alone: sec-1 is no longer in the new root.
    let old_only = sealed(next.to_payload(), &ROOT_SIGNERS);
    assert_eq!(codes(advanced(&old_only)), ["AN-TRU-030", "AN-TRU-032"]);
    // The new threshold alone.
    let mut new_only = sealed(next.to_payload(), &["own-1", "for-1"]);
    fresh.sign(&mut new_only);
    assert_eq!(codes(advanced(&new_only)), ["AN-TRU-030", "AN-TRU-032"]);
    // Both.
    let mut both = sealed(next.to_payload(), &ROOT_SIGNERS);
    fresh.sign(&mut both);
    let after = advanced(&both).unwrap();
    assert_eq!(after.root().version, 2);
    assert_eq!(after.policy(), authority().policy(), "the policy stays");
}

#[test]
fn roots_follow_one_by_one_in_one_domain() {
    let step = |change: &dyn Fn(&mut Root)| {
        let mut next = root_2();
        change(&mut next);
        codes(advanced(&sealed(next.to_payload(), &ROOT_SIGNERS)))
    };
    assert_eq!(step(&|r| r.version = 1), ["AN-TRU-011"]);
    assert_eq!(step(&|r| r.version = 3), ["AN-TRU-011"]);
    assert_eq!(step(&|r| r.domain = "drill-other".into()), ["AN-TRU-012"]);
    let earnest = |r: &mut Root| {
        r.drill = false;
        r.domain = "earnest".into();
    };
    assert_eq!(step(&earnest), ["AN-TRU-012", "AN-TRU-013"]);
    assert_eq!(step(&|r| r.expires = now()), ["AN-TRU-014"]);
    assert_eq!(
        step(&|r| r.expires = now() + Minutes::days(401)),
        ["AN-TRU-014"]
    );
}

#[test]
fn a_root_that_ended_can_still_be_followed() {
    let mut first = root();
    first.expires = now() + Minutes(1);
    let mut authority = pinned(&first, &ROOT_SIGNERS).unwrap();
    let next = sealed(root_2().to_payload(), &ROOT_SIGNERS);
    authority
        .advance_root(&next, now() + Minutes::days(2))
        .unwrap();
    assert_eq!(authority.root().version, 2);
}

#[test]
fn policies_follow_one_by_one_under_the_roots_threshold() {
    let adopt = |change: &dyn Fn(&mut Policy), names: &[&str]| {
        let mut next = policy();
        next.version = 2;
        change(&mut next);
        let (before, mut after) = (authority(), authority());
        let result = after.adopt_policy(&sealed(next.to_payload(), names), now());
        assert_eq!(result.is_err(), before == after);
        result.map(|()| after)
    };
    let after = adopt(&|_| {}, &ROOT_SIGNERS).unwrap();
    assert_eq!(after.policy().unwrap().1.version, 2);
    assert_ne!(after.policy().unwrap().0, authority().policy().unwrap().0);
    assert_eq!(codes(adopt(&|_| {}, &["sec-1", "for-1"])), ["AN-TRU-030"]);
    assert_eq!(
        codes(adopt(&|p| p.version = 1, &ROOT_SIGNERS)),
        ["AN-TRU-011"]
    );
    assert_eq!(
        codes(adopt(&|p| p.version = 3, &ROOT_SIGNERS)),
        ["AN-TRU-011"]
    );
    assert_eq!(
        codes(adopt(&|p| p.domain = "drill-b".into(), &ROOT_SIGNERS)),
        ["AN-TRU-012"]
    );
    assert_eq!(
        codes(adopt(&|p| p.rules[0].signers.clear(), &ROOT_SIGNERS)),
        ["AN-TRU-016"]
    );
    let none = |p: &mut Policy| p.rules[0].signers[0].count = 0;
    assert_eq!(codes(adopt(&none, &ROOT_SIGNERS)), ["AN-TRU-016"]);
    for role in [
        Role::Operator,
        Role::Automation,
        Role::Gate,
        Role::Auditor,
        Role::Public,
    ] {
        let never = |p: &mut Policy| p.rules[0].signers[0].role = role;
        assert_eq!(
            codes(adopt(&never, &ROOT_SIGNERS)),
            ["AN-TRU-016"],
            "{role}"
        );
    }
    let twice = |p: &mut Policy| p.rules[0].signers.push(count(Role::Security, 1));
    assert_eq!(codes(adopt(&twice, &ROOT_SIGNERS)), ["AN-TRU-016"]);
}

#[test]
fn an_ended_root_adopts_no_policy() {
    let mut first = root();
    first.expires = now() + Minutes(1);
    let mut authority = pinned(&first, &ROOT_SIGNERS).unwrap();
    let result = authority.adopt_policy(&policy_envelope(), now() + Minutes(1));
    assert_eq!(codes(result), ["AN-TRU-014"]);
}

#[test]
fn what_was_accepted_is_accepted_again_from_disk() {
    let first = root_envelope();
    let pin = first.digest();
    let second = sealed(root_2().to_payload(), &ROOT_SIGNERS);
    let accepted = [first.clone(), policy_envelope(), second.clone()];
    let authority = Authority::replay(&pin, &accepted).unwrap();
    assert_eq!(authority.root().version, 2);
    assert_eq!(authority.policy().unwrap().1, &policy());

    assert_eq!(codes(Authority::replay(&pin, &[])), ["AN-TRU-010"]);
    assert_eq!(
        codes(Authority::replay(&pin, std::slice::from_ref(&second))),
        ["AN-TRU-010"]
    );
    assert_eq!(
        codes(Authority::replay(&pin, &[first.clone(), first.clone()])),
        ["AN-TRU-011"]
    );
    let weak = sealed(root_2().to_payload(), &["sec-1"]);
    let found = codes(Authority::replay(&pin, &[first.clone(), weak]));
    assert_eq!(found, ["AN-TRU-030", "AN-TRU-031"]);
    let stray = sealed(
        close(anlauf_trust::Scope::Everything).to_payload(),
        &["op-1"],
    );
    assert_eq!(
        codes(Authority::replay(&pin, &[first, stray])),
        ["AN-TRU-006"]
    );
}
