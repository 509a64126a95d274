//! The verbs: one file per noun or verb, each thin.
//!
//! In:    parsed arguments. Out: results through [`Output`], or a [`Failure`].
//! Never: decides; that is the control plane's, the verifier's or the planner's.

use std::path::{Path, PathBuf};

use anlauf_recovery::Order;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::{Client, Ticket};
use crate::exit::{Code, Done, Failure};
use crate::output::Output;

pub mod accept;
pub mod adopt;
pub mod agree;
pub mod announce;
pub mod beacon;
pub mod break_glass;
pub mod catch_up;
pub mod cell;
pub mod close;
pub mod completions;
pub mod contain;
pub mod events;
pub mod exit_codes;
pub mod finding;
pub mod gates;
pub mod genesis;
pub mod inbox;
pub mod incident;
pub mod inflow;
pub mod init;
pub mod key;
pub mod landscape;
pub mod ledger;
pub mod login;
pub mod man;
pub mod notice;
pub mod offer;
pub mod plan;
pub mod prove;
pub mod release;
pub mod sign;
pub mod status;
pub mod task;
pub mod why;
pub mod wish;
pub mod witness;

/// Largest file of a key, an envelope, a token or a proof that is read. Bytes.
const FILE_SIZE_MAX: u64 = 8 * 1024 * 1024;

/// Where the control plane is, and who asks.
#[derive(Debug, Clone, clap::Args)]
pub struct Control {
    /// Address of the control plane
    #[arg(long, env = "ANLAUF_CONTROL", default_value = "http://127.0.0.1:8440")]
    #[arg(value_name = "URL")]
    control: String,
    /// File with the token of a login; without it the variable ANLAUF_TOKEN
    #[arg(long, env = "ANLAUF_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// What every change carries.
#[derive(Debug, Clone, clap::Args)]
pub struct Change {
    /// Why; every change carries its reason in the ledger
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Idempotency key; the same key with the same order is done once [default: a fresh one]
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Print the order and send nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Control {
    /// A line to the control plane with this login.
    ///
    /// # Errors
    /// The address is none, or the token's file cannot be read.
    pub fn client(&self, output: Output) -> Done<Client> {
        check_address(&self.control)?;
        let token = match &self.token_file {
            Some(file) => Some(read_text(file, "token")?.trim().to_owned()),
            None => std::env::var("ANLAUF_TOKEN").ok(),
        };
        Ok(Client::new(&self.control, token, output.language))
    }
}

/// An address that could be a control plane's: it speaks HTTP, a proxy in front of it HTTPS.
fn check_address(address: &str) -> Done {
    let uri = address.parse::<ureq::http::Uri>().ok();
    let is_http = uri.is_some_and(|uri| {
        uri.scheme_str() == Some("http") && uri.authority().is_some() && uri.query().is_none()
    });
    if is_http {
        return Ok(());
    }
    let shown = crate::output::plain(address);
    let why = format!(
        "`{shown}` is no address of a control plane; write --control like \
         `http://127.0.0.1:8440` (http, not https)"
    );
    Err(Failure::usage(why))
}

impl Change {
    /// Key and reason.
    ///
    /// # Errors
    /// No reason was given.
    pub fn ticket(&self) -> Done<Ticket> {
        let reason = self.reason.as_deref().unwrap_or_default().trim();
        if reason.is_empty() {
            let why = "say why with --reason TEXT: every change carries its reason in the ledger";
            return Err(Failure::usage(why));
        }
        let key = match &self.key {
            Some(key) => key.clone(),
            None => format!("cli-{}", hex::encode(random::<12>()?)),
        };
        Ok(Ticket {
            key,
            reason: reason.to_owned(),
        })
    }

    /// Sends one order and tells what became of it.
    ///
    /// # Errors
    /// No reason, no answer, or a refusal with every reason.
    pub fn send(&self, control: &Control, order: &Order, output: Output) -> Done {
        let ticket = self.ticket()?;
        if self.dry_run {
            return dry(&ticket, "/commands", json!({ "order": order }), output);
        }
        tell(
            &control.client(output)?.order(&ticket, order)?,
            &ticket,
            output,
        )
    }

    /// Sends a body to a path and gives the answer; none on a dry run, which prints the body.
    ///
    /// # Errors
    /// As [`Change::send`].
    pub fn post(
        &self,
        client: &Client,
        path: &str,
        body: Value,
        output: Output,
    ) -> Done<Option<(Ticket, Value)>> {
        let ticket = self.ticket()?;
        if self.dry_run {
            dry(&ticket, path, body, output)?;
            return Ok(None);
        }
        let answer = client.post(path, &ticket.body(body))?;
        Ok(Some((ticket, answer)))
    }
}

fn dry(ticket: &Ticket, path: &str, body: Value, output: Output) -> Done {
    let body = ticket.body(body);
    output.talk(&format!("would POST {path}; nothing was sent"));
    output.line(&serde_json::to_string_pretty(&body).map_err(anyhow::Error::from)?)
}

/// Tells what became of a change: its entries in words, and its key.
///
/// # Errors
/// Stdout is gone.
pub fn tell(answer: &Value, ticket: &Ticket, output: Output) -> Done {
    let mut result = answer.clone();
    if let Value::Object(fields) = &mut result {
        fields.insert("key".to_owned(), json!(ticket.key));
    }
    output.result(&result, || {
        let entries = answer["entries"].as_array().into_iter().flatten();
        let mut lines: Vec<String> = entries.filter_map(|e| sentence(e, output)).collect();
        let seq = answer["seq"].as_u64().unwrap_or_default();
        let again = match answer["replayed"].as_bool() {
            Some(true) => output.say(" (schon vorher ausgeführt)", " (done before)"),
            _ => "",
        };
        let done = output.say("erledigt", "done");
        let entry = output.say("Eintrag", "entry");
        lines.push(format!("{done}: {entry} {seq}, key {}{again}", ticket.key));
        lines.join("\n")
    })
}

/// An event of the API in one sentence with its number.
pub fn sentence(entry: &Value, output: Output) -> Option<String> {
    let seq = entry["seq"].as_u64()?;
    let event = match entry.get("event") {
        Some(Value::Object(_)) => entry["event"].clone(),
        _ => entry.clone(),
    };
    // The control plane's own words have names; an event alone has ids.
    let told = &entry["words"];
    let told = told.as_str().or(told[output.language.tag()].as_str());
    let words = match told {
        Some(words) => words.to_owned(),
        None => {
            let event = serde_json::from_value::<anlauf_recovery::Event>(event).ok()?;
            anlauf_recovery::query::in_words(&event, output.language)
        }
    };
    Some(format!("{seq:>6}  {}", crate::output::plain(&words)))
}

/// A word of the field from the command line: `function_test`, `full`, `security`.
///
/// # Errors
/// It is none; the legal ones are listed.
pub fn word<T: DeserializeOwned + Clone>(text: &str) -> Result<T, String> {
    let normal = text.to_ascii_lowercase().replace('-', "_");
    serde_json::from_value(json!(normal)).map_err(|error| error.to_string())
}

/// A thing named by its digest, or by the beginning of one that only it has.
///
/// # Errors
/// None begins so, or several do.
pub fn by_digest(
    begin: &str,
    what: &str,
    known: impl Iterator<Item = String>,
) -> Done<anlauf_model::Digest> {
    if let Ok(digest) = begin.parse() {
        return Ok(digest);
    }
    let found: Vec<String> = known.filter(|digest| digest.starts_with(begin)).collect();
    match &found[..] {
        [one] => Ok(one.parse().map_err(anyhow::Error::from)?),
        [] => {
            let why = format!("no {what} begins with `{begin}`");
            Err(Failure::new(Code::Login, why))
        }
        several => {
            let why = format!(
                "`{begin}` begins {} {what}s; give more of it",
                several.len()
            );
            Err(Failure::usage(why))
        }
    }
}

/// The texts of one field of a list.
pub fn texts(items: &[Value], name: &str) -> Vec<String> {
    let texts = items.iter().filter_map(|item| item[name].as_str());
    texts.map(str::to_owned).collect()
}

/// Reads a text file that a person gave, no more of it than is allowed.
///
/// # Errors
/// It cannot be read, is too large or no UTF-8.
pub fn read_text(path: &Path, what: &str) -> Done<String> {
    use std::io::Read;
    let shown = path.display();
    let wrong = |why: String| Failure::input(format!("cannot read {what} `{shown}`: {why}"));
    let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(FILE_SIZE_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > FILE_SIZE_MAX {
        return Err(wrong(format!("it is larger than {FILE_SIZE_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8 text".to_owned()))
}

/// Random bytes.
///
/// # Errors
/// The system has none.
pub fn random<const N: usize>() -> Done<[u8; N]> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new(Code::Failed, format!("cannot get random bytes: {error}")))?;
    Ok(bytes)
}

/// The time by the system's clock.
pub fn now() -> anlauf_model::Timestamp {
    anlauf_model::Timestamp(jiff::Timestamp::now().as_millisecond())
}
