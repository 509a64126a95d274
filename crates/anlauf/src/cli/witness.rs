//! `anlauf witness`: cosigns the checkpoints of a ledger it finds consistent.
//!
//! In:    a key, the logs it was told, its own state; requests over HTTP or as files.
//! Out:   cosignatures; its state on the disk before anyone gets one.
//! Never: cosigns what does not continue what it cosigned before; forgets that.
//! See:   C2SP tlog-witness v1.0.0, docs/formats/ledger.md.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anlauf_transparency::checkpoint::verifier_key_parse;
use anlauf_transparency::cosignature::witness_key;
use anlauf_trust::PublicKey;
use clap::Subcommand;
use serde_json::json;

use super::key::{Public, Secret};
use crate::exit::{Code, Done, Failure};
use crate::output::Output;

mod serve;
mod state;

use state::State;
pub use state::keep;

/// Cosign the checkpoints of ledgers, as any tenant can
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Answer requests (C2SP tlog-witness)
    Serve {
        #[command(flatten)]
        who: Who,
        /// Address to listen on
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8490")]
        listen: SocketAddr,
    },
    /// Cosign a request that came as a file; the answer goes to stdout
    Cosign {
        #[command(flatten)]
        who: Who,
        /// The request (`anlauf ledger cosign --request`)
        #[arg(value_name = "FILE")]
        request: PathBuf,
    },
    /// The line of this witness for a policy file
    Show {
        /// Name of the witness: `bkk-amsel.example/witness`
        #[arg(long)]
        name: String,
        /// Its key file, secret or public
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
}

/// Which witness, for which logs.
#[derive(Debug, Clone, clap::Args)]
pub struct Who {
    /// Name of the witness: `bkk-amsel.example/witness`
    #[arg(long)]
    name: String,
    /// Its secret key file (`anlauf key new`)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A log it may cosign: verifier key, or NAME=FILE with its public key file
    #[arg(long = "log", value_name = "KEY|NAME=FILE", required = true)]
    logs: Vec<String>,
    /// Folder with what it cosigned before; never restore an old copy of it
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
}

/// Serves, cosigns or shows.
///
/// # Errors
/// A key or the state cannot be used, or the request is refused.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Serve { who, listen } => serve::run(open(who)?, *listen, output),
        Verb::Cosign { who, request } => {
            let text = super::read_text(request, "request")?;
            let answer = open(who)?
                .answer(&text, super::now())
                .map_err(|no| Failure::new(Code::Refused, no.to_string()))?;
            output.line(answer.trim_end())
        }
        Verb::Show { name, key } => {
            let public = match Public::read(key) {
                Ok(public) => public.public,
                Err(_) => Secret::read(key)?.public().public,
            };
            let line = witness_key(name, &public)?;
            output.result(&json!({ "name": name, "key": line }), || line.clone())
        }
    }
}

fn open(who: &Who) -> Done<State> {
    let secret = Secret::read(&who.key)?;
    let mut logs = Vec::new();
    for text in &who.logs {
        logs.push(log(text)?);
    }
    State::open(
        &who.state,
        &who.name,
        secret.signer,
        logs.into_iter().collect(),
    )
}

fn log(text: &str) -> Done<(String, PublicKey)> {
    match text.split_once('=') {
        // A verifier key ends in base64 and may hold a `=`, but never before its first `+`.
        Some((name, file)) if !name.contains('+') => {
            Ok((name.to_owned(), Public::read(Path::new(file))?.public))
        }
        _ => Ok(verifier_key_parse(text)?),
    }
}
