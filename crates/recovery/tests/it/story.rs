//! Stories: one line per command, the answer behind it. `check` knows the API, the stories are
//! data.
//!
//! In:    a file under `stories/`. Out: the same text, when every answer is the one written there.
//! Never: a short cut around `decide`; every line goes through it, and every entry through `apply`.
//!
//! A line is `who verb what -> answer`; `later 2h` lets time pass; `? ...` asks. Lines that begin
//! with `#` are for the reader. When a story fails it is printed whole with the real answers;
//! `UPDATE=1` writes them down, and whoever does that reads the difference.

use std::fmt::Write as _;
use std::path::PathBuf;

use anlauf_model::{CellId, Digest, FindingKind, Minutes, Stage, TaskKind, Timestamp};
use anlauf_recovery::state::{ReleaseEnd, State};
use anlauf_recovery::{Command, Entry, Event, Order, Refusal, break_glasses, decide, query};

use crate::cast;
use crate::verb;

/// One house, from its first entry on.
pub struct House {
    pub state: State,
    pub entries: Vec<Entry>,
    pub now: Timestamp,
    /// Releases in the order they were drawn up: `r1`, `r2`.
    pub releases: Vec<Digest>,
    keys: u64,
}

impl House {
    /// A house before its first entry.
    pub fn empty() -> Self {
        Self {
            state: State::default(),
            entries: Vec::new(),
            now: cast::start(),
            releases: Vec::new(),
            keys: 0,
        }
    }

    /// A house that knows its landscape, its root and the policy of ordinary days.
    pub fn new() -> Self {
        let mut house = Self::empty();
        for order in [
            Order::AdoptLandscape {
                landscape: Box::new(cast::declared()),
            },
            Order::AdoptRoot {
                envelope: cast::root(1),
            },
            Order::AdoptPolicy {
                envelope: cast::policy(1, cast::rules_normal()),
            },
        ] {
            house.send("op", order).unwrap();
        }
        house
    }

    /// Sends an order under a key of its own.
    pub fn send(&mut self, who: &str, order: Order) -> Result<Vec<Entry>, Refusal> {
        self.keys += 1;
        let key = format!("k{}", self.keys);
        self.send_as(who, &key, order)
    }

    pub fn send_as(&mut self, who: &str, key: &str, order: Order) -> Result<Vec<Entry>, Refusal> {
        let reason = "as the story goes".to_owned();
        let command = Command {
            key: key.into(),
            actor: cast::actor(who),
            reason,
            order,
        };
        let entries = decide(&self.state, self.now, &command)?;
        for entry in &entries {
            self.state.apply(entry);
            if let Event::ReleaseProposed { release, .. } = &entry.event {
                self.releases.push(*release);
            }
        }
        self.entries.extend(entries.iter().cloned());
        Ok(entries)
    }

    /// Plays one line and answers.
    pub fn play(&mut self, line: &str) -> String {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let key = words[0].strip_prefix("key=").map(str::to_owned);
        if key.is_some() {
            words.remove(0);
        }
        match words.as_slice() {
            ["later", span] => {
                self.now = self.now + minutes(span);
                String::new()
            }
            ["?", question @ ..] => self.ask(question),
            [who, verb, what @ ..] => {
                if let Some(lines) = verb::several(self, who, verb, what) {
                    return self.play_all(&lines);
                }
                let order = verb::order(self, who, verb, what);
                let answer = match key {
                    Some(key) => self.send_as(who, &key, order),
                    None => self.send(who, order),
                };
                match answer {
                    Ok(entries) => self.told(&entries),
                    Err(refusal) => self.refused(&refusal),
                }
            }
            _ => panic!("what is `{line}`?"),
        }
    }

    /// Plays several lines: the last answer, or the first refusal.
    fn play_all(&mut self, lines: &[String]) -> String {
        let mut last = String::from("ok");
        for line in lines {
            last = self.play(line);
            if last.starts_with("refused") {
                return format!("{last} (at `{line}`)");
            }
        }
        last
    }

    /// `r1` for a release, by what a message shows of its digest.
    fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (index, release) in self.releases.iter().enumerate() {
            text = text.replace(&release.short(), &format!("r{}", index + 1));
        }
        text
    }

    fn told(&self, entries: &[Entry]) -> String {
        if entries.is_empty() {
            return "nothing to do".into();
        }
        let said: Vec<_> = entries
            .iter()
            .filter_map(|entry| said(&entry.event))
            .collect();
        match said.is_empty() {
            true => "ok".into(),
            false => self.named(&said.join("; ")),
        }
    }

    fn refused(&self, refusal: &Refusal) -> String {
        let reasons = refusal
            .reasons
            .iter()
            .map(|r| format!("{} ({})", r.message, r.code));
        self.named(&format!(
            "refused: {}",
            reasons.collect::<Vec<_>>().join("; ")
        ))
    }

    fn ask(&self, question: &[&str]) -> String {
        let state = &*self.state.as_of(self.now);
        match question {
            ["progress"] => {
                let p = query::progress(state);
                let (systems, services) =
                    (p.systems_restored_per_mille, p.services_released_per_mille);
                format!("systems {systems}, services {services} per mille")
            }
            ["rests", "on", number] => list(&query::rests_on(state, number.parse().unwrap())),
            ["holds", cell] => {
                let held = query::holding(state, self.now, &verb::cell(cell)).unwrap();
                let ready = held
                    .ready
                    .map(|release| format!(", ready {}", release.short()));
                let agreed = held
                    .agreed
                    .map(|slot| format!(", agreed {} to {}", slot.from, slot.to));
                let told = format!(
                    "tasks {:?}, needs {:?}, findings {:?}, signatures {:?}, word {:?}",
                    held.tasks_open,
                    held.needs_closed,
                    held.findings_missing,
                    held.signatures_missing,
                    held.word_missing
                );
                self.named(&(told + &ready.unwrap_or_default() + &agreed.unwrap_or_default()))
            }
            ["gates", "are", "handed"] => {
                let kinds = state
                    .feed
                    .iter()
                    .map(|item| format!("{:?}", item.kind).to_lowercase());
                kinds.collect::<Vec<_>>().join(" ")
            }
            ["release", name] => {
                let case = &state.releases[&verb::release(self, name)];
                match &case.end {
                    ReleaseEnd::Open => format!("open, {} signed", case.signed.len()),
                    ReleaseEnd::Released(_) => "released".into(),
                    ReleaseEnd::Dropped(_, why) => format!("dropped: {why}"),
                }
            }
            ["break", "glass"] => self.broken(state),
            [who, "reads"] => self.read_by(who),
            [cells] => {
                let cells = verb::cells(cells);
                let lines: Vec<_> = cells.iter().map(|cell| shown(state, cell)).collect();
                lines.join("; ")
            }
            _ => panic!("what is asked by {question:?}?"),
        }
    }

    /// Every break-glass that was carried out.
    fn broken(&self, state: &State) -> String {
        let told = |one: &anlauf_recovery::BreakGlass| {
            let open = list(&one.open);
            let owed = if one.is_owed() { ", review owed" } else { "" };
            let by = one
                .review
                .as_ref()
                .map(|review| format!(", reviewed by {}", review.by));
            let (until, by) = (one.until, by.unwrap_or_default());
            format!(
                "{} until {until}, open {open}{owed}{by}",
                one.release.short()
            )
        };
        let all: Vec<_> = break_glasses(state).iter().map(told).collect();
        self.named(&all.join("; "))
    }

    /// How many entries someone may read, and whose.
    fn read_by(&self, who: &str) -> String {
        let actor = cast::actor(who);
        let mine = |entry: &&Entry| query::may_read(entry, actor.role, actor.tenant.as_ref());
        let mut scopes: Vec<_> = self
            .entries
            .iter()
            .filter(mine)
            .map(|entry| format!("{:?}", entry.scope))
            .collect();
        scopes.sort();
        scopes.dedup();
        if scopes.is_empty() {
            "nothing".into()
        } else {
            scopes.join(" ")
        }
    }
}

/// The parts of an answer that a reader of the story wants to see.
fn said(event: &Event) -> Option<String> {
    match event {
        Event::CellsReleased { stage, cells, .. } => {
            let cells: Vec<_> = cells
                .iter()
                .map(|(cell, epoch)| format!("{cell} g{}", epoch.0))
                .collect();
            Some(format!("{stage} {}", cells.join(" ")))
        }
        Event::CellsClosed { cells, epoch, .. } => {
            Some(format!("closed {} g{}", list(cells), epoch.0))
        }
        Event::ReleaseProposed { release, .. } => Some(format!("drawn up {}", release.short())),
        Event::ReleaseDropped { release, why } => {
            Some(format!("dropped {}: {why}", release.short()))
        }
        Event::SlotsMissed { cells } => Some(format!("missed {}", list(cells))),
        Event::FindingsAdded { findings } | Event::FindingsSigned { findings, .. } => {
            let one = |f: &anlauf_recovery::event::FindingEntry| format!("finding {}", f.number);
            Some(findings.iter().map(one).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

fn shown(state: &State, id: &CellId) -> String {
    let now = &state.cells[id];
    let mut text = format!("{} g{}", now.stage, now.epoch.0);
    let done = now.tasks.iter().map(|(task, t)| match t.finished {
        Some(_) => format!("{task}"),
        None => format!("{task}…"),
    });
    let done: Vec<_> = done.collect();
    if !done.is_empty() {
        write!(text, ", did {}", done.join(" ")).unwrap();
    }
    let findings: Vec<_> = now
        .findings
        .iter()
        .map(|(kind, n)| format!("{kind} {n}"))
        .collect();
    if !findings.is_empty() {
        write!(text, ", knows {}", findings.join(" ")).unwrap();
    }
    if let Some(offer) = state.offers.get(id) {
        write!(text, ", window {:?}", offer.answer).unwrap();
    }
    if now.break_glass {
        text.push_str(", BROKEN OPEN");
    }
    if now.gaps.iter().any(|gap| gap.caught_up.is_none()) {
        text.push_str(", gap");
    }
    text
}

fn list(cells: &[CellId]) -> String {
    if cells.is_empty() {
        return "nothing".into();
    }
    cells
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

/// `90m`, `2h`, `3d`.
pub fn minutes(span: &str) -> Minutes {
    let (number, unit) = span.split_at(span.len() - 1);
    let number: i64 = number
        .parse()
        .unwrap_or_else(|_| panic!("how long is {span}?"));
    match unit {
        "m" => Minutes(number),
        "h" => Minutes::hours(number),
        "d" => Minutes::days(number),
        _ => panic!("how long is {span}?"),
    }
}

/// Words of kinds, as files and people write them.
pub fn kind(word: &str) -> FindingKind {
    *FindingKind::ALL
        .iter()
        .find(|k| k.word() == word)
        .unwrap_or_else(|| panic!("what is {word}?"))
}

pub fn task(word: &str) -> TaskKind {
    *TaskKind::ALL
        .iter()
        .find(|t| t.word() == word)
        .unwrap_or_else(|| panic!("what is {word}?"))
}

pub fn stage(word: &str) -> Stage {
    *Stage::ALL
        .iter()
        .find(|s| s.word() == word)
        .unwrap_or_else(|| panic!("what is {word}?"))
}

/// Plays a story and holds every answer against the one written down.
fn check(story: &str) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/stories/{story}.txt"));
    let told = std::fs::read_to_string(&path).unwrap();
    let mut house = House::new();
    let mut real = String::new();
    for line in told.lines() {
        let asked = line.split(" -> ").next().unwrap().trim_end();
        if asked.is_empty() || asked.starts_with('#') {
            writeln!(real, "{line}").unwrap();
            continue;
        }
        match house.play(asked).as_str() {
            "" => writeln!(real, "{asked}").unwrap(),
            answer => writeln!(real, "{asked} -> {answer}").unwrap(),
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &real).unwrap();
    }
    assert!(
        told == real,
        "the story `{story}` went otherwise:\n\n{real}"
    );
    sound(&house);
}

/// What holds after every story: the ledger has no gaps and gives the same state again.
fn sound(house: &House) {
    let mut again = State::default();
    for (index, entry) in house.entries.iter().enumerate() {
        assert_eq!(entry.seq, index as u64 + 1);
        again.apply(entry);
    }
    assert!(
        again == house.state,
        "the entries do not give the same state again"
    );
}

macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn no_story_is_forgotten() {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/stories");
            let mut files: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let mut told = vec![$(concat!(stringify!($name), ".txt")),*];
            told.sort();
            assert_eq!(files, told);
        }
    };
}

stories!(
    one_cell_the_whole_way,
    a_close_burns_epochs,
    a_finding_is_withdrawn,
    a_finding_is_signed,
    signers_are_missing,
    a_tenant_declines_and_misses,
    a_key_comes_twice,
    a_second_incident,
    sites_are_narrowed_and_held,
    gaps_before_the_end,
    waves_have_limits,
    a_foreign_tenant,
    a_freeze,
    a_release_runs_out,
    an_automation_has_no_say,
    an_attack_strikes_again,
    bad_news_at_any_time,
    break_glass,
    plans_follow_plans,
    what_holds_a_cell,
    a_window_too_early,
    a_window_too_short,
    people_are_told,
    gates_report,
);
