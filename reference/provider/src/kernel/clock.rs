//! What time it is: asked in one place, so that tests can say.
//!
//! In:    the system, or a test. Out: seconds and dates. Never: a second source of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::miss::Language;

/// The clock of a house.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's.
    System,
    /// Set by hand: seconds since 1970.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// Seconds since 1970.
    pub fn seconds(&self) -> i64 {
        match self {
            Clock::System => Timestamp::now().as_second(),
            Clock::Set(at) => at.load(Ordering::SeqCst),
        }
    }
}

/// The day in Germany.
pub fn day(seconds: i64) -> Date {
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    zone.to_datetime(stamp(seconds)).date()
}

/// RFC 3339 with seconds, as FHIR's `instant`.
pub fn rfc3339(seconds: i64) -> String {
    stamp(seconds).to_string()
}

/// A time as people in Germany say it.
pub fn told(language: Language, seconds: i64) -> String {
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    let form = language.pick("%d.%m.%Y, %H:%M Uhr", "%-d %B %Y, %H:%M");
    zone.to_datetime(stamp(seconds)).strftime(form).to_string()
}

/// A day as people say it: from `1993-11-05`, which stays as it is when it is no day.
pub fn day_told(language: Language, day: &str) -> String {
    let form = language.pick("%d.%m.%Y", "%-d %B %Y");
    day.parse::<Date>()
        .map_or_else(|_| day.to_owned(), |day| day.strftime(form).to_string())
}

/// RFC 5322's date, as mail has it.
pub fn rfc2822(seconds: i64) -> String {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let text = printer.timestamp_to_string(&stamp(seconds));
    text.unwrap_or_default()
}

fn stamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whole years from a birthday to a day.
pub fn age(birth: Date, today: Date) -> i16 {
    let had = (today.month(), today.day()) >= (birth.month(), birth.day());
    today.year() - birth.year() - i16::from(!had)
}
