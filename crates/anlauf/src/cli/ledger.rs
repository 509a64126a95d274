//! `anlauf ledger`: proves and reads a ledger on this machine, and hands it to outsiders.
//!
//! In:    a data folder, or an export. Out: what holds, entries in words, an export, cosignatures.
//! Never: stops or disturbs the writer; writes to the ledger.

use std::path::{Path, PathBuf};

use anlauf_recovery::query::in_words;
use anlauf_store::{FILE_LEDGER, Reader, VerifyReport, verify, verify_signed};
use anlauf_trust::PublicKey;
use anlauf_words::fingerprint;
use clap::Subcommand;
use serde_json::json;

use super::key::Public;
use crate::exit::{Done, Failure};
use crate::output::{Output, plain};

mod cosign;
mod export;

/// The log's public key in the data folder.
const FILE_LOG_PUBLIC: &str = "log.pub";

/// Most entries that one question shows unless it says more.
const SHOWN: usize = 50;

/// Prove, read, export or have witnessed a ledger on this machine
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Recompute every leaf and the tree, and hold them against every checkpoint
    Verify {
        /// Data folder, the ledger's file, or the folder of an export
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Name of the log in its checkpoints; checks the signature of the newest, needs --key
        #[arg(long, requires = "key")]
        origin: Option<String>,
        /// Public key file of the log (`log.pub` of the data folder)
        #[arg(long, value_name = "FILE", requires = "origin")]
        key: Option<PathBuf>,
        /// Of an export: which log and witnesses must have signed its head
        #[arg(long, value_name = "FILE", conflicts_with_all = ["origin", "key"])]
        policy: Option<PathBuf>,
        /// How many of the witnesses may be false
        #[arg(long, default_value_t = 1)]
        faulty: usize,
    },
    /// Write a folder that proves a part of the ledger to whoever gets it
    Export(export::Args),
    /// Have the newest checkpoint cosigned by witnesses
    Cosign(cosign::Args),
    /// Show entries in words
    Show {
        /// Data folder
        #[arg(value_name = "DIR")]
        path: PathBuf,
        /// Number of the first entry shown
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// How many at most
        #[arg(long, default_value_t = SHOWN)]
        limit: usize,
    },
}

/// Which log, for who does not take the data folder's word.
#[derive(Debug, Clone, clap::Args)]
struct Log {
    /// Name of the log in its checkpoints [default: the one in the newest checkpoint]
    #[arg(long)]
    origin: Option<String>,
    /// Public key file of the log [default: `log.pub` of the data folder]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl Log {
    fn public(&self, data: &Path) -> Done<PublicKey> {
        let beside = data.join(FILE_LOG_PUBLIC);
        Ok(Public::read(self.key.as_deref().unwrap_or(&beside))?.public)
    }

    fn origin(&self, data: &Path) -> Done<String> {
        if let Some(origin) = &self.origin {
            return Ok(origin.clone());
        }
        let note = Reader::open(data)?.head()?.note.unwrap_or_default();
        Ok(note.lines().next().unwrap_or_default().to_owned())
    }
}

/// Proves or reads.
///
/// # Errors
/// It is no ledger, or from which entry on it cannot be trusted.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Verify {
            path,
            origin,
            key,
            policy,
            faulty,
        } => {
            let log = origin.as_deref().zip(key.as_deref());
            if export::is_export(path) {
                let policy = policy.as_deref().map(|file| (file, *faulty));
                return export::verify(path, log, policy, output);
            }
            if policy.is_some() {
                return Err(Failure::usage("--policy is for the folder of an export"));
            }
            let report = match log {
                Some((origin, key)) => verify_signed(path, origin, &Public::read(key)?.public)?,
                None => verify(path)?,
            };
            tell(&report, output)
        }
        Verb::Export(args) => export::run(args, output),
        Verb::Cosign(args) => cosign::run(args, output),
        Verb::Show { path, from, limit } => show(path, *from, *limit, output),
    }
}

fn tell(report: &VerifyReport, output: Output) -> Done {
    let VerifyReport {
        size,
        root,
        checkpoint_count,
        checkpoint_size,
        signature_checked,
        bytes,
        ..
    } = report;
    let value = json!({
        "verified": true,
        "entries": size,
        "root": root,
        "first_at": report.span.map(|(first, _)| first),
        "last_at": report.span.map(|(_, last)| last),
        "checkpoints": checkpoint_count,
        "checkpoint_entries": checkpoint_size,
        "signature_checked": signature_checked,
        "bytes": bytes,
    });
    output.result(&value, || {
        let signed = match signature_checked {
            true => output.say("Unterschrift geprüft", "signature checked"),
            false => output.say(
                "Unterschrift nicht geprüft, weil --origin und --key fehlen",
                "signature not checked for want of --origin and --key",
            ),
        };
        let digits = fingerprint(root);
        match output.language {
            anlauf_model::Language::De => format!(
                "unversehrt: {size} Einträge, {bytes} Bytes\n\
                 Wurzel: {root}\nzum Vorlesen: {digits}\n\
                 {checkpoint_count} Prüfpunkte passen, der neueste über {checkpoint_size} \
                 Einträge; {signed}"
            ),
            anlauf_model::Language::En => format!(
                "whole: {size} entries, {bytes} bytes\n\
                 root: {root}\nto read aloud: {digits}\n\
                 {checkpoint_count} checkpoints match, the newest over {checkpoint_size} \
                 entries; {signed}"
            ),
        }
    })
}

fn show(path: &std::path::Path, from: u64, limit: usize, output: Output) -> Done {
    if !path.join(FILE_LEDGER).is_file() {
        let why = format!("there is no `{FILE_LEDGER}` in `{}`", path.display());
        return Err(Failure::input(why));
    }
    let entries = Reader::open(path)?.entries(from, limit)?;
    output.list(
        &entries,
        &[
            output.say("Nr", "no"),
            output.say("wann", "when"),
            output.say("wer", "who"),
            output.say("was", "what"),
            output.say("warum", "why"),
        ],
        |entry| {
            vec![
                entry.seq.to_string(),
                entry.at.to_string(),
                entry.actor.person.to_string(),
                plain(&in_words(&entry.event, output.language)),
                plain(&entry.reason),
            ]
        },
    )
}
