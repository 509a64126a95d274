//! `anlauf sign`: shows a statement in words, asks, and signs it with a key of one's own.
//!
//! In:    an envelope file, or releases of the control plane; a key of ours or of OpenSSH.
//! Out:   the signature, in the file or handed to the control plane.
//! Never: signs words that somebody else wrote: they are made here, from the bytes that are signed.

use std::path::PathBuf;

use super::Control;
use super::key::hand::{self, Hand};
use crate::exit::Done;
use crate::output::Output;

pub mod file;
mod release;

/// Read a statement in words and sign it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An envelope file; or a release, by its digest or the beginning of it
    #[arg(value_name = "FILE|RELEASE", required_unless_present = "waiting")]
    what: Vec<String>,
    /// Every release that waits for this person's signature
    #[arg(long, conflicts_with = "what")]
    waiting: bool,
    #[command(flatten)]
    which: hand::Which,
    #[command(flatten)]
    kind: hand::Kind,
    /// Do not ask for a typed yes
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    control: Control,
    /// Why; for releases only, it is kept in the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Idempotency key, for releases [default: a fresh one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the order and send nothing; for releases only
    #[arg(long)]
    dry_run: bool,
}

/// Signs.
///
/// # Errors
/// No key, no statement, no yes, or the control plane says no.
pub fn run(args: &Args, output: Output) -> Done {
    let hand = Hand::read(&args.which, args.kind)?;
    let files: Vec<PathBuf> = args.what.iter().map(PathBuf::from).collect();
    if !files.is_empty() && files.iter().all(|path| path.is_file()) {
        return file::run(&files, &hand, args.yes, output);
    }
    release::run(args, &hand, output)
}
