//! Letters to insured people: a sender per gate that keeps what is not taken and comes again; and
//! the mailboxes, read as mail programs do.
//!
//! In:    letters, the gates' ports, which cells are open. Out: entries in the book.
//! Never: sends a letter twice that was taken and is there; forgets one that was not; a letter or a
//!        password in plain.
//! See:   docs/guide/mail.md; reference/provider/src/mail.

use std::collections::BTreeSet;

use anlauf_model::{CellId, TenantId};
use anyhow::{Context, Result};
use reference_provider::mail::reader::{Reader, Received, Stop};
use reference_provider::mail::sender::{Letter, Sender, State};

use super::book::{Expected, Kind, Outcome, Place, Receipt};
use super::visit::{Act, Visit, stopped};
use super::{Outside, Round, Ways};
use crate::drill::provider::MX;

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
    /// Senders to the gates' mail ports.
    ///
    /// # Errors
    /// A gate takes no mail.
    pub(super) fn new(ways: &Ways<'_>) -> Result<Self> {
        let mut gates = Vec::new();
        for gate in ways.gates {
            let port = gate.mail.context("a gate takes no mail")?;
            let sender = Sender::new(port, "absender.example");
            let sender = sender.under_tls(ways.believed.clone(), MX);
            gates.push(Gate {
                sender: sender.context("the relay's name is none")?,
                notes: Vec::new(),
            });
        }
        Ok(Self { gates })
    }

    /// Letters to one person that go out with the next round.
    pub(super) fn write_many(&mut self, outside: &Outside, whose: (&TenantId, usize), count: u64) {
        for _ in 0..count {
            self.write(outside, whose, outside.number());
        }
    }

    /// A letter to one person of each insurer; then every sender tries all that waits.
    pub(super) async fn round(
        &mut self,
        outside: &Outside,
        (tenants, person): (&[TenantId], usize),
        round: &Round,
    ) {
        for (tenant, person, number) in self.lost(outside) {
            self.write(outside, (&tenant, person), number);
        }
        for tenant in tenants {
            self.write(outside, (tenant, person), outside.number());
        }
        for gate in &mut self.gates {
            gate.round(outside, round).await;
        }
    }

    /// Letters that were taken and are not in the backup that was brought back: their senders were
    /// told, and send them again.
    fn lost(&self, outside: &Outside) -> Vec<(TenantId, usize, u64)> {
        let notes = self.gates.iter().flat_map(|gate| &gate.notes);
        let open = notes.filter(|note| !note.is_done).map(|note| note.number);
        let open: BTreeSet<u64> = open.collect();
        let book = outside.book();
        let waiting = book
            .waiting
            .iter()
            .filter(|((_, kind), _)| *kind == Kind::Mail);
        let waiting = waiting.flat_map(|((tenant, _), all)| {
            all.iter()
                .map(move |(person, number)| (tenant.clone(), *person, *number))
        });
        waiting
            .filter(|(_, _, number)| !open.contains(number))
            .collect()
    }

    fn write(
        &mut self,
        outside: &Outside,
        (tenant, person): (&TenantId, usize),
        number: u64,
    ) -> Option<()> {
        let folk = outside.folks.get(tenant)?;
        let cell = folk.cells.get(&Kind::Mail)?.clone();
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

/// Where letters to a person go.
fn address(outside: &Outside, whose: (&TenantId, usize)) -> Option<String> {
    Some(format!("{}@{}.example", local(outside, whose)?, whose.0))
}

/// The mailbox of a person: their number in lower case.
pub(super) fn local(outside: &Outside, (tenant, person): (&TenantId, usize)) -> Option<String> {
    let number = outside.folks.get(tenant)?.people.get(person)?;
    Some(number.to_ascii_lowercase())
}

fn letter(outside: &Outside, whose: (&TenantId, usize), number: u64) -> Option<Letter> {
    let to = address(outside, whose)?;
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

impl Visit<'_> {
    /// A look into the mailbox.
    pub(super) async fn mailbox(&self) {
        let Some(reader) = self.reader() else { return };
        let read = self.read_mail(&reader).await;
        self.note(Kind::Mail, &[Kind::Mail], &read);
    }

    /// A mail program at the gate's port of the insurer's mailboxes; none around the gates.
    pub(super) fn reader(&self) -> Option<Reader> {
        let outside = self.outside;
        let port = &outside.gates.get(self.gate()?)?.readers;
        let port = port.get(self.folk.cells.get(&Kind::Mail)?)?;
        Reader::new(*port, &self.folk.host, outside.believed.clone())
    }

    /// Everything in the mailbox. Notes who answered though it was shut.
    pub(super) async fn read_mail(&self, reader: &Reader) -> Act<Vec<Received>> {
        let outside = self.outside;
        let (tenant, kind) = self.place(Kind::Mail);
        let name = address(outside, (&tenant, self.person())).unwrap_or_default();
        let cell = self.folk.cells.get(&kind);
        let turn = || cell.and_then(|cell| outside.doors.turn_of(cell));
        let before = turn();
        let read = reader.read(&name, &outside.password).await;
        let was_shut = before.is_some_and(|turn| turn % 2 == 1) && before == turn();
        if was_shut && matches!(read, Ok(_) | Err(Stop::No(_))) {
            outside.book().at(&(tenant, kind)).leaked += 1;
        }
        read.map_err(|stop| match stop {
            Stop::Shut => stopped(Outcome::Refused, "the mail program was sent away"),
            Stop::No(said) => stopped(Outcome::Failed, &said),
            Stop::Broken(why) => stopped(Outcome::Failed, &why),
        })
    }
}

/// How often a letter lies in a mailbox as it was read, with every byte.
pub(super) fn count(
    outside: &Outside,
    (tenant, receipt): (&TenantId, &Receipt),
    read: &[Received],
) -> u64 {
    let Some(sent) = letter(outside, (tenant, receipt.person), receipt.number) else {
        return 0;
    };
    let own = read.iter().filter(|one| one.bytes.ends_with(&sent.text));
    own.count() as u64
}
