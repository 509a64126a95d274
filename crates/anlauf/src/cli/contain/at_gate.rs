//! Shuts at a gate directly, without the control plane: one person, one key, one signature.
//!
//! In:    the gate's admin address, a secret key, the root (for the domain), a scope.
//! Out:   the gate's word after the cut; the signed close as a file, for the ledger later.
//! Never: opens anything; needs anything but the gate.

use std::path::PathBuf;

use anlauf_model::Epoch;
use anlauf_model::feed::GateReport;
use anlauf_trust::{Close, Envelope, Root, Scope, Statement};
use anyhow::Context;
use serde_json::{Value, json};

use crate::cli::key::hand::Hand;
use crate::cli::now;
use crate::cli::sign::file::read;
use crate::client::Client;
use crate::exit::{Done, Failure};
use crate::output::Output;

/// How to reach a gate directly.
#[derive(Debug, clap::Args)]
pub struct AtGate {
    /// Shut at this gate directly, by its admin address, when the control plane is gone
    #[arg(long, value_name = "URL", requires_all = ["sign_with", "root", "out"])]
    pub gate: Option<String>,
    /// Your secret key file, for a gate
    #[arg(long, value_name = "FILE", requires = "gate")]
    sign_with: Option<PathBuf>,
    /// The root document, for its domain
    #[arg(long, value_name = "FILE", requires = "gate")]
    root: Option<PathBuf>,
    /// File the signed close goes to; hand it to the control plane later with `anlauf adopt`
    #[arg(long, value_name = "FILE", requires = "gate")]
    out: Option<PathBuf>,
}

/// Shows the close in words, asks, signs, and hands it to the gate.
///
/// # Errors
/// The gate does not answer or refuses; nobody typed yes.
pub fn run(at: &AtGate, scope: Scope, reason: &str, (yes, output): (bool, Output)) -> Done {
    let (Some(gate), Some(key), Some(root), Some(out)) =
        (&at.gate, &at.sign_with, &at.root, &at.out)
    else {
        return Err(Failure::usage("give --gate, --sign-with, --root and --out"));
    };
    let hand = Hand::open(key)?;
    let domain = Root::parse(&read(root)?.payload)?.domain;
    let client = Client::at_gate(gate, output.language);
    let report: GateReport = client.get("/state")?;
    let close = Close {
        domain,
        epoch: epoch(&report, &scope),
        scope,
        at: now(),
        reason: reason.to_owned(),
    };
    output.talk(&anlauf_words::close(&close, output.language));
    output.confirm(yes, output.say("sofort schließen?", "shut at once?"))?;
    let mut envelope = Envelope::unsigned(close.to_payload());
    let signature = hand.sign(&envelope, &Statement::Close(close))?;
    envelope.signatures.push(signature);
    let bytes = envelope.to_bytes();
    std::fs::write(out, &bytes).with_context(|| format!("cannot write `{}`", out.display()))?;
    let form = serde_json::from_slice(&bytes).map_err(anyhow::Error::from)?;
    let told: Value = client.post("/close", &form)?;
    let shut = told["closed"].as_array().map_or(0, Vec::len);
    let value = json!({ "gate": gate, "closed": told["closed"], "file": out });
    output.result(&value, || {
        let cells = output.say("Zellen zu an", "cells shut at");
        let later = output.say("für das Verzeichnis später", "for the ledger later");
        format!(
            "{shut} {cells} {gate}\n{later}: anlauf adopt {}",
            out.display()
        )
    })
}

/// Burns everything this gate has seen in the scope.
fn epoch(report: &GateReport, scope: &Scope) -> Epoch {
    let seen = report.changed.iter().filter(|cell| match scope {
        Scope::Cells(cells) => cells.contains(&cell.cell),
        // A gate's report does not say site or service: a higher epoch does no harm.
        _ => true,
    });
    seen.map(|cell| cell.epoch).max().unwrap_or_default()
}
