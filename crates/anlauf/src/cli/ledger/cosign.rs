//! `anlauf ledger cosign`: has the newest checkpoint cosigned by the witnesses of a policy.
//!
//! In:    the data folder, a policy file; or a witness's answer that came as a file.
//! Out:   `cosigned.txt` beside the ledger, for exports.
//! Never: as [`crate::witnesses`], which does the work.
//! See:   C2SP tlog-witness.

use std::path::PathBuf;

use anlauf_store::export::FILE_COSIGNED;
use serde_json::json;

use crate::cli::read_text;
use crate::cli::witness::keep;
use crate::exit::{Done, Failure};
use crate::output::{Output, plain};
use crate::witnesses::{Round, policy};

/// `anlauf ledger cosign`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Data folder of the control plane
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Which log and witnesses, and how many must cosign (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// How many witnesses may be false without anyone being shown two ledgers
    #[arg(long, default_value_t = 1)]
    faulty: usize,
    /// Write the request for a witness without network, which has this many entries: OLD=FILE
    #[arg(long, value_name = "OLD=FILE", value_parser = request_file)]
    request: Option<(u64, PathBuf)>,
    /// Add the answer of a witness without network
    #[arg(long, value_name = "FILE")]
    answer: Vec<PathBuf>,
}

fn request_file(text: &str) -> Result<(u64, PathBuf), String> {
    let (old, file) = text.split_once('=').ok_or("write OLD=FILE")?;
    Ok((
        old.parse().map_err(|_| "OLD is a number of entries")?,
        file.into(),
    ))
}

/// Asks every witness and keeps what they say.
///
/// # Errors
/// Nothing is signed yet, or too few cosigned.
pub fn run(args: &Args, output: Output) -> Done {
    let policy = policy(&args.policy, args.faulty)?;
    let mut round = Round::go_on(&args.data, &policy)?;
    let size = round.head.size;
    if let Some((old, file)) = &args.request {
        let request = round
            .request(*old)
            .ok_or_else(|| Failure::input(format!("the ledger has {size} entries, not {old}")))?;
        return keep(file, &request.to_text());
    }
    for answer in &args.answer {
        round.take(&policy, &read_text(answer, "answer")?);
    }
    let said = round.ask(&policy)?;
    for one in &said {
        if let Some(why) = &one.why {
            output.talk(&plain(&format!("{} {why}", one.witness)));
        }
    }
    let count = round.keep(&args.data, &policy)?;
    let said: Vec<_> = said
        .iter()
        .map(|one| json!({ "witness": one.witness, "cosigned": one.at.is_some(), "why": one.why }))
        .collect();
    let file = args.data.join(FILE_COSIGNED);
    let value = json!({ "entries": size, "witnesses": said, "file": file });
    output.result(&value, || match output.language {
        anlauf_model::Language::De => {
            format!("{size} Einträge von {count} Zeugen gegengezeichnet")
        }
        anlauf_model::Language::En => format!("{size} entries cosigned by {count} witnesses"),
    })
}
