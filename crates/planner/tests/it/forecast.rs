//! Ranges: wide before anything is known, narrow and right after it.

use anlauf_model::{CellId, Forecast, Minutes, Range, Stage, Timestamp};
use anlauf_planner::{CellProgress, Search, TaskProgress, forecast, plan};
use rand::SeedableRng;
use rand_distr::{Distribution, LogNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::crews::{Crews, Truth};
use crate::world::{World, cell};

const ROW: &str = "site rz\n team crew 1 8-18\n service a tenant crew\n tenant elm 100 rz
    tenant oak 900 rz\n tenant ash 300 rz\n work tenant rebuild - 8\n work tenant decision - 1";

fn ranges(world: &World, samples: u32, seed: u64) -> Forecast {
    let plan = plan(&world.situation(), None, Search { seed, steps: 0 }).unwrap();
    forecast(&world.situation(), &plan, samples, seed)
}

fn hours(world: &World, at: Timestamp) -> f64 {
    (at - world.began).0 as f64 / 60.0
}

/// Marks the rebuilds of some cells as done, each `factor` times as long as estimated.
fn finish(world: &mut World, cells: impl Iterator<Item = CellId>, factor: f64) {
    for id in cells {
        let minutes = Minutes((480.0 * factor) as i64);
        let started = world.began;
        let done = TaskProgress::Done {
            started,
            finished: started + minutes,
        };
        let tasks = [(anlauf_model::TaskKind::Rebuild, done)].into();
        let progress = CellProgress {
            stage: Stage::Full,
            done: true,
            tasks,
        };
        world.progress.insert(id, progress);
    }
}

#[test]
fn the_same_seed_gives_the_same_ranges_and_another_does_not() {
    let world = World::told(ROW);
    assert_eq!(ranges(&world, 40, 1), ranges(&world, 40, 1));
    assert_ne!(ranges(&world, 40, 1).cells, ranges(&world, 40, 2).cells);
}

#[test]
fn ranges_are_ordered_and_the_whole_is_the_last_cell() {
    let world = World::told(ROW);
    let forecast = ranges(&world, 200, 1);
    let is_ordered = |r: &Range| r.p50 <= r.p80 && r.p80 <= r.p95;
    assert!(forecast.cells.values().all(is_ordered));
    let whole = forecast.whole.unwrap();
    assert_eq!(
        forecast.cells.values().map(|r| r.p95).max(),
        Some(whole.p95)
    );
    assert!(is_ordered(&whole));
    // The plan's own dates lie inside what is thought possible.
    let first = forecast.cells[&cell("oak/a")];
    assert!(hours(&world, first.p95) > 17.0, "{first:?}");
}

#[test]
fn before_anything_is_finished_ranges_are_wide() {
    let text = "site rz\n team crew 1 0-24\n service a tenant crew\n tenant elm 100 rz
        work tenant rebuild - 100";
    let world = World::told(text);
    let range = ranges(&world, 400, 3).cells[&cell("elm/a")];
    let (middle, late) = (hours(&world, range.p50), hours(&world, range.p95));
    assert!((90.0..140.0).contains(&middle), "{middle}");
    assert!(late > 2.0 * middle, "{middle} {late}");
}

/// Forty tenants: thirty are back, each after twice its estimate; ten are left.
#[test]
fn finished_tasks_move_and_narrow_the_ranges() {
    let mut text = "site rz\n team crew 1 0-24\n service a tenant crew\n".to_owned();
    for number in 0..40 {
        text.push_str(&format!("tenant k{number} {} rz\n", 1000 - number));
    }
    text.push_str("work tenant rebuild - 8\n now 400");
    let mut world = World::told(&text);
    let all: Vec<CellId> = world.landscape.cells().keys().cloned().collect();
    let (back, left) = all.split_at(30);
    finish(&mut world, back.iter().cloned(), 1.0);
    let right = ranges(&world, 400, 3).whole.unwrap();
    finish(&mut world, back.iter().cloned(), 2.0);
    let late = ranges(&world, 400, 3).whole.unwrap();
    let work = |at: Timestamp| hours(&world, at) - 400.0;
    assert_eq!(left.len(), 10);
    // Ten cells of 8 hours; noise and rework lift the mean above the median by about a sixth.
    assert!(
        (80.0..110.0).contains(&work(right.p50)),
        "{}",
        work(right.p50)
    );
    assert!(
        (150.0..220.0).contains(&work(late.p50)),
        "{}",
        work(late.p50)
    );
    assert!(
        work(late.p95) < 1.6 * work(late.p50),
        "{} {}",
        work(late.p50),
        work(late.p95)
    );
}

/// One team took twice its estimates thirty times; another has finished nothing so far.
#[test]
fn what_one_team_has_learned_moves_the_others() {
    let mut text = "site rz\n team crew 1 0-24\n team other 1 0-24\n service a tenant crew
        service b tenant other\n"
        .to_owned();
    for number in 0..30 {
        text.push_str(&format!("tenant k{number} {} rz\n", 1000 - number));
    }
    text.push_str("work tenant rebuild - 8\n now 400");
    let mut world = World::told(&text);
    let of_crew = |id: &&CellId| id.service() == "a";
    let back: Vec<CellId> = world
        .landscape
        .cells()
        .keys()
        .filter(of_crew)
        .cloned()
        .collect();
    let mut middle = |factor| {
        finish(&mut world, back.iter().cloned(), factor);
        hours(&world, ranges(&world, 300, 3).whole.unwrap().p50) - 400.0
    };
    let (right, late) = (middle(1.0), middle(2.0));
    assert!(late > 1.5 * right, "{right} {late}");
    assert!(late < 2.2 * right, "{right} {late}");
}

/// Thirty tenants are back. Their tasks of an hour and a half took half an hour longer; so did
/// those of twelve minutes, or they did not: then it was the noting, or it was the work.
#[test]
fn what_short_tasks_take_longer_too_is_not_the_work() {
    use anlauf_model::TaskKind::{Evidence, Rebuild};
    let mut text = "site rz\n team crew 1 0-24\n service a tenant crew\n".to_owned();
    for number in 0..60 {
        text.push_str(&format!("tenant k{number} {} rz\n", 1000 - number));
    }
    text.push_str("work tenant evidence crew 0.2\n work tenant rebuild - 1.5\n now 100");
    let mut world = World::told(&text);
    let cells = world.landscape.cells().keys();
    let back: Vec<CellId> = cells.take(30).cloned().collect();
    let mut middle = |short: i64| {
        for id in &back {
            let done = |minutes| TaskProgress::Done {
                started: world.began,
                finished: world.began + Minutes(minutes),
            };
            let progress = CellProgress {
                stage: Stage::Full,
                done: true,
                tasks: [(Evidence, done(short)), (Rebuild, done(120))].into(),
            };
            world.progress.insert(id.clone(), progress);
        }
        hours(&world, ranges(&world, 300, 3).whole.unwrap().p50) - 100.0
    };
    let (noting, work) = (middle(42), middle(12));
    assert!(noting < 0.9 * work, "{noting} {work}");
}

#[test]
fn an_agreed_window_is_a_floor() {
    let world = World::told(&format!("{ROW}\n slot oak/a 200 400"));
    let range = ranges(&world, 100, 1).cells[&cell("oak/a")];
    assert!(hours(&world, range.p50) >= 200.0, "{range:?}");
}

#[test]
fn holds_needs_and_freezes_are_kept_in_every_sample() {
    let text =
        "site rz\n team crew 2 0-24\n service net site crew\n service a tenant crew needs=net
        tenant elm 100 rz\n work foundation rebuild - 1\n work tenant evidence - 1
        work tenant rebuild - 1\n work tenant decision - 1\n hold rz 100\n freeze 4 8";
    let world = World::told(text);
    let forecast = ranges(&world, 200, 1);
    // Day 8 is hour 192; the decision comes after it.
    assert!(hours(&world, forecast.cells[&cell("elm/a")].p50) >= 192.0);
    assert!(hours(&world, forecast.cells[&cell("rz/net")].p50) >= 192.0);
}

#[test]
fn what_nobody_works_on_gets_no_date_and_nothing_behind_it_either() {
    let mut world = World::told(
        "site rz\n team crew 1 0-24\n team ill 1 0-24\n service net site ill
        service a tenant crew\n service b tenant crew needs=net\n tenant elm 100 rz
        work foundation rebuild - 1\n work tenant rebuild - 1",
    );
    let plan = plan(&world.situation(), None, Search { seed: 1, steps: 0 }).unwrap();
    world.lanes.insert("ill".parse().unwrap(), 0);
    let forecast = forecast(&world.situation(), &plan, 20, 1);
    let dated: Vec<String> = forecast.cells.keys().map(ToString::to_string).collect();
    assert_eq!(dated, ["elm/a"]);
    assert_eq!(forecast.whole, None);
}

#[test]
fn no_samples_give_no_ranges() {
    let forecast = ranges(&World::told(ROW), 0, 1);
    assert!(forecast.cells.is_empty());
    assert_eq!(forecast.whole, None);
}

/// Worlds drawn as the model believes the world to be: dates told early hold as often as they say.
#[test]
fn dates_hold_as_often_as_they_say() {
    let mut text = "site rz\n team crew 2 0-24\n team other 1 0-24\n service a tenant crew
        service b tenant other\n work tenant rebuild - 8\n work tenant decision crew 0.1\n"
        .to_owned();
    for number in 0..12 {
        text.push_str(&format!("tenant k{number} {} rz\n", 1000 - number));
    }
    let world = World::told(&text);
    let whole = ranges(&world, 400, 5).whole.unwrap();
    let (mut held, worlds) = ([0_u32; 3], 400);
    for seed in 0..worlds {
        let end = truth(&world, seed);
        held[0] += u32::from(end <= whole.p50);
        held[1] += u32::from(end <= whole.p80);
        held[2] += u32::from(end <= whole.p95);
    }
    let share = held.map(|count| f64::from(count) / worlds as f64);
    assert!((share[0] - 0.50).abs() < 0.12, "{share:?}");
    assert!((share[1] - 0.80).abs() < 0.10, "{share:?}");
    assert!((share[2] - 0.95).abs() < 0.05, "{share:?}");
}

/// When the last cell of a made-up world opens: lanes of the two teams filled one after another.
fn truth(world: &World, seed: u64) -> Timestamp {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed + 1000);
    let mut factor = |mean: f64, sd: f64| LogNormal::new(mean, sd).unwrap().sample(&mut chance);
    let incident = factor(0.1, 0.4);
    let mut last = 0.0_f64;
    for lanes in [2, 1] {
        let crew = incident * factor(0.0, 0.2);
        let mut free = vec![0.0_f64; lanes];
        for _ in 0..12 {
            free.sort_by(f64::total_cmp);
            // Eight hours, and a twelfth of them done again.
            free[0] += 8.0 * crew * factor(0.0, 0.45) * 1.05;
        }
        last = free.into_iter().fold(last, f64::max);
    }
    world.hour(last + 0.2)
}

/// How many of a hundred dates told in the middle of an incident held, at 50, 80 and 95 of 100.
///
/// The municipal landscape is brought back by crews that the planner does not know: another
/// prior of the incident, other noise, work noted to the quarter of an hour.
fn held_in_the_middle(worlds: u64, tails: bool) -> [f64; 3] {
    let (mut held, mut told) = ([0_u32; 3], 0_u32);
    for seed in 0..worlds {
        let mut world = World::shipped("kommunen");
        let search = Search { seed, steps: 0 };
        let first = plan(&world.situation(), None, search).unwrap();
        let mut crews = Crews::new(&world, Truth::new(seed, tails));
        crews.follow(&mut world, &first, 80);
        let next = plan(&world.situation(), Some(first.id), search).unwrap();
        let ranges = forecast(&world.situation(), &next, 100, seed);
        crews.follow(&mut world, &next, first.rows.len());
        for (id, range) in &ranges.cells {
            let open = crews.opened[id];
            told += 1;
            held[0] += u32::from(open <= range.p50);
            held[1] += u32::from(open <= range.p80);
            held[2] += u32::from(open <= range.p95);
        }
    }
    held.map(|count| (f64::from(count) * 100.0 / f64::from(told)).round())
}

#[test]
fn dates_told_in_the_middle_hold_as_often_as_they_say() {
    let held = held_in_the_middle(40, false);
    println!("{held:?}");
    assert!((held[0] - 50.0).abs() <= 15.0, "{held:?}");
    assert!((held[1] - 80.0).abs() <= 12.0, "{held:?}");
    assert!((held[2] - 95.0).abs() <= 8.0, "{held:?}");
}

#[test]
fn dates_hold_with_fatter_tails_too() {
    let held = held_in_the_middle(40, true);
    println!("{held:?}");
    assert!((held[0] - 50.0).abs() <= 18.0, "{held:?}");
    assert!((held[1] - 80.0).abs() <= 15.0, "{held:?}");
    assert!((held[2] - 95.0).abs() <= 8.0, "{held:?}");
}
