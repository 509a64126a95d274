//! Points in time as people say them.
//!
//! In:    timestamps. Out: "today 14:05", "Thu 4 May", "3 min ago". Never: another zone than the
//!        landscape's.

use anlauf_model::{Language, Timestamp};
use jiff::civil::{DateTime, Weekday};

use super::{Say, fill};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

impl Say {
    /// Hour and minute.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        let at = self.zoned(at);
        format!("{:02}:{:02}", at.hour(), at.minute())
    }

    /// Weekday and date; the year only when it is another one.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        let (at, now) = (self.zoned(at), self.zoned(self.now));
        let year = (at.year() != now.year()).then(|| at.year());
        let weekday = self.weekday(at.weekday());
        let (day, month) = (at.day(), at.month());
        match self.language {
            Language::De => {
                let year = year.map(|y| y.to_string()).unwrap_or_default();
                format!("{weekday}\u{a0}{day}.{month}.{year}")
            }
            Language::En => {
                let year = year.map(|y| format!("\u{a0}{y}")).unwrap_or_default();
                let month = MONTHS[usize::from(month.unsigned_abs()) - 1];
                format!("{weekday}\u{a0}{day}\u{a0}{month}{year}")
            }
        }
    }

    /// Day and time; of today only the time.
    pub(crate) fn when(&self, at: Timestamp) -> String {
        if self.is_today(at) {
            return fill(self.w.today_at, &[&self.clock(at)]);
        }
        format!("{} {}", self.day(at), self.clock(at))
    }

    /// Only the time for today, else day and time; for narrow columns.
    pub(crate) fn when_short(&self, at: Timestamp) -> String {
        if self.is_today(at) {
            return self.clock(at);
        }
        format!("{} {}", self.day(at), self.clock(at))
    }

    /// Everything, with the zone: for titles.
    pub(crate) fn when_full(&self, at: Timestamp) -> String {
        let at = self.zoned(at);
        at.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// How long ago, roughly.
    pub(crate) fn ago(&self, at: Timestamp) -> String {
        let minutes = (self.now - at).0;
        match minutes {
            ..1 => self.w.ago_now.to_owned(),
            1..60 => fill(self.w.ago_minutes, &[&minutes]),
            60..2880 => fill(self.w.ago_hours, &[&(minutes / 60)]),
            _ => fill(self.w.ago_days, &[&(minutes / 1440)]),
        }
    }

    /// A span of minutes, roughly.
    pub(crate) fn span(&self, minutes: i64) -> String {
        match minutes {
            ..60 => format!("{minutes}\u{a0}min"),
            60..2880 => format!("{}\u{a0}h", minutes / 60),
            _ => fill(self.w.span_days, &[&(minutes / 1440)]),
        }
    }

    /// A window: the day once when both ends share it.
    pub(crate) fn window(&self, from: Timestamp, to: Timestamp) -> String {
        if self.zoned(from).date() == self.zoned(to).date() {
            format!("{} {}–{}", self.day(from), self.clock(from), self.clock(to))
        } else {
            format!("{} – {}", self.when(from), self.when(to))
        }
    }

    /// The value of a `datetime-local` field.
    pub(crate) fn field(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// What was put into a `datetime-local` field, in the landscape's own time.
    pub(crate) fn read_field(&self, text: &str) -> Option<Timestamp> {
        let local: DateTime = text.trim().parse().ok()?;
        let at = local.to_zoned_datetime(self.zone.clone()).ok()?;
        Some(Timestamp(at.timestamp().as_millisecond()))
    }

    /// Midnights after `from` and before `to`, at most `max`.
    pub(crate) fn midnights(&self, from: Timestamp, to: Timestamp, max: usize) -> Vec<Timestamp> {
        let mut out = Vec::new();
        let mut day = self.zoned(from).start_of_day();
        while let Ok(start) = &day {
            let at = Timestamp(start.timestamp().as_millisecond());
            if at >= to || out.len() >= max {
                break;
            }
            if at > from {
                out.push(at);
            }
            day = start.tomorrow().and_then(|next| next.start_of_day());
        }
        out
    }

    fn is_today(&self, at: Timestamp) -> bool {
        self.zoned(at).date() == self.zoned(self.now).date()
    }

    fn weekday(&self, day: Weekday) -> &'static str {
        let index = usize::from(day.to_monday_zero_offset().unsigned_abs());
        self.w.weekday[index]
    }
}
