//! Everything a page says: words in two languages, dates in the landscape's own time, numbers.
//!
//! In:    a language, a time zone, `now`. Out: [`Say`].
//! Never: a text in one language only: both tables come from one list.

use anlauf_model::{
    Class, FindingKind, Language, Range, Role, Stage, TaskKind, Text, Timestamp, Verdict,
};
use anlauf_recovery::state::Answer;
use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

pub(crate) mod reason;
mod when;
pub(crate) mod word;

use word::Words;

/// Speaks one language in one time zone.
#[derive(Clone)]
pub(crate) struct Say {
    pub(crate) language: Language,
    /// The table of this language.
    pub(crate) w: &'static Words,
    /// What time it is for the reader.
    pub(crate) now: Timestamp,
    zone: TimeZone,
}

impl Say {
    /// Speaks the language; an unknown time zone is UTC.
    pub(crate) fn new(language: Language, zone: &str, now: Timestamp) -> Self {
        Self {
            language,
            w: match language {
                Language::De => &word::DE,
                Language::En => &word::EN,
            },
            now,
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
        }
    }

    /// The text in this language.
    pub(crate) fn text<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.language)
    }

    /// Whether this is German.
    pub(crate) fn is_german(&self) -> bool {
        self.language == Language::De
    }

    /// A whole number with its thousands apart.
    pub(crate) fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        let apart = if self.is_german() { '.' } else { ',' };
        let mut out = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                out.push(apart);
            }
            out.push(digit);
        }
        out
    }

    /// A share, one digit after the point.
    pub(crate) fn percent(&self, per_mille: u64) -> String {
        let (whole, tenth) = (per_mille / 10, per_mille % 10);
        match self.language {
            Language::De => format!("{whole},{tenth}\u{a0}%"),
            Language::En => format!("{whole}.{tenth}%"),
        }
    }

    /// Bytes in the unit that fits.
    pub(crate) fn bytes(&self, bytes: u64) -> String {
        const MIB: u64 = 1024 * 1024;
        match bytes {
            0..1024 => format!("{bytes}\u{a0}B"),
            1024..MIB => format!("{}\u{a0}KiB", self.number(bytes / 1024)),
            _ => format!("{}\u{a0}MiB", self.number(bytes / MIB)),
        }
    }

    /// One or many.
    pub(crate) fn count(&self, count: u64, one: &str, many: &str) -> String {
        format!(
            "{}\u{a0}{}",
            self.number(count),
            if count == 1 { one } else { many }
        )
    }

    /// The stage in one word.
    pub(crate) fn stage(&self, stage: Stage) -> &'static str {
        self.w.stage[stage as usize]
    }

    /// The stage in two letters.
    pub(crate) fn stage_short(&self, stage: Stage) -> &'static str {
        self.w.stage_short[stage as usize]
    }

    /// The stage as the public reads it.
    pub(crate) fn stage_public(&self, stage: Stage) -> &'static str {
        self.w.stage_public[stage as usize]
    }

    /// The step in words.
    pub(crate) fn task(&self, task: TaskKind) -> &'static str {
        self.w.task[task as usize]
    }

    /// What a finding speaks about.
    pub(crate) fn finding(&self, kind: FindingKind) -> &'static str {
        self.w.finding[kind as usize]
    }

    /// What a finding says.
    pub(crate) fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Pass => self.w.verdict_pass,
            Verdict::Fail => self.w.verdict_fail,
        }
    }

    /// The role in words.
    pub(crate) fn role(&self, role: Role) -> &'static str {
        self.w.role[role as usize]
    }

    /// A tenant's word on a window.
    pub(crate) fn answer(&self, answer: Answer) -> &'static str {
        self.w.answer[answer as usize]
    }

    /// The class of protection in words.
    pub(crate) fn class(&self, class: Class) -> &'static str {
        self.w.class[class as usize]
    }

    /// The range as one sentence.
    pub(crate) fn range(&self, range: &Range) -> String {
        let (first, last) = (self.day(range.p50), self.day(range.p95));
        if first == last {
            return fill(self.w.range_same, &[&last]);
        }
        fill(
            self.w.range_sentence,
            &[&first, &self.day(range.p80), &last],
        )
    }

    fn zoned(&self, at: Timestamp) -> ZonedDateTime {
        let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        at.to_zoned_datetime(self.zone.clone())
    }
}

/// Fills the gaps `{}` of a sentence, in order.
pub(crate) fn fill(sentence: &str, gaps: &[&dyn std::fmt::Display]) -> String {
    let mut out = String::new();
    let mut gaps = gaps.iter();
    let mut pieces = sentence.split("{}");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        if let Some(gap) = gaps.next() {
            out.push_str(&gap.to_string());
        }
        // A German date ends with a stop of its own.
        let piece = if out.ends_with('.') {
            piece.strip_prefix('.').unwrap_or(piece)
        } else {
            piece
        };
        out.push_str(piece);
    }
    out
}

/// The sentence with a capital at its beginning.
pub(crate) fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
