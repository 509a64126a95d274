//! Pictures as text: light, complete, harmless, the same whatever the order.

use anlauf_model::{Language, Minutes, Range, Timestamp};

use super::{Axis, Band, Change, Course, Load, Move, Plan, Row, TeamLoad};
use super::{change, course, load, plan};

/// Most that a picture of the reference landscape may weigh. Bytes.
const SIZE_MAX: usize = 300 * 1024;

const BEGIN: Timestamp = Timestamp(1_777_060_800_000);

fn hour(hour: i64) -> Timestamp {
    BEGIN + Minutes::hours(hour)
}

fn axis() -> Axis {
    Axis {
        from: BEGIN,
        to: hour(1200),
        now: Some(hour(300)),
        days: (1..50)
            .map(|day| (hour(day * 24), format!("day {day}")))
            .collect(),
    }
}

/// As many openings as the reference landscape has, spread without a pattern.
fn crowded(row_count: i64, per_row: i64) -> Plan {
    let rows = (0..row_count).map(|row| {
        let spread = |index: i64| hour((row * 7919 + index * 104_729) % 1200);
        Row {
            name: format!("Mandant {row} mit einem längeren Namen"),
            note: format!("{row} / {per_row}"),
            work: Some((hour(row), hour(row + 900))),
            planned: (0..per_row).map(spread).collect(),
            opened: (per_row..2 * per_row).map(spread).collect(),
            slots: vec![(hour(row * 3), hour(row * 3 + 8)); 9],
            last: Some(Range {
                p50: hour(800),
                p80: hour(900),
                p95: hour(1000),
            }),
            chain: vec![(hour(20), hour(60)); 12],
        }
    });
    Plan {
        id: "p".to_owned(),
        title: "plan".to_owned(),
        axis: axis(),
        bands: vec![Band {
            name: "audit".to_owned(),
            from: hour(100),
            to: hour(110),
        }],
        rows: rows.collect(),
    }
}

fn teams() -> Load {
    let team = |lanes: u32| TeamLoad {
        name: format!("team of {lanes}"),
        note: "12 h".to_owned(),
        lanes,
        load: (0..96).map(|column| column * 13 % 1400).collect(),
    };
    Load {
        id: "l".to_owned(),
        title: "load".to_owned(),
        axis: axis(),
        teams: (1..20).map(team).collect(),
    }
}

fn moves() -> Change {
    let one = |index: i64| Move {
        name: format!("cell {index}"),
        note: "1 h".to_owned(),
        from: (index % 7 != 0).then(|| hour(index * 11)),
        to: (index % 5 != 0).then(|| hour(1000 - index * 11)),
    };
    Change {
        id: "c".to_owned(),
        title: "change".to_owned(),
        axis: axis(),
        moves: (0..60).map(one).collect(),
    }
}

fn way() -> Course {
    let line = |from: i64, slow: i64, begin: u32| {
        (0..1700 - begin)
            .map(|step| (hour(from + i64::from(step) * slow / 4), begin + step))
            .collect::<Vec<_>>()
    };
    Course {
        id: "w".to_owned(),
        title: "course".to_owned(),
        axis: axis(),
        total: 1700,
        released: (0..600)
            .map(|step| (hour(i64::from(step) / 2), step))
            .collect(),
        planned: line(300, 2, 600),
        fan: [line(300, 1, 600), line(300, 2, 600), line(300, 3, 600)],
    }
}

/// Every picture, of the largest landscape there is a figure for.
fn all(language: Language) -> [(&'static str, String); 5] {
    [
        ("by service", plan(&crowded(28, 80), language).0),
        ("by tenant", plan(&crowded(81, 25), language).0),
        ("load", load(&teams(), language).0),
        ("change", change(&moves(), language).0),
        ("course", course(&way(), language).0),
    ]
}

#[test]
fn a_picture_of_the_reference_landscape_is_light() {
    for (name, text) in all(Language::De) {
        assert!(text.len() <= SIZE_MAX, "{name}: {} bytes", text.len());
    }
}

#[test]
fn a_picture_is_named_and_described_in_both_languages() {
    for ((name, german), (_, english)) in all(Language::De).iter().zip(all(Language::En)) {
        for text in [german, &english] {
            assert!(text.contains("role=\"img\" width=\"100%\""), "{name}");
            for id in ["-title\"", "-about\""] {
                let defined = text.split(" id=\"").skip(1);
                let defined = defined
                    .filter(|rest| rest.find('"') == rest.find(id).map(|at| at + id.len() - 1));
                let defined = defined.count();
                assert_eq!(defined, 1, "{name}: {id} is defined once");
            }
        }
        let about = |text: &str| text.split("<desc").nth(1).map(str::to_owned);
        assert_ne!(about(german), about(&english), "{name}");
    }
}

#[test]
fn a_picture_runs_nothing_and_breaks_out_of_nothing() {
    let mut plan_of = crowded(1, 1);
    plan_of.rows[0].name = "<script>alert('x')</script>\"".to_owned();
    plan_of.bands[0].name = "</title><b>".to_owned();
    let text = plan(&plan_of, Language::En).0;
    assert!(!text.contains("<script") && !text.contains("<b>"), "{text}");
    for (name, text) in all(Language::De) {
        assert!(!text.contains("style=\""), "{name} has a style inline");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{name}");
    }
}

#[test]
fn every_open_element_is_closed() {
    for (name, text) in all(Language::En) {
        let mut open: Vec<&str> = Vec::new();
        for piece in text.split('<').skip(1) {
            let (tag, _) = piece.split_once('>').expect("an element ends");
            let word = tag.split([' ', '/']).find(|word| !word.is_empty());
            let word = word.expect("an element has a name");
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(word), "{name}");
            } else {
                open.push(word);
            }
        }
        assert!(open.is_empty(), "{name}: {open:?}");
    }
}

#[test]
fn the_order_of_openings_changes_nothing() {
    let one = crowded(3, 40);
    let mut other = one.clone();
    for row in &mut other.rows {
        row.planned.reverse();
        row.opened.rotate_left(7);
    }
    assert_eq!(plan(&one, Language::De).0, plan(&other, Language::De).0);
}

#[test]
fn shapes_stay_on_the_axis() {
    // Whatever lies before its begin or after its end is cut there.
    let mut early = crowded(1, 1);
    early.rows[0].planned = vec![hour(-50), hour(5000)];
    early.rows[0].work = Some((hour(-50), hour(5000)));
    let text = plan(&early, Language::En).0;
    assert!(
        text.contains("class=\"planned\" d=\"M0 18v13M1000 18v13\""),
        "{text}"
    );
    assert!(
        text.contains("class=\"work\" d=\"M0 20h1000v9h-1000z\""),
        "{text}"
    );
}

#[test]
fn a_later_opening_and_a_sooner_one_look_different() {
    let one = |from: i64, to: i64| Move {
        from: Some(hour(from)),
        to: Some(hour(to)),
        ..Move::default()
    };
    let mut two = moves();
    two.moves = vec![one(10, 20)];
    let later = change(&two, Language::En).0;
    two.moves = vec![one(20, 10)];
    let sooner = change(&two, Language::En).0;
    assert!(later.contains("class=\"move later\"") && !later.contains("class=\"move sooner\""));
    assert!(sooner.contains("class=\"move sooner\"") && !sooner.contains("class=\"move later\""));
}

#[test]
fn the_fan_opens_to_the_right_and_ends_at_the_top() {
    let mut small = way();
    small.total = 4;
    small.released = vec![(BEGIN, 0), (hour(300), 2)];
    small.planned = Vec::new();
    let line = |hours: [i64; 2]| vec![(hour(300), 2), (hour(hours[0]), 3), (hour(hours[1]), 4)];
    small.fan = [line([360, 480]), line([420, 600]), line([480, 840])];
    let text = course(&small, Language::En).0;
    // From P50 forward, back along P80: up, level; level, down.
    let inner = "class=\"fan-80\" d=\"M250 130H300V65H400V0H500V0V65H350V130H250z\"";
    assert!(text.contains(inner), "{text}");
    let half = "class=\"course-50\" d=\"M250 130H300V65H400V0\"";
    assert!(text.contains(half), "{text}");
}

#[test]
fn a_full_team_fills_its_row() {
    let mut one = teams();
    one.teams = vec![TeamLoad {
        lanes: 2,
        load: vec![1000, 500, 0, 2000],
        ..TeamLoad::default()
    }];
    let text = load(&one, Language::En).0;
    assert!(text.contains("class=\"load-full\" d=\"M0 18h250v30h-250zM750 18h250v30h-250z\""));
    assert!(
        text.contains("class=\"load-low\" d=\"M250 33h250v15h-250z\""),
        "{text}"
    );
    assert!(
        text.contains("class=\"lane-line\" d=\"M0 33H1000\""),
        "{text}"
    );
}
