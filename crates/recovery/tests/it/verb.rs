//! Words of a story line, turned into orders.

use std::collections::BTreeMap;

use anlauf_model::feed::{GateCellState, GateDecision, GateReport};
use anlauf_model::{
    CellId, Digest, Epoch, Forecast, Minutes, Plan, PlanRow, Slot, TaskKind, Text, Timestamp,
    Verdict,
};
use anlauf_recovery::command::{FindingDraft, SignatureDraft, SlotDraft, TaskRef, WaveDraft};
use anlauf_recovery::{Order, close_statement, close_with_dependents};
use anlauf_trust::{Finding, Scope};

use crate::cast;
use crate::story::{House, kind, minutes, stage, task};

pub fn cell(word: &str) -> CellId {
    word.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// `alder/web`, `alder/web,alder/mail`, `alder/*`, `*`.
pub fn cells(word: &str) -> Vec<CellId> {
    let all = cast::LANDSCAPE.cells().keys();
    match word.strip_suffix("/*") {
        Some(owner) => all.filter(|cell| cell.owner() == owner).cloned().collect(),
        None if word == "*" => all.cloned().collect(),
        None => word.split(',').map(cell).collect(),
    }
}

/// `r3`, or `last`.
pub fn release(house: &House, name: &str) -> Digest {
    let known = match name.strip_prefix('r').map(str::parse::<usize>) {
        Some(Ok(number)) => house.releases.get(number - 1),
        _ if name == "last" => house.releases.last(),
        _ => panic!("what is {name}?"),
    };
    known.copied().unwrap_or(Digest([0; 32]))
}

fn text(words: &[&str]) -> Text {
    let text = words.join(" ");
    Text {
        de: text.clone(),
        en: text,
    }
}

/// One order.
pub fn order(house: &House, who: &str, verb: &str, what: &[&str]) -> Order {
    frame(house, verb, what)
        .or_else(|| close(house, who, verb, what))
        .or_else(|| work(verb, what))
        .or_else(|| signed_finding(house, verb, what))
        .or_else(|| agreement(house, verb, what))
        .or_else(|| releasing(house, who, verb, what))
        .or_else(|| planning(house, verb, what))
        .or_else(|| telling(house, verb, what))
        .unwrap_or_else(|| panic!("what is `{verb} {what:?}`?"))
}

fn frame(house: &House, verb: &str, what: &[&str]) -> Option<Order> {
    Some(match (verb, what) {
        ("adopt", ["landscape"]) => Order::AdoptLandscape {
            landscape: Box::new(cast::declared()),
        },
        ("adopt", ["landscape", "without", gone]) => {
            let mut landscape = Box::new(cast::declared());
            landscape
                .offers
                .retain(|o| format!("{}/{}", o.tenant, o.service) != *gone);
            Order::AdoptLandscape { landscape }
        }
        ("adopt", ["root", version]) => Order::AdoptRoot {
            envelope: cast::root(version.parse().unwrap()),
        },
        ("adopt", ["policy", version, rules]) => {
            let rules = match *rules {
                "normal" => cast::rules_normal(),
                "recovery" => cast::LANDSCAPE.declared().policy.clone(),
                other => panic!("which rules are {other}?"),
            };
            Order::AdoptPolicy {
                envelope: cast::policy(version.parse().unwrap(), rules),
            }
        }
        ("declare", title) => Order::DeclareIncident { title: text(title) },
        ("narrow", sites) => Order::NarrowIncident {
            sites: sites.iter().map(|s| s.parse().unwrap()).collect(),
        },
        ("hold", [site, span]) => Order::HoldSite {
            site: site.parse().unwrap(),
            until: house.now + minutes(span),
        },
        ("end", []) => Order::EndIncident,
        _ => return None,
    })
}

/// `close SCOPE [with dependents] [as WHO] [at gN]`.
fn close(house: &House, who: &str, verb: &str, what: &[&str]) -> Option<Order> {
    if verb != "close" {
        return None;
    }
    let (scope, rest) = match what {
        ["everything", rest @ ..] => (Scope::Everything, rest),
        ["site", site, rest @ ..] => (Scope::Site(site.parse().unwrap()), rest),
        ["tenant", tenant, rest @ ..] => (Scope::Tenant(tenant.parse().unwrap()), rest),
        ["service", service, rest @ ..] => (Scope::Service(service.parse().unwrap()), rest),
        [list, "with", "dependents", rest @ ..] => {
            let all = close_with_dependents(&house.state, &cells(list));
            (Scope::Cells(all.into_iter().collect()), rest)
        }
        [list, rest @ ..] => (Scope::Cells(cells(list)), rest),
        [] => panic!("close what?"),
    };
    let mut statement = close_statement(&house.state, house.now, scope, "as the story goes");
    let mut signer = who;
    for pair in rest.chunks(2) {
        match pair {
            ["as", other] => signer = other,
            ["at", epoch] => statement.epoch = Epoch(epoch[1..].parse().unwrap()),
            other => panic!("what is {other:?}?"),
        }
    }
    Some(Order::Close {
        envelope: cast::sealed(statement.to_payload(), &[signer]),
    })
}

/// `brings KIND VERDICT [CELLS] by WHO [ago SPAN]`: what WHO found and signed, whoever carries it.
fn signed_finding(house: &House, verb: &str, what: &[&str]) -> Option<Order> {
    if verb != "brings" {
        return None;
    }
    let (said, rest) = what.split_at(what.iter().position(|word| *word == "by")?);
    let (who, ago) = match rest {
        ["by", who] => (who, Minutes(0)),
        ["by", who, "ago", span] => (who, minutes(span)),
        other => panic!("what is {other:?}?"),
    };
    let Some(Order::AddFindings { findings }) = work("finds", said) else {
        panic!("what is {said:?}?");
    };
    let first = findings.first()?.clone();
    let finding = Finding {
        domain: "drill-house".into(),
        cells: findings.into_iter().filter_map(|one| one.cell).collect(),
        kind: first.kind,
        verdict: first.verdict,
        evidence: first.evidence,
        at: house.now - ago,
        note: String::new(),
    };
    Some(Order::AddSignedFinding {
        envelope: cast::sealed(finding.to_payload(), &[who]),
    })
}

fn work(verb: &str, what: &[&str]) -> Option<Order> {
    let tasks = |word: &str, list: &str| -> Vec<TaskRef> {
        cells(list)
            .into_iter()
            .map(|cell| TaskRef {
                cell,
                task: task(word),
            })
            .collect()
    };
    Some(match (verb, what) {
        ("start", [word, list]) => Order::StartTasks {
            tasks: tasks(word, list),
        },
        ("finish", [word, list]) => Order::FinishTasks {
            tasks: tasks(word, list),
        },
        ("fail", [word, list]) => Order::FailTasks {
            tasks: tasks(word, list),
        },
        ("finds", [word, verdict, list @ ..]) => {
            let about: Vec<Option<CellId>> = match list {
                [] => vec![None],
                [list] => cells(list).into_iter().map(Some).collect(),
                _ => panic!("finds about what?"),
            };
            let verdict = match *verdict {
                "clear" => Verdict::Pass,
                "unclear" => Verdict::Fail,
                other => panic!("what is {other}?"),
            };
            let draft = |cell: Option<CellId>| FindingDraft {
                evidence: Digest::of(format!("{word} {cell:?}").as_bytes()),
                cell,
                kind: kind(word),
                verdict,
                note: String::new(),
            };
            Order::AddFindings {
                findings: about.into_iter().map(draft).collect(),
            }
        }
        ("withdraw", [number]) => Order::WithdrawFinding {
            finding: number.parse().unwrap(),
        },
        ("accept", [list]) => Order::AcceptCells {
            cells: cells(list),
            passed: true,
        },
        ("reject", [list]) => Order::AcceptCells {
            cells: cells(list),
            passed: false,
        },
        ("catch", ["up", list]) => Order::CatchUp { cells: cells(list) },
        _ => return None,
    })
}

fn agreement(house: &House, verb: &str, what: &[&str]) -> Option<Order> {
    Some(match (verb, what) {
        ("wish", [tenant, list]) => Order::StateWish {
            tenant: tenant.parse().unwrap(),
            order: cells(list),
        },
        ("offer", [list, from, "to", to]) => {
            let slot = Slot {
                from: house.now + minutes(from),
                to: house.now + minutes(to),
            };
            let slots = cells(list)
                .into_iter()
                .map(|cell| SlotDraft { cell, slot })
                .collect();
            Order::OfferSlots { slots }
        }
        ("agree", [list]) => Order::AgreeSlots { cells: cells(list) },
        ("decline", [list]) => Order::DeclineSlots { cells: cells(list) },
        _ => return None,
    })
}

fn releasing(house: &House, who: &str, verb: &str, what: &[&str]) -> Option<Order> {
    let wave = |word: &str, list: &str| WaveDraft {
        cells: cells(list),
        stage: stage(word),
    };
    let days = |span: &str| house.now + minutes(span);
    Some(match (verb, what) {
        ("propose", [word, list]) => Order::ProposeReleases {
            waves: vec![wave(word, list)],
            not_after: days("30d"),
        },
        ("propose", [word, list, "for", span]) => Order::ProposeReleases {
            waves: vec![wave(word, list)],
            not_after: days(span),
        },
        ("propose", [word, list, "times", count]) => {
            let cells: Vec<_> = (0..count.parse().unwrap())
                .flat_map(|_| cells(list))
                .collect();
            let waves = vec![WaveDraft {
                cells,
                stage: stage(word),
            }];
            Order::ProposeReleases {
                waves,
                not_after: days("30d"),
            }
        }
        ("sign", [name, rest @ ..]) => {
            let key = match rest {
                ["as", other] => other,
                _ => who,
            };
            let release = release(house, name);
            let envelope = house
                .state
                .releases
                .get(&release)
                .map(|case| case.envelope.clone());
            let mut envelope = envelope.unwrap_or_else(|| cast::root(1));
            if rest == ["otherwise"] {
                envelope.payload.push(b' ');
            }
            let signature = cast::signer(key).signature(&envelope);
            let sig = hex::encode(&signature.sig);
            let one = SignatureDraft {
                release,
                keyid: signature.keyid,
                sig,
            };
            let count = if rest == ["twice"] { 2 } else { 1 };
            Order::AddSignatures {
                signatures: vec![one; count],
            }
        }
        ("break", [word, list, "for", span]) => Order::BreakGlass {
            waves: vec![wave(word, list)],
            not_after: days(span),
        },
        ("review", [name]) => Order::ReviewBreakGlass {
            release: release(house, name),
        },
        ("release", names) => Order::Release {
            releases: names.iter().map(|name| release(house, name)).collect(),
        },
        _ => return None,
    })
}

fn planning(house: &House, verb: &str, what: &[&str]) -> Option<Order> {
    let plan = |parent: &str| {
        let parent = match parent {
            "nothing" => None,
            "plan" => house.state.plan.as_ref().map(|plan| plan.id),
            other => panic!("which plan is {other}?"),
        };
        let plan = Plan {
            id: Digest([0; 32]),
            parent,
            made_at: house.now,
            rows: Vec::new(),
            objective: 0,
            bound: 0,
        };
        plan.sealed()
    };
    Some(match (verb, what) {
        ("plan", ["on", parent]) => Order::ProposePlan {
            plan: Box::new(plan(parent)),
        },
        ("plan", ["on", parent, "has", cell, "decided", "after", span]) => {
            let mut plan = plan(parent);
            let start = house.now + minutes(span);
            plan.rows.push(PlanRow {
                cell: self::cell(cell),
                task: TaskKind::Decision,
                team: None,
                start,
                end: start + minutes("1h"),
            });
            Order::ProposePlan {
                plan: Box::new(plan.sealed()),
            }
        }
        ("plan", ["on", parent, "unsealed"]) => {
            let mut plan = plan(parent);
            plan.objective = 7;
            Order::ProposePlan {
                plan: Box::new(plan),
            }
        }
        ("adopt", ["plan"]) => {
            let proposed = house
                .state
                .proposed
                .values()
                .max_by_key(|plan| plan.made_at);
            let plan = proposed.map_or(Digest([0; 32]), |plan| plan.id);
            Order::AdoptPlan { plan }
        }
        ("forecast", [of]) => {
            let plan = match (*of, &house.state.plan) {
                ("plan", Some(plan)) => plan.id,
                _ => Digest([0; 32]),
            };
            Order::PublishForecast {
                forecast: Box::new(forecast(plan, house.now)),
            }
        }
        _ => return None,
    })
}

/// A forecast that tells nothing.
fn forecast(plan: Digest, made_at: Timestamp) -> Forecast {
    Forecast {
        plan,
        made_at,
        cells: BTreeMap::new(),
        tenants: BTreeMap::new(),
        services: BTreeMap::new(),
        whole: None,
        waits: BTreeMap::new(),
    }
}

fn telling(house: &House, verb: &str, what: &[&str]) -> Option<Order> {
    Some(match (verb, what) {
        ("tell", [whom, span, words @ ..]) => {
            let tenant = (*whom != "everyone").then(|| whom.parse().unwrap());
            Order::PublishNotice {
                text: text(words),
                next_word_at: house.now + minutes(span),
                tenant,
            }
        }
        ("correct", [number, span, words @ ..]) => {
            let (notice, next_word_at) = (number.parse().unwrap(), house.now + minutes(span));
            Order::ReviseNotice {
                notice,
                text: text(words),
                next_word_at,
            }
        }
        ("report", [gate, applied, rest @ ..]) => {
            let mut report = GateReport {
                gate: gate.parse().unwrap(),
                applied: applied.parse().unwrap(),
                table: None,
                root_version: 1,
                changed: Vec::new(),
                decisions: Vec::new(),
                counts: Default::default(),
                freshness: Vec::new(),
            };
            match rest {
                [] => {}
                ["refused", seq] => report.decisions.push(GateDecision {
                    seq: seq.parse().unwrap(),
                    accepted: false,
                    reasons: vec!["forged".into()],
                }),
                [id, word, epoch] => report.changed.push(GateCellState {
                    cell: cell(id),
                    stage: stage(word),
                    epoch: Epoch(epoch[1..].parse().unwrap()),
                }),
                other => panic!("what is {other:?}?"),
            }
            Order::ReportGate {
                report: Box::new(report),
            }
        }
        _ => return None,
    })
}

/// Lines that stand for several: what everyone does when nothing is in the way.
pub fn several(house: &House, who: &str, verb: &str, what: &[&str]) -> Option<Vec<String>> {
    Some(match (verb, what) {
        // Ordinary days: everything commissioned and open.
        ("commission", []) => {
            let mut lines = vec!["sec finds commissioned clear *".to_owned()];
            for owner in ["east", "west", "foundation", "shared", "alder", "birch"] {
                lines.push(format!("op open full {owner}/*"));
            }
            lines
        }
        // The attack: declared, contained, the rules of recovery in force, the way in closed.
        ("contain", []) => vec![
            "op declare attack".into(),
            "op close everything".into(),
            "op adopt policy 2 recovery".into(),
            "for finds entry_path_closed clear".into(),
        ],
        // The provider's work on one cell and what is found by it, up to the tenant's test.
        ("restore", [list]) => cells(list).iter().flat_map(restored).collect(),
        // One cell after another, the whole way.
        ("back", [list]) => cells(list).iter().flat_map(brought_back).collect(),
        ("decide", [list]) => {
            vec![
                format!("op start decision {list}"),
                format!("op finish decision {list}"),
            ]
        }
        ("test", [list]) => {
            vec![
                format!("{who} start acceptance {list}"),
                format!("{who} accept {list}"),
            ]
        }
        // A window from now on, agreed.
        ("settle", [list]) => {
            vec![
                format!("op offer {list} 0m to 8h"),
                format!("{who} agree {list}"),
            ]
        }
        ("open", [stage, list]) => opened(house, stage, list, "30d"),
        ("open", [stage, list, "for", span]) => opened(house, stage, list, span),
        _ => return None,
    })
}

fn brought_back(id: &CellId) -> Vec<String> {
    let cell = &cast::LANDSCAPE.cells()[id];
    let owner = id.owner();
    let mut lines = vec![format!("op restore {id}")];
    if cell.stages.contains(&anlauf_model::Stage::Pilot) {
        lines.push(format!("op open pilot {id}"));
    }
    if cell.tasks.contains_key(&anlauf_model::TaskKind::Acceptance) {
        lines.push(format!("{owner} test {id}"));
    }
    if cell.tenant().is_some() {
        lines.push(format!("{owner} settle {id}"));
    }
    lines.extend([format!("op decide {id}"), format!("op open full {id}")]);
    lines
}

fn restored(id: &CellId) -> Vec<String> {
    let cell = &cast::LANDSCAPE.cells()[id];
    let mut lines = Vec::new();
    for task in cell.tasks.keys() {
        if let Some(finding) = task.finding().filter(|_| task.word() != "acceptance") {
            lines.push(format!("op start {task} {id}"));
            lines.push(format!("op finish {task} {id}"));
            lines.push(format!("for finds {finding} clear {id}"));
        }
    }
    lines
}

fn opened(house: &House, stage: &str, list: &str, span: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut number = house.releases.len();
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for cell in cells(list) {
        owners
            .entry(cell.owner().to_owned())
            .or_default()
            .push(cell.to_string());
    }
    for (owner, cells) in owners {
        let cells = sorted_by_need(&cells);
        for wave in cells {
            number += 1;
            lines.push(format!("op propose {stage} {wave} for {span}"));
            for who in ["sec", "sec2", "own", "for", &owner] {
                if cast::PEOPLE.iter().any(|(name, ..)| *name == who) {
                    lines.push(format!("{who} sign r{number}"));
                }
            }
            lines.push(format!("op release r{number}"));
        }
    }
    lines
}

/// One wave, unless a cell needs another of the same owner: then that one goes first.
fn sorted_by_need(cells: &[String]) -> Vec<String> {
    let needs = |one: &String| {
        let cell = &cast::LANDSCAPE.cells()[&self::cell(one)];
        cell.needs
            .iter()
            .any(|need| cells.contains(&need.to_string()))
    };
    let (second, first): (Vec<_>, Vec<_>) = cells.iter().cloned().partition(needs);
    [first, second]
        .into_iter()
        .filter(|wave| !wave.is_empty())
        .map(|wave| wave.join(","))
        .collect()
}
