//! `anlauf beacon`: fresh word for a gate that is cut off, carried as files.
//!
//! In:    the gate's own door; the control plane with the gate's login.
//! Out:   `ask.json` from the gate, `answer.json` for it; the gate takes it or says why not.
//! Never: needed by a gate with a line; opens anything: the gate judges what it is brought.
//! See:   docs/guide/gate.md "A site that is cut off".

use std::path::{Path, PathBuf};

use anlauf_model::feed::FeedPage;
use anlauf_model::{Digest, GateId};
use anyhow::Context;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Control, read_text};
use crate::client::Client;
use crate::exit::{Done, Failure};
use crate::output::Output;

/// Most pages of the feed that one answer is put together from.
const PAGE_COUNT_MAX: usize = 1_000;

/// Carry fresh word to a gate that is cut off, as files
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// At the gate: write down its question
    Ask {
        #[command(flatten)]
        door: Door,
        /// File the question goes to
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// At the control plane, with the login of that gate: have the question answered
    Answer {
        /// The question (`anlauf beacon ask`)
        #[arg(value_name = "FILE")]
        asked: PathBuf,
        /// File the answer goes to, with everything that the gate has not heard of
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        control: Control,
    },
    /// At the gate: hand the answer in
    Bring {
        /// The answer (`anlauf beacon answer`)
        #[arg(value_name = "FILE")]
        answer: PathBuf,
        #[command(flatten)]
        door: Door,
    },
}

/// The gate's own door.
#[derive(Debug, Clone, clap::Args)]
pub struct Door {
    /// Admin address of the gate, on its own machine
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8481")]
    gate: String,
}

/// A gate's question, as it is carried.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    gate: GateId,
    beacon: Digest,
    applied: u64,
}

/// Carries.
///
/// # Errors
/// No answer, a file that is none of these, or the gate refuses what it is brought.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Ask { door, out } => {
            let asked: Asked = door.client(output).post("/beacon", &Value::Null)?;
            write(out, &asked)?;
            let value = serde_json::to_value(&asked).map_err(anyhow::Error::from)?;
            output.result(&value, || out.display().to_string())
        }
        Verb::Answer {
            asked,
            out,
            control,
        } => {
            let asked: Asked = read(asked, "question")?;
            let page = answer(&control.client(output)?, &asked)?;
            if page.fresh.is_none() {
                let why = "nobody signs fresh word there: no policy asks for it; what else there \
                           is was not written";
                return Err(Failure::missing(why));
            }
            write(out, &page)?;
            let value = serde_json::json!({ "items": page.items.len(), "file": out });
            output.result(&value, || out.display().to_string())
        }
        Verb::Bring { answer, door } => {
            let page: FeedPage = read(answer, "answer")?;
            let page = serde_json::to_value(&page).map_err(anyhow::Error::from)?;
            let taken: Value = door.client(output).post("/feed", &page)?;
            output.result(&taken, || output.text(&taken["freshness"]))
        }
    }
}

impl Door {
    fn client(&self, output: Output) -> Client {
        Client::at_gate(&self.gate, output.language)
    }
}

/// The answer, and the feed from where the gate is up to where the answer says it ends.
fn answer(client: &Client, asked: &Asked) -> Done<FeedPage> {
    let from = asked.applied;
    let path = format!("/gate/feed?from={from}&beacon={}", asked.beacon);
    let mut page: FeedPage = client.get(&path)?;
    for _ in 0..PAGE_COUNT_MAX {
        let last = page.items.last().map_or(from, |item| item.seq);
        let more: FeedPage = client.get(&format!("/gate/feed?from={last}&wait_ms=0"))?;
        if more.items.is_empty() {
            return Ok(FeedPage {
                words: None,
                ..page
            });
        }
        page.items.extend(more.items);
        page.head = more.head;
    }
    Err(Failure::input("the feed does not end; start the gate anew"))
}

fn read<T: for<'de> Deserialize<'de>>(file: &Path, what: &str) -> Done<T> {
    let text = read_text(file, what)?;
    serde_json::from_str(&text).map_err(|error| {
        let shown = file.display();
        Failure::input(format!("`{shown}` is no {what} of a beacon: {error}"))
    })
}

fn write(out: &Path, value: &impl Serialize) -> Done {
    let bytes = serde_json::to_vec(value).map_err(anyhow::Error::from)?;
    std::fs::write(out, bytes).with_context(|| format!("cannot write `{}`", out.display()))?;
    Ok(())
}
