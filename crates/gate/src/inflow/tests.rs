//! A share stays a share, and what clients carry counts for as much as it says.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::*;

const CELL: (&str, &str) = ("stadt/post", "/post");

fn client(number: u32) -> Option<IpAddr> {
    Some(Ipv4Addr::from_bits(0x0a00_0000 + number).into())
}

/// Asks; whether it is in, and what it carries from here on.
fn ask(
    flow: &Arc<Flow>,
    key: &Key,
    (address, carried): (Option<IpAddr>, Option<&str>),
    now: i64,
) -> (Result<(), No>, Option<String>) {
    let comer = Comer {
        key,
        carried,
        reloads: true,
        is_tls: false,
    };
    let answer = flow.ask(CELL, &comer, address, Timestamp(now));
    let carry = answer.carry.map(|carry| carry.value);
    let carry = carry.or_else(|| carried.map(str::to_owned));
    (answer.verdict.map(drop), carry)
}

fn set(share_percent: Option<u8>, rate_per_minute: Option<u32>, max: Option<u32>) -> Arc<Flow> {
    let flow = Flow::new(Timestamp(1));
    flow.set(Inflow {
        share_percent,
        rate_per_minute,
        concurrent_max: max,
    });
    flow
}

/// Who of a thousand is in at a share.
fn inside(flow: &Arc<Flow>, key: &Key, share: u8) -> BTreeSet<u32> {
    flow.set(Inflow {
        share_percent: Some(share),
        ..Inflow::default()
    });
    let is_in = |number: &u32| ask(flow, key, (client(*number), None), 1).0.is_ok();
    (0..1_000).filter(is_in).collect()
}

#[test]
fn a_share_grows_and_shrinks_by_the_same_clients() {
    let (flow, key) = (set(None, None, None), Key::new(b"one"));
    let steps = [0, 1, 10, 50, 99, 100].map(|share| inside(&flow, &key, share));
    assert!(steps[0].is_empty());
    assert_eq!(steps[5].len(), 1_000);
    for pair in steps.windows(2) {
        assert!(pair[0].is_subset(&pair[1]));
    }
    assert_eq!(
        inside(&flow, &key, 10),
        steps[2],
        "asking again draws no other lot"
    );
}

#[test]
fn a_lot_stays_with_whoever_carries_it() {
    let (flow, key) = (set(Some(50), None, None), Key::new(b"one"));
    let lucky = (0..1_000).find(|n| ask(&flow, &key, (client(*n), None), 1).0.is_ok());
    let unlucky = (0..1_000).find(|n| ask(&flow, &key, (client(*n), None), 1).0.is_err());
    let (lucky, unlucky) = (client(lucky.unwrap()), client(unlucky.unwrap()));
    let (_, won) = ask(&flow, &key, (lucky, None), 1);
    let (no, lost) = ask(&flow, &key, (unlucky, None), 1);
    let outside = No::Outside(Again {
        seconds: AGAIN_SHARE_SECONDS,
        reloads: true,
    });
    assert_eq!(no, Err(outside));
    // On the way home, from another address.
    assert!(ask(&flow, &key, (unlucky, won.as_deref()), 2).0.is_ok());
    assert_eq!(
        ask(&flow, &key, (lucky, lost.as_deref()), 2).0,
        Err(outside)
    );
    assert!(ask(&flow, &key, (None, won.as_deref()), 2).0.is_ok());
    assert!(
        ask(&flow, &key, (None, None), 2).0.is_err(),
        "unknown is outside"
    );
    // Nobody writes a lot of his own.
    let forged = lost.map(|text| {
        let (_, rest) = text.split_once('.').unwrap();
        format!("1.0.{}", rest.split_once('.').unwrap().1)
    });
    assert_eq!(
        ask(&flow, &key, (unlucky, forged.as_deref()), 2).0,
        Err(outside)
    );
}

#[test]
fn who_came_in_stays_in_until_the_cell_is_shut() {
    let (flow, key) = (set(None, Some(1), None), Key::new(b"one"));
    let (verdict, carried) = ask(&flow, &key, (client(1), None), 10);
    assert!(verdict.is_ok());
    let waits = |number| ask(&flow, &key, (client(number), None), 10).0;
    assert!(matches!(waits(2), Err(No::Waits(_, 0))), "one a minute");
    for now in [11, INSIDE_MS / 2, 9 + INSIDE_MS] {
        let (again, _) = ask(&flow, &key, (client(1), carried.as_deref()), now);
        assert!(again.is_ok(), "{now}");
    }
    // Half the time over, it is told a later one.
    let (_, renewed) = ask(&flow, &key, (client(1), carried.as_deref()), INSIDE_MS);
    assert_ne!(renewed, carried);
    flow.clear();
    let (verdict, _) = ask(&flow, &key, (client(9), None), INSIDE_MS + 1);
    assert!(verdict.is_ok(), "the first of a new line");
    let (verdict, _) = ask(&flow, &key, (client(1), renewed.as_deref()), INSIDE_MS + 1);
    assert!(matches!(verdict, Err(No::Waits(_, 0))), "{verdict:?}");
}

#[test]
fn a_place_of_an_emptied_line_is_none() {
    let (flow, key) = (set(None, Some(1), None), Key::new(b"one"));
    ask(&flow, &key, (client(1), None), 10).0.unwrap();
    let mut carried = ask(&flow, &key, (client(2), None), 10).1;
    carried = ask(&flow, &key, (client(2), carried.as_deref()), 10).1;
    let third = ask(&flow, &key, (client(3), None), 10).1;
    let third = ask(&flow, &key, (client(3), third.as_deref()), 10);
    assert!(matches!(third.0, Err(No::Waits(_, 1))), "{third:?}");
    flow.clear();
    assert_eq!(flow.report(&"stadt/post".parse().unwrap()).waiting, 0);
    ask(&flow, &key, (client(4), None), 10).0.unwrap();
    // It was before the third; in the new line the third asks first.
    let place = |carried: &Option<String>, number| {
        ask(&flow, &key, (client(number), carried.as_deref()), 10).0
    };
    assert!(matches!(place(&third.1, 3), Err(No::Waits(_, 0))));
    assert!(matches!(place(&carried, 2), Err(No::Waits(_, 1))));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let wrong = |text: &str| {
        let read: Result<Inflow, _> = serde_json::from_str(text);
        read.map_or(true, |inflow| inflow.wrong().is_some())
    };
    assert!(wrong(r#"{"share_percent":101}"#));
    assert!(wrong(r#"{"rate_per_minute":0}"#));
    assert!(wrong(r#"{"concurrent_max":0}"#));
    assert!(wrong(r#"{"share":10}"#));
    assert!(!wrong(
        r#"{"share_percent":0,"rate_per_minute":1,"concurrent_max":1}"#
    ));
}
