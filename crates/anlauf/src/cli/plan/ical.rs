//! Openings as a calendar that every program with a calendar takes in.
//!
//! In:    openings with names and times, when the plan was made.
//! Out:   one iCalendar object (RFC 5545), lines folded at 75 octets and ended with CRLF.
//! Never: a local time; another UID for the same cell in the next plan, so that taking the next
//!        calendar in moves entries instead of doubling them.

use anlauf_model::{Language, Range, Slot, Timestamp};

/// Longest line. Octets without the line break (RFC 5545 §3.1).
const LINE_OCTETS_MAX: usize = 75;

/// One opening.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Cell, as its id says it.
    pub cell: String,
    /// Service and owner, for people.
    pub name: String,
    /// Site, for people; empty when nobody knows.
    pub place: String,
    /// When the plan opens it.
    pub at: Timestamp,
    /// Agreed window.
    pub slot: Option<Slot>,
    /// When it will probably open.
    pub range: Option<Range>,
}

/// What stands above the openings.
#[derive(Clone, Debug)]
pub struct Calendar<'a> {
    /// Whose openings: the landscape's id.
    pub landscape: &'a str,
    /// For people.
    pub title: &'a str,
    /// When the plan was made.
    pub made_at: Timestamp,
    /// Language of the texts.
    pub language: Language,
}

impl Calendar<'_> {
    /// The calendar.
    pub fn text(&self, openings: &[Opening]) -> String {
        let mut out = String::new();
        let tag = self.language.tag();
        for (name, value) in [
            ("BEGIN", "VCALENDAR".to_owned()),
            ("VERSION", "2.0".to_owned()),
            ("PRODID", format!("-//Anlauf//plan//{}", tag.to_uppercase())),
            ("METHOD", "PUBLISH".to_owned()),
            ("CALSCALE", "GREGORIAN".to_owned()),
            ("X-WR-CALNAME", escaped(self.title)),
        ] {
            line(&mut out, name, &value);
        }
        for opening in openings {
            self.event(&mut out, opening);
        }
        line(&mut out, "END", "VCALENDAR");
        out
    }

    /// One opening: the agreed window, or the planned minute.
    fn event(&self, out: &mut String, opening: &Opening) {
        let de = self.language == Language::De;
        let verb = if de { "öffnet" } else { "opens" };
        let (from, to) = opening
            .slot
            .map_or((opening.at, None), |slot| (slot.from, Some(slot.to)));
        let status = match to {
            Some(_) => "CONFIRMED",
            None => "TENTATIVE",
        };
        let uid = format!(
            "{}@{}.anlauf",
            opening.cell.replace('/', "."),
            self.landscape
        );
        line(out, "BEGIN", "VEVENT");
        line(out, "UID", &uid);
        line(out, "DTSTAMP", &utc(self.made_at));
        line(out, "DTSTART", &utc(from));
        // Without an end, an event of a minute's point ends where it begins (RFC 5545 §3.6.1).
        if let Some(to) = to {
            line(out, "DTEND", &utc(to));
        }
        line(
            out,
            "SUMMARY",
            &escaped(&format!("{} {verb}", opening.name)),
        );
        line(out, "DESCRIPTION", &escaped(&self.description(opening)));
        if !opening.place.is_empty() {
            line(out, "LOCATION", &escaped(&opening.place));
        }
        line(out, "STATUS", status);
        line(out, "TRANSP", "TRANSPARENT");
        line(out, "END", "VEVENT");
    }

    fn description(&self, opening: &Opening) -> String {
        let de = self.language == Language::De;
        let mut lines = vec![opening.cell.clone()];
        lines.push(match (opening.slot, de) {
            (Some(_), true) => format!("vereinbartes Fenster; im Plan {}", opening.at),
            (Some(_), false) => format!("agreed slot; in the plan {}", opening.at),
            (None, true) => "geplant, nicht vereinbart".to_owned(),
            (None, false) => "planned, not agreed".to_owned(),
        });
        if let Some(range) = opening.range {
            lines.push(format!("P50 {}", range.p50));
            lines.push(format!("P80 {}", range.p80));
            lines.push(format!("P95 {}", range.p95));
        }
        lines.join("\n")
    }
}

/// A point in time in UTC: `20260105T060000Z`.
fn utc(at: Timestamp) -> String {
    let seconds = at.to_string();
    let seconds = seconds.get(..19).unwrap_or(&seconds);
    let digits: String = seconds
        .chars()
        .filter(|c| !matches!(c, '-' | ':'))
        .collect();
    format!("{digits}Z")
}

/// A text with what has a meaning in it taken out (RFC 5545 §3.3.11). Control characters, which
/// no text may hold, become blanks.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// Adds a line, folded between letters.
fn line(out: &mut String, name: &str, value: &str) {
    let mut room = LINE_OCTETS_MAX;
    for letter in name.chars().chain([':']).chain(value.chars()) {
        if letter.len_utf8() > room {
            out.push_str("\r\n ");
            room = LINE_OCTETS_MAX - 1;
        }
        room -= letter.len_utf8();
        out.push(letter);
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests;
