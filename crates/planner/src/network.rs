//! The situation as numbers: cells, tasks and crews by index.
//!
//! In:    a [`Situation`].
//! Out:   [`Network`]: only what is unfinished, with every date in minutes.
//! Never: a clock; a list whose order depends on the order of the landscape's files.

use std::collections::BTreeMap;
use std::ops::Range;

use anlauf_model::landscape::Freeze;
use anlauf_model::{Cell, CellId, SiteId, Slot, TaskKind, TeamId, ThreePoint, Timestamp};

use crate::calendar::{Calendar, Hours, Minute, Origin, Work};
use crate::detour::Detours;
use crate::past::Past;
use crate::situation::{CellProgress, Situation, TaskProgress};
use crate::weight::Weights;

/// Acceptance tests a tenant can run side by side. Assumption of the reference landscape (§5).
pub(crate) const ACCEPTANCE_LANES: u32 = 3;

/// Share of an estimate that a task which has used it up is still thought to need. 1 / 10.
const OVERDUE_SHARE: i64 = 10;

/// Everything unfinished.
#[derive(Clone, Debug)]
pub(crate) struct Network<'a> {
    pub origin: Origin,
    pub nodes: Vec<Node<'a>>,
    pub tasks: Vec<Task>,
    pub crews: Vec<Crew<'a>>,
    pub calendars: Vec<Calendar>,
    /// Each tenant's wished order of its own cells, already without those that are back.
    pub wishes: Vec<Vec<usize>>,
}

/// A cell that is not back.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    pub cell: &'a Cell,
    /// Cost of one hour: harm × people, as [`Weights`] have it.
    pub weight: u128,
    /// Its unfinished tasks.
    pub tasks: Range<usize>,
    /// Cells that must be open before anything but evidence begins.
    pub needs: Vec<usize>,
    /// Cells that must be open before its last task begins.
    pub after: Vec<usize>,
    /// Its emergency operation, which must be open before the way back from it begins.
    pub detour: Option<usize>,
    /// No work before this, because of its site.
    pub hold: Minute,
    /// The cell must open inside this.
    pub slot: Option<Span>,
    /// The cell must not open inside these.
    pub freezes: Vec<Span>,
    /// When its restriction began; not after the plan's first minute.
    pub began: Minute,
}

/// From (first minute) to (in a slot the last minute, in a freeze the first after it).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub from: Minute,
    pub to: Minute,
}

/// An unfinished step of a cell.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub node: usize,
    pub kind: TaskKind,
    pub crew: usize,
    /// Expected minutes of work still to do.
    pub work: Work,
    pub estimate: ThreePoint,
    pub running: Option<Running>,
}

/// A task that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    pub started: Timestamp,
    /// Minutes of work since then.
    pub elapsed: Work,
}

/// Who works.
#[derive(Clone, Debug)]
pub(crate) struct Crew<'a> {
    /// A team of the provider; none means an owner's own testers.
    pub team: Option<&'a TeamId>,
    pub lanes: u32,
    pub calendar: usize,
}

/// How crews are told apart and sorted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CrewName<'a> {
    Team(&'a TeamId),
    Owner(&'a str),
}

/// Builds a network.
struct Builder<'a, 's> {
    situation: &'s Situation<'a>,
    network: Network<'a>,
    detours: &'s Detours<'a>,
    index: BTreeMap<&'a CellId, usize>,
    past: Past<'a>,
    weights: Weights,
    crews: BTreeMap<CrewName<'a>, usize>,
    calendars: BTreeMap<Hours, usize>,
}

impl<'a> Network<'a> {
    /// Takes from the situation what is unfinished, with those emergency operations.
    pub fn new(situation: &Situation<'a>, detours: &Detours<'a>) -> Self {
        let declared = situation.landscape.declared();
        let origin = Origin::new(situation.now, &declared.time_zone);
        let network = Network {
            origin,
            nodes: Vec::new(),
            tasks: Vec::new(),
            crews: Vec::new(),
            calendars: Vec::new(),
            wishes: Vec::new(),
        };
        let wanted = situation.landscape.cells().iter();
        let wanted = wanted.filter(|(id, cell)| {
            detours.wants(cell) && !progress(situation, id).is_some_and(|p| p.done)
        });
        let index = wanted.enumerate().map(|(at, (id, _))| (id, at)).collect();
        let mut builder = Builder {
            situation,
            detours,
            network,
            index,
            past: Past::new(situation),
            weights: Weights::new(situation.landscape),
            crews: BTreeMap::new(),
            calendars: BTreeMap::new(),
        };
        builder.add_nodes();
        builder.add_wishes();
        builder.network
    }

    /// The calendar of a task's crew.
    pub fn calendar(&self, task: usize) -> &Calendar {
        &self.calendars[self.crews[self.tasks[task].crew].calendar]
    }

    /// Expected minutes of work of every task.
    pub fn works(&self) -> Vec<Work> {
        self.tasks.iter().map(|task| task.work).collect()
    }

    /// Position of a cell; none when it is back or unknown.
    pub fn position(&self, cell: &CellId) -> Option<usize> {
        self.nodes
            .binary_search_by(|node| node.cell.id.cmp(cell))
            .ok()
    }
}

impl<'a> Builder<'a, '_> {
    fn add_nodes(&mut self) {
        let ids: Vec<&'a CellId> = self.index.keys().copied().collect();
        for id in ids {
            if let Some(cell) = self.situation.landscape.cell(id) {
                let node = self.node(cell);
                self.network.nodes.push(node);
            }
        }
    }

    fn node(&mut self, cell: &'a Cell) -> Node<'a> {
        let node = self.network.nodes.len();
        let first = self.network.tasks.len();
        for (kind, need) in cell.steps(self.detours.returns(cell)) {
            self.add_task((node, cell), kind, need);
        }
        let origin = &self.network.origin;
        let situation = self.situation;
        let freezes = &situation.landscape.declared().freezes;
        let freezes = freezes
            .iter()
            .filter(|f| f.sites.is_empty() || f.sites.contains(&cell.site));
        let span = |slot: &Slot| Span {
            from: origin.minute(slot.from),
            to: origin.minute_before(slot.to),
        };
        Node {
            cell,
            weight: self.weights.of(cell, situation, self.detours),
            tasks: first..self.network.tasks.len(),
            needs: self.waits(&cell.needs),
            after: self.waits(&cell.after),
            detour: cell
                .detour
                .as_ref()
                .and_then(|detour| self.waits(std::slice::from_ref(&detour.cell)).pop()),
            hold: self.hold(&cell.site),
            slot: situation.slots.get(&cell.id).map(span),
            freezes: freezes
                .map(|f| freeze_span(origin, situation.began, f))
                .collect(),
            began: origin.minute_before(situation.began).min(0),
        }
    }

    fn hold(&self, site: &SiteId) -> Minute {
        let until = self.situation.holds.get(site);
        until.map_or(0, |until| self.network.origin.minute(*until).max(0))
    }

    /// Positions of those of the cells that are not open to people. Sorted, each once.
    fn waits(&self, cells: &[CellId]) -> Vec<usize> {
        let closed =
            |id: &&CellId| !progress(self.situation, id).is_some_and(|p| p.stage.is_public());
        let closed = cells.iter().filter(closed);
        let mut positions: Vec<usize> = closed
            .filter_map(|id| self.index.get(id).copied())
            .collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    fn add_task(
        &mut self,
        (node, cell): (usize, &'a Cell),
        kind: TaskKind,
        need: &'a anlauf_model::landscape::TaskNeed,
    ) {
        let known = progress(self.situation, &cell.id).and_then(|p| p.tasks.get(&kind));
        let started = match known {
            Some(TaskProgress::Done { .. }) => return,
            Some(TaskProgress::Running { started }) => Some(*started),
            None => None,
        };
        let crew = self.crew(crew_name(cell, need.team.as_ref()));
        let mean = need.work.mean().0;
        let (team, now) = (need.team.as_ref(), self.situation.now);
        let running = started.map(|started| Running {
            started,
            elapsed: self.past.elapsed(team, started, now),
        });
        let left = running.map_or(mean, |r| (mean - r.elapsed).max(mean / OVERDUE_SHARE));
        let work = left.max(1);
        self.network.tasks.push(Task {
            node,
            kind,
            crew,
            work,
            estimate: need.work,
            running,
        });
    }

    fn crew(&mut self, name: CrewName<'a>) -> usize {
        if let Some(found) = self.crews.get(&name) {
            return *found;
        }
        let (team, lanes) = match &name {
            CrewName::Owner(_) => (None, ACCEPTANCE_LANES),
            CrewName::Team(id) => {
                let own = self.past.team(id).map_or(0, |team| team.lanes);
                (
                    Some(*id),
                    self.situation.lanes.get(*id).copied().unwrap_or(own),
                )
            }
        };
        let hours = self.past.hours(team);
        let network = &mut self.network;
        let calendar = *self.calendars.entry(hours).or_insert_with_key(|hours| {
            network
                .calendars
                .push(Calendar::new(&network.origin, hours));
            network.calendars.len() - 1
        });
        network.crews.push(Crew {
            team,
            lanes,
            calendar,
        });
        let position = network.crews.len() - 1;
        self.crews.insert(name, position);
        position
    }

    fn add_wishes(&mut self) {
        for (tenant, order) in &self.situation.wishes {
            let own = |id: &&CellId| id.owner() == tenant.as_str();
            let found = order
                .iter()
                .filter(own)
                .filter_map(|id| self.index.get(id).copied());
            let found: Vec<usize> = found.collect();
            if !found.is_empty() {
                self.network.wishes.push(found);
            }
        }
    }
}

fn progress<'s>(situation: &'s Situation<'_>, cell: &CellId) -> Option<&'s CellProgress> {
    situation.progress.get(cell)
}

/// Who does a task of a cell.
pub(crate) fn crew_name<'a>(cell: &'a Cell, team: Option<&'a TeamId>) -> CrewName<'a> {
    team.map_or(CrewName::Owner(cell.id.owner()), CrewName::Team)
}

fn freeze_span(origin: &Origin, began: Timestamp, freeze: &Freeze) -> Span {
    // The cast saturates; a day that is no number counts as the beginning.
    let at = |day: f64| Timestamp(began.0.saturating_add((day * 86_400_000.0) as i64));
    Span {
        from: origin.minute_before(at(freeze.from_day)),
        to: origin.minute(at(freeze.to_day)),
    }
}
