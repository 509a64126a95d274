//! What is to be scheduled, as flat arrays.
//!
//! In:    a [`Draft`]: teams, jobs, activities, edges, windows, what already runs.
//! Out:   a [`Problem`] that has a schedule when nothing is agreed, or the [`Fault`] it has.
//! Never: grows with hours; five million activities take about 250 MB.
//!
//! An activity occupies one lane of its team for its hours without a break: it never lies over an
//! hour in which the team has no lane, and each hour has as many activities as lanes at the most.

use super::shifts::Shifts;
use super::team::{self, Hour, Team};

/// Stands for "no number": an activity that does not run, an end that is not agreed.
pub const NONE: u32 = u32::MAX;

/// Longest activity. 15 years of hours, three months when the caller counts minutes.
pub const ACTIVITY_HOURS_MAX: u32 = 131_072;

/// Most activities of a problem.
pub const ACTIVITIES_MAX: usize = 8_000_000;

/// Most hours of all activities together. With at most two weeks of waiting for a stretch before
/// each, every hour of a schedule fits 32 bits.
pub const WORK_HOURS_MAX: u64 = 1 << 27;

/// Latest hour a release, window, start or change of lanes may name. 30 years of hours, four of
/// minutes when the caller counts those.
pub const HOUR_MAX: Hour = 2_103_840;

/// Largest weight of an activity.
pub const WEIGHT_MAX: u32 = 1_000_000;

/// One piece of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Activity {
    /// Length. Hours, 1..=[`ACTIVITY_HOURS_MAX`].
    pub hours: u32,
    /// Who does it: position of the team.
    pub team: u32,
    /// It does not begin before.
    pub release: Hour,
    /// Cost of each hour until it ends; 0 for what only others wait for.
    pub weight: u32,
}

/// A problem on its way; see [`Draft::finish`].
#[derive(Clone, Default, Debug)]
pub struct Draft {
    teams: Vec<Team>,
    jobs: Vec<u32>,
    activities: Vec<Activity>,
    edges: Vec<(u32, u32)>,
    due: Vec<(u32, Hour)>,
    fixed: Vec<(u32, Hour)>,
    shifts: Vec<(u32, Shifts)>,
    bars: Vec<Bar>,
}

/// Hours in which an activity must not begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Bar {
    pub activity: u32,
    pub from: Hour,
    pub to: Hour,
}

/// Why a draft is no problem.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// More than `ACTIVITIES_MAX`, or none at all.
    #[error("{count} activities; 1 to {ACTIVITIES_MAX} are possible")]
    Count {
        /// How many.
        count: usize,
    },
    /// An edge, window or start names an activity, or an activity names a team, that is not there.
    #[error("activity or team {number} is not there")]
    Unknown {
        /// Its position.
        number: u32,
    },
    /// More than `WORK_HOURS_MAX`.
    #[error("{hours} hours of work; {WORK_HOURS_MAX} are possible")]
    Work {
        /// All together.
        hours: u64,
    },
    /// A change of a team's lanes later than [`HOUR_MAX`].
    #[error("the lanes of team {team} change too late")]
    Change {
        /// Its position.
        team: u32,
    },
    /// Hours, weight, release, window or start outside the limits.
    #[error("activity {activity} has a number outside the limits")]
    Range {
        /// Its position.
        activity: u32,
    },
    /// No week of the team has a stretch of work as long as the activity.
    #[error("activity {activity} is longer than its team {team} ever works without a break")]
    TooLong {
        /// Its position.
        activity: u32,
        /// Position of its team.
        team: u32,
    },
    /// Activities that wait for each other.
    #[error("activity {activity} waits for itself, through others or at once")]
    Circle {
        /// One of them.
        activity: u32,
    },
}

/// Who waits for whom: for each activity a list of others.
#[derive(Clone, Debug)]
pub(super) struct Edges {
    first: Vec<u32>,
    others: Vec<u32>,
}

/// Activities that wait for each other and share teams; the numbers never change.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(super) teams: Vec<Team>,
    /// First activity of each job, and the count of activities behind the last.
    pub(super) jobs: Vec<u32>,
    pub(super) job_of: Vec<u32>,
    pub(super) hours: Vec<u32>,
    pub(super) team: Vec<u32>,
    pub(super) release: Vec<Hour>,
    pub(super) weight: Vec<u32>,
    /// Latest end, or [`NONE`]. Empty when nothing is agreed.
    due: Vec<Hour>,
    /// Start of what already runs, or [`NONE`]. Empty when nothing runs.
    fixed: Vec<Hour>,
    /// Activities with an agreed end; sorted.
    pub(super) agreed: Vec<u32>,
    /// Activities that already run; sorted.
    pub(super) running: Vec<u32>,
    pub(super) before: Edges,
    pub(super) after: Edges,
    /// Every activity behind those it waits for.
    pub(super) topological: Vec<u32>,
    /// Of each team that is only interrupted by its nights. Empty when there is none.
    pub(super) shifts: Vec<Option<Shifts>>,
    /// By activity, then hour.
    pub(super) bars: Vec<Bar>,
    /// First bar of each activity, and the count of bars behind the last. Empty without bars.
    bar_first: Vec<u32>,
}

// === impl Draft ===

impl Draft {
    /// Adds a team; gives its position.
    pub fn add_team(&mut self, team: Team) -> u32 {
        self.teams.push(team);
        self.teams.len() as u32 - 1
    }

    /// Replaces a team added before; another position is left alone.
    pub fn set_team(&mut self, position: u32, team: Team) {
        if let Some(place) = self.teams.get_mut(position as usize) {
            *place = team;
        }
    }

    /// Begins a job: the activities added next belong together and are moved together.
    pub fn begin_job(&mut self) {
        self.jobs.push(self.activities.len() as u32);
    }

    /// Adds an activity to the job begun last; gives its position.
    pub fn add(&mut self, activity: Activity) -> u32 {
        if self.jobs.is_empty() {
            self.begin_job();
        }
        self.activities.push(activity);
        self.activities.len() as u32 - 1
    }

    /// How many activities so far.
    pub fn count(&self) -> usize {
        self.activities.len()
    }

    /// Gives an activity another length; another position is left alone.
    pub fn set_hours(&mut self, activity: u32, hours: u32) {
        if let Some(known) = self.activities.get_mut(activity as usize) {
            known.hours = hours;
        }
    }

    /// Lets one activity wait for the end of another.
    pub fn add_edge(&mut self, earlier: u32, later: u32) {
        self.edges.push((earlier, later));
    }

    /// Lets an activity begin no earlier than an hour; another position is left alone.
    pub fn hold(&mut self, activity: u32, until: Hour) {
        if let Some(known) = self.activities.get_mut(activity as usize) {
            known.release = known.release.max(until);
        }
    }

    /// Agrees that an activity lies inside a window.
    pub fn agree(&mut self, activity: u32, start_from: Hour, end_by: Hour) {
        if let Some(known) = self.activities.get_mut(activity as usize) {
            known.release = known.release.max(start_from);
        }
        self.due.push((activity, end_by));
    }

    /// Says that an activity already runs since, or will begin at, an hour: nobody moves it.
    pub fn fix(&mut self, activity: u32, start: Hour) {
        self.fixed.push((activity, start));
    }

    /// Lets nights only interrupt a team's work: its lanes count hours of work, one after the
    /// other, and these shifts say when on the clock they lie.
    pub fn interrupt(&mut self, team: u32, shifts: Shifts) {
        self.shifts.push((team, shifts));
    }

    /// Says that an activity does not begin in these hours of the clock.
    pub fn bar(&mut self, activity: u32, from: Hour, to: Hour) {
        self.bars.push(Bar { activity, from, to });
    }

    /// Checks it and lays it out flat.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn finish(mut self) -> Result<Problem, Fault> {
        let count = self.activities.len();
        if count == 0 || count > ACTIVITIES_MAX {
            return Err(Fault::Count { count });
        }
        self.check_ranges()?;
        self.check_names()?;
        self.check_lengths()?;
        let before = Edges::new(count, self.edges.iter().map(|edge| (edge.1, edge.0)));
        let after = Edges::new(count, self.edges.iter().copied());
        self.edges = Vec::new();
        self.bars.sort_unstable();
        let mut shifts = Vec::new();
        if !self.shifts.is_empty() {
            shifts.resize(self.teams.len(), None);
        }
        for (team, own) in self.shifts {
            shifts[team as usize] = Some(own);
        }
        let topological = topological(count, &before, &after)?;
        self.jobs.push(count as u32);
        self.jobs.dedup();
        let column = |of: fn(&Activity) -> u32| self.activities.iter().map(of).collect();
        Ok(Problem {
            job_of: job_of(&self.jobs),
            hours: column(|activity| activity.hours),
            team: column(|activity| activity.team),
            release: column(|activity| activity.release),
            weight: column(|activity| activity.weight),
            due: sparse(count, &self.due, u32::min),
            fixed: sparse(count, &self.fixed, u32::min),
            agreed: positions(&self.due),
            running: positions(&self.fixed),
            shifts,
            bar_first: bar_first(count, &self.bars),
            bars: self.bars,
            teams: self.teams,
            jobs: self.jobs,
            before,
            after,
            topological,
        })
    }

    fn check_ranges(&self) -> Result<(), Fault> {
        let teams = self.teams.len() as u32;
        for (activity, it) in (0..).zip(&self.activities) {
            if it.team >= teams {
                return Err(Fault::Unknown { number: it.team });
            }
            let is_right = (1..=ACTIVITY_HOURS_MAX).contains(&it.hours)
                && it.release <= HOUR_MAX
                && it.weight <= WEIGHT_MAX;
            if !is_right {
                return Err(Fault::Range { activity });
            }
        }
        let hours = self.activities.iter().map(|it| u64::from(it.hours)).sum();
        if hours > WORK_HOURS_MAX {
            return Err(Fault::Work { hours });
        }
        match self
            .teams
            .iter()
            .position(|team| team.changed_to() > HOUR_MAX)
        {
            Some(team) => Err(Fault::Change { team: team as u32 }),
            None => Ok(()),
        }
    }

    fn check_names(&self) -> Result<(), Fault> {
        let count = self.activities.len() as u32;
        for &(activity, hour) in self.due.iter().chain(&self.fixed) {
            if activity >= count {
                return Err(Fault::Unknown { number: activity });
            }
            if hour > HOUR_MAX {
                return Err(Fault::Range { activity });
            }
        }
        if let Some((team, _)) = self
            .shifts
            .iter()
            .find(|it| it.0 as usize >= self.teams.len())
        {
            return Err(Fault::Unknown { number: *team });
        }
        if let Some(bar) = self.bars.iter().find(|bar| bar.to > HOUR_MAX) {
            return Err(Fault::Range {
                activity: bar.activity,
            });
        }
        let barred = self.bars.iter().map(|bar| bar.activity);
        let ends = self
            .edges
            .iter()
            .flat_map(|edge| [edge.0, edge.1])
            .chain(barred);
        for number in ends {
            if number >= count {
                return Err(Fault::Unknown { number });
            }
        }
        Ok(())
    }

    fn check_lengths(&self) -> Result<(), Fault> {
        let longest: Vec<u32> = self.teams.iter().map(team::longest_stretch).collect();
        let is_running: Vec<u32> = positions(&self.fixed);
        for (activity, it) in (0..).zip(&self.activities) {
            if it.hours > longest[it.team as usize] && is_running.binary_search(&activity).is_err()
            {
                let team = it.team;
                return Err(Fault::TooLong { activity, team });
            }
        }
        Ok(())
    }
}

fn job_of(jobs: &[u32]) -> Vec<u32> {
    let mut job_of = Vec::with_capacity(jobs.last().map_or(0, |count| *count as usize));
    for (job, ends) in (0..).zip(jobs.windows(2)) {
        job_of.resize(ends[1] as usize, job);
    }
    job_of
}

fn bar_first(count: usize, bars: &[Bar]) -> Vec<u32> {
    if bars.is_empty() {
        return Vec::new();
    }
    let first = |at: u32| bars.partition_point(|bar| bar.activity < at) as u32;
    (0..=count as u32).map(first).collect()
}

fn positions(named: &[(u32, Hour)]) -> Vec<u32> {
    let mut positions: Vec<u32> = named.iter().map(|(activity, _)| *activity).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

fn sparse(count: usize, named: &[(u32, Hour)], both: fn(u32, u32) -> u32) -> Vec<Hour> {
    if named.is_empty() {
        return Vec::new();
    }
    let mut column = vec![NONE; count];
    for &(activity, hour) in named {
        let place = &mut column[activity as usize];
        *place = both(*place, hour);
    }
    column
}

/// Kahn's order, lowest position first among those added at the same time.
fn topological(count: usize, before: &Edges, after: &Edges) -> Result<Vec<u32>, Fault> {
    let mut waits: Vec<u32> = (0..count).map(|at| before.of(at).len() as u32).collect();
    let mut order: Vec<u32> = (0..count as u32)
        .filter(|at| waits[*at as usize] == 0)
        .collect();
    order.reserve(count - order.len());
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        next += 1;
        for &later in after.of(at as usize) {
            waits[later as usize] -= 1;
            if waits[later as usize] == 0 {
                order.push(later);
            }
        }
    }
    match waits.iter().position(|left| *left > 0) {
        Some(at) => Err(Fault::Circle {
            activity: at as u32,
        }),
        None => Ok(order),
    }
}

// === impl Edges ===

impl Edges {
    fn new(count: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut first = vec![0_u32; count + 1];
        for (at, _) in edges.clone() {
            first[at as usize + 1] += 1;
        }
        for at in 0..count {
            first[at + 1] += first[at];
        }
        let mut others = vec![0_u32; first[count] as usize];
        let mut place = first.clone();
        for (at, other) in edges {
            let slot = &mut place[at as usize];
            others[*slot as usize] = other;
            *slot += 1;
        }
        Self { first, others }
    }

    /// The others of one activity.
    #[inline]
    pub fn of(&self, at: usize) -> &[u32] {
        &self.others[self.first[at] as usize..self.first[at + 1] as usize]
    }

    /// Where the others of one activity lie among all edges.
    #[inline]
    pub fn range(&self, at: usize) -> std::ops::Range<usize> {
        self.first[at] as usize..self.first[at + 1] as usize
    }

    /// How many edges there are.
    pub fn count(&self) -> usize {
        self.others.len()
    }
}

// === impl Problem ===

impl Problem {
    /// How many activities.
    pub fn count(&self) -> usize {
        self.hours.len()
    }

    /// How many jobs.
    pub fn job_count(&self) -> usize {
        self.jobs.len() - 1
    }

    /// The teams.
    pub fn teams(&self) -> &[Team] {
        &self.teams
    }

    /// One activity; `at` < [`count`](Self::count).
    pub fn activity(&self, at: usize) -> Activity {
        Activity {
            hours: self.hours[at],
            team: self.team[at],
            release: self.release[at],
            weight: self.weight[at],
        }
    }

    /// Activities of a job, as a range of positions.
    pub fn job(&self, job: usize) -> std::ops::Range<usize> {
        self.jobs[job] as usize..self.jobs[job + 1] as usize
    }

    /// What an activity waits for.
    pub fn before(&self, at: usize) -> &[u32] {
        self.before.of(at)
    }

    /// Activities with an agreed end; sorted.
    pub fn agreed(&self) -> &[u32] {
        &self.agreed
    }

    /// Latest end of an activity; [`NONE`] when nothing is agreed.
    #[inline]
    pub fn due(&self, at: usize) -> Hour {
        self.due.get(at).copied().unwrap_or(NONE)
    }

    /// Start of an activity that already runs; [`NONE`] for all others.
    #[inline]
    pub fn fixed(&self, at: usize) -> Hour {
        self.fixed.get(at).copied().unwrap_or(NONE)
    }

    /// End of an activity that begins at an hour.
    #[inline]
    pub fn end(&self, at: usize, start: Hour) -> Hour {
        match self.shifts_of(at) {
            None => start + self.hours[at],
            Some(shifts) => shifts.finish(shifts.worked(start) + self.hours[at]),
        }
    }

    /// Where an activity that begins at an hour of the clock lies on its team's axis.
    #[inline]
    pub(super) fn place(&self, at: usize, start: Hour) -> u32 {
        self.shifts_of(at)
            .map_or(start, |shifts| shifts.worked(start))
    }

    /// The shifts of an activity's team; none when the clock is its axis.
    #[inline]
    pub(super) fn shifts_of(&self, at: usize) -> Option<&Shifts> {
        self.shifts.get(self.team[at] as usize)?.as_ref()
    }

    /// The first hour after those that bar an activity from beginning; none when it may begin.
    #[inline]
    pub(super) fn barred_to(&self, at: usize, start: Hour) -> Option<Hour> {
        if self.bars.is_empty() {
            return None;
        }
        let own = self.bar_first[at] as usize..self.bar_first[at + 1] as usize;
        let mut own = self.bars[own].iter();
        own.find(|bar| (bar.from..bar.to).contains(&start))
            .map(|bar| bar.to)
    }

    /// Gives up what was agreed about the ends of some activities.
    pub fn give_up(&mut self, activities: &[u32]) {
        for at in activities {
            if let Some(due) = self.due.get_mut(*at as usize) {
                *due = NONE;
            }
        }
        self.agreed.retain(|at| !activities.contains(at));
    }

    /// Activities by start; equal ones behind what they wait for.
    pub fn by_start(&self, start: &[Hour]) -> Vec<u32> {
        super::serial::by_start(self, start)
    }

    /// Σ weight × end.
    pub fn cost(&self, start: &[Hour]) -> u64 {
        let cost = |at: usize| u64::from(self.weight[at]) * u64::from(self.end(at, start[at]));
        (0..self.count()).map(cost).fold(0, u64::saturating_add)
    }
}
