//! Signs envelope files; needs no control plane and no network.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anlauf_trust::{Envelope, Statement};
use anlauf_words::fingerprint;
use anyhow::Context;
use serde_json::json;

use crate::cli::key::hand::Hand;
use crate::cli::read_text;
use crate::exit::{Done, Failure};
use crate::output::{Output, plain};

/// Shows every statement, asks once, and signs them all.
///
/// # Errors
/// A file is no envelope, or was signed with this key before; nobody typed yes.
pub fn run(files: &[PathBuf], hand: &Hand, yes: bool, output: Output) -> Done {
    let mut envelopes = Vec::new();
    for file in files {
        let envelope = read(file)?;
        if envelope.signatures.iter().any(|s| s.keyid == hand.keyid()) {
            let why = format!("`{}` is signed with this key already", file.display());
            return Err(Failure::input(why));
        }
        let statement = Statement::parse(&envelope.payload)?;
        output.talk(&anlauf_words::statement(&statement, output.language));
        output.talk("");
        envelopes.push((file, envelope, statement));
    }
    let question = hand.question(envelopes.len(), output);
    output.confirm(yes, &question)?;
    let mut signed = Vec::new();
    for (file, mut envelope, statement) in envelopes {
        envelope.signatures.push(hand.sign(&envelope, &statement)?);
        write(file, &envelope)?;
        signed.push(json!({
            "file": file,
            "digest": envelope.digest(),
            "fingerprint": fingerprint(&envelope.digest()),
            "signatures": envelope.signatures.len(),
        }));
    }
    output.list(
        &signed,
        &[
            output.say("Datei", "file"),
            output.say("zum Vorlesen", "to read aloud"),
            output.say("Unterschriften", "signatures"),
        ],
        |one| {
            let text = |name: &str| plain(one[name].as_str().unwrap_or_default());
            vec![
                text("file"),
                text("fingerprint"),
                one["signatures"].to_string(),
            ]
        },
    )
}

/// Reads an envelope file strictly.
///
/// # Errors
/// It is none.
pub fn read(file: &Path) -> Done<Envelope> {
    let text = read_text(file, "envelope")?;
    Envelope::parse(text.trim().as_bytes()).map_err(|refusal| {
        Failure::input(format!("`{}` is no envelope: {refusal}", file.display()))
    })
}

/// Puts the signed envelope in place of the file, whole or not at all.
fn write(file: &Path, envelope: &Envelope) -> Done {
    let failed = || format!("cannot write `{}`", file.display());
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let mut beside = fs::File::create(&fresh).with_context(failed)?;
    beside
        .write_all(&envelope.to_bytes())
        .with_context(failed)?;
    beside.sync_all().with_context(failed)?;
    fs::rename(&fresh, file).with_context(failed)?;
    Ok(())
}
