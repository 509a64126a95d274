//! Plays a plan with other lengths of work, as crews would: who is free takes the next in order.
//!
//! In:    a [`Network`], each task's place in the plan, minutes of work per task.
//! Out:   when each cell opens; none when it never does.
//! Never: moves a task to another crew; begins one before what it waits for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anlauf_model::TaskKind;

use crate::calendar::{Minute, Work};
use crate::network::Network;
use crate::window;

/// Something that happens. Ordered by time; at the same time ends come before beginnings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Event {
    /// A task is done.
    End(usize),
    /// It is known to be: the cell goes on.
    Noted(usize),
    /// A task waits for a lane from now on.
    Ready(usize),
    /// A cell whose work is done opens.
    Open(usize),
    /// A crew looks at what waits.
    Look(usize),
}

/// What waits for a crew.
#[derive(Clone, Default)]
struct Desk {
    /// Below 0 while more runs than the crew has lanes.
    free: i64,
    waiting: BinaryHeap<Reverse<(usize, usize)>>,
    looks_at: Option<Minute>,
}

/// A plan that is being played.
struct Play<'n, 'a> {
    network: &'n Network<'a>,
    /// Place of each task in the plan.
    places: &'n [usize],
    works: &'n [Work],
    handover: Minute,
    events: BinaryHeap<Reverse<(Minute, Event)>>,
    desks: Vec<Desk>,
    /// How many cells each cell waits for before anything but evidence, and before its last task.
    needs_left: Vec<usize>,
    after_left: Vec<usize>,
    dependents: &'n Dependents,
    /// The task each cell is at; the end of its tasks when all are done.
    next: Vec<usize>,
    /// Whether that task waits for a lane or has one.
    busy: Vec<bool>,
    done: Vec<bool>,
    open: Vec<Option<Minute>>,
    now: Minute,
}

/// Who waits for whom.
pub(crate) struct Dependents {
    needs: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
    /// Whose emergency operation it is.
    detour: Vec<Vec<usize>>,
}

impl Dependents {
    /// Turns the edges of a network round.
    pub fn new(network: &Network<'_>) -> Self {
        let count = network.nodes.len();
        let mut dependents = Self {
            needs: vec![Vec::new(); count],
            after: vec![Vec::new(); count],
            detour: vec![Vec::new(); count],
        };
        for (at, node) in network.nodes.iter().enumerate() {
            for earlier in &node.needs {
                dependents.needs[*earlier].push(at);
            }
            for earlier in &node.after {
                dependents.after[*earlier].push(at);
            }
            if let Some(way) = node.detour {
                dependents.detour[way].push(at);
            }
        }
        dependents
    }
}

/// Plays the plan. A cell goes on `handover` minutes after the end of a step; its crew at once.
pub(crate) fn replay(
    network: &Network<'_>,
    dependents: &Dependents,
    places: &[usize],
    works: &[Work],
    handover: Minute,
) -> Vec<Option<Minute>> {
    let desk = |crew: &crate::network::Crew<'_>| {
        let empty = network.calendars[crew.calendar].is_empty();
        Desk {
            free: if empty { 0 } else { i64::from(crew.lanes) },
            ..Desk::default()
        }
    };
    let mut play = Play {
        network,
        places,
        works,
        handover,
        events: BinaryHeap::new(),
        desks: network.crews.iter().map(desk).collect(),
        needs_left: network.nodes.iter().map(|node| node.needs.len()).collect(),
        after_left: network.nodes.iter().map(|node| node.after.len()).collect(),
        dependents,
        next: network.nodes.iter().map(|node| node.tasks.start).collect(),
        busy: vec![false; network.nodes.len()],
        done: vec![false; network.tasks.len()],
        open: vec![None; network.nodes.len()],
        now: 0,
    };
    play.begin_running();
    for node in 0..network.nodes.len() {
        play.go_on(node);
    }
    while let Some(Reverse((now, event))) = play.events.pop() {
        play.now = now;
        play.happen(event);
    }
    play.open
}

impl Play<'_, '_> {
    fn begin_running(&mut self) {
        for (task, what) in self.network.tasks.iter().enumerate() {
            let calendar = self.network.calendar(task);
            if what.running.is_some() && !calendar.is_empty() {
                // More may run than there are lanes when a crew has become smaller.
                self.desks[what.crew].free -= 1;
                let end = calendar.finish(self.works[task]);
                self.events.push(Reverse((end, Event::End(task))));
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::End(task) => self.end(task),
            Event::Noted(task) => self.note(task),
            Event::Ready(task) => {
                let crew = self.network.tasks[task].crew;
                self.desks[crew]
                    .waiting
                    .push(Reverse((self.places[task], task)));
                self.look_soon(crew);
            }
            Event::Open(node) => self.open_if_done(node),
            Event::Look(crew) => self.look(crew),
        }
    }

    fn end(&mut self, task: usize) {
        let crew = self.network.tasks[task].crew;
        self.desks[crew].free += 1;
        self.look_soon(crew);
        let noted = self.now + self.handover;
        self.events.push(Reverse((noted, Event::Noted(task))));
    }

    fn note(&mut self, task: usize) {
        let node = self.network.tasks[task].node;
        self.done[task] = true;
        self.busy[node] &= self.next[node] != task;
        self.go_on(node);
    }

    /// Puts the next task of a cell where it belongs, or opens the cell.
    fn go_on(&mut self, at: usize) {
        let node = &self.network.nodes[at];
        while self.next[at] < node.tasks.end && self.done[self.next[at]] {
            self.next[at] += 1;
        }
        let task = self.next[at];
        if task == node.tasks.end {
            self.open_if_done(at);
            return;
        }
        let last = task + 1 == node.tasks.end;
        let kind = self.network.tasks[task].kind;
        let is_away = node.detour.is_some_and(|way| self.open[way].is_none());
        let waits = (kind != TaskKind::Evidence && self.needs_left[at] > 0)
            || (kind == TaskKind::Return && is_away)
            || (last && self.after_left[at] > 0);
        if self.busy[at] || waits || self.network.tasks[task].running.is_some() {
            return;
        }
        self.busy[at] = true;
        let mut ready = self.now.max(node.hold);
        if last {
            ready = self.last_ready(at, task, ready);
        }
        self.events.push(Reverse((ready, Event::Ready(task))));
    }

    /// The last task waits for its window and for the end of a freeze.
    fn last_ready(&self, at: usize, task: usize, ready: Minute) -> Minute {
        let node = &self.network.nodes[at];
        let calendar = self.network.calendar(task);
        let work = self.works[task];
        let kind = self.network.tasks[task].kind;
        let begin_at = |at| calendar.begin(window::begin_after(kind, calendar, work, at));
        let slot = node.slot.map_or(ready, |slot| begin_at(slot.from));
        let mut ready = ready.max(slot);
        for _ in 0..node.freezes.len() {
            for freeze in &node.freezes {
                let begin = calendar.worked(ready);
                let end = calendar.finish(begin + work);
                let begin = calendar.begin(begin);
                if window::is_frozen(kind, begin, end, freeze) {
                    ready = ready.max(begin_at(freeze.to));
                }
            }
        }
        ready
    }

    fn open_if_done(&mut self, at: usize) {
        if self.open[at].is_some() || self.needs_left[at] > 0 || self.after_left[at] > 0 {
            return;
        }
        let node = &self.network.nodes[at];
        let hold = if node.tasks.is_empty() { node.hold } else { 0 };
        let open = window::opening(node, self.now.max(hold));
        if open > self.now {
            self.events.push(Reverse((open, Event::Open(at))));
            return;
        }
        self.open[at] = Some(open);
        for later in &self.dependents.needs[at] {
            self.needs_left[*later] -= 1;
        }
        for later in &self.dependents.after[at] {
            self.after_left[*later] -= 1;
        }
        let dependents = self.dependents;
        let waiting = [
            &dependents.needs[at],
            &dependents.after[at],
            &dependents.detour[at],
        ];
        for later in waiting.into_iter().flatten() {
            self.go_on(*later);
        }
    }

    /// Has a crew look at what waits, as soon as somebody works.
    fn look_soon(&mut self, crew: usize) {
        let desk = &mut self.desks[crew];
        if desk.free <= 0 || desk.waiting.is_empty() {
            return;
        }
        let calendar = &self.network.calendars[self.network.crews[crew].calendar];
        let at = calendar.begin(calendar.worked(self.now));
        if desk.looks_at.is_none_or(|known| at < known) {
            desk.looks_at = Some(at);
            self.events.push(Reverse((at, Event::Look(crew))));
        }
    }

    /// Gives what waits to free lanes, in the order of the plan.
    fn look(&mut self, crew: usize) {
        let calendar = &self.network.calendars[self.network.crews[crew].calendar];
        self.desks[crew].looks_at = None;
        while self.desks[crew].free > 0 {
            let Some(Reverse((_, task))) = self.desks[crew].waiting.pop() else {
                break;
            };
            // While it waited for a lane, a freeze may have come near.
            let ready = self.ready_again(task);
            if ready > self.now {
                self.events.push(Reverse((ready, Event::Ready(task))));
                continue;
            }
            self.desks[crew].free -= 1;
            let end = calendar.finish(calendar.worked(self.now) + self.works[task]);
            self.events.push(Reverse((end, Event::End(task))));
        }
    }

    /// When a task that could begin at once may begin.
    fn ready_again(&self, task: usize) -> Minute {
        let at = self.network.tasks[task].node;
        let node = &self.network.nodes[at];
        match task + 1 == node.tasks.end && !node.freezes.is_empty() {
            true => self.last_ready(at, task, self.now),
            false => self.now,
        }
    }
}
