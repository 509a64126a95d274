//! Whom the gate takes for the client, behind proxies and in front of them.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.1";

fn proxies() -> Proxies {
    Proxies::new(vec![
        "10.0.0.0/8".parse().unwrap(),
        "2001:db8:1::/48".parse().unwrap(),
    ])
}

fn peer(address: &str) -> Peer {
    Peer::new(address.parse().unwrap())
}

fn fields(lines: &[(&str, &str)]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().unwrap();
        fields.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    fields
}

/// The client in words.
fn asked(peer: &str, lines: &[(&str, &str)]) -> String {
    match proxies().client(self::peer(peer), &fields(lines)) {
        Ok(asker) => asker.address.map_or("nobody".into(), |at| at.to_string()),
        Err(wrong) => format!("{wrong:?}"),
    }
}

#[test]
fn the_first_from_the_right_that_is_no_proxy() {
    let list = "x-forwarded-for";
    for (value, want) in [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7 , 10.0.0.3,10.0.0.2", "192.0.2.7"),
        ("nonsense, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, nonsense", "nobody"),
        ("192.0.2.7,", "nobody"),
        ("192.0.2.7, nonsense, 10.0.0.2", "nobody"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::7, 2001:db8:1::2", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("10.0.0.8, 10.0.0.9", "10.0.0.8"),
        ("", "nobody"),
        ("unknown", "nobody"),
    ] {
        assert_eq!(asked(PROXY, &[(list, value)]), want, "{value}");
    }
    let lines = [(list, "203.0.113.9"), (list, "192.0.2.7, 10.0.0.2")];
    assert_eq!(asked(PROXY, &lines), "192.0.2.7");
    assert_eq!(asked(PROXY, &[]), "nobody");
}

#[test]
fn the_standard_line_says_the_same() {
    for (value, want) in [
        ("for=192.0.2.7", "192.0.2.7"),
        ("For=192.0.2.7;proto=https;by=10.0.0.1", "192.0.2.7"),
        ("for=203.0.113.9, for=\"192.0.2.7:80\"", "192.0.2.7"),
        ("for=\"[2001:db8::7]:80\", for=10.0.0.2", "2001:db8::7"),
        ("for=192.0.2.7;host=\"a,b;for=203.0.113.9\"", "192.0.2.7"),
        ("for=192.0.2.7;host=\"a\\\",for=203.0.113.9\"", "192.0.2.7"),
        ("for=192.0.2.7;for=203.0.113.9", "nobody"),
        ("for=unknown", "nobody"),
        ("for=_hidden", "nobody"),
        ("proto=https", "nobody"),
        ("for=192.0.2.7, proto=https", "nobody"),
        ("", "nobody"),
    ] {
        assert_eq!(asked(PROXY, &[("forwarded", value)]), want, "{value}");
    }
}

#[test]
fn two_clients_are_none() {
    let both = |custom, standard| {
        asked(
            PROXY,
            &[("x-forwarded-for", custom), ("forwarded", standard)],
        )
    };
    assert_eq!(both("192.0.2.7", "for=192.0.2.7"), "192.0.2.7");
    assert_eq!(both("192.0.2.7", "for=203.0.113.9"), "Client");
    assert_eq!(both("192.0.2.7", "for=unknown"), "Client");
    assert_eq!(both("nonsense", "for=192.0.2.7"), "Client");
    let said = [("x-forwarded-proto", "https"), ("forwarded", "proto=http")];
    assert_eq!(asked(PROXY, &said), "Client");
    let twice = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-proto", "https"),
    ];
    assert_eq!(asked(PROXY, &twice), "Client");
}

#[test]
fn what_cannot_be_understood_is_not_handed_on() {
    let before = |value| {
        let lines = fields(&[("x-forwarded-for", value)]);
        let asker = proxies().client(peer(PROXY), &lines);
        asker.unwrap().before.len()
    };
    assert_eq!(before("203.0.113.9, 192.0.2.7, 10.0.0.2"), 3);
    // A client cannot hide itself by writing nonsense.
    assert_eq!(before("203.0.113.9, nonsense, 192.0.2.7, 10.0.0.2"), 2);
    assert_eq!(before("192.0.2.7, nonsense"), 0);
}

#[test]
fn a_connection_without_lines_is_its_own_client() {
    let alone = |peer: &str| proxies().alone(self::peer(peer));
    assert_eq!(alone("192.0.2.7"), "192.0.2.7".parse().ok());
    assert_eq!(alone(PROXY), None);
}

/// It is no proxy of ours, so its lines say nothing; and it did not say whom it is for.
#[test]
fn who_was_announced_without_a_name_is_nobody() {
    let peer = Peer {
        is_client: false,
        ..peer("192.0.2.7")
    };
    let lines = fields(&[("x-forwarded-for", "192.0.2.8")]);
    let asker = proxies().client(peer, &lines).unwrap();
    assert_eq!((asker.address, asker.before.len()), (None, 0));
    assert_eq!(proxies().alone(peer), None);
}

proptest! {
    /// Nobody but a trusted proxy changes who asks, whatever they write.
    #[test]
    fn strangers_are_themselves(custom in "[ -~]{0,40}", standard in "[ -~]{0,40}") {
        let lines = fields(&[("x-forwarded-for", &custom), ("forwarded", &standard)]);
        let peer = peer("203.0.113.1");
        let asker = proxies().client(peer, &lines).unwrap();
        prop_assert_eq!(asker.address, Some(peer.address));
        prop_assert!(asker.before.is_empty() && asker.scheme.is_none());
    }

    /// What stands left of the client changes nothing, and nothing panics.
    #[test]
    fn the_past_is_not_believed(forged in "[ -~]{0,40}") {
        let line = format!("{forged}, 192.0.2.7, 10.0.0.2");
        prop_assert_eq!(asked(PROXY, &[("x-forwarded-for", &line)]), "192.0.2.7");
        let _ = asked(PROXY, &[("forwarded", &forged)]);
    }
}
