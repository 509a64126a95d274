//! Working hours of a crew as a map between minutes of the wall clock and minutes of work.
//!
//! In:    a time zone, hours of the day, days of the week, the minute the plan begins.
//! Out:   [`Calendar`]: how much work fits before a minute, when a piece of work begins and ends.
//! Never: rounds work into hours; a night only stretches a task, it never splits a minute.

use anlauf_model::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// Minutes of the wall clock since the plan's first minute.
pub(crate) type Minute = i64;

/// Minutes of work of one lane since the plan's first minute.
pub(crate) type Work = i64;

/// Weeks that are computed exactly; after them the last one repeats.
///
/// 80 so that every recovery we know of (14 months at the longest) lies inside.
const WEEKS_EXACT: i64 = 80;

/// The minute at which a crew that never works begins: later than any other, with room to add.
const NEVER: Minute = Minute::MAX / 4;

/// Minutes of a bucket, as a power of two: few windows begin in one.
const BUCKET: u32 = 10;

/// Minutes of seven days.
const WEEK: Minute = 7 * 24 * 60;

/// Hours and days of work, in local time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Hours {
    /// First working hour. 0–23.
    pub from: u8,
    /// First hour after work. 1–24.
    pub to: u8,
    /// Monday = 1 … Sunday = 7; empty means all.
    pub days: Vec<u8>,
}

/// The first minute of a plan, and the zone its days are counted in.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    at: Timestamp,
    zone: TimeZone,
}

/// Working windows of a crew from the plan's first minute on.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    windows: Vec<Window>,
    /// For each bucket of the clock, how many windows begin before its first minute.
    by_clock: Vec<u32>,
    /// For each bucket of work, before how many windows less work lies than its first minute.
    by_work: Vec<u32>,
    horizon: Minute,
    total: Work,
    week: Work,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    from: Minute,
    to: Minute,
    before: Work,
}

// === impl Origin ===

impl Origin {
    /// The first whole minute at or after `now`. An unknown zone is read as UTC.
    pub fn new(now: Timestamp, zone: &str) -> Self {
        let minutes = now.0.div_euclid(60_000) + i64::from(now.0.rem_euclid(60_000) != 0);
        Self {
            at: Timestamp(minutes.saturating_mul(60_000)),
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
        }
    }

    /// The minute that holds a point in time, rounded up; before the plan it is negative.
    pub fn minute(&self, at: Timestamp) -> Minute {
        let ms = at.0.saturating_sub(self.at.0);
        ms.div_euclid(60_000) + i64::from(ms.rem_euclid(60_000) != 0)
    }

    /// The last whole minute at or before a point in time.
    pub fn minute_before(&self, at: Timestamp) -> Minute {
        at.0.saturating_sub(self.at.0).div_euclid(60_000)
    }

    /// The point in time of a minute.
    pub fn time(&self, minute: Minute) -> Timestamp {
        Timestamp(self.at.0.saturating_add(minute.saturating_mul(60_000)))
    }

    /// The first such day of a month, before such an hour, that is no earlier than `after`. Day 31
    /// is the last of every month; hour 24 is midnight after it.
    pub fn month_day(&self, after: Minute, day: u8, hour: u8) -> Option<Minute> {
        let at = jiff::Timestamp::from_millisecond(self.time(after).0).ok()?;
        let mut date = at
            .to_zoned_datetime(self.zone.clone())
            .date()
            .first_of_month();
        // The next one lies in this month or in the one after.
        for _ in 0..=2 {
            let day = (day as i8).clamp(1, date.days_in_month());
            let due = Date::new(date.year(), date.month(), day).ok()?;
            let minute = self.minute_before(self.hour(due, hour)?);
            if minute >= after {
                return Some(minute);
            }
            date = date.last_of_month().tomorrow().ok()?;
        }
        None
    }

    fn date(&self) -> Option<Date> {
        let at = jiff::Timestamp::from_millisecond(self.at.0).ok()?;
        Some(at.to_zoned_datetime(self.zone.clone()).date())
    }

    fn hour(&self, date: Date, hour: u8) -> Option<Timestamp> {
        let (date, hour) = match hour {
            24.. => (date.tomorrow().ok()?, 0),
            hour => (date, hour),
        };
        let time = Time::new(hour as i8, 0, 0, 0).ok()?;
        let zoned = date
            .to_datetime(time)
            .to_zoned_datetime(self.zone.clone())
            .ok()?;
        Some(Timestamp(zoned.timestamp().as_millisecond()))
    }
}

// === impl Calendar ===

impl Calendar {
    /// Every working window from the origin on.
    pub fn new(origin: &Origin, hours: &Hours) -> Self {
        let mut calendar = Self {
            windows: Vec::new(),
            by_clock: Vec::new(),
            by_work: Vec::new(),
            horizon: 0,
            total: 0,
            week: 0,
        };
        let Some(mut date) = origin.date() else {
            return calendar;
        };
        for _ in 0..=WEEKS_EXACT * 7 {
            let weekday = date.weekday().to_monday_one_offset() as u8;
            let (from, to) = (origin.hour(date, hours.from), origin.hour(date, hours.to));
            let Some(midnight) = origin.hour(date, 24) else {
                break;
            };
            if let (true, Some(from), Some(to)) = (
                hours.days.is_empty() || hours.days.contains(&weekday),
                from,
                to,
            ) {
                calendar.add(origin.minute(from), origin.minute_before(to));
            }
            calendar.horizon = origin.minute_before(midnight);
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        calendar.by_clock = buckets(calendar.windows.iter().map(|window| window.from));
        calendar.by_work = buckets(calendar.windows.iter().map(|window| window.before));
        let week_ago = calendar.within(calendar.horizon - WEEK);
        calendar.week = calendar.total - week_ago;
        calendar
    }

    /// Adds a window behind the last one.
    fn add(&mut self, from: Minute, to: Minute) {
        let from = from
            .max(0)
            .max(self.windows.last().map_or(0, |last| last.to));
        if from >= to {
            return;
        }
        match self.windows.last_mut() {
            Some(last) if last.to == from => last.to = to,
            _ => self.windows.push(Window {
                from,
                to,
                before: self.total,
            }),
        }
        self.total += to - from;
    }

    /// Whether anybody ever works.
    pub fn is_empty(&self) -> bool {
        self.week <= 0
    }

    /// Working windows of the exact weeks: first minute, first minute after, work before it.
    pub fn windows(&self) -> impl Iterator<Item = (Minute, Minute, Work)> + '_ {
        self.windows
            .iter()
            .map(|window| (window.from, window.to, window.before))
    }

    /// Work that fits before a minute, inside the exact weeks.
    fn within(&self, at: Minute) -> Work {
        let before = self.count(&self.by_clock, at, |window| window.from);
        match before.checked_sub(1) {
            Some(i) => self.windows[i].before + (at.min(self.windows[i].to) - self.windows[i].from),
            None => 0,
        }
    }

    /// How many windows begin before a minute of the clock or of work.
    #[inline]
    fn count(&self, buckets: &[u32], at: i64, begin: impl Fn(&Window) -> i64) -> usize {
        let last = buckets.len().saturating_sub(1) as i64;
        let bucket = (at >> BUCKET).clamp(0, last);
        let mut count = buckets
            .get(bucket as usize)
            .map_or(0, |count| *count as usize);
        while self
            .windows
            .get(count)
            .is_some_and(|window| begin(window) < at)
        {
            count += 1;
        }
        count
    }

    /// Work that fits before a minute.
    pub fn worked(&self, at: Minute) -> Work {
        let weeks = weeks_over(at, self.horizon, WEEK);
        self.within(at - weeks * WEEK) + weeks * self.week
    }

    /// The minute at which the next minute of work can be done, when `work` is done.
    pub fn begin(&self, work: Work) -> Minute {
        let weeks = weeks_over(work + 1, self.total, self.week);
        let work = work - weeks * self.week;
        let after = self.count(&self.by_work, work + 1, |window| window.before);
        let Some(window) = self.windows.get(after.saturating_sub(1)) else {
            return NEVER;
        };
        window.from + (work - window.before) + weeks * WEEK
    }

    /// The first minute at which `work` is done. One minute of work at least.
    pub fn finish(&self, work: Work) -> Minute {
        self.begin(work - 1) + 1
    }

    /// The least work done before a task of `work` begins, so that it ends no earlier than `at`.
    pub fn begin_to_end_at(&self, work: Work, at: Minute) -> Work {
        let begin = self.worked(at) - work;
        let late = begin + work < 1 || self.finish(begin + work) < at;
        (begin + i64::from(late)).max(0)
    }
}

/// For each bucket, how many of these beginnings lie before its first minute.
fn buckets(begins: impl Iterator<Item = i64>) -> Vec<u32> {
    let mut buckets: Vec<u32> = vec![0];
    for (count, begin) in (0_u32..).zip(begins) {
        // Buckets that begin no later than this one do not hold it.
        let last = (begin >> BUCKET) as usize;
        while buckets.len() <= last {
            buckets.push(count);
        }
    }
    buckets
}

/// How many whole weeks to step back so that `at` is at most `last`.
fn weeks_over(at: i64, last: i64, week: i64) -> i64 {
    if at <= last || week <= 0 {
        0
    } else {
        (at - last + week - 1) / week
    }
}
