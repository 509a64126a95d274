//! Entries of the ledger as lines.

use anlauf_model::{CellId, Landscape, Timestamp};
use anlauf_recovery::command::TaskRef;
use anlauf_recovery::event::Scope;
use anlauf_recovery::{Entry, Event, query};

use anlauf_model::Language;

/// What kind of thing happened, for signs and filters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Frame,
    Incident,
    Close,
    Work,
    Finding,
    Plan,
    Agreement,
    Release,
    Gate,
    Notice,
}

impl Kind {
    pub(crate) const ALL: [Kind; 10] = [
        Kind::Frame,
        Kind::Incident,
        Kind::Close,
        Kind::Work,
        Kind::Finding,
        Kind::Plan,
        Kind::Agreement,
        Kind::Release,
        Kind::Gate,
        Kind::Notice,
    ];

    /// The word in addresses.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Kind::Frame => "frame",
            Kind::Incident => "incident",
            Kind::Close => "close",
            Kind::Work => "work",
            Kind::Finding => "finding",
            Kind::Plan => "plan",
            Kind::Agreement => "agreement",
            Kind::Release => "release",
            Kind::Gate => "gate",
            Kind::Notice => "notice",
        }
    }

    pub(crate) fn of(event: &Event) -> Self {
        match event {
            Event::LandscapeAdopted { .. }
            | Event::RootAdopted { .. }
            | Event::PolicyAdopted { .. }
            | Event::DelegationAdopted { .. } => Kind::Frame,
            Event::IncidentDeclared { .. }
            | Event::IncidentNarrowed { .. }
            | Event::SiteHeld { .. }
            | Event::IncidentEnded => Kind::Incident,
            Event::CloseOrdered { .. } | Event::CellsClosed { .. } => Kind::Close,
            Event::TasksStarted { .. }
            | Event::TasksFinished { .. }
            | Event::TasksFailed { .. }
            | Event::GapCaughtUp { .. } => Kind::Work,
            Event::FindingsAdded { .. }
            | Event::FindingsSigned { .. }
            | Event::FindingWithdrawn { .. } => Kind::Finding,
            Event::PlanProposed { .. }
            | Event::PlanAdopted { .. }
            | Event::ForecastPublished { .. } => Kind::Plan,
            Event::WishStated { .. }
            | Event::SlotsOffered { .. }
            | Event::SlotsAgreed { .. }
            | Event::SlotsDeclined { .. }
            | Event::SlotsMissed { .. }
            | Event::CellsAccepted { .. } => Kind::Agreement,
            Event::ReleaseProposed { .. }
            | Event::SignatureAdded { .. }
            | Event::ReleaseDropped { .. }
            | Event::CellsReleased { .. }
            | Event::BreakGlassReviewed { .. } => Kind::Release,
            Event::GateReported { .. } => Kind::Gate,
            Event::NoticePublished { .. } | Event::NoticeRevised { .. } => Kind::Notice,
        }
    }
}

/// One entry in a list.
#[derive(Clone, Debug)]
pub(crate) struct EventLine {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) words: [String; 2],
    pub(crate) by: String,
    pub(crate) reason: String,
}

impl EventLine {
    pub(crate) fn of(entry: &Entry, landscape: Option<&Landscape>) -> Self {
        let words = |language| query::in_words_named(&entry.event, landscape, language);
        Self {
            seq: entry.seq,
            at: entry.at,
            kind: Kind::of(&entry.event),
            words: [Language::De, Language::En].map(words),
            by: entry.actor.person.to_string(),
            reason: entry.reason.clone(),
        }
    }

    /// In one language.
    pub(crate) fn words(&self, language: Language) -> &str {
        &self.words[language as usize]
    }
}

/// What to look for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) kind: Option<Kind>,
    pub(crate) cell: Option<CellId>,
    pub(crate) tenant: Option<String>,
}

impl Filter {
    /// Whether an entry is looked for.
    pub(crate) fn keeps(&self, entry: &Entry) -> bool {
        let kind = self.kind.is_none_or(|kind| Kind::of(&entry.event) == kind);
        let tenant = self
            .tenant
            .as_ref()
            .is_none_or(|wanted| match &entry.scope {
                Scope::Tenant(tenant) => tenant.as_str() == wanted,
                _ => false,
            });
        let cell = self
            .cell
            .as_ref()
            .is_none_or(|cell| names(&entry.event, cell));
        kind && tenant && cell
    }
}

/// Whether an event names a cell.
fn names(event: &Event, cell: &CellId) -> bool {
    let in_tasks = |tasks: &[TaskRef]| tasks.iter().any(|task| task.cell == *cell);
    match event {
        Event::CellsClosed { cells, .. }
        | Event::SlotsAgreed { cells }
        | Event::SlotsDeclined { cells }
        | Event::SlotsMissed { cells }
        | Event::CellsAccepted { cells, .. }
        | Event::GapCaughtUp { cells } => cells.contains(cell),
        Event::WishStated { order, .. } => order.contains(cell),
        Event::TasksStarted { tasks }
        | Event::TasksFinished { tasks }
        | Event::TasksFailed { tasks } => in_tasks(tasks),
        Event::FindingsAdded { findings } | Event::FindingsSigned { findings, .. } => findings
            .iter()
            .any(|finding| finding.cell.as_ref() == Some(cell)),
        Event::SlotsOffered { slots } => slots.iter().any(|slot| slot.cell == *cell),
        Event::CellsReleased { cells, .. } => cells.iter().any(|(id, _)| id == cell),
        Event::GateReported { changed, .. } => changed.iter().any(|(id, _, _)| id == cell),
        Event::ReleaseProposed { envelope, .. } => {
            let release = anlauf_trust::Release::parse(&envelope.payload);
            release.is_ok_and(|release| release.cells.iter().any(|bound| bound.cell == *cell))
        }
        _ => false,
    }
}
