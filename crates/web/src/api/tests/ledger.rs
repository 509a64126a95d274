//! Entries in stretches, and proofs that verify.

use anlauf_model::Digest;
use anlauf_recovery::Entry;
use anlauf_trust::leaf::salted;
use anlauf_trust::merkle::inclusion_verify;
use anlauf_trust::{Checkpoint, Leaf};
use serde_json::{Value, json};

use super::cover::assert_unseen;
use crate::Desk as _;
use crate::stand::story::{OTHER_PERSON, OWN_PERSON};
use crate::stand::{Stand, signer};

/// Walks the pages of someone; gives every entry.
async fn walked(stand: &Stand, who: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut from) = (Vec::new(), json!(1));
    for _ in 0..10_000 {
        let page = stand
            .json(who, &format!("/entries?from={from}&limit={limit}"))
            .await;
        let entries = page["entries"].as_array().expect("entries");
        assert!(entries.len() <= limit);
        all.extend(entries.iter().cloned());
        if page["next"].is_null() {
            return all;
        }
        from = page["next"].clone();
    }
    panic!("the pages never end");
}

#[tokio::test]
async fn pages_hold_each_entry_once() {
    let stand = Stand::rich().await;
    let whole = walked(&stand, "auditor-1", 1_000).await;
    assert_eq!(whole.len() as u64, stand.desk.state().seq);
    for limit in [1, 7, 100] {
        assert_eq!(walked(&stand, "auditor-1", limit).await, whole, "{limit}");
    }
    let own = walked(&stand, OWN_PERSON, 1_000).await;
    assert_eq!(walked(&stand, OWN_PERSON, 3).await, own);
    assert!(own.len() > 20 && own.len() < whole.len());
    for entry in &own {
        assert_unseen(&entry.to_string(), "an entry");
        assert!(
            entry["words"]["de"]
                .as_str()
                .is_some_and(|words| !words.is_empty())
        );
    }
}

#[tokio::test]
async fn an_entry_is_proven_against_the_signed_checkpoint() {
    let stand = Stand::rich().await;
    // The ledger has gone on since the checkpoint: the proof leads to what was signed.
    stand.close_must("operator-1", json!("everything")).await;
    let own = walked(&stand, OWN_PERSON, 1_000).await;
    let provable = own
        .iter()
        .filter(|entry| entry["event"]["event"] != json!("root_adopted"));
    let mut proven = 0;
    for entry in provable {
        let seq = entry["seq"].as_u64().expect("a number");
        let proof = stand
            .json(OWN_PERSON, &format!("/entries/{seq}/proof"))
            .await;
        let note = proof["checkpoint"].as_str().expect("a note");
        let public = signer("ledger").public();
        let checkpoint = Checkpoint::verify(note, crate::stand::desk::ORIGIN, &public);
        let checkpoint = checkpoint.expect("the note verifies");
        if seq > checkpoint.size {
            assert_eq!(proof["size"], json!(stand.desk.state().seq));
            continue;
        }
        assert_eq!(proof["size"], json!(checkpoint.size));
        assert_proven(&proof, &checkpoint.root);
        proven += 1;
    }
    assert!(proven > 20, "{proven}");
}

/// Recomputes the leaf from the bytes and walks the path to the root.
fn assert_proven(proof: &Value, root: &Digest) {
    let text = |name: &str| proof[name].as_str().expect("text").to_owned();
    let body = text("body");
    let entry: Entry = serde_json::from_str(&body).expect("the bytes are an entry");
    let event = serde_json::to_value(&entry.event).expect("JSON");
    let scope = match &entry.scope {
        anlauf_recovery::event::Scope::Provider => "provider".to_owned(),
        anlauf_recovery::event::Scope::Everyone => "everyone".to_owned(),
        anlauf_recovery::event::Scope::Tenant(tenant) => format!("tenant/{tenant}"),
    };
    let salt: [u8; 32] = hex::decode(text("salt"))
        .expect("hex")
        .try_into()
        .expect("32 bytes");
    let digest = salted(&salt, body.as_bytes());
    let kind = event["event"].as_str().expect("a kind");
    let leaf = Leaf::new(entry.seq, entry.at, kind, &scope, digest)
        .expect("plain")
        .hash();
    assert_eq!(json!(leaf), proof["leaf"]);
    let path: Vec<Digest> = serde_json::from_value(proof["path"].clone()).expect("hashes");
    let size = proof["size"].as_u64().expect("a size");
    inclusion_verify(&leaf, entry.seq - 1, size, &path, root).expect("the path leads to the root");
}

#[tokio::test]
async fn a_proof_against_the_head_names_its_root() {
    let stand = Stand::founded().await;
    let size = stand.desk.state().seq;
    let proof = stand
        .json("auditor-1", &format!("/entries/1/proof?size={size}"))
        .await;
    let root: Digest = serde_json::from_value(proof["root"].clone()).expect("a root");
    assert_proven(&proof, &root);
    let too_large = format!("/entries/1/proof?size={}", size + 1);
    assert_eq!(stand.get("auditor-1", &too_large).await.status, 404);
}

/// The root document names everyone: its entry is there for a tenant, its bytes are not.
#[tokio::test]
async fn the_root_document_is_not_proven_to_a_tenant() {
    let stand = Stand::rich().await;
    let own = walked(&stand, OWN_PERSON, 1_000).await;
    let root = own
        .iter()
        .find(|entry| entry["event"]["event"] == json!("root_adopted"));
    let root = root.expect("everyone reads that a root was adopted");
    assert!(root["event"]["digest"].is_string() && root["event"].get("envelope").is_none());
    let path = format!("/entries/{}/proof", root["seq"]);
    assert_eq!(stand.get(OWN_PERSON, &path).await.status, 404);
    assert_eq!(stand.get("auditor-1", &path).await.status, 200);
}

#[tokio::test]
async fn no_proof_of_anothers_entry() {
    let stand = Stand::rich().await;
    let own: Vec<_> = walked(&stand, OWN_PERSON, 1_000).await;
    let own: std::collections::BTreeSet<_> = own.iter().map(|e| e["seq"].as_u64()).collect();
    for entry in walked(&stand, OTHER_PERSON, 1_000).await {
        let seq = entry["seq"].as_u64();
        if !own.contains(&seq) {
            let path = format!("/entries/{}/proof", seq.expect("a number"));
            let answer = stand.get(OWN_PERSON, &path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert_unseen(&answer.text, &path);
        }
    }
}
