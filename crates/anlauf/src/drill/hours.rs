//! Working hours of a crew in local time.
//!
//! In:    time zone, hours of the day, days of the week. Out: when work can begin, when it is done.
//! Never: work outside them.

use anlauf_model::landscape::Team;
use anlauf_model::{Minutes, Timestamp};
use jiff::Span;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// Longest search for an open day; a week has seven.
const DAYS_MAX: u32 = 8;

/// Working hours.
#[derive(Debug, Clone)]
pub struct Hours {
    zone: TimeZone,
    from: i8,
    to: i8,
    days: Vec<u8>,
}

impl Hours {
    /// A team's hours.
    pub fn of_team(zone: &str, team: &Team) -> Self {
        Self {
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
            from: team.hour_from.min(23) as i8,
            to: team.hour_to.clamp(1, 24) as i8,
            days: team.days.clone(),
        }
    }

    /// 7 to 20 o'clock on every day: a tenant's testers in a crisis.
    pub fn office(zone: &str) -> Self {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        Self {
            zone,
            from: 7,
            to: 20,
            days: Vec::new(),
        }
    }

    /// The first working minute at or after `at`.
    pub fn next_open(&self, at: Timestamp) -> Timestamp {
        self.window(at).map_or(at, |(from, _)| from.max(at))
    }

    /// When work of this length is done, if it begins at `start`.
    pub fn after_work(&self, start: Timestamp, work: Minutes) -> Timestamp {
        let mut left = work.0;
        let mut at = start;
        loop {
            let Some((from, to)) = self.window(at) else {
                return at + Minutes(left);
            };
            let begin = from.max(at);
            let room = (to - begin).0;
            if left <= room {
                return begin + Minutes(left);
            }
            left -= room;
            at = to;
        }
    }

    /// The working window that holds `at`, or the next one.
    fn window(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let moment = jiff::Timestamp::from_millisecond(at.0).ok()?;
        let mut date = self.zone.to_datetime(moment).date();
        for _ in 0..DAYS_MAX {
            let weekday = date.weekday().to_monday_one_offset() as u8;
            if self.days.is_empty() || self.days.contains(&weekday) {
                let from = self.hour(date, self.from)?;
                let to = self.hour(date, self.to)?;
                if at < to {
                    return Some((from, to));
                }
            }
            date = date.checked_add(Span::new().days(1)).ok()?;
        }
        None
    }

    fn hour(&self, date: jiff::civil::Date, hour: i8) -> Option<Timestamp> {
        let (date, hour) = match hour {
            24 => (date.checked_add(Span::new().days(1)).ok()?, 0),
            hour => (date, hour),
        };
        let time = Time::new(hour, 0, 0, 0).ok()?;
        let moment = self.zone.to_timestamp(date.to_datetime(time)).ok()?;
        Some(Timestamp(moment.as_millisecond()))
    }
}
