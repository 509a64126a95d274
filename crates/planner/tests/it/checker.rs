//! Judges a plan by the rules alone, minute by minute.
//!
//! In:    a situation, a plan. Out: every rule it breaks, in words.
//! Never: calls the planner; local hours are counted anew here, one hour at a time.

use std::collections::BTreeMap;

use anlauf_model::landscape::{Freeze, TaskNeed};
use anlauf_model::{Cell, CellId, Minutes, Plan, PlanRow, Stage, TaskKind, Timestamp};
use anlauf_planner::{Situation, TaskProgress};

const MINUTE: i64 = 60_000;

/// Weeks that the planner's calendars are exact for; after them the last one repeats, so that a
/// change of the clocks is an hour off. A recovery of 14 months lies inside.
const WEEKS_EXACT: i64 = 80;

/// Every rule the plan breaks; empty when it is right.
pub fn violations(situation: &Situation<'_>, plan: &Plan) -> Vec<String> {
    let mut checker = Checker {
        situation,
        plan,
        rows: BTreeMap::new(),
        opens: BTreeMap::new(),
        hours: BTreeMap::new(),
        found: Vec::new(),
    };
    for row in &plan.rows {
        checker.rows.insert((&row.cell, row.task), row);
    }
    checker.check_rows();
    for (id, cell) in situation.landscape.cells() {
        if checker.is_wanted(id) {
            checker.check_cell(cell);
        }
    }
    checker.check_lanes();
    checker.check_sums();
    checker.found
}

struct Checker<'c, 'a> {
    situation: &'c Situation<'a>,
    plan: &'c Plan,
    rows: BTreeMap<(&'c CellId, TaskKind), &'c PlanRow>,
    opens: BTreeMap<CellId, Timestamp>,
    /// Working minutes before each minute since the beginning, per crew's hours.
    hours: BTreeMap<(u8, u8, Vec<u8>), Vec<i64>>,
    found: Vec<String>,
}

impl<'a> Checker<'_, 'a> {
    fn wrong(&mut self, words: String) {
        self.found.push(words);
    }

    fn is_wanted(&self, id: &CellId) -> bool {
        let is_done = self.situation.progress.get(id).is_some_and(|p| p.done);
        let cell = &self.situation.landscape.cells()[id];
        !is_done && (!cell.emergency || self.is_used(id))
    }

    /// Whether an emergency operation is begun, agreed or named by the plan, and is still of use.
    fn is_used(&self, id: &CellId) -> bool {
        let known = self.situation.progress.get(id);
        let begun = known.is_some_and(|p| p.stage > Stage::Closed || !p.tasks.is_empty())
            || self.situation.slots.contains_key(id);
        let named = self.plan.rows.iter().any(|row| row.cell == *id);
        let serves = self.regular(id).is_some();
        let mut cells = self.situation.landscape.cells().values();
        let needed =
            cells.any(|cell| cell.emergency && cell.needs.contains(id) && self.is_used(&cell.id));
        (serves && (begun || named)) || needed
    }

    /// The regular cell whose people an emergency operation could still reach.
    fn regular(&self, id: &CellId) -> Option<&'a Cell> {
        let open = self.is_reached(id);
        let mut cells = self.situation.landscape.cells().values();
        cells.find(|cell| {
            let is_way = cell.detour.as_ref().is_some_and(|d| d.cell == *id);
            let of_use = open || !self.is_decided(&cell.id);
            is_way && of_use && !self.is_reached(&cell.id)
        })
    }

    /// Whether a step behind the return has begun.
    fn is_decided(&self, id: &CellId) -> bool {
        let known = self.situation.progress.get(id);
        known.is_some_and(|p| p.tasks.keys().any(|task| *task > TaskKind::Return))
    }

    fn is_reached(&self, id: &CellId) -> bool {
        let known = self.situation.progress.get(id);
        known.is_some_and(|p| p.done || p.stage.is_public())
    }

    /// Whether people reach a cell by its emergency operation.
    fn stands_in(&self, cell: &Cell) -> bool {
        let detour = cell.detour.as_ref();
        detour.is_some_and(|d| self.regular(&d.cell).is_some() && self.is_used(&d.cell))
    }

    /// Whether a cell comes back from its emergency operation: not once it is decided on.
    fn returns(&self, cell: &Cell) -> bool {
        let begun = self.known(&cell.id, TaskKind::Return).is_some();
        self.stands_in(cell) && (begun || !self.is_decided(&cell.id))
    }

    fn known(&self, id: &CellId, task: TaskKind) -> Option<TaskProgress> {
        self.situation.progress.get(id)?.tasks.get(&task).copied()
    }

    /// Exactly the unfinished tasks, sorted, each once, with the right team.
    fn check_rows(&mut self) {
        let mut wanted = Vec::new();
        for (id, cell) in self.situation.landscape.cells() {
            for (task, need) in self.steps(cell) {
                let done = matches!(self.known(id, task), Some(TaskProgress::Done { .. }));
                if self.is_wanted(id) && !done {
                    wanted.push((id.clone(), task, need.team.clone()));
                }
            }
        }
        let rows = self.plan.rows.iter();
        let given: Vec<_> = rows
            .map(|r| (r.cell.clone(), r.task, r.team.clone()))
            .collect();
        if wanted != given {
            self.wrong("rows are not exactly the unfinished tasks".into());
        }
        if self.plan.clone().sealed().id != self.plan.id {
            self.wrong("the id is not the digest".into());
        }
    }

    fn steps<'s>(&self, cell: &'s Cell) -> BTreeMap<TaskKind, &'s TaskNeed> {
        let mut steps: BTreeMap<_, _> = cell.tasks.iter().map(|(t, need)| (*t, need)).collect();
        if let Some(detour) = cell.detour.as_ref().filter(|_| self.returns(cell)) {
            steps.insert(TaskKind::Return, &detour.back);
        }
        steps
    }

    fn check_cell(&mut self, cell: &Cell) {
        let mut before = self.situation.now;
        let tasks: Vec<TaskKind> = self.steps(cell).keys().copied().collect();
        let unfinished: Vec<TaskKind> = tasks
            .iter()
            .copied()
            .filter(|t| self.rows.contains_key(&(&cell.id, *t)))
            .collect();
        for task in &unfinished {
            let row = self.rows[&(&cell.id, *task)].clone();
            let last = unfinished.last() == Some(task);
            match self.known(&cell.id, *task) {
                Some(TaskProgress::Running { started }) => {
                    if row.start != started || row.end < self.situation.now {
                        self.wrong(format!("{} {task} runs and was moved", cell.id));
                    }
                }
                _ => {
                    if row.start < before {
                        self.wrong(format!(
                            "{} {task} begins before what is before it",
                            cell.id
                        ));
                    }
                    self.check_waits(cell, &row, last);
                    self.check_work(cell, &row);
                }
            }
            if last {
                self.check_window(cell, &row);
            }
            before = before.max(row.end);
        }
    }

    fn check_waits(&mut self, cell: &Cell, row: &PlanRow, last: bool) {
        let (id, task) = (&cell.id, row.task);
        if self
            .situation
            .holds
            .get(&cell.site)
            .is_some_and(|hold| row.start < *hold)
        {
            self.wrong(format!("{id} {task} begins while its site is held"));
        }
        let needs = if task == TaskKind::Evidence {
            &[][..]
        } else {
            &cell.needs[..]
        };
        let after = if last { &cell.after[..] } else { &[][..] };
        let way = match &cell.detour {
            Some(detour) if task == TaskKind::Return => std::slice::from_ref(&detour.cell),
            _ => &[][..],
        };
        let waits = [(needs, "needs"), (after, "after"), (way, "emergency")];
        for (cells, word) in waits {
            for other in cells {
                if self.opens(other).is_some_and(|open| row.start < open) {
                    self.wrong(format!(
                        "{id} {task} begins before `{word}` {other} is open"
                    ));
                }
            }
        }
    }

    /// When a cell that is not open to people opens.
    fn opens(&mut self, id: &CellId) -> Option<Timestamp> {
        let stage = self
            .situation
            .progress
            .get(id)
            .map(|p| p.stage)
            .unwrap_or_default();
        if stage.is_public() {
            return None;
        }
        Some(self.opening(id))
    }

    fn opening(&mut self, id: &CellId) -> Timestamp {
        if let Some(open) = self.opens.get(id) {
            return *open;
        }
        let ends = self
            .plan
            .rows
            .iter()
            .filter(|row| row.cell == *id)
            .map(|row| row.end);
        let open = match ends.max() {
            Some(end) => end,
            None => self.opening_without_work(id),
        };
        self.opens.insert(id.clone(), open);
        open
    }

    /// All its work is done: it opens as soon as order, window, hold and freezes allow.
    fn opening_without_work(&mut self, id: &CellId) -> Timestamp {
        let cell = self.situation.landscape.cell(id).unwrap();
        let mut open = self.situation.now.max(ceil(self.situation.now));
        for other in cell.needs.iter().chain(&cell.after) {
            open = open.max(self.opens(other).unwrap_or(open));
        }
        if let Some(hold) = self.situation.holds.get(&cell.site) {
            open = open.max(*hold);
        }
        if let Some(slot) = self.situation.slots.get(id) {
            open = open.max(slot.from);
        }
        for _ in 0..10 {
            for (from, to) in self.freezes(cell) {
                if from <= open && open < to {
                    open = to;
                }
            }
        }
        open
    }

    fn freezes(&self, cell: &Cell) -> Vec<(Timestamp, Timestamp)> {
        let at = |day: f64| Timestamp(self.situation.began.0 + (day * 86_400_000.0) as i64);
        let freezes = self.situation.landscape.declared().freezes.iter();
        let here = |f: &&Freeze| f.sites.is_empty() || f.sites.contains(&cell.site);
        freezes
            .filter(here)
            .map(|f| (at(f.from_day), at(f.to_day)))
            .collect()
    }

    fn check_window(&mut self, cell: &Cell, row: &PlanRow) {
        let id = &cell.id;
        let runs = matches!(self.known(id, row.task), Some(TaskProgress::Running { .. }));
        let slot = self.situation.slots.get(id);
        if slot.is_some_and(|slot| row.end < slot.from || row.end > slot.to) {
            self.wrong(format!("{id} opens outside its window"));
        }
        for (from, to) in self.freezes(cell) {
            let opens = from <= row.end && row.end < to;
            let decides = row.task == TaskKind::Decision && row.start < to && row.end > from;
            if opens || (decides && !runs) {
                self.wrong(format!("{id} opens or is decided in a freeze"));
            }
        }
    }

    /// The hours of who does a task.
    fn crew_hours(&self, row: &PlanRow) -> (u8, u8, Vec<u8>) {
        let team = row
            .team
            .as_ref()
            .and_then(|team| self.situation.landscape.team(team));
        team.map_or((7, 20, Vec::new()), |team| {
            (team.hour_from, team.hour_to, team.days.clone())
        })
    }

    /// Working minutes before a point in time, from a table that is filled hour by hour.
    fn worked(&mut self, hours: &(u8, u8, Vec<u8>), at: Timestamp) -> i64 {
        let first = ceil(self.situation.now);
        let zone = &self.situation.landscape.declared().time_zone;
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        let table = self.hours.entry(hours.clone()).or_insert_with(|| vec![0]);
        let wanted = ((at.0 - first.0) / MINUTE).max(0) as usize;
        while table.len() <= wanted {
            let minute =
                jiff::Timestamp::from_millisecond(first.0 + (table.len() as i64 - 1) * MINUTE);
            let local = minute.unwrap().to_zoned_datetime(zone.clone());
            let (hour, day) = (
                local.hour() as u8,
                local.date().weekday().to_monday_one_offset(),
            );
            // The next minutes of the same hour of the clock are alike.
            let rest = 60 - i64::from(local.minute());
            let open = hours.0 <= hour
                && hour < hours.1
                && (hours.2.is_empty() || hours.2.contains(&(day as u8)));
            for _ in 0..rest {
                table.push(table[table.len() - 1] + i64::from(open));
            }
        }
        table[wanted]
    }

    fn check_work(&mut self, cell: &Cell, row: &PlanRow) {
        let hours = self.crew_hours(row);
        let (id, task) = (&cell.id, row.task);
        if (row.start.0 - row.end.0) % MINUTE != 0 || row.start < self.situation.now {
            self.wrong(format!(
                "{id} {task} is not made of whole minutes from now on"
            ));
            return;
        }
        if row.end > self.situation.now + Minutes::days(7 * WEEKS_EXACT) {
            return;
        }
        let minute = |at: Timestamp| Timestamp(at.0 + MINUTE);
        let (start, end) = (row.start, row.end);
        let done = self.worked(&hours, end) - self.worked(&hours, start);
        let first = self.worked(&hours, minute(start)) - self.worked(&hours, start);
        let last = self.worked(&hours, end) - self.worked(&hours, Timestamp(end.0 - MINUTE));
        if done != self.steps(cell)[&task].work.mean().0 {
            self.wrong(format!("{id} {task} has {done} minutes of work"));
        }
        if first != 1 || last != 1 {
            self.wrong(format!("{id} {task} begins or ends while nobody works"));
        }
    }

    /// Nobody begins a task while all lanes of its crew are busy.
    fn check_lanes(&mut self) {
        let mut crews: BTreeMap<String, Vec<&PlanRow>> = BTreeMap::new();
        for row in &self.plan.rows {
            let name = row.team.as_ref().map_or_else(
                || format!("testers of {}", row.cell.owner()),
                |team| format!("team {team}"),
            );
            crews.entry(name).or_default().push(row);
        }
        for (name, rows) in crews {
            let team = rows[0].team.as_ref();
            let own = team.map_or(3, |t| self.situation.landscape.team(t).unwrap().lanes);
            let lanes = team
                .and_then(|t| self.situation.lanes.get(t).copied())
                .unwrap_or(own);
            let mut ends: Vec<Timestamp> = Vec::new();
            let mut by_start = rows.clone();
            by_start.sort_by_key(|row| row.start);
            for row in by_start {
                ends.retain(|end| *end > row.start);
                let runs = self.known(&row.cell, row.task).is_some();
                // A row whose cell waits for its window or a freeze may end after its work.
                ends.push(match runs && self.may_wait(row) {
                    true => self.situation.now,
                    false => row.end,
                });
                if ends.len() > lanes as usize && !runs {
                    self.wrong(format!("{name} has {} tasks at {}", ends.len(), row.start));
                }
            }
        }
    }

    fn may_wait(&self, row: &PlanRow) -> bool {
        let cell = &self.situation.landscape.cells()[&row.cell];
        let last = cell.tasks.keys().last() == Some(&row.task);
        last && (self.situation.slots.contains_key(&row.cell) || !self.freezes(cell).is_empty())
    }

    /// Harm and people of one cell, as docs/planner.md has it.
    fn weight(&self, cell: &Cell) -> u128 {
        let declared = self.situation.landscape.declared();
        let share = declared.objective;
        let mut people = u128::from(cell.insured);
        if cell.tenant().is_some() {
            let all: u128 = declared.tenants.iter().map(|t| u128::from(t.insured)).sum();
            let mean = all / declared.tenants.len() as u128;
            let fair = u128::from(share.fairness_per_mille);
            people = (people * (1000 - fair) + mean * fair) / 1000;
        }
        let stage = self.situation.progress.get(&cell.id).map(|p| p.stage);
        let left = match stage {
            Some(Stage::Basic) => u128::from(share.basic_per_mille),
            _ if self.stands_in(cell) => u128::from(share.basic_per_mille),
            _ => 1000,
        };
        let weight = u128::from(cell.harm) * people;
        let basic = |left: u128| (weight * left / 1000).max(u128::from(weight > 0));
        if !cell.emergency {
            return basic(left);
        }
        // What the people of a regular cell that is shut are spared: all but the part that is left.
        let regular = self.regular(&cell.id);
        regular.map_or(0, |regular| {
            let whole = u128::from(regular.harm) * people;
            let left = whole * u128::from(share.basic_per_mille) / 1000;
            whole - left.max(u128::from(whole > 0))
        })
    }

    /// Objective as told, and a bound that is none above it.
    fn check_sums(&mut self) {
        let ids: Vec<CellId> = self.situation.landscape.cells().keys().cloned().collect();
        let mut sum: u128 = 0;
        for id in &ids {
            if !self.is_wanted(id) {
                continue;
            }
            let cell = self.situation.landscape.cell(id).unwrap();
            let minutes = (self.opening(id).0 - self.situation.began.0) / MINUTE;
            sum += self.weight(cell) * minutes.max(0) as u128;
        }
        let objective = u64::try_from(sum / 60).unwrap_or(u64::MAX);
        if objective != self.plan.objective {
            self.wrong(format!(
                "the objective is {objective}, not {}",
                self.plan.objective
            ));
        }
        if self.plan.bound > self.plan.objective {
            self.wrong(format!("bound {} is above {objective}", self.plan.bound));
        }
    }
}

/// The first whole minute at or after a time.
fn ceil(at: Timestamp) -> Timestamp {
    Timestamp((at.0 + MINUTE - 1).div_euclid(MINUTE) * MINUTE)
}
