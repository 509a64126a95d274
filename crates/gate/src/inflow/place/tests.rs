//! What a client carries says what the gate has said, or nothing.

use proptest::prelude::*;

use super::*;

fn place() -> impl Strategy<Value = Place> {
    (0..LOT_COUNT, any::<i64>(), any::<u64>(), any::<i64>()).prop_map(
        |(lot, line, number, inside_at)| Place {
            lot,
            line,
            number,
            inside_at,
        },
    )
}

proptest! {
    #[test]
    fn comes_back_as_it_was_given(place in place()) {
        let key = Key::new(b"one");
        let text = key.seal("stadt/post", &place);
        prop_assert_eq!(key.open("stadt/post", &text), Some(place));
        prop_assert_eq!(key.open("stadt/melden", &text), None);
        prop_assert_eq!(Key::new(b"two").open("stadt/post", &text), None);
    }

    #[test]
    fn one_changed_letter_makes_it_worthless(
        place in place(),
        at in 0usize..200,
        to in "[0-9a-f.-]",
    ) {
        let key = Key::new(b"one");
        let text = key.seal("stadt/post", &place);
        let at = at % text.len();
        let forged = format!("{}{to}{}", &text[..at], &text[at + 1..]);
        prop_assume!(forged != text);
        prop_assert_eq!(key.open("stadt/post", &forged), None);
    }

    #[test]
    fn anything_else_is_nothing(text in ".{0,120}") {
        prop_assert_eq!(Key::new(b"one").open("stadt/post", &text), None);
    }

    /// No cookie, no other lot: asking again from the same place draws nothing.
    #[test]
    fn an_address_has_one_lot(address in any::<[u8; 16]>(), other in any::<u64>()) {
        let key = Key::new(b"one");
        let address = Ipv6Addr::from(address);
        prop_assume!(address.to_canonical().is_ipv6());
        let same = Ipv6Addr::from_bits(address.to_bits() & (!0 << 64) | u128::from(other));
        prop_assume!(same.to_canonical().is_ipv6());
        let lot = |address: Ipv6Addr| key.lot("stadt/post", Some(address.into()));
        prop_assert_eq!(lot(address), lot(same));
        prop_assert!(lot(address) < LOT_COUNT);
    }
}

#[test]
fn lots_are_spread_evenly() {
    let key = Key::new(b"one");
    let lots = (0..20_000u32).map(|n| {
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n);
        key.lot("stadt/post", Some(address.into()))
    });
    let inside = lots.filter(|lot| *lot < LOT_COUNT / 10).count();
    // A tenth of 20,000, and five standard deviations (212) to either side.
    assert!((1_788..=2_212).contains(&inside), "{inside}");
    assert_eq!(key.lot("stadt/post", None), LOT_COUNT - 1);
}

#[test]
fn a_cookie_is_for_its_cell_only() {
    let plain = "anlauf-place=v; Path=/melden; Max-Age=86400; HttpOnly; SameSite=Lax";
    assert_eq!(cookie("v", "/melden", false), plain);
    assert_eq!(cookie("v", "/melden", true), format!("{plain}; Secure"));
    for odd in ["", "melden", "/a;b", "/a b", "/a,b", "/ä"] {
        assert!(cookie("v", odd, false).contains("; Path=/; "), "{odd}");
    }
}
