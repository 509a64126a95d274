//! Plain structs with what a page shows, read from the state under one short lock.
//!
//! In:    [`State`], `now`, who looks. Out: views. Never: markup, requests, a lock that is kept.

use anlauf_model::{CellId, Landscape, Owner, Stage, Text, Timestamp};
use anlauf_recovery::state::{CellState, Notice};
use anlauf_recovery::{Actor, State};

pub(crate) mod cell;
pub(crate) mod close;
pub(crate) mod desk;
pub(crate) mod event;
pub(crate) mod evidence;
pub(crate) mod fresh;
pub(crate) mod gate;
pub(crate) mod glass;
pub(crate) mod grid;
pub(crate) mod hold;
pub(crate) mod inbox;
pub(crate) mod plan;
pub(crate) mod portal;
pub(crate) mod release;
pub(crate) mod situation;
pub(crate) mod status;
pub(crate) mod wait;

/// How many cells are at each stage, from closed to full.
pub(crate) type StageCounts = [u32; 5];

/// A cell as people call it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct CellName {
    pub(crate) id: CellId,
    /// Tenant or site; none for what there is only one of.
    pub(crate) owner: Option<Text2>,
    pub(crate) service: Text2,
    /// Number among several of one tenant: `03`.
    pub(crate) number: Option<String>,
}

/// A text in both languages that can be ordered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Text2 {
    pub(crate) de: String,
    pub(crate) en: String,
}

impl From<&Text> for Text2 {
    fn from(text: &Text) -> Self {
        Self {
            de: text.de.clone(),
            en: text.en.clone(),
        }
    }
}

impl Text2 {
    /// A name that is the same in both languages.
    pub(crate) fn same(name: &str) -> Self {
        let (de, en) = (name.to_owned(), name.to_owned());
        Self { de, en }
    }
}

/// The name of a cell. A cell that is not in the landscape keeps its id.
pub(crate) fn cell_name(landscape: &Landscape, id: &CellId) -> CellName {
    let cell = landscape.cell(id);
    let service = cell.and_then(|cell| landscape.service(&cell.service));
    let owner = cell.and_then(|cell| match &cell.owner {
        Owner::Tenant(tenant) => landscape
            .tenant(tenant)
            .map(|tenant| Text2::same(&tenant.name)),
        Owner::Site(site) => landscape.site(site).map(|site| Text2::from(&site.name)),
        Owner::Foundation | Owner::Shared => None,
    });
    let number = service.and_then(|service| {
        let rest = id.service().strip_prefix(service.id.as_str())?;
        rest.strip_prefix('-').map(str::to_owned)
    });
    CellName {
        id: id.clone(),
        owner,
        service: service.map_or_else(
            || Text2::same(id.service()),
            |service| Text2::from(&service.name),
        ),
        number,
    }
}

/// The stage at which a cell is open now: a release that has run out opens nothing.
pub(crate) fn stage_now(cell: &CellState, now: Timestamp) -> Stage {
    if cell.not_after.is_some_and(|until| until <= now) {
        Stage::Closed
    } else {
        cell.stage
    }
}

/// Counts cells by stage.
pub(crate) fn count_stages<'a>(
    cells: impl IntoIterator<Item = &'a CellState>,
    now: Timestamp,
) -> StageCounts {
    let mut counts = StageCounts::default();
    for cell in cells {
        counts[stage_now(cell, now) as usize] += 1;
    }
    counts
}

/// What a page's frame says besides the page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) seq: u64,
    pub(crate) is_drill: bool,
    pub(crate) domain: String,
    pub(crate) provider: Option<Text>,
    pub(crate) is_running: bool,
    pub(crate) next_word_at: Option<Timestamp>,
    /// Decisions that wait.
    pub(crate) due_count: usize,
    /// What is open on two words, or was and is not answered for.
    pub(crate) glass: Vec<glass::GlassLine>,
}

impl Frame {
    /// The frame for whoever looks; nobody = the public.
    pub(crate) fn of(state: &State, now: Timestamp, actor: Option<&Actor>) -> Self {
        let root = state.authority.as_ref().map(|authority| authority.root());
        let landscape = state.landscape.as_ref();
        let tenant = actor.and_then(|actor| actor.tenant.as_ref());
        let reader = |notice: &&Notice| {
            notice.tenant.is_none()
                || notice.tenant.as_ref() == tenant
                || actor.is_some_and(|actor| actor.tenant.is_none())
        };
        let last = state.notices.iter().filter(reader);
        let last = last
            .filter_map(|notice| notice.versions.last())
            .max_by_key(|v| v.at);
        Self {
            seq: state.seq,
            is_drill: root.is_some_and(|root| root.drill),
            domain: root.map(|root| root.domain.clone()).unwrap_or_default(),
            provider: landscape.map(|l| l.declared().title.clone()),
            is_running: state.running().is_some(),
            next_word_at: last.map(|version| version.next_word_at),
            due_count: match actor {
                Some(actor) => inbox::due_count(state, now, actor),
                None => 0,
            },
            glass: glass::glass_lines(state, actor),
        }
    }
}
