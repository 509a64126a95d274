//! `anlauf ledger cosign`: has the newest checkpoint cosigned by the witnesses of a policy.
//!
//! In:    the data folder, a policy file; or a witness's answer that came as a file.
//! Out:   `cosigned.txt` beside the ledger, for exports and gates.
//! Never: puts a note in place that the policy does not believe; writes to the ledger.
//! See:   C2SP tlog-witness.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anlauf_store::Reader;
use anlauf_store::export::FILE_COSIGNED;
use anlauf_transparency::cosignature::{Policy, Witness};
use anlauf_transparency::merkle::{Levels, consistency};
use anlauf_transparency::witness::Request;
use anlauf_trust::Checkpoint;
use serde_json::{Value, json};

use crate::cli::read_text;
use crate::cli::witness::keep;
use crate::exit::{Done, Failure};
use crate::output::{Output, plain};

/// Longest wait for one witness.
const WITNESS_WAIT_MAX: Duration = Duration::from_secs(10);

/// Largest answer of a witness. Bytes.
const ANSWER_SIZE_MAX: u64 = 16 * 1024;

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

/// Reads a policy.
///
/// # Errors
/// It is none, or its quorum allows two ledgers.
pub fn policy(file: &Path, faulty: usize) -> Done<Policy> {
    Ok(Policy::parse(&read_text(file, "witness policy")?, faulty)?)
}

/// Asks every witness and keeps what they say.
///
/// # Errors
/// Nothing is signed yet, or too few cosigned.
pub fn run(args: &Args, output: Output) -> Done {
    let policy = policy(&args.policy, args.faulty)?;
    let reader = Reader::open(&args.data)?;
    let own = reader.head()?.note;
    let own = own.ok_or_else(|| Failure::missing("nothing is signed yet; start the program"))?;
    let head = Checkpoint::verify(&own, &policy.origin, &policy.log)?;
    let leaves = reader.leaves(head.size)?;
    let levels = Levels::of(&leaves);
    let ask = |old: u64| {
        let node = |level, index| levels.node(level, index);
        let proof = match old {
            0 => Some(Vec::new()),
            old if old == head.size => Some(Vec::new()),
            old => consistency(&node, old, head.size),
        };
        proof.map(|proof| Request {
            old,
            proof,
            note: own.clone(),
        })
    };
    if let Some((old, file)) = &args.request {
        let request = ask(*old).ok_or_else(|| {
            Failure::input(format!("the ledger has {} entries, not {old}", head.size))
        })?;
        return keep(file, &request.to_text());
    }
    let file = args.data.join(FILE_COSIGNED);
    let mut note = kept(&file, &head, &own);
    for answer in &args.answer {
        note.push_str(&lines(&read_text(answer, "answer")?));
    }
    let said = ask_all(&policy, &mut note, &ask)?;
    for line in said.iter().filter(|line| line["why"].is_string()) {
        let why = line["why"].as_str().unwrap_or_default();
        output.talk(&plain(&format!("{} {why}", line["witness"])));
    }
    let (head, cosigned) = policy.verify(&note)?;
    keep(&file, &note)?;
    let value = json!({ "entries": head.size, "witnesses": said, "file": file });
    output.result(&value, || {
        let (count, size) = (cosigned.len(), head.size);
        match output.language {
            anlauf_model::Language::De => {
                format!("{size} Einträge von {count} Zeugen gegengezeichnet")
            }
            anlauf_model::Language::En => format!("{size} entries cosigned by {count} witnesses"),
        }
    })
}

/// Asks every witness that has not cosigned yet; adds their lines to the note.
fn ask_all(
    policy: &Policy,
    note: &mut String,
    ask: &dyn Fn(u64) -> Option<Request>,
) -> Done<Vec<Value>> {
    let mut said = Vec::new();
    for witness in &policy.witnesses {
        let mut why = None;
        if witness.cosigned_at(note)?.is_none() {
            match one(witness, ask) {
                Ok(text) => note.push_str(&lines(&text)),
                Err(error) => why = Some(error),
            }
        }
        let is_good = witness.cosigned_at(note)?.is_some();
        said.push(json!({ "witness": witness.name, "cosigned": is_good, "why": why }));
    }
    Ok(said)
}

/// What earlier runs got for the same checkpoint.
fn kept(file: &Path, head: &Checkpoint, own: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    match text.starts_with(&format!("{}\n", head.body())) {
        true => text,
        false => own.to_owned(),
    }
}

/// Only signature lines: an answer cannot change the checkpoint.
fn lines(text: &str) -> String {
    let signature = |line: &&str| line.starts_with("\u{2014} ");
    text.lines()
        .filter(signature)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Asks one witness; when it says how far it is, once more from there.
fn one(witness: &Witness, ask: &dyn Fn(u64) -> Option<Request>) -> Result<String, String> {
    let url = witness
        .url
        .as_deref()
        .ok_or("it has no address; carry the request as a file")?;
    let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    let mut old = 0;
    for _ in 0..2 {
        let request = ask(old).ok_or_else(|| {
            format!("it has cosigned {old} entries, more than there are: an old copy, or a fork")
        })?;
        let (status, text) = post(&url, &request.to_text()).map_err(|error| error.to_string())?;
        match status {
            200 => return Ok(text),
            409 => old = text.trim().parse().map_err(|_| "its answer has no size")?,
            status => return Err(format!("it answered {status}: {}", text.trim())),
        }
    }
    Err(format!(
        "it keeps saying that it has {old} entries: this ledger is another one"
    ))
}

fn post(url: &str, body: &str) -> anyhow::Result<(u16, String)> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(WITNESS_WAIT_MAX))
        .max_redirects(0)
        .build();
    let mut response = config.new_agent().post(url).send(body)?;
    let status = response.status().as_u16();
    let text = response
        .body_mut()
        .with_config()
        .limit(ANSWER_SIZE_MAX)
        .read_to_string()?;
    Ok((status, text))
}
