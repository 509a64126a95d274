use std::collections::BTreeMap;

use anlauf_model::{CellId, Timestamp};

use super::changed;

fn check(old: &[i64], new: &[i64], count: usize) {
    let ids: Vec<CellId> = (0..old.len())
        .map(|number| format!("oak/s{number:02}").parse().expect("an id"))
        .collect();
    let opens = |times: &[i64]| -> BTreeMap<&CellId, Timestamp> {
        ids.iter()
            .zip(times.iter().map(|at| Timestamp(*at)))
            .collect()
    };
    assert_eq!(
        changed(&opens(old), &opens(new)).len(),
        count,
        "{old:?} {new:?}"
    );
}

#[test]
fn the_fewest_cells_that_must_leave_their_place() {
    check(&[1, 2, 3, 4], &[11, 12, 13, 14], 0);
    check(&[1, 2, 3, 4], &[40, 12, 13, 14], 1);
    check(&[1, 2, 3, 4], &[4, 3, 2, 1], 3);
    check(&[1, 1, 2], &[6, 5, 7], 0);
    check(&[1, 2, 3], &[5, 5, 5], 0);
    check(&[], &[], 0);
}
