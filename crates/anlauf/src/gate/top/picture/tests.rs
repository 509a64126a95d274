//! Pictures of numbers as a gate writes them.

use anlauf_model::Language;

use super::*;

const FIRST: &str = "\
# TYPE anlauf_gate_requests_total counter
anlauf_gate_requests_total{outcome=\"passed\"} 1000
anlauf_gate_requests_total{outcome=\"refused\"} 50
anlauf_gate_requests_total{outcome=\"unknown\"} 3
anlauf_gate_requests_total{outcome=\"failed\"} 0
anlauf_gate_cut_total 2
anlauf_gate_turned_away_total{reason=\"crowded\"} 0
anlauf_gate_turned_away_total{reason=\"stranger\"} 4
anlauf_gate_turned_away_total{reason=\"headless\"} 0
anlauf_gate_stage_cells{stage=\"closed\"} 1786
anlauf_gate_stage_cells{stage=\"full\"} 4
anlauf_gate_visitors 7
anlauf_gate_applied 17
anlauf_gate_workers 2
anlauf_gate_control_age_seconds 3
anlauf_gate_cell_requests_total{cell=\"a/mail\",outcome=\"passed\"} 900
anlauf_gate_cell_requests_total{cell=\"a/mail\",outcome=\"cut\"} 2
anlauf_gate_cell_requests_total{cell=\"b/portal\",outcome=\"passed\"} 100
";

fn output(language: Language) -> Output {
    Output {
        json: false,
        language,
    }
}

fn first() -> Picture {
    Picture::new("http://gate", None, &Sample::read(FIRST), 10)
}

#[test]
fn totals_at_the_first_look() {
    let lines = first().lines(output(Language::En), usize::MAX).join("\n");
    insta::assert_snapshot!(lines, @r"
    gate http://gate: workers 2, control plane heard 3 s ago, feed item 17, inside 7
    cells: closed 1786, clean_room 0, pilot 0, basic 0, full 4
    requests: passed 1000, refused 50, unknown 3, failed 0, cut 2
    turned away: crowded 0, stranger 4, headless 0
    cell                                    passed   refused    failed       cut
    a/mail                                     900         0         0         2
    b/portal                                   100         0         0         0
    ");
}

/// 2 s later: `b/portal` is busier, and the gate has counted on.
#[test]
fn rates_from_the_second_look_on() {
    let before = Sample::read(FIRST);
    let now = FIRST
        .replace("passed\"} 1000", "passed\"} 1400")
        .replace("passed\"} 100\n", "passed\"} 500\n")
        .replace("stranger\"} 4", "stranger\"} 5");
    let then = Some((Duration::from_secs(2), &before));
    let picture = Picture::new("http://gate", then, &Sample::read(&now), 1);
    let lines = picture.lines(output(Language::De), 100).join("\n");
    insta::assert_snapshot!(lines, @r"
    Gate http://gate: Arbeiter 2, Leitstelle zuletzt gehört vor 3 s, Eintrag 17, drinnen 7
    Zellen: closed 1786, clean_room 0, pilot 0, basic 0, full 4
    Anfragen: passed 200/s (1400), refused 0/s (50), unknown 0/s (3), failed 0/s (0), cut 0/s (2)
    abgewiesen an der Tür: crowded 0/s (0), stranger 0/s (5), headless 0/s (0)
    Zelle                                   passed   refused    failed       cut
    b/portal                                 200/s       0/s       0/s       0/s
    ");
    let value = Value::from(&picture);
    assert_eq!(value["requests"]["passed"]["per_second"], 200.0);
    assert_eq!(value["cells"][0]["cell"], "b/portal");
}

/// A gate that was started anew has counted less than before.
#[test]
fn a_fresh_start_is_no_rate_below_nothing() {
    let before = Sample::read(FIRST);
    let then = Some((Duration::from_secs(1), &before));
    let picture = Picture::new("http://gate", then, &Sample::default(), 10);
    assert_eq!(
        Value::from(&picture)["requests"]["passed"]["per_second"],
        0.0
    );
}

#[test]
fn a_silent_gate_says_why_and_no_line_is_too_wide() {
    let silent = Picture::silent("http://gate", "connection refused".into());
    let lines = silent.lines(output(Language::En), usize::MAX);
    assert_eq!(
        lines,
        ["gate http://gate: does not answer: connection refused"]
    );
    for line in first().lines(output(Language::De), 21) {
        assert!(line.chars().count() <= 21, "{line}");
    }
}
