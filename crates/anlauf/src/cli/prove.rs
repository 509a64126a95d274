//! `anlauf prove`: fetches the proof of an entry and verifies it here before it is written.
//!
//! In:    a number; the log's name and key, for whoever does not take the control plane's word.
//! Out:   a file that proves the entry to anyone, without the control plane.
//! Never: writes a proof that does not hold.

use std::path::{Path, PathBuf};

use anlauf_model::Digest;
use anlauf_recovery::Entry;
use anlauf_recovery::event::Scope;
use anlauf_recovery::query::in_words;
use anlauf_trust::merkle::inclusion_verify;
use anlauf_trust::{Checkpoint, Leaf, leaf::salted};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key::Public;
use super::{Control, read_text};
use crate::exit::{Done, Failure};
use crate::output::{Output, plain};

/// Prove an entry of the ledger to others, or check such a proof
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number of the entry
    #[arg(value_name = "NUMBER", required_unless_present = "check")]
    seq: Option<u64>,
    /// File the proof goes to
    #[arg(long, value_name = "FILE", required_unless_present = "check")]
    out: Option<PathBuf>,
    /// Check a proof that somebody handed over; needs no control plane
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seq", "out"])]
    check: Option<PathBuf>,
    /// Name of the log: `anlauf/krankenkassen`
    #[arg(long, requires = "log_key")]
    origin: Option<String>,
    /// Public key file of the log; without it the head's signature is not checked
    #[arg(long, value_name = "FILE", requires = "origin")]
    log_key: Option<PathBuf>,
    #[command(flatten)]
    control: Control,
}

/// A proof as it is handed around.
#[derive(Serialize, Deserialize)]
struct Proof {
    seq: u64,
    body: String,
    salt: String,
    leaf: Digest,
    size: u64,
    path: Vec<Digest>,
    root: Option<Digest>,
    checkpoint: Option<String>,
}

/// Fetches or reads a proof, verifies it, and writes what was fetched.
///
/// # Errors
/// There is no such entry for this login, or the proof does not hold.
pub fn run(args: &Args, output: Output) -> Done {
    let proof = match &args.check {
        Some(file) => read(file)?,
        None => fetch(args, output)?,
    };
    let log = match (&args.origin, &args.log_key) {
        (Some(origin), Some(file)) => Some((origin.as_str(), Public::read(file)?)),
        _ => None,
    };
    let (entry, signed) = verify(&proof, log)?;
    if let Some(out) = &args.out {
        let text = serde_json::to_string_pretty(&proof).map_err(anyhow::Error::from)?;
        std::fs::write(out, text).with_context(|| format!("cannot write `{}`", out.display()))?;
    }
    tell(args, &proof, &entry, signed, output)
}

fn read(file: &Path) -> Done<Proof> {
    let text = read_text(file, "proof")?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::input(format!("`{}` is no proof: {error}", file.display())))
}

fn fetch(args: &Args, output: Output) -> Done<Proof> {
    let client = args.control.client(output)?;
    let seq = args.seq.unwrap_or_default();
    let path = format!("/entries/{seq}/proof");
    let proof: Proof = client.get(&path)?;
    if covers(&proof).is_some() {
        return Ok(proof);
    }
    // The newest signed head is older than the entry: ask for a fresh one, if this login may.
    match client.post::<Value>("/ledger/checkpoint", &json!({})) {
        Ok(_) => client.get(&path),
        Err(_) => Ok(proof),
    }
}

/// The size of the signed head, if the proof leads to it.
fn covers(proof: &Proof) -> Option<u64> {
    let size = proof.checkpoint.as_deref()?.lines().nth(1)?.parse().ok()?;
    (size == proof.size).then_some(size)
}

/// Verifies leaf, path and head; tells whether the head's signature was checked.
fn verify(proof: &Proof, log: Option<(&str, Public)>) -> Done<(Entry, bool)> {
    let wrong = |why: &str| {
        Failure::input(format!(
            "the proof of entry {} does not hold: {why}",
            proof.seq
        ))
    };
    let entry: Entry =
        serde_json::from_str(&proof.body).map_err(|error| wrong(&error.to_string()))?;
    if entry.seq != proof.seq {
        return Err(wrong("its body is that of another entry"));
    }
    let salt: Digest = proof.salt.parse().map_err(|_| wrong("its salt"))?;
    let leaf = leaf(&entry, &salted(&salt.0, proof.body.as_bytes()))?;
    if leaf != proof.leaf {
        return Err(wrong("its body does not match its leaf"));
    }
    let signed = log.is_some();
    let root = match (log, proof.checkpoint.as_deref()) {
        (Some((origin, key)), Some(note)) => {
            let head = Checkpoint::verify(note, origin, &key.public)?;
            if head.size != proof.size {
                return Err(wrong("the signed head is of another size"));
            }
            head.root
        }
        (Some(_), None) => return Err(wrong("no signed head is with it")),
        (None, note) => head(proof, note).ok_or_else(|| wrong("no head is with it"))?,
    };
    inclusion_verify(&leaf, proof.seq - 1, proof.size, &proof.path, &root)
        .map_err(|refusal| wrong(&refusal.to_string()))?;
    Ok((entry, signed))
}

/// The root without anyone's signature: of the note, or of the answer.
fn head(proof: &Proof, note: Option<&str>) -> Option<Digest> {
    use base64::Engine;
    if covers(proof).is_some() {
        let root = note?.lines().nth(2)?;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(root)
            .ok()?;
        return Some(Digest(bytes.try_into().ok()?));
    }
    proof.root
}

fn leaf(entry: &Entry, body: &Digest) -> Done<Digest> {
    let scope = match &entry.scope {
        Scope::Provider => "provider".to_owned(),
        Scope::Everyone => "everyone".to_owned(),
        Scope::Tenant(tenant) => format!("tenant/{tenant}"),
    };
    let event = serde_json::to_value(&entry.event).map_err(anyhow::Error::from)?;
    let kind = event["event"].as_str().unwrap_or_default();
    Ok(Leaf::new(entry.seq, entry.at, kind, &scope, *body)?.hash())
}

fn tell(args: &Args, proof: &Proof, entry: &Entry, signed: bool, output: Output) -> Done {
    let value = json!({
        "verified": true,
        "seq": proof.seq,
        "size": proof.size,
        "signature_checked": signed,
        "file": args.out,
        "event": entry.event,
    });
    output.result(&value, || {
        let words = plain(&in_words(&entry.event, output.language));
        let head = match signed {
            true => output.say("Unterschrift des Kopfs geprüft", "head's signature checked"),
            false => output.say(
                "Unterschrift des Kopfs nicht geprüft (--origin und --log-key fehlen)",
                "head's signature not checked (needs --origin and --log-key)",
            ),
        };
        let lies = output.say("liegt im Verzeichnis mit", "lies in the ledger of");
        let entries = output.say("Einträgen", "entries");
        format!(
            "{}  {}  {words}\n{lies} {} {entries}; {head}",
            proof.seq, entry.at, proof.size
        )
    })
}
