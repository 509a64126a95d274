//! Letters to insured people: a sender per gate that keeps what is not taken and comes again.
//!
//! In:    letters, the gates' mail ports, which cells are open. Out: entries in the book.
//! Never: sends a letter twice that was taken; forgets one that was not.
//! See:   docs/guide/mail.md; reference/provider/src/mail.

use std::net::SocketAddr;
use std::path::PathBuf;

use anlauf_model::{CellId, TenantId};
use anyhow::Result;
use reference_provider::mail::maildir::Mailbox;
use reference_provider::mail::sender::{Letter, Sender, State};

use super::book::{Expected, Kind, Outcome, Place, Receipt};
use super::{Insured, Outside, Round};

/// All senders.
pub(super) struct Post {
    gates: Vec<Gate>,
}

/// One gate's mail port, and what waits for it.
struct Gate {
    sender: Sender,
    /// Of each letter of the sender, in its order.
    notes: Vec<Note>,
}

/// Whose a letter is.
struct Note {
    place: Place,
    cell: CellId,
    person: usize,
    number: u64,
    is_done: bool,
}

impl Post {
    /// Senders to these mail ports.
    pub(super) fn new(ports: &[SocketAddr]) -> Self {
        let gate = |port: &SocketAddr| Gate {
            sender: Sender::new(*port, "absender.example"),
            notes: Vec::new(),
        };
        Self {
            gates: ports.iter().map(gate).collect(),
        }
    }

    /// A letter to one person of each insurer; then every sender tries all that waits.
    pub(super) async fn round(
        &mut self,
        outside: &Outside,
        (tenants, person): (&[TenantId], usize),
        round: &Round,
    ) {
        for tenant in tenants {
            self.write(outside, tenant, person);
        }
        for gate in &mut self.gates {
            gate.round(outside, round).await;
        }
    }

    fn write(&mut self, outside: &Outside, tenant: &TenantId, person: usize) -> Option<()> {
        let folk = outside.folks.get(tenant)?;
        let cell = folk.cells.get(&Kind::Mail)?.clone();
        let number = outside.number();
        let count = self.gates.len().max(1);
        let gate = self.gates.get_mut(person % count)?;
        gate.sender
            .put(letter(outside, (tenant, person), number)?)?;
        gate.notes.push(Note {
            place: (tenant.clone(), Kind::Mail),
            cell,
            person,
            number,
            is_done: false,
        });
        Some(())
    }
}

impl Gate {
    async fn round(&mut self, outside: &Outside, round: &Round) {
        let turn = |note: &Note| outside.doors.turn_of(&note.cell);
        let before: Vec<Option<u64>> = self.notes.iter().map(turn).collect();
        self.sender.round().await;
        let states = self.sender.states();
        let tried = self.notes.iter_mut().zip(states).zip(before);
        for ((note, (_, state)), before) in tried.filter(|((note, _), _)| !note.is_done) {
            let (outcome, why) = outcome(state);
            let expected = match &round.open {
                None => Expected::Unknown,
                Some(open) if open.contains(&note.cell) => Expected::Open,
                Some(_) => Expected::Shut,
            };
            let was_shut = before.is_some_and(|turn| turn % 2 == 1)
                && before == outside.doors.turn_of(&note.cell);
            let mut book = outside.book();
            book.note(&note.place, outcome, expected, why);
            if outcome == Outcome::Served {
                note.is_done = true;
                book.at(&note.place).leaked += u64::from(was_shut);
                let receipt = Receipt {
                    person: note.person,
                    number: note.number,
                    id: id(note.number),
                    digest: String::new(),
                };
                book.accepted(&note.place, receipt);
            } else {
                book.turned_away(&note.place, note.person, note.number);
            }
        }
    }
}

/// What a server's word means to a sender. A refusal for good would be a loss: it is no honest no.
fn outcome(state: &State) -> (Outcome, &str) {
    match state {
        State::Sent => (Outcome::Served, "it was taken"),
        State::Waiting(Some(said)) if said.starts_with('4') => (Outcome::Told, said),
        State::Waiting(Some(said)) | State::Refused(said) => (Outcome::Failed, said),
        State::Waiting(None) => (Outcome::Failed, "it was not tried"),
    }
}

fn id(number: u64) -> String {
    format!("<{number}@absender.example>")
}

/// The mailbox of a person: their number in lower case.
fn local(outside: &Outside, (tenant, person): (&TenantId, usize)) -> Option<String> {
    let number = outside.folks.get(tenant)?.people.get(person)?;
    Some(number.to_ascii_lowercase())
}

fn letter(outside: &Outside, whose: (&TenantId, usize), number: u64) -> Option<Letter> {
    let to = format!("{}@{}.example", local(outside, whose)?, whose.0);
    let text = format!(
        "Message-ID: {}\r\nFrom: praxis@absender.example\r\nTo: {to}\r\n\
         Subject: Synthetische Nachricht {number}\r\n\r\nTermin Nr. {number}.\r\n",
        id(number)
    );
    Some(Letter {
        from: "praxis@absender.example".to_owned(),
        to,
        text: text.into_bytes(),
    })
}

impl Insured {
    /// Looks in the mailboxes on disk whether every letter that was taken lies there, once.
    ///
    /// # Errors
    /// A mailbox cannot be read.
    pub fn audit_mail(&self, folder: impl Fn(&TenantId) -> Result<PathBuf>) -> Result<()> {
        let receipts = self.book().receipts.clone();
        let mail = receipts.iter().filter(|((_, kind), _)| *kind == Kind::Mail);
        for ((tenant, kind), receipts) in mail {
            for receipt in receipts {
                let whose = (tenant, receipt.person);
                let sent = letter(&self.outside, whose, receipt.number);
                let (Some(sent), Some(local)) = (sent, local(&self.outside, whose)) else {
                    continue;
                };
                let messages = Mailbox::new(folder(tenant)?.join("mail").join(local)).messages()?;
                let own = messages.iter().filter(|message| {
                    message.id.as_deref() == Some(&receipt.id)
                        && message.bytes.ends_with(&sent.text)
                });
                let mut book = self.book();
                let counts = book.at(&(tenant.clone(), *kind));
                match own.count() {
                    0 => counts.lost += 1,
                    1 => {}
                    _ => counts.twice += 1,
                }
            }
        }
        Ok(())
    }
}
