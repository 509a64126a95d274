//! How spans read.

use super::span;

#[test]
fn a_span_says_its_sign_and_its_two_largest_units() {
    for (minutes, said) in [
        (0, "+0 min"),
        (59, "+59 min"),
        (-60, "-1 h 0 min"),
        (1439, "+23 h 59 min"),
        (-1440, "-1 d 0 h"),
        (3 * 1440 + 61, "+3 d 1 h"),
    ] {
        assert_eq!(span(minutes), said);
    }
    assert_eq!(span(i64::MIN).chars().next(), Some('-'));
}
