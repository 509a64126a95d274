//! Seeds that must hold.

#[test]
fn the_first_steps_hold() {
    let report = crate::run(1, 200).unwrap();
    assert_eq!(report.steps, 200);
    assert!(report.accepted > 10 && report.refused > 0, "{report}");
}
