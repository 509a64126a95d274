//! Points in time and spans, with their unit in the type.
//!
//! In:    milliseconds, RFC 3339 text. Out: [`Timestamp`], [`Minutes`], [`Epoch`].
//! Never: reads a clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time. Milliseconds since 1970-01-01T00:00:00Z; text form is RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// A span of work or waiting. Minutes.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Minutes(pub i64);

/// A cell's count of openings and closings. A close at epoch *e* burns every release up to *e*.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// Text that is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time; write it like `2026-04-24T22:00:00Z`")]
pub struct TimestampError(String);

impl Minutes {
    /// Hours as minutes.
    pub const fn hours(hours: i64) -> Self {
        Self(hours * 60)
    }
    /// Days of 24 hours as minutes.
    pub const fn days(days: i64) -> Self {
        Self(days * 24 * 60)
    }
}

impl Epoch {
    /// The next epoch.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Add<Minutes> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Minutes) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0.saturating_mul(60_000)))
    }
}

impl Sub<Minutes> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Minutes) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0.saturating_mul(60_000)))
    }
}

impl Sub for Timestamp {
    type Output = Minutes;
    /// Whole minutes between two points, rounded towards zero.
    fn sub(self, other: Timestamp) -> Minutes {
        Minutes(self.0.saturating_sub(other.0).saturating_div(60_000))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let time: jiff::Timestamp = text
            .parse()
            .map_err(|_| TimestampError(text.chars().take(80).collect()))?;
        Ok(Self(time.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
