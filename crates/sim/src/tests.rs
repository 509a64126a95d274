//! Seeds that must hold, and mistakes that must be found.

use crate::{Mutant, play, run};

/// Plays a quarter of the seeds: small ones in the fast set, many and long ones with `SLOW=1`.
fn seeds_hold(quarter: u64) {
    let (count, steps) = match std::env::var_os("SLOW") {
        Some(_) => (200, 2_000),
        None => (9, 100),
    };
    let (mut releases, mut closes, mut forgeries) = (0, 0, 0);
    for seed in quarter * 1_000..quarter * 1_000 + count {
        let report =
            run(seed, steps).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        assert_eq!(report.steps, steps);
        releases += report.releases;
        closes += report.closes;
        forgeries += report.forgeries;
    }
    // A storm that moves nothing would prove nothing.
    let moved = (releases, closes, forgeries);
    assert!(
        releases > 300 && closes > 200 && forgeries > 200,
        "{moved:?}"
    );
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

/// Who is to notice a mistake, and from which seed on it is looked for.
const CANARIES: [(Mutant, &str, u64); 18] = [
    (Mutant::GateBelieves, "gate", 0),
    (Mutant::GateCountsSignatures, "gate", 0),
    (Mutant::GateForgetsEpoch, "gate", 0),
    (Mutant::GateBurnsNothing, "gate", 0),
    (Mutant::GateIgnoresEnd, "gate", 1),
    (Mutant::GateLosesCloses, "gate", 0),
    (Mutant::GateIgnoresWideCloses, "gate", 0),
    (Mutant::GateTakesOldPolicy, "policy", 0),
    (Mutant::GateOpensNeighbours, "gate", 0),
    (Mutant::GateOpensWide, "gate", 0),
    (Mutant::GateTakesAnyTenant, "gate", 0),
    (Mutant::PlaneTellsEveryone, "scope", 0),
    (Mutant::PlaneRewrites, "ledger", 0),
    (Mutant::PlaneLosesEntry, "ledger", 0),
    (Mutant::PlaneRepeats, "repeat", 0),
    (Mutant::PlaneReleasesAlone, "release", 0),
    (Mutant::PlaneWithholds, "liveness", 0),
    (Mutant::PlaneSwallowsCloses, "close", 0),
];

/// The canary: checkers that found nothing here would find nothing in earnest.
#[test]
fn every_mistake_is_found_by_its_checker() {
    let mut wrong = String::new();
    for (mutant, checker, first) in CANARIES {
        let found = (first..first + 20).find_map(|seed| {
            let violation = play(seed, 400, Some(mutant)).err()?;
            Some((seed, violation))
        });
        let line = match &found {
            Some((seed, violation)) => format!("{mutant:?}, seed {seed}: {violation}\n"),
            None => format!("{mutant:?}: nobody found it\n"),
        };
        print!("{line}");
        if found.is_none_or(|(_, violation)| violation.checker != checker) {
            wrong += &line;
        }
    }
    assert!(wrong.is_empty(), "not found by the right checker:\n{wrong}");
    assert_eq!(CANARIES.map(|(mutant, ..)| mutant), Mutant::ALL);
}
