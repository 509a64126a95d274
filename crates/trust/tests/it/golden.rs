//! Bytes that must stay what they are: whoever signed them once must be able to check them later.
//!
//! Files are only ever added. `GOLDEN_WRITE=1` writes those that are missing.

use std::path::Path;

use anlauf_model::landscape::{Class, FreshnessRule, Stale};
use anlauf_trust::leaf::salted;
use anlauf_trust::{Checkpoint, Envelope, Leaf, Scope, Statement};

use crate::cast::{
    RELEASE_SIGNERS, ROOT_SIGNERS, break_glass, cell, close, freshness, now, policy,
    policy_envelope, release, root_envelope, sealed, signer,
};

fn same(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if !path.exists() && std::env::var_os("GOLDEN_WRITE").is_some() {
        std::fs::write(&path, bytes).unwrap();
    }
    let stored = std::fs::read(&path).unwrap();
    assert_eq!(
        String::from_utf8_lossy(bytes),
        String::from_utf8_lossy(&stored),
        "{name}"
    );
}

fn envelope(name: &str, envelope: &Envelope) {
    same(&format!("{name}.dsse.json"), &envelope.to_bytes());
    same(&format!("{name}.statement.json"), &envelope.payload);
    same(
        &format!("{name}.digest.txt"),
        format!("{}\n", envelope.digest()).as_bytes(),
    );
    Statement::parse(&envelope.payload).unwrap();
}

#[test]
fn statements_keep_their_bytes() {
    envelope("root", &root_envelope());
    envelope("policy", &policy_envelope());
    envelope("release", &sealed(release().to_payload(), &RELEASE_SIGNERS));
    envelope(
        "break-glass",
        &sealed(break_glass().to_payload(), &["sec-1", "amsel-1"]),
    );
    envelope(
        "close-everything",
        &sealed(close(Scope::Everything).to_payload(), &["op-1"]),
    );
    let cells = Scope::Cells(vec![cell("bkk-amsel/epa"), cell("bkk-amsel/web")]);
    envelope(
        "close-cells",
        &sealed(close(cells).to_payload(), &["amsel-1"]),
    );
}

#[test]
fn fresh_word_keeps_its_bytes() {
    let word = sealed(freshness().to_payload(), &["auto-1"]);
    same("freshness.dsse.json", &word.to_bytes());
    same("freshness.statement.json", &word.payload);
    let mut policy = policy();
    let rule = |class, minutes_max, stale| FreshnessRule {
        class,
        minutes_max,
        stale,
    };
    policy.freshness = vec![
        rule(Class::A, 15, Stale::Close),
        rule(Class::C, 4_320, Stale::Hold),
    ];
    envelope(
        "policy-freshness",
        &sealed(policy.to_payload(), &ROOT_SIGNERS),
    );
}

#[test]
fn ledger_forms_keep_their_bytes() {
    let body = salted(&[7; 32], b"body");
    let leaf = Leaf::new(0, now(), "IncidentDeclared", "everyone", body).unwrap();
    same("leaf.txt", &leaf.to_bytes());
    let origin = "anlauf/drill-test".into();
    let checkpoint = Checkpoint {
        origin,
        size: 1,
        root: leaf.hash(),
    };
    same(
        "checkpoint.txt",
        checkpoint.sign(&signer("auto-1")).unwrap().as_bytes(),
    );
}
