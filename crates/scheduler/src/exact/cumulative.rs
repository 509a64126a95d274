//! One resource: where tasks surely run, and where others therefore cannot.
//!
//! In:    bounds of starts. Out: tighter bounds, each with the tasks that force it.
//! Never: counts a task that might not run there.
//! See:   Schutt, Feydy, Stuckey, Wallace, "Explaining the cumulative propagator", 2011.

use super::model::Busy;
use super::trail::{Conflict, Literal, Reason, Trail};

/// A profile is built slot by slot while there are at most so many slots per rise and fall;
/// sorting costs more then.
const SLOTS_PER_EVENT: i64 = 8;

/// Nothing begins or ends in this slot. Where something does, a stretch ends, even when the sum
/// stays the same: a task must know the stretches that are its own.
const UNTOUCHED: i64 = i64::MIN;

/// A task on this resource.
#[derive(Clone, Copy)]
struct User {
    variable: usize,
    duration: i32,
    demand: i64,
}

/// A stretch of time with a constant sum of sure demands.
#[derive(Clone, Copy)]
struct Stretch {
    from: i32,
    to: i32,
    height: i64,
}

/// The profile of one resource.
pub(super) struct Cumulative {
    capacity: i64,
    /// Larger demands first, so that explanations are short.
    users: Vec<User>,
    /// Missing capacity, as stretches that do not overlap.
    missing: Vec<Stretch>,
    events: Vec<(i32, i64)>,
    slots: Vec<i64>,
    profile: Vec<Stretch>,
}

impl Cumulative {
    /// Tasks as variable, duration, demand; blocks of missing capacity.
    pub(super) fn new(capacity: i32, users: &[(usize, i32, i32)], busy: &[Busy]) -> Self {
        let mut users: Vec<User> = users
            .iter()
            .map(|&(variable, duration, demand)| User {
                variable,
                duration,
                demand: demand.into(),
            })
            .filter(|user| user.duration > 0 && user.demand > 0)
            .collect();
        users.sort_by_key(|user| -user.demand);
        let capacity = i64::from(capacity);
        let mut events: Vec<_> = busy
            .iter()
            .flat_map(|b| [(b.from, i64::from(b.amount)), (b.to, -i64::from(b.amount))])
            .collect();
        let mut missing = Vec::new();
        stretches(&mut events, &mut missing);
        for stretch in &mut missing {
            stretch.height = stretch.height.min(capacity);
        }
        Self {
            capacity,
            users,
            missing,
            events: Vec::new(),
            slots: Vec::new(),
            profile: Vec::new(),
        }
    }

    /// The variables it looks at.
    pub(super) fn variables(&self) -> impl Iterator<Item = usize> + '_ {
        self.users.iter().map(|user| user.variable)
    }

    /// How much work one run is, for the count of steps.
    pub(super) fn effort(&self) -> u64 {
        self.users.len() as u64 / 2 + 1
    }

    /// Tightens bounds. Runs again when something changed.
    ///
    /// # Errors
    /// The tasks that surely run at one moment and need more than there is.
    pub(super) fn propagate(&mut self, trail: &mut Trail) -> Result<(), Conflict> {
        self.build(trail);
        let over = self.profile.iter().find(|s| s.height > self.capacity);
        if let Some(&stretch) = over {
            let mut conflict = Vec::new();
            // The middle: neither end of the overlap is special.
            let moment = stretch.from + (stretch.to - stretch.from) / 2;
            self.explain(trail, moment, None, &mut conflict);
            return Err(conflict);
        }
        let most = self.users.first().map_or(0, |user| user.demand);
        let limit = self.capacity - most;
        self.profile.retain(|stretch| stretch.height > limit);
        if self.profile.is_empty() {
            return Ok(());
        }
        for at in 0..self.users.len() {
            let user = self.users[at];
            if !trail.is_fixed(user.variable) {
                self.push_later(trail, user)?;
                self.push_earlier(trail, user)?;
            }
        }
        Ok(())
    }

    fn build(&mut self, trail: &Trail) {
        self.events.clear();
        for user in &self.users {
            let from = trail.most(user.variable);
            let to = trail.least(user.variable) + user.duration;
            if from < to {
                self.events.push((from, user.demand));
                self.events.push((to, -user.demand));
            }
        }
        if self.events.is_empty() && self.missing.is_empty() {
            self.profile.clear();
            return;
        }
        for stretch in &self.missing {
            self.events.push((stretch.from, stretch.height));
            self.events.push((stretch.to, -stretch.height));
        }
        let times = self.events.iter().map(|event| event.0);
        let (first, last) = times.fold((i32::MAX, i32::MIN), |(least, most), time| {
            (time.min(least), time.max(most))
        });
        if i64::from(last) - i64::from(first) < SLOTS_PER_EVENT * self.events.len() as i64 {
            self.build_by_slots(first, last);
        } else {
            stretches(&mut self.events, &mut self.profile);
        }
    }

    /// The same as [`stretches`], without sorting, for short spans of time.
    fn build_by_slots(&mut self, first: i32, last: i32) {
        self.slots.clear();
        self.slots.resize((last - first) as usize + 1, UNTOUCHED);
        for &(time, change) in &self.events {
            let slot = &mut self.slots[(time - first) as usize];
            *slot = if *slot == UNTOUCHED {
                change
            } else {
                *slot + change
            };
        }
        self.profile.clear();
        let (mut height, mut since) = (0, first);
        for (slot, &change) in self.slots.iter().enumerate() {
            if change != UNTOUCHED {
                let time = first + slot as i32;
                if height > 0 {
                    self.profile.push(Stretch {
                        from: since,
                        to: time,
                        height,
                    });
                }
                since = time;
                height += change;
            }
        }
    }

    /// Does a stretch stand in the way of a task that may itself be part of it?
    fn blocks(&self, stretch: Stretch, user: User, own: (i32, i32)) -> bool {
        let is_own = own.0 <= stretch.from && stretch.to <= own.1;
        !is_own && stretch.height + user.demand > self.capacity
    }

    fn push_later(&mut self, trail: &mut Trail, user: User) -> Result<(), Conflict> {
        let mut least = trail.least(user.variable);
        let own = (trail.most(user.variable), least + user.duration);
        let first = self.profile.partition_point(|s| s.to <= least);
        for at in first..self.profile.len() {
            let stretch = self.profile[at];
            if stretch.from >= least + user.duration {
                break;
            }
            if !self.blocks(stretch, user, own) {
                continue;
            }
            while least < stretch.to {
                let moment = (stretch.to - 1).min(least + user.duration - 1);
                least = moment + 1;
                let target = Literal::at_least(user.variable, least);
                let held = Literal::at_least(user.variable, moment - user.duration + 1);
                self.force(trail, (target, held), moment, user)?;
            }
        }
        Ok(())
    }

    fn push_earlier(&mut self, trail: &mut Trail, user: User) -> Result<(), Conflict> {
        let mut most = trail.most(user.variable);
        let own = (most, trail.least(user.variable) + user.duration);
        let past = self
            .profile
            .partition_point(|s| s.from < most + user.duration);
        for at in (0..past).rev() {
            let stretch = self.profile[at];
            if stretch.to <= most {
                break;
            }
            if !self.blocks(stretch, user, own) {
                continue;
            }
            while most + user.duration > stretch.from {
                let moment = stretch.from.max(most);
                most = moment - user.duration;
                let target = Literal::at_most(user.variable, most);
                let held = Literal::at_most(user.variable, moment);
                self.force(trail, (target, held), moment, user)?;
            }
        }
        Ok(())
    }

    fn force(
        &self,
        trail: &mut Trail,
        (target, held): (Literal, Literal),
        moment: i32,
        user: User,
    ) -> Result<(), Conflict> {
        let from = trail.explanations.len();
        let mut reason = std::mem::take(&mut trail.explanations);
        reason.push(held);
        self.explain(trail, moment, Some(user), &mut reason);
        trail.explanations = reason;
        let count = trail.explanations.len() - from;
        let list = Reason::List(from as u32, count as u32);
        trail.set(target, list).map(|_| ()).map_err(|opposite| {
            let mut conflict = trail.explanations[from..].to_vec();
            conflict.push(opposite);
            conflict
        })
    }

    /// Adds literals of tasks that surely run at a moment and leave too little for `pushed`.
    fn explain(&self, trail: &Trail, moment: i32, pushed: Option<User>, out: &mut Vec<Literal>) {
        let at = self.missing.partition_point(|s| s.to <= moment);
        let missing = self.missing.get(at).filter(|s| s.from <= moment);
        let mut spare = self.capacity - missing.map_or(0, |s| s.height);
        spare -= pushed.map_or(0, |user| user.demand);
        for user in &self.users {
            if spare < 0 {
                return;
            }
            let runs = trail.most(user.variable) <= moment
                && moment < trail.least(user.variable) + user.duration;
            if runs && pushed.is_none_or(|p| p.variable != user.variable) {
                spare -= user.demand;
                out.push(Literal::at_most(user.variable, moment));
                out.push(Literal::at_least(user.variable, moment - user.duration + 1));
            }
        }
        debug_assert!(spare < 0, "the profile says that it is overfull");
    }
}

/// From rises and falls to stretches with a height above 0, in order of time.
fn stretches(events: &mut [(i32, i64)], out: &mut Vec<Stretch>) {
    events.sort_unstable();
    out.clear();
    let mut height = 0;
    let mut since = i32::MIN;
    for &(time, change) in events.iter() {
        if time > since && height > 0 {
            out.push(Stretch {
                from: since,
                to: time,
                height,
            });
        }
        since = time;
        height += change;
    }
}
