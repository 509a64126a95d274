//! `anlauf finding`: evidence with its verdict; a withdrawal shows first what rests on it.

use std::path::{Path, PathBuf};

use anlauf_model::{CellId, Digest, FindingKind, Verdict};
use anlauf_recovery::Order;
use anlauf_recovery::command::FindingDraft;
use anlauf_trust::{Envelope, Finding, Scope};
use anlauf_words::fingerprint;
use clap::{ArgGroup, Subcommand};
use serde_json::{Value, json};

use super::key::next::in_force;
use super::key::write_bytes;
use super::sign::file::read;
use super::{Change, Control, now, tell, word};
use crate::exit::{Done, Failure};
use crate::output::Output;

/// Bring, withdraw or list evidence
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Bring a finding about cells
    Add(Box<Add>),
    /// Write a finding down to be signed; needs no control plane and no network
    Draft(Box<Draft>),
    /// Bring a signed finding
    Bring {
        /// The signed finding
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
    /// Say that a finding does not hold any longer
    Withdraw(Box<Withdraw>),
    /// List findings
    List {
        /// Only about this cell
        #[arg(long, value_name = "CELL")]
        cell: Option<CellId>,
        /// Only of this kind
        #[arg(long, value_parser = word::<FindingKind>)]
        kind: Option<FindingKind>,
        /// Also those that do not stand
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        control: Control,
    },
    /// One finding, and what rests on it
    Show {
        /// Number of the finding
        #[arg(value_name = "NUMBER")]
        number: u64,
        #[command(flatten)]
        control: Control,
    },
}

/// What was found.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("proof").args(["evidence", "evidence_file"]).required(true))]
pub struct What {
    /// About which cells; none for `entry_path_closed`, which speaks for the incident
    #[arg(value_name = "CELL")]
    cells: Vec<CellId>,
    /// What it speaks about: forensics_verdict, backup_clean, scan_clean, credentials_rotated,
    /// function_tested, entry_path_closed, commissioned
    #[arg(long, value_parser = word::<FindingKind>)]
    kind: FindingKind,
    /// What it says: pass or fail
    #[arg(long, value_parser = word::<Verdict>)]
    verdict: Verdict,
    /// SHA-256 of the evidence, which stays with forensics
    #[arg(long, value_name = "SHA256")]
    evidence: Option<Digest>,
    /// The evidence itself, of which only the SHA-256 is sent
    #[arg(long, value_name = "FILE")]
    evidence_file: Option<PathBuf>,
    /// In words
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// A finding to bring.
#[derive(Debug, clap::Args)]
pub struct Add {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// A finding to be signed.
#[derive(Debug, clap::Args)]
pub struct Draft {
    #[command(flatten)]
    what: What,
    /// The signed root in force: it says for which domain
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// Where the draft goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A finding to withdraw.
#[derive(Debug, clap::Args)]
pub struct Withdraw {
    /// Number of the finding
    #[arg(value_name = "NUMBER")]
    number: u64,
    /// Also shut, first, everything that rests on it
    #[arg(long)]
    close: bool,
    /// Do not ask for a typed yes
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Brings, withdraws or lists.
///
/// # Errors
/// The control plane says no.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Add(add) => bring(add, output),
        Verb::Draft(draft) => write_down(draft, output),
        Verb::Bring {
            file,
            control,
            change,
        } => carry(file, control, change, output),
        Verb::Withdraw(withdraw) => take_back(withdraw, output),
        Verb::List {
            cell,
            kind,
            all,
            control,
        } => {
            let parts = [
                cell.as_ref().map(|cell| format!("cell={cell}")),
                kind.map(|kind| format!("kind={kind}")),
                (!all).then(|| "standing=true".to_owned()),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let path = format!("/findings?{}", parts.join("&"));
            let findings = control.client(output)?.all(&path, "findings")?;
            let findings = crate::words::items(findings, output);
            output.fields(
                &findings,
                &[
                    (output.say("Nr", "no"), "number"),
                    (output.say("Zelle", "cell"), "cell"),
                    (output.say("Art", "kind"), "kind"),
                    (output.say("Ergebnis", "verdict"), "verdict"),
                    (output.say("gilt", "stands"), "standing"),
                    (output.say("von", "by"), "by"),
                    (output.say("wann", "when"), "at"),
                ],
            )
        }
        Verb::Show { number, control } => {
            let path = format!("/findings/{number}");
            let finding: Value = control.client(output)?.get(&path)?;
            output.result(&finding, || super::cell::lines(&finding, output))
        }
    }
}

fn bring(add: &Add, output: Output) -> Done {
    let what = &add.what;
    let evidence = what.digest()?;
    let draft = |cell: Option<CellId>| FindingDraft {
        cell,
        kind: what.kind,
        verdict: what.verdict,
        evidence,
        note: what.note.clone(),
    };
    let findings = match what.cells.is_empty() {
        true => vec![draft(None)],
        false => what.cells.iter().cloned().map(Some).map(draft).collect(),
    };
    add.change
        .send(&add.control, &Order::AddFindings { findings }, output)
}

impl What {
    fn digest(&self) -> Done<Digest> {
        match (&self.evidence, &self.evidence_file) {
            (Some(evidence), _) => Ok(*evidence),
            (None, Some(file)) => digest_of(file),
            (None, None) => Err(Failure::usage("give --evidence or --evidence-file")),
        }
    }
}

fn write_down(draft: &Draft, output: Output) -> Done {
    let what = &draft.what;
    let finding = Finding {
        domain: in_force(&draft.root)?.domain,
        cells: what.cells.clone(),
        kind: what.kind,
        verdict: what.verdict,
        evidence: what.digest()?,
        at: now(),
        note: what.note.clone(),
    };
    let payload = finding.to_payload();
    // Whoever signs must not find out then that it says nothing.
    Finding::parse(&payload)?;
    let envelope = Envelope::unsigned(payload);
    write_bytes(&draft.out, 0o644, &envelope.to_bytes())?;
    let digits = fingerprint(&envelope.digest());
    output.result(&json!({ "file": draft.out, "fingerprint": digits }), || {
        let next_step = output.say(
            "als Nächstes unterschreiben, wo der Schlüssel liegt: `anlauf sign FILE`; dann bringt \
             ihn der Betrieb oder wer Befunde bringt: `anlauf finding bring FILE`",
            "next: sign it where the key is, `anlauf sign FILE`; then an operator or whoever \
             brings findings carries it: `anlauf finding bring FILE`",
        );
        format!("{}  {digits}\n{next_step}", draft.out.display())
    })
}

fn carry(file: &Path, control: &Control, change: &Change, output: Output) -> Done {
    let envelope = read(file)?;
    Finding::parse(&envelope.payload)?;
    change.send(control, &Order::AddSignedFinding { envelope }, output)
}

/// Digest of a file of any size, read in pieces.
fn digest_of(file: &PathBuf) -> Done<Digest> {
    use sha2::{Digest as _, Sha256};
    use std::io::Read;
    let wrong = |error: std::io::Error| {
        Failure::input(format!(
            "cannot read evidence `{}`: {error}",
            file.display()
        ))
    };
    let mut open = std::fs::File::open(file).map_err(wrong)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0u8; 1024 * 1024];
    loop {
        match open.read(&mut piece).map_err(wrong)? {
            0 => return Ok(Digest(hash.finalize().into())),
            size => hash.update(&piece[..size]),
        }
    }
}

fn take_back(withdraw: &Withdraw, output: Output) -> Done {
    let client = withdraw.control.client(output)?;
    let mut change = withdraw.change.clone();
    // Both steps hang on one key: sent again, each is done once.
    let ticket = change.ticket()?;
    change.key = Some(ticket.key.clone());
    let number = withdraw.number;
    let finding: Value = client.get(&format!("/findings/{number}"))?;
    let resting = finding["rests_on"].as_array().cloned().unwrap_or_default();
    let rests = output.say("darauf ruhen", "rests on it");
    output.talk(&format!("{rests}: {}", output.text(&finding["rests_on"])));
    let question = match withdraw.close {
        true => output.say(
            "diese Zellen schließen und den Befund zurückziehen?",
            "shut these cells and withdraw the finding?",
        ),
        false => output.say(
            "den Befund zurückziehen? Offene Zellen bleiben offen (mit --close nicht)",
            "withdraw the finding? Open cells stay open (not with --close)",
        ),
    };
    output.confirm(withdraw.yes || change.dry_run, question)?;
    if withdraw.close && !resting.is_empty() {
        let cells = resting.iter().filter_map(Value::as_str);
        let cells = cells.map(|cell| cell.parse().map_err(anyhow::Error::from));
        let scope = Scope::Cells(cells.collect::<Result<_, _>>()?);
        let mut first = change.clone();
        first.key = Some(format!("{}-close", ticket.key));
        let body = json!({ "scope": scope });
        let shut = first.post(&client, "/close", body, output)?;
        if let (Some((ticket, answer)), false) = (shut, output.json) {
            tell(&answer, &ticket, output)?;
        }
    }
    let order = Order::WithdrawFinding { finding: number };
    change.send(&withdraw.control, &order, output)
}
