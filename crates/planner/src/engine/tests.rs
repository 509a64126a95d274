//! Both shipped landscapes through the scheduler and back.

use std::collections::BTreeMap;

use anlauf_model::landscape::source;
use anlauf_model::{CellId, Landscape, Minutes, Slot, TaskKind, Timestamp};
use anlauf_scheduler::weighted::validate;

use super::*;
use crate::detour::Detours;
use crate::rules;
use crate::serial::Schedule;
use crate::situation::{CellProgress, Situation, TaskProgress};

macro_rules! file {
    ($folder:literal, $file:literal) => {
        (
            $file.to_owned(),
            include_bytes!(concat!("../../../../landscapes/", $folder, "/", $file)).to_vec(),
        )
    };
}

macro_rules! landscape {
    ($folder:literal) => {{
        let files = BTreeMap::from([
            file!($folder, "landscape.toml"),
            file!($folder, "tenants.csv"),
            file!($folder, "offers.csv"),
            file!($folder, "people.csv"),
            file!($folder, "policy.toml"),
        ]);
        Landscape::new(source::read(&files).unwrap()).unwrap()
    }};
}

fn shipped() -> [Landscape; 2] {
    [landscape!("kommunen"), landscape!("krankenkassen")]
}

fn now() -> Timestamp {
    "2026-04-20T20:40:00Z".parse().unwrap()
}

/// From nothing: one site is held, nothing has begun.
fn situation(landscape: &Landscape) -> Situation<'_> {
    let site = landscape.declared().sites.first().unwrap().id.clone();
    Situation {
        landscape,
        now: now(),
        began: now(),
        progress: BTreeMap::new(),
        slots: BTreeMap::new(),
        wishes: BTreeMap::new(),
        holds: BTreeMap::from([(site, now() + Minutes::hours(30))]),
        lanes: BTreeMap::new(),
    }
}

fn usual(network: &Network<'_>) -> Kept {
    let taste = rules::orders(network, &network.works()).swap_remove(0);
    slots::keep(network, Taste::Cells(&taste), &[], &network.works()).unwrap()
}

/// The same with every seventh cell agreed, and evidence of every eleventh running.
fn busy<'a>(landscape: &'a Landscape, plan: &Schedule, network: &Network<'_>) -> Situation<'a> {
    let mut situation = situation(landscape);
    for (number, node) in network.nodes.iter().enumerate() {
        let id: &CellId = &node.cell.id;
        let open = network.origin.time(plan.open[number]);
        if number % 7 == 0 {
            let (from, to) = (open - Minutes::hours(48), open + Minutes::hours(96));
            situation.slots.insert(id.clone(), Slot { from, to });
        }
        if number % 11 == 0 && node.cell.tasks.contains_key(&TaskKind::Evidence) {
            let started = now() - Minutes::hours(1);
            let tasks = BTreeMap::from([(TaskKind::Evidence, TaskProgress::Running { started })]);
            let progress = CellProgress {
                tasks,
                ..CellProgress::default()
            };
            situation.progress.insert(id.clone(), progress);
        }
    }
    situation.began = now() - Minutes::hours(1);
    situation
}

fn all_of<'a>(situation: &Situation<'a>) -> Network<'a> {
    Network::new(situation, &Detours::begun(situation))
}

/// What `serial` places, the scheduler's validator accepts: nothing of the network got lost on the
/// way there. What the scheduler finds, `serial` places at the same minutes and no window is
/// missed: nothing got lost on the way back.
#[test]
fn schedules_mean_the_same_on_both_sides() {
    for landscape in &shipped() {
        let quiet = situation(landscape);
        let network = all_of(&quiet);
        let first = usual(&network);
        check(&network, &first);
        let busy = busy(landscape, &first.schedule, &network);
        let network = all_of(&busy);
        check(&network, &usual(&network));
    }
}

fn check(network: &Network<'_>, kept: &Kept) {
    let works = network.works();
    let instance = Instance::new(network, &works, &kept.schedule).unwrap();
    let start = instance.starts(network, &kept.schedule);
    assert_eq!(validate::flaws(&instance.problem, &start), vec![]);
    let walks = Walks::by_start(&instance.problem, &start, 1, 1).unwrap();
    let mut walks = walks.walking(200);
    for _ in 0..3 {
        walks.round(0.0);
    }
    let found = walks.into_best();
    assert_eq!(validate::flaws(&instance.problem, &found.start), vec![]);
    assert!(found.cost <= instance.problem.cost(&start));
    let back = placed(network, &instance, &found, &works);
    assert!(slots::missed(network, &back.schedule.open).is_empty());
    assert_eq!(instance.starts(network, &back.schedule), found.start);
    let cost = |kept: &Kept| cost::weighted_minutes(network, &kept.schedule.open);
    assert!(cost(&back) <= cost(kept));
}

/// A schedule that breaks a hold or has more side by side than there are lanes is told from one
/// that does not: the test above can fail.
#[test]
fn what_is_forgotten_is_found() {
    let [landscape, _] = &shipped();
    let quiet = situation(landscape);
    let network = all_of(&quiet);
    let first = usual(&network);
    let works = network.works();
    let mut other = network.clone();
    let held = |node: &mut crate::network::Node<'_>| node.hold += 3 * 24 * 60;
    other.nodes.iter_mut().for_each(held);
    let instance = Instance::new(&other, &works, &first.schedule).unwrap();
    let start = instance.starts(&other, &first.schedule);
    assert_ne!(validate::flaws(&instance.problem, &start), vec![]);
    let mut other = network.clone();
    other.crews.iter_mut().for_each(|crew| crew.lanes = 1);
    let instance = Instance::new(&other, &works, &first.schedule).unwrap();
    assert_ne!(validate::flaws(&instance.problem, &start), vec![]);
}
