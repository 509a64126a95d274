//! What holds for any order of commands.
//!
//! In:    random lines of a story. Out: the first promise that does not hold, with its story.
//! Never: asks the state machine whether the state machine is right: `Witness` counts by itself.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::{CellId, Epoch, FindingKind, Minutes, Stage, Timestamp, Verdict};
use anlauf_recovery::event::Scope;
use anlauf_recovery::{Entry, Event, State};
use anlauf_trust::{Authority, CellFacts, Envelope, Release};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::cast::LANDSCAPE;
use crate::story::House;

/// What someone who only reads the ledger knows.
#[derive(Default)]
struct Witness {
    authority: Option<Authority>,
    cells: BTreeMap<CellId, Seen>,
    findings: BTreeMap<u64, (Option<CellId>, FindingKind, Verdict, bool)>,
}

#[derive(Clone, Default)]
struct Seen {
    stage: Stage,
    epoch: Epoch,
    until: Option<Timestamp>,
}

impl Witness {
    fn read(&mut self, entry: &Entry) {
        for seen in self.cells.values_mut() {
            if seen.until.is_some_and(|until| until <= entry.at) {
                (seen.stage, seen.until) = (Stage::Closed, None);
            }
        }
        match &entry.event {
            Event::RootAdopted { envelope, .. } => self.take_root(envelope, entry.at),
            Event::PolicyAdopted { envelope, .. } => {
                let authority = self.authority.as_mut().expect("a policy needs a root");
                authority
                    .adopt_policy(envelope, entry.at)
                    .expect("an adopted policy holds");
            }
            Event::DelegationAdopted { envelope, .. } => {
                let authority = self.authority.as_mut().expect("a list needs a root");
                authority
                    .adopt_delegation(envelope, entry.at)
                    .expect("an adopted list holds");
            }
            Event::FindingsAdded { findings } | Event::FindingsSigned { findings, .. } => {
                for f in findings {
                    assert!(
                        !self.findings.contains_key(&f.number),
                        "finding {} twice",
                        f.number
                    );
                    self.findings
                        .insert(f.number, (f.cell.clone(), f.kind, f.verdict, true));
                }
            }
            Event::FindingWithdrawn { finding } => {
                self.findings.get_mut(finding).expect("it was added").3 = false;
            }
            Event::CellsClosed { cells, epoch, .. } => {
                for cell in cells {
                    let seen = self.cells.entry(cell.clone()).or_default();
                    assert!(seen.epoch <= *epoch, "{cell} was shut below its epoch");
                    *seen = Seen {
                        epoch: *epoch,
                        ..Seen::default()
                    };
                }
            }
            Event::CellsReleased { .. } => self.released(entry),
            _ => {}
        }
    }

    fn take_root(&mut self, envelope: &Envelope, at: Timestamp) {
        match &mut self.authority {
            None => {
                let pinned = Authority::pinned(envelope, &envelope.digest(), at);
                self.authority = Some(pinned.expect("the first root holds"));
            }
            Some(known) => known
                .advance_root(envelope, at)
                .expect("an adopted root holds"),
        }
    }

    /// A release holds before any verifier that knows what the ledger told, rests on findings that
    /// stand, and opens nothing above something closed.
    fn released(&mut self, entry: &Entry) {
        let Event::CellsReleased {
            stage,
            cells,
            not_after,
            envelope,
            ..
        } = &entry.event
        else {
            unreachable!("asked for releases only");
        };
        let authority = self.authority.as_ref().expect("a release needs a root");
        let facts = |id: &CellId| LANDSCAPE.cell(id).map(|cell| self.facts(cell));
        let held = authority.check_release(envelope, &facts, entry.at);
        let held = held.expect("what is released has its quorum");
        assert!(*not_after > entry.at);
        let statement = Release::parse(&envelope.payload).unwrap();
        assert_eq!(held.statement(), &statement);
        assert_eq!(statement.stage, *stage);
        for bound in &statement.cells {
            for evidence in &bound.evidence {
                let stands = self.findings.values().any(|(cell, kind, verdict, stands)| {
                    let about = cell.is_none() || cell.as_ref() == Some(&bound.cell);
                    *stands && about && *kind == evidence.kind && *verdict == Verdict::Pass
                });
                assert!(stands, "{} of {} does not stand", evidence.kind, bound.cell);
            }
            for need in &LANDSCAPE.cells()[&bound.cell].needs {
                let open = self
                    .cells
                    .get(need)
                    .is_some_and(|need| need.stage.is_public());
                assert!(open, "{} opened above {need}, which is shut", bound.cell);
            }
        }
        let named: Vec<_> = statement
            .cells
            .iter()
            .map(|c| (c.cell.clone(), c.epoch))
            .collect();
        assert_eq!(&named, cells);
        for bound in statement.cells {
            let (epoch, until) = (bound.epoch, Some(*not_after));
            self.cells.insert(
                bound.cell,
                Seen {
                    stage: *stage,
                    epoch,
                    until,
                },
            );
        }
    }

    fn facts(&self, cell: &anlauf_model::Cell) -> CellFacts {
        CellFacts {
            class: cell.class,
            kind: cell.kind,
            tenant: cell.tenant().cloned(),
            site: cell.site.clone(),
            service: cell.service.clone(),
            epoch: self
                .cells
                .get(&cell.id)
                .map(|seen| seen.epoch)
                .unwrap_or_default(),
        }
    }

    /// What the state shows is what the ledger told, no cell more open, no epoch lower.
    fn agrees(&self, state: &State) {
        for (id, now) in &state.cells {
            let seen = self.cells.get(id).cloned().unwrap_or_default();
            assert_eq!((now.stage, now.epoch), (seen.stage, seen.epoch), "{id}");
            assert_eq!(
                now.not_after,
                seen.until.filter(|_| now.stage > Stage::Closed),
                "{id}"
            );
            assert_eq!(now.release.is_some(), now.stage > Stage::Closed, "{id}");
            assert!(
                now.epoch_proposed >= now.epoch || now.release.is_none(),
                "{id}"
            );
            for number in now.findings.values() {
                assert!(
                    self.findings[number].3,
                    "{id} knows the withdrawn finding {number}"
                );
            }
        }
    }
}

/// Owners of the cells that an entry names anywhere, also under signature.
fn owners(event: &Event) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut value = serde_json::to_value(event).unwrap();
    if let Event::ReleaseProposed { envelope, .. } | Event::CellsReleased { envelope, .. } = event {
        value = serde_json::json!([
            value,
            serde_json::from_slice::<Value>(&envelope.payload).unwrap()
        ]);
    }
    walk(&value, &mut found);
    found
}

fn walk(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let cell = text
                .parse::<CellId>()
                .ok()
                .filter(|id| LANDSCAPE.cell(id).is_some());
            found.extend(cell.map(|id| id.owner().to_owned()));
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| walk(value, found)),
        _ => {}
    }
}

/// An entry about one tenant's cells is that tenant's; what others read names nobody's cells.
fn scope_holds(entry: &Entry) {
    let owners = owners(&entry.event);
    let tenants: BTreeSet<_> = owners
        .iter()
        .filter(|o| matches!(o.as_str(), "alder" | "birch"))
        .collect();
    let internal = matches!(
        entry.event,
        Event::LandscapeAdopted { .. }
            | Event::CloseOrdered { .. }
            | Event::GateReported { .. }
            | Event::PlanProposed { .. }
            | Event::ForecastPublished { .. }
    );
    match &entry.scope {
        Scope::Everyone => assert!(owners.is_empty(), "everyone reads of {owners:?}"),
        Scope::Tenant(tenant) => {
            let foreign = owners.iter().any(|owner| owner != tenant.as_str());
            assert!(!foreign, "{tenant} reads of {owners:?}");
        }
        Scope::Provider => {
            assert!(
                internal || tenants.is_empty(),
                "{tenants:?} do not read of their own cells"
            );
        }
    }
    assert!(
        internal || tenants.len() <= 1,
        "one entry about {tenants:?}"
    );
}

const CELLS: [&str; 10] = [
    "east/net",
    "west/net",
    "foundation/login",
    "shared/mail",
    "alder/mail",
    "alder/web",
    "alder/record",
    "birch/mail",
    "birch/web",
    "birch/record",
];

fn some_cells() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&CELLS[..]).prop_map(str::to_owned),
        1 => prop::sample::subsequence(CELLS.to_vec(), 1..4).prop_map(|cells| cells.join(",")),
        1 => prop::sample::select(vec!["alder/*", "birch/*", "*"]).prop_map(str::to_owned),
    ]
}

fn who() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "op", "sec", "sec2", "own", "for", "auto", "alder", "alder2", "birch", "aud",
    ])
}

fn one(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words)
}

const TASKS: &[&str] = &[
    "evidence",
    "rebuild",
    "scan",
    "credentials",
    "function_test",
    "acceptance",
    "decision",
];
const KINDS: &[&str] = &[
    "forensics_verdict",
    "backup_clean",
    "scan_clean",
    "function_tested",
    "tenant_accepted",
    "entry_path_closed",
    "commissioned",
];
const STAGES: &[&str] = &["closed", "clean_room", "pilot", "basic", "full"];

/// What people do, sensible and not.
fn a_line() -> impl Strategy<Value = String> {
    let number = 1u64..40;
    prop_oneof![
        3 => one(&["later 20m", "later 3h", "later 1d", "later 9d"]).prop_map(str::to_owned),
        2 => one(&["op declare x", "op end", "op contain", "op commission"])
            .prop_map(str::to_owned),
        2 => one(&["op adopt policy 2 recovery", "op adopt policy 3 normal", "op adopt root 2",
            "op narrow east", "op hold east 5h", "for hold east 0m", "auto plan on nothing",
            "op adopt plan", "op forecast plan", "op tell alder 1h x", "op tell everyone 1h x",
            "for finds entry_path_closed clear", "sec finds entry_path_closed unclear"])
            .prop_map(str::to_owned),
        6 => some_cells().prop_map(|c| format!("op restore {c}")),
        9 => some_cells().prop_map(|c| format!("op back {c}")),
        2 => prop::sample::select(&CELLS[..]).prop_map(|c| format!("op catch up {c}")),
        3 => some_cells().prop_map(|c| format!("op decide {c}")),
        3 => (one(&["alder", "birch"]), some_cells()).prop_map(|(w, c)| format!("{w} test {c}")),
        3 => (one(&["alder", "birch"]), some_cells()).prop_map(|(w, c)| format!("{w} settle {c}")),
        8 => (one(STAGES), some_cells(), one(&["2h", "5d", "30d"]))
            .prop_map(|(s, c, d)| format!("op open {s} {c} for {d}")),
        3 => (one(STAGES), some_cells()).prop_map(|(s, c)| format!("op propose {s} {c}")),
        6 => (who(), number.clone()).prop_map(|(w, n)| format!("{w} sign r{n}")),
        2 => (who(), who(), number.clone()).prop_map(|(w, o, n)| format!("{w} sign r{n} as {o}")),
        9 => some_cells().prop_map(|c| format!("op propose full {c}")),
        4 => some_cells().prop_map(|c| format!("sec finds commissioned clear {c}")),
        9 => who().prop_map(|w| format!("{w} sign last")),
        9 => Just("op release last".to_owned()),
        2 => (1u64..60).prop_map(|n| format!("op release r{n}")),
        3 => (who(), one(TASKS), one(&["start", "finish", "fail"]), some_cells())
            .prop_map(|(w, t, v, c)| format!("{w} {v} {t} {c}")),
        3 => (who(), one(KINDS), one(&["clear", "clear", "unclear"]), some_cells())
            .prop_map(|(w, k, v, c)| format!("{w} finds {k} {v} {c}")),
        2 => (who(), number).prop_map(|(w, n)| format!("{w} withdraw {n}")),
        2 => (who(), some_cells(), one(&["", " with dependents", " at g3"]))
            .prop_map(|(w, c, d)| format!("{w} close {c}{d}")),
        1 => (who(), one(&["everything", "site east", "tenant alder", "service mail"]))
            .prop_map(|(w, c)| format!("{w} close {c}")),
        2 => (who(), one(&["accept", "reject", "agree", "decline", "catch up"]), some_cells())
            .prop_map(|(w, v, c)| format!("{w} {v} {c}")),
        1 => (some_cells(), one(&["0m to 4h", "2h to 6h"]))
            .prop_map(|(c, s)| format!("op offer {c} {s}")),
        1 => (one(&["alder", "birch"]), some_cells())
            .prop_map(|(w, c)| format!("{w} wish {w} {c}")),
        1 => (some_cells(), one(&["closed g2", "full g1", "closed g9"])).prop_filter_map(
            "one cell", |(c, s)| CELLS.contains(&c.as_str())
                .then(|| format!("gate report gate-1 3 {c} {s}"))),
    ]
}

/// The ground under everything, in its order.
const GROUND: [&str; 5] = [
    "op contain",
    "op back east/net",
    "op back west/net",
    "op back foundation/login",
    "op back shared/mail",
];

fn a_story() -> impl Strategy<Value = Vec<String>> {
    let lines = prop::collection::vec(a_line(), 1..50);
    (one(&["op commission", "later 1h"]), 0..=GROUND.len(), lines).prop_map(|story| {
        let (first, ground, lines) = story;
        let begin = std::iter::once(first).chain(GROUND.into_iter().take(ground));
        begin.map(str::to_owned).chain(lines).collect()
    })
}

/// Plays a story with the witness beside it.
fn holds(lines: &[String]) -> House {
    let mut house = House::new();
    let mut witness = Witness::default();
    let (mut read, mut at) = (0, Timestamp::default());
    for line in lines {
        let (before, epochs) = (house.entries.len(), epochs(&house.state));
        let answer = house.play(line);
        if answer.starts_with("refused") && !answer.contains(" (at `") {
            assert_eq!(
                before,
                house.entries.len(),
                "a refused command left entries"
            );
        }
        for entry in &house.entries[read..] {
            read += 1;
            assert_eq!(entry.seq, read as u64);
            assert!(entry.at >= at, "time ran backwards");
            at = entry.at;
            witness.read(entry);
            scope_holds(entry);
        }
        witness.agrees(&house.state);
        for (id, epoch) in epochs {
            assert!(
                house.state.cells[&id].epoch >= epoch,
                "the epoch of {id} fell"
            );
        }
    }
    house
}

fn epochs(state: &State) -> Vec<(CellId, Epoch)> {
    state
        .cells
        .iter()
        .map(|(id, cell)| (id.clone(), cell.epoch))
        .collect()
}

/// The same stories each time, so that a failure is today's; `SLOW=1` plays many fresh ones.
fn prove(test: impl Fn(Vec<String>)) {
    let slow = std::env::var_os("SLOW").is_some();
    let cases = if slow { 2_000 } else { 96 };
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = match slow {
        true => TestRunner::new(config),
        false => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    runner
        .run(&a_story(), |lines| {
            test(lines);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_order_of_commands_holds() {
    let (released, closed, refilled) = (Cell::new(0), Cell::new(0), Cell::new(0));
    prove(|lines| {
        let house = holds(&lines);
        replays(&house);
        cannot_fail(&house);
        let count = |kind: fn(&Event) -> bool| {
            house
                .entries
                .iter()
                .filter(|entry| kind(&entry.event))
                .count()
        };
        released.set(released.get() + count(|e| matches!(e, Event::CellsReleased { .. })));
        closed.set(closed.get() + count(|e| matches!(e, Event::CellsClosed { .. })));
        refilled.set(refilled.get() + count(|e| matches!(e, Event::GapCaughtUp { .. })));
    });
    // Stories that reach nothing would prove nothing.
    let reached = (released.get(), closed.get(), refilled.get());
    assert!(
        reached.0 > 500 && reached.1 > 400 && reached.2 > 3,
        "{reached:?}"
    );
}

fn replays(house: &House) {
    let mut again = State::default();
    for entry in &house.entries {
        again.apply(entry);
    }
    assert!(again == house.state, "replay gives another state");
    let later = house.now + Minutes::days(400);
    for cell in house.state.as_of(later).cells.values() {
        assert_eq!(
            cell.stage,
            Stage::Closed,
            "a release held for more than 90 days"
        );
    }
}

/// Entries in any order, twice, or with holes are nonsense, but bring nobody down.
fn cannot_fail(house: &House) {
    let mut state = State::default();
    let (odd, even): (Vec<_>, Vec<_>) = house.entries.iter().partition(|e| e.seq % 2 == 1);
    for entry in odd
        .into_iter()
        .rev()
        .chain(even.iter().copied())
        .chain(even.iter().copied())
    {
        state.apply(entry);
    }
}
