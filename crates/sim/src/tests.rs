//! Seeds that must hold, and mistakes that must be found.

use crate::report::Events;
use crate::{Mutant, play, run};

/// Events that all quarters play together, by default: what every run of the tests must see.
const EVENT_COUNT_MIN: u64 = 10_000_000;

/// Plays a quarter of the seeds: ten million events in all in the fast set, many and long seeds
/// with `SLOW=1`.
fn seeds_hold(quarter: u64) {
    let (count, steps) = match std::env::var_os("SLOW") {
        Some(_) => (200, 2_000),
        None => (6, 250),
    };
    let (mut releases, mut closes, mut forgeries) = (0, 0, 0);
    let mut events = Events::default();
    for seed in quarter * 1_000..quarter * 1_000 + count {
        let report =
            run(seed, steps).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        assert_eq!(report.steps, steps);
        releases += report.releases;
        closes += report.closes;
        forgeries += report.forgeries;
        events.add(&report.events);
    }
    println!("{events}");
    // A storm that moves nothing would prove nothing.
    let moved = (releases, closes, forgeries);
    assert!(
        releases > 400 && closes > 80 && forgeries > 200,
        "{moved:?}"
    );
    assert!(events.count() >= EVENT_COUNT_MIN / 4, "{events}");
    let each = [
        events.commands,
        events.messages,
        events.actions,
        events.trees,
        events.faults,
    ];
    assert!(each.iter().all(|count| *count > 200), "{events}");
}

#[test]
fn seeds_of_the_first_quarter_hold() {
    seeds_hold(0);
}

#[test]
fn seeds_of_the_second_quarter_hold() {
    seeds_hold(1);
}

#[test]
fn seeds_of_the_third_quarter_hold() {
    seeds_hold(2);
}

#[test]
fn seeds_of_the_last_quarter_hold() {
    seeds_hold(3);
}

#[test]
fn a_seed_plays_the_same_again() {
    assert_eq!(run(7, 60), run(7, 60));
    assert_ne!(run(7, 60), run(8, 60));
}

/// Steps in which a mistake must show.
const MUTANT_STEPS: u32 = 400;

/// Seeds among which a mistake must show, from the one in the list on.
const MUTANT_SEEDS: u64 = 40;

/// The canary: checkers that found nothing here would find nothing in earnest.
fn mistakes_are_found(part: usize) {
    let mut wrong = String::new();
    for mutant in Mutant::ALL.into_iter().skip(part).step_by(4) {
        let first = mutant.seed();
        let found = (first..first + MUTANT_SEEDS).find_map(|seed| {
            let violation = play(seed, MUTANT_STEPS, Some(mutant)).err()?;
            (violation.checker == mutant.checker()).then_some((seed, violation))
        });
        match found {
            Some((seed, violation)) => println!("{mutant:?}, seed {seed}: {violation}"),
            None => wrong += &format!("{mutant:?}\n"),
        }
    }
    assert!(wrong.is_empty(), "not found by the right checker:\n{wrong}");
}

#[test]
fn every_mistake_is_found_by_its_checker_first_quarter() {
    mistakes_are_found(0);
}

#[test]
fn every_mistake_is_found_by_its_checker_second_quarter() {
    mistakes_are_found(1);
}

#[test]
fn every_mistake_is_found_by_its_checker_third_quarter() {
    mistakes_are_found(2);
}

#[test]
fn every_mistake_is_found_by_its_checker_last_quarter() {
    mistakes_are_found(3);
}

/// Each mistake has a name, and stands in the list for people.
#[test]
fn every_mistake_is_in_the_list() {
    let list = include_str!("../../../docs/mutants.md");
    for mutant in Mutant::ALL {
        assert_eq!(Mutant::named(&format!("{mutant:?}")), Some(mutant));
        let line = format!("| `{mutant:?}` |");
        let found = list.lines().find(|known| known.contains(&line));
        let found = found.unwrap_or_else(|| panic!("docs/mutants.md lacks {mutant:?}"));
        let checker = format!("| {} |", mutant.checker());
        assert!(found.contains(&checker), "{found}");
    }
}
