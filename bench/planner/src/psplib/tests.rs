//! Reading instances and bounds, generating, counting: on instances of our own making.

use std::path::Path;

use anlauf_scheduler::makespan::{self, Budget};

use super::*;

/// A start, four pieces of work for a crew of 3, an end.
const SMALL: &str = "6 1
3
0 0 2 2 3
3 2 1 4
2 2 1 5
2 1 1 6
4 1 1 6
0 0 0
";

fn words(error: &anyhow::Error) -> String {
    format!("{error:#}")
}

#[test]
fn an_instance_is_read_solved_and_written_again() {
    let problem = patterson::read(SMALL).unwrap();
    assert_eq!(patterson::write(&problem), SMALL);
    let budget = Budget {
        steps: 1_000_000,
        is_over: &|| false,
    };
    let outcome = makespan::search(&problem, 1, budget, 1);
    assert_eq!((outcome.makespan, outcome.is_proven), (7, true));
    // Line ends and blanks are as people leave them.
    let loose = SMALL.replace('\n', " \r\n\r\n\t");
    assert_eq!(patterson::write(&patterson::read(&loose).unwrap()), SMALL);
}

#[test]
fn a_broken_instance_is_named_with_its_line() {
    let broken = [
        (
            "",
            "the text ends after line 0 where the number of activities is expected",
        ),
        (
            "6",
            "the text ends after line 1 where the number of resources is expected",
        ),
        (
            "0 1\n3",
            "line 1: 0 activities on 1 resources is no instance of this format",
        ),
        (
            "99999999 1",
            "line 1: 99999999 activities on 1 resources is no instance of this format",
        ),
        (
            "2 1\n3\n1 x 0",
            "cannot read activity 1: line 3: its demand of resource 1 is expected, found `x`: \
             invalid digit found in string",
        ),
        (
            "1 1\n3\n-1 1 0",
            "cannot read activity 1: line 3: its duration is expected, found `-1`: \
             invalid digit found in string",
        ),
        (
            "1 1\n3\n1 1 1 2",
            "cannot read activity 1: line 3: successor 2 is not among the activities 1 to 1",
        ),
        (
            "1 1\n3\n1 1 2 1",
            "cannot read activity 1: the text ends after line 3 where a successor is expected",
        ),
        (
            "1 1\n3\n1 1 0\n7",
            "line 4: nothing is expected after the last activity, found `7`",
        ),
        (
            "1 1\n3\n1 4 0",
            "activity 0 needs 4 of resource 0, which has 3; raise the capacity or lower the \
             demand",
        ),
        (
            "2 0\n1 1 2\n1 1 1",
            "activities 1 → 0 wait for each other in a circle",
        ),
    ];
    for (text, wanted) in broken {
        let error = patterson::read(text).expect_err(text);
        assert_eq!(words(&error), wanted, "{text}");
    }
}

#[test]
fn bounds_are_read_by_the_names_of_their_columns() {
    let text = "Title;Own\nID;Ref1;LB value;UB value\n1;0;70;77\n2;0;8;8\n# Notes:\nID;1\n";
    let bounds = known::read(text).unwrap();
    assert_eq!(bounds.get(&1), Some(&(70, 77)));
    assert_eq!((bounds.get(&2), bounds.len()), (Some(&(8, 8)), 2));
    let broken = [
        (
            "1;2;3",
            "no line begins with `ID;`: this is no table of bounds",
        ),
        (
            "ID;LB value\n1;2",
            "the table of bounds has no column `UB value`",
        ),
        (
            "ID;LB value;UB value\n1;2;x",
            "line 2: `x` is no number: invalid digit found in string",
        ),
        (
            "ID;LB value;UB value\n1;9;8",
            "line 2: lower bound 9 above upper bound 8",
        ),
    ];
    for (text, wanted) in broken {
        assert_eq!(words(&known::read(text).expect_err(text)), wanted);
    }
}

#[test]
fn generated_instances_are_like_their_shape() {
    for shape in generator::shapes(60, 12, 5) {
        let problem = generator::generate(shape).unwrap();
        let again = generator::generate(shape).unwrap();
        let text = patterson::write(&problem);
        assert_eq!(
            text,
            patterson::write(&again),
            "the same for the same shape"
        );
        assert_eq!(patterson::write(&patterson::read(&text).unwrap()), text);
        let activities = problem.activities();
        assert_eq!(activities.len(), 62);
        let arcs: usize = activities.iter().map(|a| a.successors.len()).sum();
        let complexity = arcs as f64 / 62.0;
        assert!(
            complexity > shape.complexity - 0.1,
            "{shape:?}: {complexity}"
        );
        assert!(
            complexity < shape.complexity + 0.3,
            "{shape:?}: {complexity}"
        );
        let used = activities[1].demands.iter().filter(|d| **d > 0).count();
        assert_eq!(used as u32 * 25, shape.factor);
        let reached = activities.iter().filter(|a| a.successors.is_empty());
        assert_eq!(reached.count(), 1, "only the last has nothing after it");
    }
}

#[test]
fn a_sample_is_spread_evenly() {
    let paths: Vec<PathBuf> = (0..480).map(|i| PathBuf::from(i.to_string())).collect();
    let twenty = spread(&paths, 20);
    assert_eq!(
        (twenty.len(), &twenty[0], &twenty[19]),
        (20, &paths[12], &paths[468])
    );
    assert_eq!(spread(&paths, 0).len(), 480);
    assert_eq!(spread(&paths, 481).len(), 480);
    assert_eq!(number(Path::new("J60_12.txt")), Some(12));
    assert_eq!(number(Path::new("readme.txt")), None);
}

#[test]
fn a_contradiction_between_bounds_stops_the_run() {
    let mut row = Row {
        critical_path: 5,
        known: Some((7, 8)),
        makespan: 8,
        lower_bound: 7,
        is_proven: false,
        took: Duration::ZERO,
        answer: None,
    };
    assert!(row.look_for_contradictions().is_ok());
    row.lower_bound = 9;
    let error = row.look_for_contradictions().expect_err("9 is above 8");
    assert_eq!(words(&error), "our lower bound 9 is above our makespan 8");
    row.lower_bound = 7;
    row.makespan = 6;
    assert!(row.look_for_contradictions().is_err());
}

/// The data is not part of the tree: `ANLAUF_PSPLIB` names its folder.
#[test]
fn instances_at_hand_are_within_their_known_bounds() {
    let Some(folder) = std::env::var_os("ANLAUF_PSPLIB") else {
        eprintln!("skipped: ANLAUF_PSPLIB names no folder with PSPLIB instances");
        return;
    };
    for instance in load(Path::new(&folder), "J30", 24).unwrap() {
        let budget = Budget {
            steps: 20_000_000,
            is_over: &|| false,
        };
        let outcome = makespan::search(&instance.problem, 1, budget, 1);
        let checked = makespan::check(&instance.problem, &outcome.schedule).unwrap();
        let (least, most) = instance.known.unwrap();
        assert_eq!(checked, outcome.makespan, "{}", instance.name);
        assert!(
            least <= checked && outcome.lower_bound <= most,
            "{}",
            instance.name
        );
    }
}
