//! What has passed, by two clocks that disagree.

use super::*;

#[test]
fn what_has_passed_is_the_longer_of_two_clocks() {
    let mut passed = Passed::new(0, 1_000);
    assert_eq!(passed.ran(10, 1_010), 10);
    // The machine slept: its wall clock knows.
    assert_eq!(passed.ran(20, 6_020), 5_020);
    // A wall clock that is set back takes nothing away, and its way back counts once only.
    assert_eq!(passed.ran(30, 0), 5_030);
    assert_eq!(passed.ran(40, 6_040), 5_040);
    assert_eq!(passed.ran(50, 7_050), 6_050);
}
