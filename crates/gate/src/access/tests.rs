//! What is written of an address, and that nobody waits for the writer.

use std::net::IpAddr;
use std::sync::Arc;

use anlauf_model::Timestamp;

use super::*;

#[test]
fn addresses_are_cut_as_the_settings_say() {
    let shown = |clients: Clients, address: &str| {
        let shown = clients.shown(address.parse().unwrap());
        shown.map_or("nothing".to_owned(), |address| address.to_string())
    };
    for (address, whole, short) in [
        ("192.0.2.77", "192.0.2.77", "192.0.2.0"),
        ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0"),
        ("2001:db8:1:2::77", "2001:db8:1:2::77", "2001:db8:1::"),
    ] {
        assert_eq!(shown(Clients::Whole, address), whole);
        assert_eq!(shown(Clients::Short, address), short);
        assert_eq!(shown(Clients::None, address), "nothing");
    }
}

/// A desk whose queue nobody empties.
#[test]
fn what_does_not_fit_is_counted_and_not_waited_for() {
    let (queue, orders) = sync_channel(2);
    let lost = Arc::new(AtomicU64::new(0));
    let access = Access(Some(Arc::new(Desk {
        queue,
        lost,
        clients: Clients::None,
        wishes: Arc::default(),
        ended: Mutex::new(channel().1),
    })));
    for _ in 0..5 {
        drop(access.begin(&Beginning {
            protocol: "http/1",
            meter: &Arc::default(),
            client: IpAddr::from([192, 0, 2, 1]),
            now: Timestamp(0),
        }));
    }
    assert_eq!(access.lost(), 3);
    // Nor does whoever moves the file, or stops the gate.
    access.reopen();
    access.end();
    assert_eq!(orders.try_iter().count(), 2);
}

#[test]
fn the_log_tells_how_many_lines_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let log = AccessLog {
        to: Some(path.clone()),
        clients: Clients::None,
    };
    let access = Access::start(&log, "gate-1".parse().unwrap()).unwrap();
    access.0.as_ref().unwrap().lost.store(7, Ordering::Relaxed);
    drop(access.begin(&Beginning {
        protocol: "http/1",
        meter: &Arc::default(),
        client: IpAddr::from([192, 0, 2, 1]),
        now: Timestamp(0),
    }));
    access.end();
    let text = std::fs::read_to_string(path).unwrap();
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        r#"{"time":"1970-01-01T00:00:00Z","gate":"gate-1","lost":7}"#
    );
    assert_eq!(text.lines().count(), 2, "{text}");
}

/// A pipe whose reader has stopped reading, as a full disk behind a network can be.
#[test]
fn a_writer_that_is_stuck_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    // Open both ways, so that opening it to write does not wait for a reader.
    let mut options = std::fs::OpenOptions::new();
    let mut pipe = options.read(true).write(true).open(&path).unwrap();
    let log = AccessLog {
        to: Some(path),
        clients: Clients::None,
    };
    let access = Access::start(&log, "gate-1".parse().unwrap()).unwrap();
    let count = ACCESS_LINE_COUNT_MAX + 10_000;
    for _ in 0..count {
        drop(access.begin(&Beginning {
            protocol: "http/1",
            meter: &Arc::default(),
            client: IpAddr::from([192, 0, 2, 1]),
            now: Timestamp(0),
        }));
    }
    let lost = access.lost();
    assert!(lost > 0, "a pipe does not hold so many lines");
    // Once it reads again, the rest is there, and how many are missing.
    let reader = std::thread::spawn(move || {
        let (mut lines, mut missing) = (0, 0);
        for line in std::io::BufRead::lines(std::io::BufReader::new(&mut pipe)) {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            match line["lost"].as_u64() {
                Some(some) => missing += some,
                None => lines += 1,
            }
            if lines + missing == count as u64 {
                break;
            }
        }
        missing
    });
    assert_eq!(reader.join().unwrap(), lost);
    access.end();
}
