//! The rule against published test numbers, and against single mistakes.

use super::Kvnr;

#[test]
fn published_test_numbers_pass_and_invented_ones_do_not() {
    for good in ["X110435031", "X110411675", "X110406067"] {
        assert!(good.parse::<Kvnr>().is_ok(), "{good}");
    }
    for bad in [
        "Z123456789",
        "K123456789",
        "X999999999",
        "x110435031",
        "X11043503",
        "",
        "Ä10435031",
    ] {
        assert!(bad.parse::<Kvnr>().is_err(), "{bad}");
    }
}

#[test]
fn every_single_wrong_digit_is_noticed() {
    let good = Kvnr::of(7, 10_435_031);
    for place in 1..10 {
        for digit in b'0'..=b'9' {
            let mut bytes = good.as_str().as_bytes().to_vec();
            if bytes[place] == digit {
                continue;
            }
            bytes[place] = digit;
            let text = String::from_utf8(bytes).expect("ASCII");
            assert!(text.parse::<Kvnr>().is_err(), "{text} instead of {good}");
        }
    }
}
