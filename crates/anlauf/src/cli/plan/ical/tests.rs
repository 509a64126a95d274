//! The calendar, read back by a reader that shares no code with its writer.

use anlauf_model::{Language, Range, Slot, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{Calendar, Opening};

/// Made-up calendars that are looked at.
const CALENDAR_COUNT: u64 = 300;

/// Letters that break what is not escaped, folded or encoded well.
const LETTERS: [&str; 14] = [
    "a", "Z", " ", ",", ";", "\\", "\n", ":", "ä", "€", "𝄞", "\"", "\t", "é",
];

/// One property: name and value as they were meant.
type Property = (String, String);

/// Unfolds and unescapes, or says what a reader may not take.
fn read(text: &str) -> Result<Vec<Property>, String> {
    let body = text.strip_suffix("\r\n").ok_or("does not end with CRLF")?;
    let mut lines: Vec<String> = Vec::new();
    for line in body.split("\r\n") {
        if line.len() > 75 {
            return Err(format!("line of {} octets", line.len()));
        }
        if line.contains(['\r', '\n']) {
            return Err("a lone line break".to_owned());
        }
        match (line.strip_prefix(' '), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            (Some(_), None) => return Err("begins with a folded line".to_owned()),
            (None, _) => lines.push(line.to_owned()),
        }
    }
    let property = |line: String| {
        let (name, value) = line.split_once(':').ok_or(format!("no value: {line}"))?;
        Ok((name.to_owned(), unescaped(value)?))
    };
    lines.into_iter().map(property).collect()
}

fn unescaped(value: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c @ ('\\' | ';' | ',')) => out.push(c),
                other => return Err(format!("escape of {other:?}")),
            },
            other => out.push(other),
        }
    }
    Ok(out)
}

fn value<'p>(event: &'p [Property], name: &str) -> Option<&'p str> {
    let found = event.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

/// The properties of each event.
fn events(properties: &[Property]) -> Vec<Vec<Property>> {
    let mut events: Vec<Vec<Property>> = Vec::new();
    let mut is_inside = false;
    for property in properties {
        match (property.0.as_str(), property.1.as_str()) {
            ("BEGIN", "VEVENT") => {
                is_inside = true;
                events.push(Vec::new());
            }
            ("END", "VEVENT") => is_inside = false,
            _ if is_inside => events.last_mut().expect("begun").push(property.clone()),
            _ => {}
        }
    }
    events
}

fn random(chance: &mut Xoshiro256PlusPlus, index: usize) -> Opening {
    let length = chance.random_range(0..120);
    let name: String = (0..length)
        .map(|_| LETTERS[chance.random_range(0..LETTERS.len())])
        .collect();
    let minute = |chance: &mut Xoshiro256PlusPlus| {
        Timestamp(1_777_060_800_000 + chance.random_range(0..100_000i64) * 60_000)
    };
    let at = minute(chance);
    let with_slot = chance.random_bool(0.4);
    let with_range = chance.random_bool(0.5);
    Opening {
        cell: format!("tenant-{}/service-{index}", index % 7),
        place: name.chars().rev().collect(),
        name,
        at,
        slot: with_slot.then(|| Slot {
            from: at,
            to: minute(chance).max(at),
        }),
        range: with_range.then(|| Range {
            p50: at,
            p80: at,
            p95: minute(chance),
        }),
    }
}

fn calendar(language: Language) -> Calendar<'static> {
    Calendar {
        landscape: "towns",
        title: "Städte; Plan, Öffnungen",
        made_at: Timestamp(1_777_060_800_000),
        language,
    }
}

#[test]
fn what_is_written_is_read_back_whatever_it_says() {
    for seed in 0..CALENDAR_COUNT {
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
        let count = chance.random_range(0..6);
        let openings: Vec<_> = (0..count).map(|index| random(&mut chance, index)).collect();
        let text = calendar(Language::De).text(&openings);
        let properties = read(&text).unwrap_or_else(|why| panic!("seed {seed}: {why}\n{text}"));
        assert_eq!(properties[0], ("BEGIN".into(), "VCALENDAR".into()));
        assert_eq!(
            value(&properties, "X-WR-CALNAME"),
            Some("Städte; Plan, Öffnungen")
        );
        let events = events(&properties);
        assert_eq!(events.len(), openings.len(), "seed {seed}");
        for (event, opening) in events.iter().zip(&openings) {
            // A tab is a control character, which no text may hold.
            let said = format!("{} öffnet", opening.name.replace('\t', " "));
            assert_eq!(value(event, "SUMMARY"), Some(said.as_str()), "seed {seed}");
            let status = value(event, "STATUS") == Some("CONFIRMED");
            assert_eq!(status, opening.slot.is_some(), "seed {seed}");
            assert_eq!(value(event, "DTEND").is_some(), opening.slot.is_some());
        }
    }
}

#[test]
fn times_are_in_utc_and_ends_are_not_before_begins() {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(7);
    let openings: Vec<_> = (0..50).map(|index| random(&mut chance, index)).collect();
    let properties = read(&calendar(Language::En).text(&openings)).expect("readable");
    for event in events(&properties) {
        let from = value(&event, "DTSTART").expect("a begin");
        let shape: String = from
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        assert_eq!(shape, "00000000T000000Z");
        assert!(value(&event, "DTEND").is_none_or(|to| to >= from));
    }
    let first = Opening {
        at: "2026-01-05T06:07:08.900Z".parse().expect("a time"),
        slot: None,
        ..openings[0].clone()
    };
    let text = calendar(Language::En).text(&[first]);
    assert!(text.contains("DTSTART:20260105T060708Z\r\n"), "{text}");
}

#[test]
fn a_cell_keeps_its_uid_in_the_next_plan() {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(3);
    let before: Vec<_> = (0..20).map(|index| random(&mut chance, index)).collect();
    let mut after = before.clone();
    after.reverse();
    for opening in &mut after {
        opening.at.0 += 3_600_000;
        opening.slot = None;
    }
    let uids = |openings: &[Opening]| {
        let properties = read(&calendar(Language::De).text(openings)).expect("readable");
        let mut uids: Vec<String> = events(&properties)
            .iter()
            .map(|event| value(event, "UID").expect("a uid").to_owned())
            .collect();
        uids.sort();
        uids
    };
    let uids_before = uids(&before);
    assert_eq!(uids_before, uids(&after));
    let mut once = uids_before.clone();
    once.dedup();
    assert_eq!(once, uids_before, "no two cells share one");
}

#[test]
fn a_calendar_reads_as_it_always_did() {
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let opening = Opening {
        cell: "town-alder/portal".to_owned(),
        name: "Portal, für alle; Stadt Erlenbrück".to_owned(),
        place: "Rechenzentrum Ost".to_owned(),
        at: at("2026-01-12T09:30:00Z"),
        slot: Some(Slot {
            from: at("2026-01-12T08:00:00Z"),
            to: at("2026-01-12T16:00:00Z"),
        }),
        range: Some(Range {
            p50: at("2026-01-12T10:00:00Z"),
            p80: at("2026-01-13T10:00:00Z"),
            p95: at("2026-01-16T10:00:00Z"),
        }),
    };
    let planned = Opening {
        cell: "foundation/identity".to_owned(),
        name: "Identitäten".to_owned(),
        place: String::new(),
        slot: None,
        range: None,
        ..opening.clone()
    };
    let openings = [opening, planned];
    let text = [Language::De, Language::En].map(|language| calendar(language).text(&openings));
    insta::assert_snapshot!(text.concat().replace('\r', ""));
}
