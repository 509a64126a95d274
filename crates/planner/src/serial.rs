//! Serial schedule generation: cell after cell, each task at the first place that fits.
//!
//! In:    a [`Network`], an order of its cells, minutes of work per task.
//! Out:   a [`Schedule`]: begin and end of every task, opening of every cell.
//! Never: moves what was placed before; places a cell before those it waits for.

use anlauf_model::TaskKind;

use crate::calendar::{Minute, Work};
use crate::network::{Network, Node, Span};
use crate::piece::Piece;
use crate::profile::Profile;
use crate::window;

/// When everything happens. By index of task and of cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Schedule {
    pub begin: Vec<Minute>,
    pub end: Vec<Minute>,
    pub open: Vec<Minute>,
}

/// Whether lanes count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lanes {
    /// As many tasks side by side as a crew has lanes.
    Counted,
    /// Any number: the earliest that order, hours and windows allow.
    Unlimited,
}

/// A schedule that is being made.
struct Generator<'n, 'a> {
    network: &'n Network<'a>,
    works: &'n [Work],
    lanes: Lanes,
    profiles: Vec<Profile>,
    schedule: Schedule,
    /// Of each cell: from when on its next task may begin, because of itself.
    ready: Vec<Minute>,
}

/// Where a task lies: minutes of work of its crew, and minutes of the clock.
#[derive(Clone, Copy)]
struct Place {
    from: Work,
    begin: Minute,
    end: Minute,
}

/// Places the cells in this order; it must hold every cell once, those it waits for first.
pub(crate) fn schedule(
    network: &Network<'_>,
    order: &[usize],
    works: &[Work],
    lanes: Lanes,
) -> Schedule {
    let mut generator = Generator::new(network, works, lanes);
    for node in order {
        generator.place(*node);
    }
    generator.schedule
}

/// Places tasks in this order: each behind what it waits for; it must hold every task once, and
/// every cell that has none.
pub(crate) fn schedule_pieces(network: &Network<'_>, order: &[Piece], works: &[Work]) -> Schedule {
    let mut generator = Generator::new(network, works, Lanes::Counted);
    for piece in order {
        match *piece {
            Piece::Task(task) => generator.place_task(task),
            Piece::Cell(node) => generator.place(node),
        }
    }
    generator.schedule
}

impl Schedule {
    /// Cells by their opening; equal ones by index.
    pub fn by_opening(&self) -> Vec<usize> {
        let mut opened: Vec<usize> = (0..self.open.len()).collect();
        opened.sort_by_key(|at| self.open[*at]);
        opened
    }
}

impl<'n, 'a> Generator<'n, 'a> {
    fn new(network: &'n Network<'a>, works: &'n [Work], lanes: Lanes) -> Self {
        let profile = |own: u32| match lanes {
            Lanes::Counted => Profile::new(own),
            Lanes::Unlimited => Profile::new(u32::MAX),
        };
        let crews = network.crews.iter();
        let mut generator = Self {
            network,
            works,
            lanes,
            profiles: crews.map(|crew| profile(crew.lanes)).collect(),
            schedule: Schedule {
                begin: vec![0; network.tasks.len()],
                end: vec![0; network.tasks.len()],
                open: vec![0; network.nodes.len()],
            },
            ready: network.nodes.iter().map(|node| node.hold).collect(),
        };
        generator.place_running();
        generator
    }

    /// What runs keeps its lane from the first minute on, as long as it works; what it opens may
    /// have to wait longer for its window or the end of a freeze.
    fn place_running(&mut self) {
        for (at, task) in self.network.tasks.iter().enumerate() {
            let Some(running) = task.running else {
                continue;
            };
            if self.lanes == Lanes::Counted {
                self.profiles[task.crew].take(0, self.works[at]);
            }
            let node = &self.network.nodes[task.node];
            let end = self.network.calendar(at).finish(self.works[at]);
            let last = at + 1 == node.tasks.end;
            self.schedule.begin[at] = self.network.origin.minute(running.started);
            self.schedule.end[at] = if last {
                window::opening(node, end)
            } else {
                end
            };
        }
    }

    /// Places every task of a cell, one behind the other.
    fn place(&mut self, at: usize) {
        let node = &self.network.nodes[at];
        for task in node.tasks.clone() {
            self.place_task(task);
        }
        if node.tasks.is_empty() {
            let ready = self.ready[at]
                .max(self.opened(&node.needs))
                .max(self.opened(&node.after));
            self.schedule.open[at] = window::opening(node, ready);
        }
    }

    /// Places a task behind those of its cell and the cells it waits for.
    fn place_task(&mut self, task: usize) {
        let at = self.network.tasks[task].node;
        let node = &self.network.nodes[at];
        let last = task + 1 == node.tasks.end;
        let mut ready = self.ready[at];
        if self.network.tasks[task].running.is_none() {
            if self.network.tasks[task].kind != TaskKind::Evidence {
                ready = ready.max(self.opened(&node.needs));
            }
            if self.network.tasks[task].kind == TaskKind::Return {
                ready = ready.max(node.detour.map_or(0, |way| self.schedule.open[way]));
            }
            ready = if last {
                ready.max(self.opened(&node.after))
            } else {
                ready
            };
            let place = self.first_place(node, task, ready, last);
            if self.lanes == Lanes::Counted {
                let crew = self.network.tasks[task].crew;
                self.profiles[crew].take(place.from, place.from + self.works[task]);
            }
            self.schedule.begin[task] = place.begin;
            self.schedule.end[task] = place.end;
        }
        self.ready[at] = ready.max(self.schedule.end[task]);
        if last {
            self.schedule.open[at] = self.schedule.end[task];
        }
    }

    /// When the last of some cells opens.
    fn opened(&self, of: &[usize]) -> Minute {
        let open = of.iter().map(|node| self.schedule.open[*node]);
        open.max().unwrap_or(0)
    }

    /// The first place of a task that begins no earlier than `ready`.
    fn first_place(&self, node: &Node<'_>, task: usize, ready: Minute, last: bool) -> Place {
        let calendar = self.network.calendar(task);
        let work = self.works[task];
        let from = calendar.worked(ready);
        let (true, Some(slot)) = (last, node.slot) else {
            return self.free_place(node, task, from, last);
        };
        // A decision is best taken inside its window; a shorter window holds only its end.
        // The bound must hold for both, so it asks for the end only.
        if self.lanes == Lanes::Counted && self.network.tasks[task].kind == TaskKind::Decision {
            let inside = from.max(calendar.worked(slot.from));
            let place = self.free_place(node, task, inside, last);
            if place.end <= slot.to {
                return place;
            }
        }
        self.free_place(
            node,
            task,
            from.max(calendar.begin_to_end_at(work, slot.from)),
            last,
        )
    }

    /// The first place with a free lane and, for the last task, outside every freeze.
    fn free_place(&self, node: &Node<'_>, task: usize, from: Work, last: bool) -> Place {
        let calendar = self.network.calendar(task);
        let (kind, crew, work) = (
            self.network.tasks[task].kind,
            self.network.tasks[task].crew,
            self.works[task],
        );
        let mut from = from;
        loop {
            from = self.profiles[crew].earliest(from, work);
            let (begin, end) = (calendar.begin(from), calendar.finish(from + work));
            let place = Place { from, begin, end };
            let frozen = |freeze: &&Span| window::is_frozen(kind, begin, end, freeze);
            let frozen = node.freezes.iter().find(frozen);
            let (true, Some(freeze)) = (last, frozen) else {
                return place;
            };
            from = window::begin_after(kind, calendar, work, freeze.to).max(from + 1);
        }
    }
}
