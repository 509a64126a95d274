use super::{hazard, quantile, survival};

#[test]
fn shares_and_values_are_those_of_the_tables() {
    for (z, share) in [
        (0.0, 0.5),
        (1.0, 0.841_345),
        (1.959_964, 0.975),
        (-2.0, 0.022_750),
    ] {
        assert!((1.0 - survival(z) - share).abs() < 1e-5, "{z}");
        assert!((quantile(share) - z).abs() < 1e-3, "{z}");
    }
    assert!((hazard(0.0) - 0.797_885).abs() < 1e-5);
    assert!((hazard(2.0) - 2.373_216).abs() < 1e-4);
}

#[test]
fn far_values_stay_finite() {
    for z in [-1e9, -40.0, 6.0, 6.1, 40.0, 1e9] {
        assert!(hazard(z).is_finite() && hazard(z) >= 0.0, "{z}");
    }
    assert!(quantile(0.0).is_finite() && quantile(1.0).is_finite());
}
