//! One of each: every order and every event, with fixed contents.
//!
//! In:    nothing. Out: values whose bytes stand in `tests/golden/` and never change.

use std::collections::BTreeMap;

use anlauf_model::feed::{GateCellState, GateDecision, GateReport};
use anlauf_model::landscape::Declared;
use anlauf_model::{
    CellId, Digest, Epoch, FindingKind, Forecast, Plan, PlanRow, Range, Slot, Stage, TaskKind,
    Text, Timestamp, Verdict,
};
use anlauf_recovery::command::{FindingDraft, SignatureDraft, SlotDraft, TaskRef, WaveDraft};
use anlauf_recovery::event::{FindingEntry, Scope};
use anlauf_recovery::{Entry, Event, Order};
use anlauf_trust::{Envelope, KeyId, Signature};

use crate::cast;

fn at(minutes: i64) -> Timestamp {
    Timestamp(1_776_945_600_000 + minutes * 60_000)
}

fn cell(text: &str) -> CellId {
    text.parse().unwrap()
}

fn cells() -> Vec<CellId> {
    vec![cell("alder/record"), cell("alder/web")]
}

fn text() -> Text {
    Text {
        de: "Übung „eins“".into(),
        en: "drill “one”".into(),
    }
}

fn digest(word: &str) -> Digest {
    Digest::of(word.as_bytes())
}

fn keyid() -> KeyId {
    KeyId("0123456789abcdef0123456789abcdef".into())
}

fn envelope() -> Envelope {
    Envelope {
        payload: b"{\"any\":\"bytes\"}".to_vec(),
        signatures: vec![Signature {
            keyid: keyid(),
            sig: vec![1, 2, 254, 255],
        }],
    }
}

fn landscape() -> Box<Declared> {
    Box::new(Declared {
        id: "house".parse().unwrap(),
        title: text(),
        time_zone: "Europe/Berlin".into(),
        provider: "provider".parse().unwrap(),
        sites: Vec::new(),
        organisations: Vec::new(),
        teams: Vec::new(),
        services: Vec::new(),
        tenants: Vec::new(),
        offers: Vec::new(),
        people: Vec::new(),
        work: Vec::new(),
        freezes: Vec::new(),
        deadlines: Vec::new(),
        freshness: Vec::new(),
        objective: Default::default(),
        policy: Vec::new(),
    })
}

fn tasks() -> Vec<TaskRef> {
    vec![TaskRef {
        cell: cell("alder/web"),
        task: TaskKind::FunctionTest,
    }]
}

fn slots() -> Vec<SlotDraft> {
    vec![SlotDraft {
        cell: cell("alder/web"),
        slot: Slot {
            from: at(60),
            to: at(180),
        },
    }]
}

fn range() -> Range {
    Range {
        p50: at(1),
        p80: at(2),
        p95: at(3),
    }
}

fn forecast() -> Box<Forecast> {
    let cells = BTreeMap::from([(cell("alder/web"), range())]);
    Box::new(Forecast {
        plan: digest("plan"),
        made_at: at(0),
        cells,
        tenants: BTreeMap::new(),
        services: BTreeMap::new(),
        whole: Some(range()),
        waits: BTreeMap::new(),
    })
}

fn plan() -> Box<Plan> {
    let row = |task: TaskKind, team: Option<&str>| PlanRow {
        cell: cell("alder/web"),
        task,
        team: team.map(|team| team.parse().unwrap()),
        start: at(5),
        end: at(65),
    };
    let rows = vec![
        row(TaskKind::Rebuild, Some("crew")),
        row(TaskKind::Acceptance, None),
    ];
    let (id, parent) = (Digest([0; 32]), Some(digest("parent")));
    Box::new(
        Plan {
            id,
            parent,
            made_at: at(0),
            rows,
            objective: 1234,
            bound: 1200,
        }
        .sealed(),
    )
}

/// Every order once.
pub fn orders() -> Vec<Order> {
    let mut orders = orders_of_frame();
    orders.extend(orders_of_work());
    orders.extend(orders_of_opening());
    orders
}

fn orders_of_frame() -> Vec<Order> {
    vec![
        Order::AdoptLandscape {
            landscape: landscape(),
        },
        Order::AdoptRoot {
            envelope: envelope(),
        },
        Order::AdoptPolicy {
            envelope: envelope(),
        },
        Order::DeclareIncident { title: text() },
        Order::NarrowIncident {
            sites: vec!["east".parse().unwrap()],
        },
        Order::HoldSite {
            site: "east".parse().unwrap(),
            until: at(90),
        },
        Order::EndIncident,
        Order::Close {
            envelope: envelope(),
        },
    ]
}

fn orders_of_work() -> Vec<Order> {
    let finding = FindingDraft {
        cell: Some(cell("alder/web")),
        kind: FindingKind::ScanClean,
        verdict: Verdict::Pass,
        evidence: digest("evidence"),
        note: "nothing found".into(),
    };
    vec![
        Order::StartTasks { tasks: tasks() },
        Order::FinishTasks { tasks: tasks() },
        Order::FailTasks { tasks: tasks() },
        Order::AddFindings {
            findings: vec![finding],
        },
        Order::WithdrawFinding { finding: 7 },
        Order::ProposePlan { plan: plan() },
        Order::AdoptPlan {
            plan: digest("plan"),
        },
        Order::PublishForecast {
            forecast: forecast(),
        },
        Order::StateWish {
            tenant: "alder".parse().unwrap(),
            order: cells(),
        },
        Order::OfferSlots { slots: slots() },
        Order::AgreeSlots { cells: cells() },
        Order::DeclineSlots { cells: cells() },
        Order::AcceptCells {
            cells: cells(),
            passed: true,
        },
    ]
}

fn orders_of_opening() -> Vec<Order> {
    let wave = WaveDraft {
        cells: cells(),
        stage: Stage::CleanRoom,
    };
    let signature = SignatureDraft {
        release: digest("release"),
        keyid: keyid(),
        sig: "01fe".into(),
    };
    let report = GateReport {
        gate: "gate-1".parse().unwrap(),
        applied: 9,
        table: Some(digest("table")),
        root_version: 1,
        changed: vec![GateCellState {
            cell: cell("alder/web"),
            stage: Stage::Basic,
            epoch: Epoch(4),
        }],
        decisions: vec![decision()],
        counts: Default::default(),
        freshness: Vec::new(),
    };
    vec![
        Order::ProposeReleases {
            waves: vec![wave],
            not_after: at(900),
        },
        Order::AddSignatures {
            signatures: vec![signature],
        },
        Order::Release {
            releases: vec![digest("release")],
        },
        Order::CatchUp { cells: cells() },
        Order::ReportGate {
            report: Box::new(report),
        },
        Order::PublishNotice {
            text: text(),
            next_word_at: at(60),
            tenant: None,
        },
        Order::ReviseNotice {
            notice: 1,
            text: text(),
            next_word_at: at(60),
        },
        Order::BreakGlass {
            waves: vec![WaveDraft {
                cells: cells(),
                stage: Stage::Full,
            }],
            not_after: at(240),
        },
        Order::ReviewBreakGlass {
            release: digest("release"),
        },
        Order::AdoptDelegation {
            envelope: envelope(),
        },
        Order::AddSignedFinding {
            envelope: envelope(),
        },
    ]
}

fn decision() -> GateDecision {
    GateDecision {
        seq: 8,
        accepted: false,
        reasons: vec!["burned (AN-TRU-023)".into()],
    }
}

/// Every event once, in the order of the golden file.
pub fn events() -> Vec<Event> {
    let mut events = events_of_frame();
    events.extend(events_of_work());
    events.extend(events_of_agreement());
    events.extend(events_of_opening());
    events
}

fn events_of_frame() -> Vec<Event> {
    let close = digest("close");
    vec![
        Event::LandscapeAdopted {
            landscape: landscape(),
        },
        Event::RootAdopted {
            version: 1,
            envelope: envelope(),
        },
        Event::PolicyAdopted {
            version: 2,
            envelope: envelope(),
        },
        Event::IncidentDeclared { title: text() },
        Event::IncidentNarrowed {
            sites: vec!["east".parse().unwrap()],
        },
        Event::SiteHeld {
            site: "east".parse().unwrap(),
            until: at(90),
        },
        Event::IncidentEnded,
        Event::CloseOrdered {
            close,
            envelope: envelope(),
        },
        Event::CellsClosed {
            cells: cells(),
            epoch: Epoch(3),
            close,
        },
    ]
}

fn finding_signed() -> FindingEntry {
    FindingEntry {
        number: 8,
        cell: None,
        kind: FindingKind::EntryPathClosed,
        verdict: Verdict::Pass,
        evidence: digest("evidence"),
        note: String::new(),
    }
}

fn events_of_work() -> Vec<Event> {
    let finding = FindingEntry {
        number: 7,
        cell: Some(cell("alder/web")),
        kind: FindingKind::ScanClean,
        verdict: Verdict::Fail,
        evidence: digest("evidence"),
        note: "indicator found".into(),
    };
    vec![
        Event::TasksStarted { tasks: tasks() },
        Event::TasksFinished { tasks: tasks() },
        Event::TasksFailed { tasks: tasks() },
        Event::FindingsAdded {
            findings: vec![finding],
        },
        Event::FindingWithdrawn { finding: 7 },
        Event::PlanProposed { plan: plan() },
        Event::PlanAdopted {
            plan: digest("plan"),
        },
        Event::ForecastPublished {
            forecast: forecast(),
        },
    ]
}

fn events_of_agreement() -> Vec<Event> {
    vec![
        Event::WishStated {
            tenant: "alder".parse().unwrap(),
            order: cells(),
        },
        Event::SlotsOffered { slots: slots() },
        Event::SlotsAgreed { cells: cells() },
        Event::SlotsDeclined { cells: cells() },
        Event::SlotsMissed { cells: cells() },
        Event::CellsAccepted {
            cells: cells(),
            passed: false,
        },
    ]
}

fn events_of_opening() -> Vec<Event> {
    let release = digest("release");
    vec![
        Event::ReleaseProposed {
            release,
            envelope: envelope(),
            break_glass: false,
        },
        Event::SignatureAdded {
            release,
            keyid: keyid(),
            sig: "01fe".into(),
        },
        Event::ReleaseDropped {
            release,
            why: "drawn up again".into(),
        },
        Event::CellsReleased {
            release,
            stage: Stage::Pilot,
            cells: vec![(cell("alder/web"), Epoch(4))],
            not_after: at(900),
            envelope: envelope(),
            break_glass: false,
        },
        Event::GapCaughtUp { cells: cells() },
        Event::GateReported {
            gate: "gate-1".parse().unwrap(),
            applied: 9,
            decisions: vec![decision()],
            changed: vec![(cell("alder/web"), Stage::Full, Epoch(4))],
        },
        Event::NoticePublished {
            notice: 1,
            text: text(),
            next_word_at: at(60),
            tenant: Some("alder".parse().unwrap()),
        },
        Event::NoticeRevised {
            notice: 1,
            text: text(),
            next_word_at: at(60),
        },
        Event::BreakGlassReviewed { release },
        Event::DelegationAdopted {
            tenant: "alder".parse().unwrap(),
            version: 1,
            envelope: envelope(),
        },
        Event::FindingsSigned {
            findings: vec![finding_signed()],
            signer: "forensics-1".parse().unwrap(),
            role: anlauf_model::Role::Forensics,
            found_at: at(12),
            envelope: envelope(),
        },
    ]
}

/// Each event as a whole line of the ledger.
pub fn entries() -> Vec<Entry> {
    let scopes = [
        Scope::Provider,
        Scope::Everyone,
        Scope::Tenant("alder".parse().unwrap()),
    ];
    let entry = |(index, event): (usize, Event)| Entry {
        seq: index as u64 + 1,
        at: at(index as i64),
        actor: cast::actor(if index % 2 == 0 { "op" } else { "alder" }),
        reason: "as agreed, „gut“".into(),
        key: format!("key-{index}"),
        command: digest("command"),
        scope: scopes[index % 3].clone(),
        event,
    };
    events().into_iter().enumerate().map(entry).collect()
}

/// Place of an event in [`events`]. A new variant does not compile until it has one, and the
/// test below does not pass until it has a sample.
pub fn place(event: &Event) -> usize {
    match event {
        Event::LandscapeAdopted { .. } => 0,
        Event::RootAdopted { .. } => 1,
        Event::PolicyAdopted { .. } => 2,
        Event::IncidentDeclared { .. } => 3,
        Event::IncidentNarrowed { .. } => 4,
        Event::SiteHeld { .. } => 5,
        Event::IncidentEnded => 6,
        Event::CloseOrdered { .. } => 7,
        Event::CellsClosed { .. } => 8,
        Event::TasksStarted { .. } => 9,
        Event::TasksFinished { .. } => 10,
        Event::TasksFailed { .. } => 11,
        Event::FindingsAdded { .. } => 12,
        Event::FindingWithdrawn { .. } => 13,
        Event::PlanProposed { .. } => 14,
        Event::PlanAdopted { .. } => 15,
        Event::ForecastPublished { .. } => 16,
        Event::WishStated { .. } => 17,
        Event::SlotsOffered { .. } => 18,
        Event::SlotsAgreed { .. } => 19,
        Event::SlotsDeclined { .. } => 20,
        Event::SlotsMissed { .. } => 21,
        Event::CellsAccepted { .. } => 22,
        Event::ReleaseProposed { .. } => 23,
        Event::SignatureAdded { .. } => 24,
        Event::ReleaseDropped { .. } => 25,
        Event::CellsReleased { .. } => 26,
        Event::GapCaughtUp { .. } => 27,
        Event::GateReported { .. } => 28,
        Event::NoticePublished { .. } => 29,
        Event::NoticeRevised { .. } => 30,
        Event::BreakGlassReviewed { .. } => 31,
        Event::DelegationAdopted { .. } => 32,
        Event::FindingsSigned { .. } => 33,
    }
}
