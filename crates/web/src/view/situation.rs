//! Where things stand, at one look.

use anlauf_model::{GateId, Range, Text, Timestamp};
use anlauf_recovery::query::{self, HitRate, Progress};
use anlauf_recovery::{Actor, Entry, State};

use super::event::EventLine;
use super::inbox::{self, Due};
use super::{StageCounts, count_stages, gate};

/// Where things stand.
pub(crate) struct SituationView {
    pub(crate) has_landscape: bool,
    pub(crate) incident: Option<IncidentView>,
    pub(crate) progress: Progress,
    pub(crate) stages: StageCounts,
    pub(crate) sites: Vec<SiteView>,
    pub(crate) whole: Option<(Range, Timestamp)>,
    pub(crate) hits: HitRate,
    /// The first of what is due.
    pub(crate) due: Vec<Due>,
    pub(crate) events: Vec<EventLine>,
    pub(crate) gates: Vec<GateShort>,
}

/// The incident.
pub(crate) struct IncidentView {
    pub(crate) title: Text,
    pub(crate) began: Timestamp,
    pub(crate) ended: Option<Timestamp>,
}

/// A data centre.
pub(crate) struct SiteView {
    pub(crate) id: String,
    pub(crate) name: Text,
    pub(crate) is_restricted: bool,
    pub(crate) held_until: Option<Timestamp>,
    pub(crate) stages: StageCounts,
}

/// A gate in one line.
pub(crate) struct GateShort {
    pub(crate) id: GateId,
    pub(crate) at: Timestamp,
    pub(crate) open_too_far: usize,
    pub(crate) behind: usize,
    pub(crate) refused: usize,
}

/// Lines of the short inbox.
const DUE_SHOWN_MAX: usize = 6;

impl SituationView {
    pub(crate) fn of(state: &State, now: Timestamp, actor: &Actor, newest: &[Entry]) -> Self {
        let due = inbox::due(state, now, actor);
        Self {
            has_landscape: state.landscape.is_some(),
            incident: state.incident.as_ref().map(|incident| IncidentView {
                title: incident.title.clone(),
                began: incident.began,
                ended: incident.ended,
            }),
            progress: query::progress(state),
            stages: count_stages(state.cells.values(), now),
            sites: sites(state, now),
            whole: state
                .forecast()
                .and_then(|f| f.whole.map(|range| (range, f.made_at))),
            hits: query::hit_rate(state),
            due: due.into_iter().take(DUE_SHOWN_MAX).collect(),
            events: newest
                .iter()
                .rev()
                .map(|entry| EventLine::of(entry, state.landscape.as_deref()))
                .collect(),
            gates: gates(state, now),
        }
    }
}

fn sites(state: &State, now: Timestamp) -> Vec<SiteView> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let incident = state.running();
    let of = |site: &anlauf_model::landscape::Site| SiteView {
        id: site.id.to_string(),
        name: site.name.clone(),
        is_restricted: incident.is_some_and(|i| i.restricted.contains(&site.id)),
        held_until: incident
            .and_then(|i| i.holds.get(&site.id).copied())
            .filter(|until| *until > now),
        stages: count_stages(
            landscape
                .cells_at_site(&site.id)
                .iter()
                .filter_map(|id| state.cells.get(id)),
            now,
        ),
    };
    landscape.declared().sites.iter().map(of).collect()
}

fn gates(state: &State, now: Timestamp) -> Vec<GateShort> {
    let of = |(id, gate): (&GateId, &anlauf_recovery::state::GateState)| {
        let differences = gate::differences(state, now, gate);
        GateShort {
            id: id.clone(),
            at: gate.at,
            open_too_far: differences.iter().filter(|d| d.is_open_too_far()).count(),
            behind: differences.iter().filter(|d| !d.is_open_too_far()).count(),
            refused: gate.refused.len(),
        }
    };
    state.gates.iter().map(of).collect()
}
