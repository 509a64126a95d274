use anlauf_model::{Minutes, Range, Timestamp};

use super::{Calibration, Outcome, weighted};

fn hour(hours: i64) -> Timestamp {
    Timestamp(0) + Minutes::hours(hours)
}

fn range(p50: i64, p80: i64, p95: i64) -> Range {
    Range {
        p50: hour(p50),
        p80: hour(p80),
        p95: hour(p95),
    }
}

fn outcomes(count: usize, came: Option<i64>) -> Vec<Outcome> {
    let told = Outcome {
        made_at: hour(0),
        told: range(100, 120, 140),
        came: came.map(hour),
    };
    vec![told; count]
}

#[test]
fn dates_that_came_late_move_the_next_ones_back_and_early_ones_forward() {
    let none = Calibration::new(&[]).moved(hour(0), range(100, 120, 140));
    let late = Calibration::new(&outcomes(400, Some(200))).moved(hour(0), range(100, 120, 140));
    let early = Calibration::new(&outcomes(400, Some(50))).moved(hour(0), range(100, 120, 140));
    assert!(late.p80 > none.p80, "{late:?} {none:?}");
    assert!(early.p50 <= none.p50, "{early:?} {none:?}");
    assert!(late.p50 <= late.p80 && late.p80 <= late.p95);
}

#[test]
fn a_date_that_has_not_come_counts_as_late() {
    let never = Calibration::new(&outcomes(400, None)).moved(hour(0), range(100, 120, 140));
    let none = Calibration::new(&[]).moved(hour(0), range(100, 120, 140));
    assert!(never.p95 > none.p95);
    // Bounded: twice the time at most.
    assert!(never.p95 <= hour(290), "{never:?}");
}

#[test]
fn one_incident_does_not_outweigh_the_others() {
    let told =
        |count| Calibration::new(&outcomes(count, Some(400))).moved(hour(0), range(100, 120, 140));
    let (few, many) = (told(400), told(40_000));
    // Four times as late as told, but P50 moves by a tenth: half of all incidents are not like
    // that.
    assert!((few.p50 - many.p50).0.abs() < 60, "{few:?} {many:?}");
    assert!(many.p50 < hour(115), "{many:?}");
}

#[test]
fn weighted_quantiles_are_those_of_repeated_values() {
    let scores = vec![(3.0, 1.0), (1.0, 2.0), (2.0, 1.0)];
    assert_eq!(weighted(scores.clone(), 0.2), 1.0);
    assert_eq!(weighted(scores.clone(), 0.625), 2.0);
    assert_eq!(weighted(scores.clone(), 0.75), 2.5);
    assert_eq!(weighted(scores, 0.99), 3.0);
    assert_eq!(weighted(Vec::new(), 0.5), 0.0);
}
