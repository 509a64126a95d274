//! Signs releases of the control plane: read from the bytes that are signed, never from its words.

use anlauf_model::Digest;
use anlauf_recovery::Order;
use anlauf_recovery::command::SignatureDraft;
use anlauf_trust::{Envelope, Statement};
use serde_json::Value;

use super::Args;
use crate::cli::key::hand::Hand;
use crate::cli::release::find;
use crate::cli::{Change, texts};
use crate::client::Client;
use crate::exit::{Code, Done, Failure};
use crate::output::Output;

/// Shows every release, asks once, and hands the signatures over.
///
/// # Errors
/// Nothing waits, a release is not what its digest says, nobody typed yes, or a refusal.
pub fn run(args: &Args, hand: &Hand, output: Output) -> Done {
    let change = Change {
        reason: args.reason.clone(),
        key: args.idempotency_key.clone(),
        dry_run: args.dry_run,
    };
    change.ticket()?;
    let client = args.control.client(output)?;
    let mut read = Vec::new();
    for digest in wanted(args, &client)? {
        let envelope = envelope(&client, &digest)?;
        let statement = Statement::parse(&envelope.payload)?;
        output.talk(&anlauf_words::statement(&statement, output.language));
        output.talk("");
        read.push((digest, envelope, statement));
    }
    let question = hand.question(read.len(), output);
    output.confirm(args.yes || args.dry_run, &question)?;
    let mut signatures = Vec::new();
    for (release, envelope, statement) in read {
        let signature = hand.sign(&envelope, &statement)?;
        signatures.push(SignatureDraft {
            release,
            keyid: signature.keyid,
            sig: hex::encode(signature.sig),
        });
    }
    change.send(&args.control, &Order::AddSignatures { signatures }, output)
}

fn wanted(args: &Args, client: &Client) -> Done<Vec<Digest>> {
    if !args.waiting {
        return args.what.iter().map(|begin| find(client, begin)).collect();
    }
    let inbox: Value = client.get("/inbox")?;
    let waiting = inbox["sign"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if waiting.is_empty() {
        return Err(Failure::new(
            Code::Login,
            "no release waits for your signature",
        ));
    }
    let digests = texts(waiting, "release");
    let digests = digests
        .iter()
        .map(|text| text.parse().map_err(anyhow::Error::from));
    Ok(digests.collect::<Result<_, _>>()?)
}

/// The bytes to sign, which must have the digest that was asked for.
fn envelope(client: &Client, digest: &Digest) -> Done<Envelope> {
    let whole: Value = client.get(&format!("/releases/{digest}"))?;
    let envelope: Envelope = serde_json::from_value(whole["envelope"].clone())
        .map_err(|error| Failure::input(format!("the release cannot be read: {error}")))?;
    if envelope.digest() != *digest {
        let why = format!(
            "the control plane handed out another statement than release `{}`; \
             nothing was signed, tell security",
            digest.short()
        );
        return Err(Failure::input(why));
    }
    Ok(envelope)
}
