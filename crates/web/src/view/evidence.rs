//! Findings, and what rests on each.

use anlauf_model::{CellId, FindingKind, Stage, Timestamp, Verdict};
use anlauf_recovery::state::Finding;
use anlauf_recovery::{State, query};

use super::{CellName, cell_name, stage_now};

/// Findings of one page.
pub(crate) const PAGE_COUNT: usize = 100;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct EvidenceFilter {
    pub(crate) kind: Option<FindingKind>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) text: Option<String>,
    pub(crate) withdrawn: bool,
    /// Only older ones than this number.
    pub(crate) before: Option<u64>,
}

/// A page of findings, newest first.
pub(crate) struct EvidenceView {
    pub(crate) wide: Vec<FindingView>,
    /// Incident-wide kinds nobody has brought.
    pub(crate) wide_missing: Vec<FindingKind>,
    pub(crate) findings: Vec<FindingView>,
    pub(crate) count: usize,
    pub(crate) older: Option<u64>,
}

/// One finding.
#[derive(Clone, Debug)]
pub(crate) struct FindingView {
    pub(crate) finding: Finding,
    pub(crate) name: Option<CellName>,
    /// Whether it is the one that counts for its cell now.
    pub(crate) stands: bool,
}

/// One finding and what rests on it.
pub(crate) struct FindingPage {
    pub(crate) view: FindingView,
    pub(crate) rests: Vec<(CellName, Stage)>,
}

impl EvidenceView {
    pub(crate) fn of(state: &State, filter: &EvidenceFilter) -> Self {
        let kept = |finding: &&Finding| {
            let cell = finding.cell.as_ref();
            finding.cell.is_some()
                && filter.kind.is_none_or(|kind| kind == finding.kind)
                && filter
                    .verdict
                    .is_none_or(|verdict| verdict == finding.verdict)
                && filter.withdrawn == finding.withdrawn.is_some()
                && filter.text.as_ref().is_none_or(|text| {
                    cell.is_some_and(|cell| cell.to_string().contains(text.as_str()))
                })
        };
        let all: Vec<&Finding> = state.findings.values().rev().filter(kept).collect();
        let from = all
            .iter()
            .position(|f| filter.before.is_none_or(|before| f.number < before));
        let from = from.unwrap_or(all.len());
        let page: Vec<_> = all.iter().skip(from).take(PAGE_COUNT).collect();
        let more = all.len() > from + page.len();
        let wide = state
            .findings
            .values()
            .rev()
            .filter(|finding| finding.cell.is_none());
        let wide_kinds = FindingKind::ALL
            .into_iter()
            .filter(|kind| kind.is_incident_wide());
        Self {
            wide: wide.map(|finding| view(state, finding)).collect(),
            wide_missing: wide_kinds
                .filter(|kind| state.running().is_some() && state.incident_finding(*kind).is_none())
                .collect(),
            older: page.last().filter(|_| more).map(|finding| finding.number),
            findings: page
                .into_iter()
                .map(|finding| view(state, finding))
                .collect(),
            count: all.len(),
        }
    }
}

impl FindingPage {
    pub(crate) fn of(state: &State, now: Timestamp, number: u64) -> Option<Self> {
        let landscape = state.landscape.as_deref()?;
        let finding = state.findings.get(&number)?;
        let stage = |id: &CellId| {
            state
                .cells
                .get(id)
                .map_or(Stage::Closed, |cell| stage_now(cell, now))
        };
        let rests = query::rests_on(state, number);
        Some(Self {
            view: view(state, finding),
            rests: rests
                .iter()
                .map(|id| (cell_name(landscape, id), stage(id)))
                .collect(),
        })
    }
}

fn view(state: &State, finding: &Finding) -> FindingView {
    let standing = match &finding.cell {
        Some(cell) => state
            .cells
            .get(cell)
            .and_then(|cell| cell.findings.get(&finding.kind).copied()),
        None => state.incident_finding(finding.kind),
    };
    let name = finding.cell.as_ref().zip(state.landscape.as_deref());
    FindingView {
        finding: finding.clone(),
        name: name.map(|(cell, landscape)| cell_name(landscape, cell)),
        stands: standing == Some(finding.number) && finding.withdrawn.is_none(),
    }
}
