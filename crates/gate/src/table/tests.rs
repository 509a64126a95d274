//! Which cell a request belongs to, and what one word of state says.

use anlauf_model::landscape::{CellKind, Class};
use proptest::prelude::*;

use super::*;

fn spec(id: &str, host: &str, path: &str) -> GateCell {
    let id: CellId = id.parse().unwrap();
    GateCell {
        class: Class::A,
        kind: CellKind::Tenant,
        tenant: id.owner().parse().ok(),
        site: "rz-tal".parse().unwrap(),
        service: id.service().parse().unwrap(),
        host: host.into(),
        path: path.into(),
        upstream: None,
        basic: vec!["GET /".into(), "POST /form/".into(), "nonsense".into()],
        needs: Vec::new(),
        stages: vec![Stage::Full],
        id,
    }
}

fn built(cells: Vec<GateCell>) -> Result<Table, String> {
    let signed = GateTable { cells };
    Table::build(&signed, &Upstreams::default(), &Table::empty(), &|_| {
        Epoch(0)
    })
}

fn town() -> Table {
    built(vec![
        spec("stadt/a", "stadt.example", "/"),
        spec("stadt/b", "stadt.example", "/melden"),
        spec("stadt/c", "stadt.example", "/melden/auto/"),
        spec("stadt/d", "Dorf.Example", "/melden"),
    ])
    .unwrap()
}

#[test]
fn the_longest_path_wins() {
    let table = town();
    for (host, path, want) in [
        ("stadt.example", "/", "stadt/a"),
        ("stadt.example", "/x", "stadt/a"),
        ("stadt.example", "/meldenx", "stadt/a"),
        ("stadt.example", "/melden", "stadt/b"),
        ("stadt.example", "/melden/x", "stadt/b"),
        ("stadt.example", "/melden/autox", "stadt/b"),
        ("stadt.example", "/melden/auto", "stadt/c"),
        ("stadt.example", "/melden/auto/x", "stadt/c"),
        ("stadt.example", "/MELDEN/x", "no path"),
        ("dorf.example", "/melden", "stadt/d"),
        ("dorf.example", "/", "no path"),
        ("Dorf.Example", "/melden", "no host"),
        ("example", "/", "no host"),
        ("", "/", "no host"),
    ] {
        let found = match table.find(host, &[path.into()]) {
            Found::Cell(cell) => cell.spec.id.to_string(),
            Found::NoPath => "no path".into(),
            Found::NoHost => "no host".into(),
        };
        assert_eq!(found, want, "{host}{path}");
    }
}

#[test]
fn readings_that_differ_belong_to_nobody() {
    let table = town();
    let readings = |paths: [&'static str; 2]| paths.map(Cow::from);
    let found = |paths| {
        matches!(
            table.find("stadt.example", &readings(paths)),
            Found::Cell(_)
        )
    };
    assert!(found(["/melden/a/b", "/melden/a%2fb"]));
    assert!(!found(["/melden/a", "/melden%2fa"]));
    assert!(!found(["/melden/auto", "/melden"]));
}

#[test]
fn a_request_belongs_to_one_cell_only() {
    let twice = |cells| built(cells).err().unwrap();
    let same_path = twice(vec![
        spec("stadt/a", "x.example", "/p"),
        spec("stadt/b", "X.example", "/p/"),
    ]);
    assert_eq!(same_path, "host `x.example` has path `/p` twice");
    let same_id = twice(vec![
        spec("stadt/a", "x.example", "/p"),
        spec("stadt/a", "y.example", "/p"),
    ]);
    assert_eq!(same_id, "cell `stadt/a` is in it twice");
}

#[test]
fn states_outlive_a_table_and_new_cells_begin_at_what_was_burned() {
    let before = town();
    let id: CellId = "stadt/b".parse().unwrap();
    before
        .cell(&id)
        .unwrap()
        .state
        .open(Stage::Full, Timestamp(50), Epoch(3));
    let signed = GateTable {
        cells: vec![
            spec("stadt/b", "neu.example", "/"),
            spec("stadt/neu", "neu.example", "/x"),
        ],
    };
    let after = Table::build(&signed, &Upstreams::default(), &before, &|_| Epoch(7)).unwrap();
    let state = &after.cell(&id).unwrap().state;
    assert_eq!(
        (state.stage(Timestamp(49)), state.epoch()),
        (Stage::Full, Epoch(3))
    );
    let new = &after.cell(&"stadt/neu".parse().unwrap()).unwrap().state;
    assert_eq!(
        (new.stage(Timestamp(0)), new.epoch()),
        (Stage::Closed, Epoch(7))
    );
}

#[test]
fn only_plain_http_backends_are_used() {
    for (text, want) in [
        ("http://127.0.0.1:9001", true),
        ("http://127.0.0.1:9001/", true),
        ("https://127.0.0.1:9001", false),
        ("unix:/run/x", false),
        ("127.0.0.1:9001", false),
        ("", false),
    ] {
        assert_eq!(Upstream::parse(text).is_some(), want, "{text}");
    }
}

proptest! {
    /// Any order of openings and closings: open is only what was opened last, until its end, and
    /// the epoch never goes down.
    #[test]
    fn a_state_is_what_was_set_last(
        steps in prop::collection::vec((0usize..5, 0i64..100, 0u64..20), 0..20),
        now in 0i64..100,
    ) {
        let state = CellState::new("stadt/a".parse().unwrap(), Epoch(2));
        let (mut last, mut epoch) = ((Stage::Closed, 0), 2);
        for (stage, end, step) in steps {
            let stage = Stage::ALL[stage];
            epoch = epoch.max(step);
            match stage {
                Stage::Closed => state.shut(Epoch(step)),
                open => state.open(open, Timestamp(end), Epoch(step)),
            }
            last = (stage, end);
            prop_assert_eq!(state.epoch(), Epoch(epoch));
        }
        let want = if now < last.1 { last.0 } else { Stage::Closed };
        prop_assert_eq!(state.stage(Timestamp(now)), want);
    }

    #[test]
    fn every_end_fits_in_the_word(end in any::<i64>(), now in 0..i64::MAX) {
        let state = CellState::new("stadt/a".parse().unwrap(), Epoch(0));
        state.open(Stage::Full, Timestamp(end), Epoch(1));
        // Times beyond 73 million years are cut; shut is never later than asked.
        let is_open = state.stage(Timestamp(now)) != Stage::Closed;
        prop_assert!(!is_open || now < end);
        if (0..1 << 60).contains(&end) {
            prop_assert_eq!(is_open, now < end);
        }
    }
}
