//! A provider that brings a landscape back: crews follow a plan, task by task.
//!
//! In:    a landscape, how long work takes, a plan to follow.
//! Out:   the situation as a control plane sees it; when each cell opened.
//! Never: calls the planner; its calendars and queues are written anew here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;

use anlauf_model::landscape::source;
use anlauf_model::{Cell, CellId, Landscape, Minutes, Plan, Stage, TaskKind, TeamId, Timestamp};
use anlauf_planner::{CellProgress, Situation, TaskProgress};
use anyhow::{Context, Result, bail};

use super::truth::Truth;

const DAY: i64 = 1_440;

/// Nothing takes longer: a world that is not back by then is broken. Minutes.
const MINUTES_MAX: i64 = 2_000 * DAY;

/// Tasks that wait per lane, where nobody knows any longer how many there were.
const LOAD_USUAL: f64 = 2.0;

/// How often the length of a running task is drawn until it is longer than what it has taken.
const DRAWS_MAX: u32 = 500;

/// How long tasks take.
#[derive(Clone)]
pub enum Lengths {
    /// As the world has it.
    Truth(Box<Truth>),
    /// As somebody guesses: minutes by task, whole length.
    Guess(BTreeMap<(CellId, TaskKind), i64>),
}

/// A task of a cell, by number.
type Step = (usize, usize);

/// A provider at work.
#[derive(Clone)]
pub struct House<'l> {
    landscape: &'l Landscape,
    began: Timestamp,
    /// Minute of the local day at the beginning, and day of the week from Monday = 0.
    clock: (i64, i64),
    cells: Vec<&'l Cell>,
    numbers: BTreeMap<&'l CellId, usize>,
    lengths: Lengths,
    now: i64,
    progress: BTreeMap<CellId, CellProgress>,
    opened: Vec<Option<i64>>,
    /// Next task of each cell.
    next: Vec<usize>,
    busy: BTreeMap<String, u32>,
    /// Ends of running tasks.
    running: BinaryHeap<Reverse<(i64, Step)>>,
}

/// Reads a landscape, with its first tenants only.
///
/// # Errors
/// The folder cannot be read, or what remains is no landscape.
pub fn landscape(folder: &Path, tenants: usize) -> Result<Landscape> {
    let mut files = BTreeMap::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, std::fs::read(entry.path())?);
    }
    let Ok(mut declared) = source::read(&files) else {
        bail!("{} is no landscape", folder.display());
    };
    declared.tenants.truncate(tenants);
    let kept: Vec<_> = declared.tenants.iter().map(|t| t.id.clone()).collect();
    declared.offers.retain(|offer| kept.contains(&offer.tenant));
    let left = |person: &anlauf_model::landscape::Person| {
        person.role != anlauf_model::Role::Tenant
            || kept
                .iter()
                .any(|t| t.as_str() == person.organisation.as_str())
    };
    declared.people.retain(left);
    Landscape::new(declared).map_err(|p| anyhow::anyhow!("{}: {p:?}", folder.display()))
}

impl<'l> House<'l> {
    /// Everything is shut, nothing has begun.
    pub fn new(landscape: &'l Landscape, truth: Truth) -> Self {
        let began = Timestamp(1_776_715_200_000); // 2026-04-20T20:00:00Z, 22 o'clock in Berlin.
        let cells: Vec<&Cell> = landscape.cells().values().collect();
        let numbers = cells.iter().enumerate().map(|(at, cell)| (&cell.id, at));
        Self {
            landscape,
            began,
            clock: (22 * 60, 0),
            numbers: numbers.collect(),
            lengths: Lengths::Truth(Box::new(truth)),
            now: 0,
            progress: BTreeMap::new(),
            opened: vec![None; cells.len()],
            next: vec![0; cells.len()],
            busy: BTreeMap::new(),
            running: BinaryHeap::new(),
            cells,
        }
    }

    /// The moment.
    pub fn now(&self) -> Timestamp {
        self.began + Minutes(self.now)
    }

    /// Days since the beginning, at each opening so far.
    pub fn openings(&self) -> Vec<i64> {
        let mut days: Vec<i64> = self.opened.iter().flatten().map(|at| at / DAY).collect();
        days.sort_unstable();
        days
    }

    /// Days since the beginning.
    pub fn days(&self) -> i64 {
        self.now / DAY
    }

    /// When a cell opened.
    pub fn opened(&self, cell: &CellId) -> Option<Timestamp> {
        let at = self.opened[*self.numbers.get(cell)?]?;
        Some(self.began + Minutes(at))
    }

    /// The landscape.
    pub fn landscape(&self) -> &'l Landscape {
        self.landscape
    }

    /// What a control plane knows.
    pub fn situation(&self) -> Situation<'l> {
        Situation {
            landscape: self.landscape,
            now: self.now(),
            began: self.began,
            progress: self.progress.clone(),
            slots: BTreeMap::new(),
            wishes: BTreeMap::new(),
            holds: BTreeMap::new(),
            lanes: BTreeMap::new(),
        }
    }

    /// The same house with guessed lengths: a running task needs what is left of its guess, a tenth
    /// of it at least.
    pub fn guessed(&self, lengths: BTreeMap<(CellId, TaskKind), i64>) -> Self {
        let mut house = self.clone();
        house.running.clear();
        for Reverse((_, (number, at))) in &self.running {
            let cell = self.cells[*number];
            let Some(task) = cell.tasks.keys().nth(*at).copied() else {
                continue;
            };
            let known = self.progress.get(&cell.id).and_then(|p| p.tasks.get(&task));
            let Some(TaskProgress::Running { started }) = known else {
                continue;
            };
            let whole = lengths.get(&(cell.id.clone(), task)).copied().unwrap_or(1);
            let taken = self.worked(cell, task, (*started - self.began).0, self.now);
            let left = (whole - taken).max(whole / 10).max(1);
            let end = self.end(cell, task, self.now, left);
            house.running.push(Reverse((end, (*number, *at))));
        }
        house.lengths = Lengths::Guess(lengths);
        house
    }

    /// The same house with the same hidden factors and other chances of each task. What runs takes
    /// longer than it has taken, as in the world itself, and is thought to have begun alone.
    pub fn dreamt(&self, seed: u64) -> Self {
        let Lengths::Truth(truth) = &self.lengths else {
            return self.clone();
        };
        let mut truth = truth.again(seed);
        let mut lengths = BTreeMap::new();
        for Reverse((_, (number, at))) in &self.running {
            let cell = self.cells[*number];
            let Some((task, need)) = cell.tasks.iter().nth(*at) else {
                continue;
            };
            let known = self.progress.get(&cell.id).and_then(|p| p.tasks.get(task));
            let Some(TaskProgress::Running { started }) = known else {
                continue;
            };
            let begun = (*started - self.began).0;
            let taken = self.worked(cell, *task, begun, self.now);
            let mut draw =
                || truth.length(need.team.as_ref(), need.work.mean().0, (begun, LOAD_USUAL));
            let longer = (0..DRAWS_MAX).map(|_| draw()).find(|whole| *whole > taken);
            lengths.insert((cell.id.clone(), *task), longer.unwrap_or(taken + 1));
        }
        let mut house = self.guessed(lengths);
        house.lengths = Lengths::Truth(Box::new(truth));
        house
    }

    /// Follows the plan until so many of a hundred cells are back.
    pub fn follow(&mut self, plan: &Plan, per_cent: usize) {
        let places: BTreeMap<(&CellId, TaskKind), Timestamp> = plan
            .rows
            .iter()
            .map(|row| ((&row.cell, row.task), row.start))
            .collect();
        let wanted = (self.cells.len() * per_cent).div_ceil(100);
        while self.opened.iter().flatten().count() < wanted && self.now < MINUTES_MAX {
            let wake = self.begin(&places);
            let end = self.running.peek().map(|Reverse((end, _))| *end);
            let Some(then) = [end, wake].into_iter().flatten().min() else {
                break;
            };
            self.now = then.max(self.now);
            self.finish();
        }
    }

    /// Gives free lanes to what may begin, in the order of the plan; says when to look again.
    fn begin(&mut self, places: &BTreeMap<(&CellId, TaskKind), Timestamp>) -> Option<i64> {
        let mut ready: Vec<(Timestamp, Step, String)> = Vec::new();
        let mut waiting: BTreeMap<String, f64> = BTreeMap::new();
        let mut wake: Option<i64> = None;
        for (number, cell) in self.cells.iter().enumerate() {
            let Some(task) = self.task(number) else {
                continue;
            };
            if !self.may_begin(cell, task, self.next[number]) {
                continue;
            }
            let free = self
                .open_hours(cell, task, self.now)
                .max(self.unfrozen(cell, task));
            let crew = crew(cell, task);
            *waiting.entry(crew.clone()).or_default() += 1.0;
            if free > self.now {
                wake = Some(wake.map_or(free, |known| known.min(free)));
                continue;
            }
            let place = places.get(&(&cell.id, task)).copied();
            let place = place.unwrap_or(Timestamp(i64::MAX));
            ready.push((place, (number, self.next[number]), crew));
        }
        ready.sort();
        for (_, step, crew) in ready {
            let lanes = self.lanes(self.cells[step.0], step.1);
            let busy = self.busy.entry(crew.clone()).or_default();
            if *busy < lanes {
                *busy += 1;
                let load = waiting.get(&crew).copied().unwrap_or(0.0) / f64::from(lanes);
                self.start(step, load);
            }
        }
        wake
    }

    fn start(&mut self, step: Step, load: f64) {
        let cell = self.cells[step.0];
        let Some((task, need)) = cell.tasks.iter().nth(step.1) else {
            return;
        };
        let length = match &mut self.lengths {
            Lengths::Truth(truth) => {
                truth.length(need.team.as_ref(), need.work.mean().0, (self.now, load))
            }
            Lengths::Guess(guess) => guess.get(&(cell.id.clone(), *task)).copied().unwrap_or(1),
        };
        let end = self.end(cell, *task, self.now, length);
        self.running.push(Reverse((end, step)));
        let started = self.now();
        let progress = self.progress.entry(cell.id.clone()).or_default();
        progress
            .tasks
            .insert(*task, TaskProgress::Running { started });
    }

    /// Notes everything that ends by now.
    fn finish(&mut self) {
        while let Some(Reverse((end, (number, at)))) = self.running.peek().copied() {
            if end > self.now {
                break;
            }
            self.running.pop();
            let cell = self.cells[number];
            let finished = self.now();
            let Some(task) = cell.tasks.keys().nth(at).copied() else {
                continue;
            };
            if let Some(busy) = self.busy.get_mut(&crew(cell, task)) {
                *busy = busy.saturating_sub(1);
            }
            let progress = self.progress.entry(cell.id.clone()).or_default();
            if let Some(TaskProgress::Running { started }) = progress.tasks.get(&task).copied() {
                progress
                    .tasks
                    .insert(task, TaskProgress::Done { started, finished });
            }
            self.next[number] = at + 1;
            if at + 1 == cell.tasks.len() {
                progress.stage = Stage::Full;
                progress.done = true;
                self.opened[number] = Some(self.now);
            }
        }
    }

    /// The task that a cell is at, unless it runs or is over.
    fn task(&self, number: usize) -> Option<TaskKind> {
        let cell = self.cells[number];
        let task = cell.tasks.keys().nth(self.next[number]).copied()?;
        let known = self.progress.get(&cell.id);
        let runs = known.is_some_and(|p| p.tasks.contains_key(&task));
        (!runs).then_some(task)
    }

    fn may_begin(&self, cell: &Cell, task: TaskKind, at: usize) -> bool {
        let is_open = |id: &CellId| {
            self.numbers
                .get(id)
                .is_none_or(|number| self.opened[*number].is_some())
        };
        let last = at + 1 == cell.tasks.len();
        (task == TaskKind::Evidence || cell.needs.iter().all(is_open))
            && (!last || cell.after.iter().all(is_open))
    }

    /// The end of the freeze that holds a decision now; this moment when there is none.
    fn unfrozen(&self, cell: &Cell, task: TaskKind) -> i64 {
        let mut at = self.now;
        if task != TaskKind::Decision {
            return at;
        }
        for freeze in &self.landscape.declared().freezes {
            let here = freeze.sites.is_empty() || freeze.sites.contains(&cell.site);
            let span = (
                (freeze.from_day * 1_440.0) as i64,
                (freeze.to_day * 1_440.0) as i64,
            );
            if here && span.0 <= at && at < span.1 {
                at = span.1;
            }
        }
        at
    }

    fn lanes(&self, cell: &Cell, at: usize) -> u32 {
        let team = cell
            .tasks
            .values()
            .nth(at)
            .and_then(|need| need.team.as_ref());
        team.map_or(3, |id| {
            self.landscape.team(id).map_or(1, |team| team.lanes.max(1))
        })
    }

    /// Hours of who does a task, in minutes of the local day, and its days.
    fn hours(&self, cell: &Cell, task: TaskKind) -> (i64, i64, &'l [u8]) {
        let team: Option<&TeamId> = cell.tasks.get(&task).and_then(|need| need.team.as_ref());
        match team.and_then(|id| self.landscape.team(id)) {
            Some(team) => (
                i64::from(team.hour_from) * 60,
                i64::from(team.hour_to) * 60,
                &team.days,
            ),
            None => (7 * 60, 20 * 60, &[]),
        }
    }

    /// Span of work on a day, in minutes since the beginning; days are counted from local midnight.
    fn span(&self, (from, to, days): (i64, i64, &[u8]), day: i64) -> Option<(i64, i64)> {
        let weekday = (self.clock.1 + day).rem_euclid(7) as u8 + 1;
        let midnight = day * DAY - self.clock.0;
        (days.is_empty() || days.contains(&weekday)).then_some((midnight + from, midnight + to))
    }

    /// The first working minute at or after a minute.
    fn open_hours(&self, cell: &Cell, task: TaskKind, at: i64) -> i64 {
        let hours = self.hours(cell, task);
        let day = (at + self.clock.0).div_euclid(DAY);
        let spans = (day..day + 8).filter_map(|day| self.span(hours, day));
        let next = spans
            .filter(|span| span.1 > at)
            .map(|span| span.0.max(at))
            .next();
        next.unwrap_or(MINUTES_MAX)
    }

    /// The minute at which so much work is done that begins at a minute.
    fn end(&self, cell: &Cell, task: TaskKind, from: i64, work: i64) -> i64 {
        let hours = self.hours(cell, task);
        let mut left = work;
        let mut day = (from + self.clock.0).div_euclid(DAY);
        while day * DAY < MINUTES_MAX {
            if let Some(span) = self.span(hours, day) {
                let (begin, end) = (span.0.max(from), span.1);
                if end > begin && end - begin >= left {
                    return begin + left;
                }
                left -= (end - begin).max(0);
            }
            day += 1;
        }
        MINUTES_MAX
    }

    /// Minutes of work between two minutes.
    fn worked(&self, cell: &Cell, task: TaskKind, from: i64, to: i64) -> i64 {
        let hours = self.hours(cell, task);
        let first = (from + self.clock.0).div_euclid(DAY);
        let last = (to + self.clock.0).div_euclid(DAY);
        let spans = (first..=last).filter_map(|day| self.span(hours, day));
        spans
            .map(|span| (span.1.min(to) - span.0.max(from)).max(0))
            .sum()
    }
}

fn crew(cell: &Cell, task: TaskKind) -> String {
    let team = cell.tasks.get(&task).and_then(|need| need.team.as_ref());
    team.map_or_else(
        || format!("testers of {}", cell.id.owner()),
        ToString::to_string,
    )
}
