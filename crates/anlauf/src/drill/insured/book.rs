//! The book of what insured people got, and of what was accepted from them.
//!
//! In:    what became of each act. Out: [`Book`]: counts per insurer and service; receipts; what
//!        is still in people's hands; every promise that was broken, in words.
//! Never: a count that nobody was answered for.

use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::TenantId;
use serde::Serialize;

use super::desk::Desk;

/// What insured people do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Logging in.
    Login,
    /// Sending a photo for the health card.
    Photo,
    /// The page of the online branch, and an application there.
    Branch,
    /// The app.
    App,
    /// The patient record: reading, and a document of one's own.
    Record,
    /// A letter to them, and reading their mailbox.
    Mail,
}

impl Kind {
    /// All of them, in the order in which people do them.
    pub const ALL: [Kind; 6] = [
        Kind::Login,
        Kind::Photo,
        Kind::Branch,
        Kind::App,
        Kind::Record,
        Kind::Mail,
    ];

    /// The service, as the landscape names it.
    pub fn service(self) -> &'static str {
        match self {
            Kind::Login => "idp",
            Kind::Photo => "lichtbild",
            Kind::Branch => "og",
            Kind::App => "app",
            Kind::Record => "epa",
            Kind::Mail => "mailbox",
        }
    }

    /// What is done at a service.
    pub fn of(service: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.service() == service)
    }
}

/// What became of one act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Done by the service.
    Served,
    /// Told honestly that it does not go, and when to come again.
    Told,
    /// Sent away by a reset, as programs are that do not speak HTTP: it is their "not now".
    Refused,
    /// No word, or none that helps.
    Failed,
}

/// Whether an act could have been done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// All cells it needs are open.
    Open,
    /// One of them is shut.
    Shut,
    /// They open or close meanwhile, or were attacked.
    Unknown,
}

/// What one insurer's people got at one service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// Acts done.
    pub served: u64,
    /// Told honestly.
    pub told: u64,
    /// Sent away by a reset: mail programs.
    pub refused: u64,
    /// Neither, in the hands of the attacker or on the way when the door was shut.
    pub failed: u64,
    /// Answered by the service while its cell was shut, or by another one's.
    pub leaked: u64,
    /// Accepted from people.
    pub accepted: u64,
    /// Turned away, kept by the person; of mail: in its sender's queue.
    pub turned_away: u64,
    /// Accepted, and not in the backup that was brought back.
    pub not_in_backup: u64,
    /// Of these two, accepted afterwards.
    pub caught_up: u64,
    /// Accepted and not there at the end.
    pub lost: u64,
    /// There more than once.
    pub twice: u64,
}

/// What a service accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Which person of the insurer.
    pub person: usize,
    /// Number of what was sent.
    pub number: u64,
    /// Under which name it is kept.
    pub id: String,
    /// SHA-256 of what is kept, in hex.
    pub digest: String,
}

/// One insurer's service.
pub type Place = (TenantId, Kind);

/// What everybody got.
#[derive(Debug, Default)]
pub struct Book {
    /// By insurer and service.
    pub counts: BTreeMap<Place, Counts>,
    /// What was accepted, and not found missing since.
    pub receipts: BTreeMap<Place, Vec<Receipt>>,
    /// What clerks decided.
    pub desks: BTreeMap<Place, Desk>,
    /// What people still have to send, by person: numbers.
    pub waiting: BTreeMap<Place, BTreeSet<(usize, u64)>>,
    /// Open and not served, or shut without an honest word: the first few, in words.
    pub wrong: Vec<String>,
    /// How many of these.
    pub wrong_count: u64,
    /// Whether everything accepted was looked for at the end.
    pub is_audited: bool,
}

/// How many of what went wrong are named.
const NAMED_MAX: usize = 5;

impl Book {
    /// The counts of one insurer's service.
    pub fn at(&mut self, place: &Place) -> &mut Counts {
        self.counts.entry(place.clone()).or_default()
    }

    /// Notes what became of an act.
    pub fn note(&mut self, place: &Place, outcome: Outcome, expected: Expected, why: &str) {
        let counts = self.at(place);
        match outcome {
            Outcome::Served => counts.served += 1,
            Outcome::Told => counts.told += 1,
            Outcome::Refused => counts.refused += 1,
            Outcome::Failed => counts.failed += 1,
        }
        let (wanted, is_right) = match expected {
            Expected::Open => ("open", outcome == Outcome::Served),
            Expected::Shut => ("shut", matches!(outcome, Outcome::Told | Outcome::Refused)),
            Expected::Unknown => return,
        };
        if is_right {
            return;
        }
        self.wrong_count += 1;
        if self.wrong.len() < NAMED_MAX {
            let (tenant, kind) = place;
            let service = kind.service();
            self.wrong
                .push(format!("`{tenant}/{service}` is {wanted}: {why}"));
        }
    }

    /// A person could not send something and keeps it.
    pub fn turned_away(&mut self, place: &Place, person: usize, number: u64) {
        if self
            .waiting
            .entry(place.clone())
            .or_default()
            .insert((person, number))
        {
            self.at(place).turned_away += 1;
        }
    }

    /// What a person still has to send.
    pub fn to_send(&self, place: &Place, person: usize) -> Vec<u64> {
        let waiting = self.waiting.get(place).into_iter().flatten();
        let own = waiting.filter(|(whose, _)| *whose == person);
        own.map(|(_, number)| *number).collect()
    }

    /// A service accepted something.
    pub fn accepted(&mut self, place: &Place, receipt: Receipt) {
        let waited = self
            .waiting
            .get_mut(place)
            .is_some_and(|waiting| waiting.remove(&(receipt.person, receipt.number)));
        let counts = self.at(place);
        counts.accepted += 1;
        counts.caught_up += u64::from(waited);
        let receipts = self.receipts.entry(place.clone()).or_default();
        receipts.retain(|other| other.number != receipt.number);
        receipts.push(receipt);
    }

    /// What was accepted is not in the backup that was brought back: its sender is told, and sends
    /// it again.
    pub fn not_in_backup(&mut self, place: &Place, number: u64) {
        let Some(receipts) = self.receipts.get_mut(place) else {
            return;
        };
        let Some(at) = receipts.iter().position(|one| one.number == number) else {
            return;
        };
        let receipt = receipts.remove(at);
        let waiting = self.waiting.entry(place.clone()).or_default();
        waiting.insert((receipt.person, number));
        self.at(place).not_in_backup += 1;
    }

    /// All insurers at one service, or everything.
    pub fn sum(&self, kind: Option<Kind>) -> Counts {
        let places = self.counts.iter();
        let these = places.filter(|((_, own), _)| kind.is_none_or(|kind| kind == *own));
        these.fold(Counts::default(), |sum, (_, one)| sum.and(one))
    }

    /// How many things people still have in their hands.
    pub fn waiting_count(&self) -> usize {
        self.waiting.values().map(BTreeSet::len).sum()
    }

    /// What must hold at the end; each violation in words.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        let all = self.sum(None);
        let mut must = |is_broken: bool, words: String| {
            if is_broken {
                violations.push(words);
            }
        };
        must(
            all.leaked > 0,
            format!(
                "insured people: {} answers of a service whose cell was shut{}",
                all.leaked,
                self.named(|counts| counts.leaked)
            ),
        );
        must(
            all.lost > 0,
            format!(
                "insured people: {} things were accepted and are not there any more{}",
                all.lost,
                self.named(|counts| counts.lost)
            ),
        );
        must(
            all.twice > 0,
            format!(
                "insured people: {} things are there more than once{}",
                all.twice,
                self.named(|counts| counts.twice)
            ),
        );
        must(
            self.wrong_count > 0,
            format!(
                "insured people: {} times not what the state of the cell promises: {}",
                self.wrong_count,
                self.wrong.join("; ")
            ),
        );
        let waiting = self.waiting_count();
        must(
            waiting > 0,
            format!("insured people: {waiting} things were turned away and not sent again"),
        );
        must(
            !self.is_audited,
            "insured people: what was accepted was not looked for at the end".to_owned(),
        );
        for kind in Kind::ALL {
            must(
                self.sum(Some(kind)).served == 0,
                format!("insured people: `{}` served nobody", kind.service()),
            );
        }
        violations.extend(self.desk_violations());
        violations
    }

    /// Where it was, the first few.
    fn named(&self, count: impl Fn(&Counts) -> u64) -> String {
        let places = self.counts.iter().filter(|(_, counts)| count(counts) > 0);
        let names = places.map(|((tenant, kind), _)| format!("`{tenant}/{}`", kind.service()));
        let names: Vec<String> = names.take(NAMED_MAX).collect();
        format!(": {}", names.join(", "))
    }
}

impl Counts {
    fn and(self, other: &Counts) -> Counts {
        Counts {
            served: self.served + other.served,
            told: self.told + other.told,
            refused: self.refused + other.refused,
            failed: self.failed + other.failed,
            leaked: self.leaked + other.leaked,
            accepted: self.accepted + other.accepted,
            turned_away: self.turned_away + other.turned_away,
            not_in_backup: self.not_in_backup + other.not_in_backup,
            caught_up: self.caught_up + other.caught_up,
            lost: self.lost + other.lost,
            twice: self.twice + other.twice,
        }
    }
}
