//! FHIR's dates: whole years down to an instant, and what it means to search for one.
//!
//! In:    `2026`, `2026-03`, `2026-03-02`, `2026-03-02T08:00:00Z`. Out: a span of seconds.
//! Never: a time without its offset.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// From, to (not included). Seconds since 1970.
pub type Span = (i64, i64);

/// What a date or time covers; days are days in Germany.
pub fn span(text: &str) -> Option<Span> {
    instant(text).map(|at| (at, at + 1)).or_else(|| days(text))
}

/// A year, month or day.
pub fn days(text: &str) -> Option<Span> {
    let is_like = |form: &str| is_of_form(text, form);
    let (first, length) = if is_like("0000") {
        (format!("{text}-01-01"), 1.year())
    } else if is_like("0000-00") {
        (format!("{text}-01"), 1.month())
    } else if is_like("0000-00-00") {
        (text.to_owned(), 1.day())
    } else {
        return None;
    };
    let first: Date = first.parse().ok()?;
    let next = first.checked_add(length).ok()?;
    let zone = TimeZone::get("Europe/Berlin").ok()?;
    let second = |day: Date| Some(zone.to_timestamp(day.at(0, 0, 0, 0)).ok()?.as_second());
    Some((second(first)?, second(next)?))
}

/// A time with its offset.
pub fn instant(text: &str) -> Option<i64> {
    let (head, tail) = text.split_at_checked(19)?;
    let offset = tail.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let is_fraction = match tail.len() - offset.len() {
        0 => true,
        size => tail.starts_with('.') && size > 1 && size < 11,
    };
    let is_offset = offset == "Z" || is_of_form(offset, "+00:00") || is_of_form(offset, "-00:00");
    if !is_of_form(head, "0000-00-00T00:00:00") || !is_fraction || !is_offset {
        return None;
    }
    Some(text.parse::<Timestamp>().ok()?.as_second())
}

/// Digits where the form has `0`, the same letters elsewhere.
fn is_of_form(text: &str, form: &str) -> bool {
    let fits = |(is, want): (u8, u8)| match want {
        b'0' => is.is_ascii_digit(),
        other => is == other,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

/// Whether a span fits a search value with its prefix; none when the value is no date.
pub fn fits(found: Span, wanted: &str) -> Option<bool> {
    let named = ["eq", "ge", "le", "gt", "lt"]
        .iter()
        .find_map(|prefix| Some((*prefix, wanted.strip_prefix(prefix)?)));
    let (prefix, text) = named.unwrap_or(("eq", wanted));
    let (from, to) = span(text)?;
    Some(match prefix {
        "ge" => found.1 > from,
        "le" => found.0 < to,
        "gt" => found.1 > to,
        "lt" => found.0 < from,
        _ => found.0 >= from && found.1 <= to,
    })
}
