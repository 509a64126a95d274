//! Translates a network into a problem of the scheduler, and a schedule into starts and back.
//!
//! In:    a [`Network`], minutes of work, a schedule whose windows hold.
//! Out:   an [`Instance`]: the problem, and what each of its activities stands for.
//! Never: leaves out an order, a hold, a freeze or a window of the network.

use anlauf_model::TaskKind;
use anlauf_scheduler::weighted::{Activity, Draft, HOUR_MAX, Hour, Problem, Shifts, Team};

use crate::calendar::{Calendar, Minute, Work};
use crate::network::{Network, Node, Span};
use crate::piece::Piece;
use crate::serial::Schedule;
use crate::window;

/// Largest weight of an activity there; weights keep their ratios up to a millionth of it.
const WEIGHT_MAX: u128 = 1_000_000;

/// A problem and what it stands for.
pub(super) struct Instance {
    pub problem: Problem,
    /// What each activity stands for.
    pieces: Vec<Piece>,
}

/// An instance on its way.
struct Translator<'n, 'a> {
    network: &'n Network<'a>,
    works: &'n [Work],
    draft: Draft,
    pieces: Vec<Piece>,
    /// Last activity of each node.
    last: Vec<u32>,
    /// Opening of cells whose last task runs, which nothing moves.
    opened: Vec<Option<Minute>>,
    /// Weight that is worth one there.
    unit: u128,
}

impl Instance {
    /// Translates; none when a number is outside the scheduler's limits. `from` says where a
    /// decision stands that its window holds only in part.
    pub fn new(network: &Network<'_>, works: &[Work], from: &Schedule) -> Option<Self> {
        let heaviest = network.nodes.iter().map(|node| node.weight).max()?;
        let mut translator = Translator {
            network,
            works,
            draft: Draft::default(),
            pieces: Vec::new(),
            last: Vec::new(),
            opened: vec![None; network.nodes.len()],
            unit: heaviest.div_ceil(WEIGHT_MAX).max(1),
        };
        translator.add_crews();
        for at in 0..network.nodes.len() {
            translator.add_node(at, from)?;
        }
        for at in 0..network.nodes.len() {
            translator.add_waits(at);
        }
        Some(Self {
            pieces: translator.pieces,
            problem: translator.draft.finish().ok()?,
        })
    }

    /// Starts of a schedule of ours.
    pub fn starts(&self, network: &Network<'_>, schedule: &Schedule) -> Vec<Hour> {
        let start = |piece: &Piece| match *piece {
            Piece::Task(task) if network.tasks[task].running.is_some() => 0,
            Piece::Task(task) => hour(schedule.begin[task]),
            Piece::Cell(node) => hour(schedule.open[node] - 1),
        };
        self.pieces.iter().map(start).collect()
    }

    /// What a schedule places, in the order of its starts.
    pub fn by_start(&self, found: &anlauf_scheduler::weighted::Schedule) -> Vec<Piece> {
        let order = self.problem.by_start(&found.start);
        order
            .into_iter()
            .map(|at| self.pieces[at as usize])
            .collect()
    }
}

impl Translator<'_, '_> {
    fn add_crews(&mut self) {
        let network = self.network;
        for crew in &network.crews {
            let lanes = u8::try_from(crew.lanes).unwrap_or(u8::MAX);
            let team = self.draft.add_team(Team::steady(lanes));
            let windows = network.calendars[crew.calendar].windows();
            let shifts = Shifts::new(windows.map(|(from, to, _)| (hour(from), hour(to))));
            self.draft.interrupt(team, shifts);
        }
    }

    fn add_node(&mut self, at: usize, from: &Schedule) -> Option<()> {
        let network = self.network;
        let node = &network.nodes[at];
        self.draft.begin_job();
        let weight = u32::try_from((node.weight / self.unit).max(1)).ok()?;
        let mut before: Vec<u32> = Vec::new();
        for task in node.tasks.clone() {
            let is_last = task + 1 == node.tasks.end;
            let is_running = network.tasks[task].running.is_some();
            let activity = self.draft.add(Activity {
                hours: u32::try_from(self.works[task]).ok()?,
                team: u32::try_from(network.tasks[task].crew).ok()?,
                release: hour(node.hold),
                weight: if is_last { weight } else { 0 },
            });
            self.pieces.push(Piece::Task(task));
            if is_running {
                self.draft.fix(activity, 0);
                if is_last {
                    let end = network.calendar(task).finish(self.works[task]);
                    self.opened[at] = Some(window::opening(node, end));
                }
            } else {
                for earlier in before.drain(..) {
                    self.draft.add_edge(earlier, activity);
                }
                if is_last {
                    self.limit(node, (activity, task), from);
                }
            }
            before.push(activity);
        }
        if node.tasks.is_empty() {
            self.add_waiting(at, weight);
        }
        self.last.push(self.draft.count() as u32 - 1);
        Some(())
    }

    /// A cell whose work is done: a minute of nobody's work, which ends at its opening.
    fn add_waiting(&mut self, at: usize, weight: u32) {
        let node = &self.network.nodes[at];
        let team = self.draft.add_team(Team::steady(1));
        let activity = self.draft.add(Activity {
            hours: 1,
            team,
            release: hour(node.hold),
            weight,
        });
        self.pieces.push(Piece::Cell(at));
        for freeze in &node.freezes {
            let (from, to) = (hour(freeze.from).max(1) - 1, hour(freeze.to).max(1) - 1);
            self.draft.bar(activity, from, to);
        }
        if let Some(slot) = node.slot {
            self.draft
                .agree(activity, hour(slot.from).max(1) - 1, hour(slot.to));
        }
    }

    /// Window and freezes of a last task, as hours in which it may begin.
    fn limit(&mut self, node: &Node<'_>, (activity, task): (u32, usize), from: &Schedule) {
        let (calendar, work) = (self.network.calendar(task), self.works[task]);
        let kind = self.network.tasks[task].kind;
        let ends_at = |at: Minute| calendar.begin(calendar.begin_to_end_at(work, at));
        if let Some(slot) = node.slot {
            let inside = (kind == TaskKind::Decision)
                .then(|| inside(calendar, work, slot))
                .flatten();
            let first = inside.unwrap_or_else(|| ends_at(slot.from));
            let first = first.min(from.begin[task]);
            self.draft.agree(activity, hour(first), hour(slot.to));
        }
        for freeze in &node.freezes {
            let to = match kind {
                TaskKind::Decision => freeze.to,
                _ => ends_at(freeze.to),
            };
            let from = ends_at(freeze.from);
            if freeze.to > 0 && from < to {
                self.draft.bar(activity, hour(from), hour(to));
            }
        }
    }

    /// Lets a cell wait for those it needs and comes after.
    fn add_waits(&mut self, at: usize) {
        let network = self.network;
        let node = &network.nodes[at];
        let first = self.last[at] + 1 - node.tasks.len().max(1) as u32;
        let waiting = |task: usize| network.tasks[task].running.is_none();
        let activity = |task: usize| first + (task - node.tasks.start) as u32;
        let is_open_to =
            |task: &usize| waiting(*task) && network.tasks[*task].kind != TaskKind::Evidence;
        let (needs, after) = match node.tasks.clone().last() {
            None => (Some(first), Some(first)),
            Some(last) => (
                node.tasks.clone().find(is_open_to).map(activity),
                waiting(last).then(|| activity(last)),
            ),
        };
        let is_return = |task: &usize| network.tasks[*task].kind == TaskKind::Return;
        let back = node.tasks.clone().find(is_return);
        let back = back.filter(|task| waiting(*task)).map(activity);
        let detour: Vec<usize> = node.detour.into_iter().collect();
        let waits = [(&node.needs, needs), (&node.after, after), (&detour, back)];
        for (others, later) in waits {
            let Some(later) = later else { continue };
            for other in others {
                self.draft.add_edge(self.last[*other], later);
                if let Some(open) = self.opened[*other] {
                    self.draft.hold(later, hour(open));
                }
            }
        }
    }
}

/// The first minute of a window at which work can begin that ends in it; none when it is too long.
fn inside(calendar: &Calendar, work: Work, slot: Span) -> Option<Minute> {
    let done = calendar.worked(slot.from);
    (calendar.finish(done + work) <= slot.to).then(|| calendar.begin(done))
}

/// A minute of ours as an hour there.
fn hour(minute: Minute) -> Hour {
    minute.clamp(0, Minute::from(HOUR_MAX)) as Hour
}
