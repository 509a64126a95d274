//! Looking at a gate: `anlauf gate top`, and the access log that moves away.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::house::{House, Plane};
use crate::process::{ANLAUF, Running, address, anlauf, ask};

/// Looks, or turns of waiting, before a test gives up.
const TURNS: usize = 5_000;

struct Watched {
    house: House,
    plane: Plane,
    gate: Running,
    told: Value,
}

/// A gate with an access log that has heard of its cells; none is open.
fn watched() -> Watched {
    let house = House::new(None);
    let plane = house.start(0);
    let log = format!(
        " --access-log {} --workers 2",
        house.path("access").display()
    );
    let gate = Running::start(&mut house.gate(&plane.control, &log));
    let told = gate.listens().unwrap();
    let watched = Watched {
        house,
        plane,
        gate,
        told,
    };
    let knows = |picture: &Value| picture["cells_by_stage"]["closed"].as_u64() > Some(0);
    assert!((0..TURNS).any(|_| knows(&watched.look())));
    watched
}

impl Watched {
    fn admin(&self) -> &str {
        self.told["admin"].as_str().unwrap()
    }

    fn look(&self) -> Value {
        let line = anlauf(["--json", "gate", "top", "--once", "--gate", self.admin()]);
        let text = crate::process::Run::of(&mut { line }).done();
        serde_json::from_str(&text).unwrap()
    }

    /// What differs from run to run is named instead.
    fn plain(&self, text: &str) -> String {
        let text = text.replace(self.admin(), "ADMIN");
        let (before, rest) = text.split_once("plane heard ").unwrap();
        let (_, after) = rest.split_once(" s ago").unwrap();
        let (middle, last) = after.split_once("feed item ").unwrap();
        let (_, last) = last.split_once(',').unwrap();
        format!("{before}plane heard AGE s ago{middle}feed item N,{last}")
    }

    fn end(self) {
        self.gate.terminate().done();
        self.plane.process.terminate().done();
    }
}

#[test]
fn one_look_prints_totals() {
    let watched = watched();
    let door = address(&watched.told["listening"][0]);
    for _ in 0..3 {
        assert_eq!(
            ask(door, "town-alder.beispiel.example", "/portal", "").0,
            503
        );
    }
    assert_eq!(ask(door, "nobody.example", "/", "").0, 421);
    let line = ["gate", "top", "--once", "--gate", watched.admin()];
    // The control plane of a gate is nothing that `top` needs.
    let mut command = anlauf(line);
    command.env("ANLAUF_CONTROL", "http://127.0.0.1:1");
    let text = crate::process::Run::of(&mut command).done();
    insta::assert_snapshot!(watched.plain(&text), @r"
    gate ADMIN: workers 2, control plane heard AGE s ago, feed item N, inside 0
    cells: closed 12, clean_room 0, pilot 0, basic 0, full 0
    requests: passed 0, refused 3, unknown 1, failed 0, cut 0
    turned away: crowded 0, stranger 0, headless 0
    cell                                    passed   refused    failed       cut
    town-alder/portal                            0         3         0         0
    ");
    let look = watched.look();
    assert_eq!(look["requests"]["refused"]["total"], 3);
    assert_eq!(look["workers"], 2);
    watched.end();
}

#[test]
fn a_gate_that_is_away_is_named() {
    let line = ["gate", "top", "--once", "--gate", "http://127.0.0.1:9"];
    let run = crate::process::Run::of(&mut anlauf(line));
    let run = run.says(1, &["no answer from http://127.0.0.1:9"]);
    assert!(run.out.contains("does not answer"), "{}", run.out);
}

/// Into a pipe it says a line a look, until it is told to stop.
#[test]
fn lines_where_there_is_no_terminal() {
    let watched = watched();
    let line = ["gate", "top", "--gate", watched.admin()];
    let top = Running::start(&mut anlauf(line));
    for is_first in [true, false] {
        let line = top.line().unwrap();
        assert!(line.starts_with("gate http://127.0.0.1:"), "{line}");
        assert!(!line.contains('\x1b'), "{line}");
        assert_eq!(line.contains("passed 0/s (0)"), !is_first, "{line}");
    }
    assert_eq!(top.terminate().code, 0);
    watched.end();
}

/// On a terminal, which `script` of util-linux plays, it draws until q is pressed.
#[test]
fn a_picture_on_a_terminal_until_q() {
    let watched = watched();
    let top = format!("{ANLAUF} gate top --gate {}", watched.admin());
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--command", &top, "/dev/null"])
        .env("TERM", "xterm")
        .env("LANG", "C.UTF-8")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs `script`");
    let mut screen = script.stdout.take().unwrap();
    let mut seen = String::new();
    let mut room = [0; 4_096];
    let mut key = script.stdin.take();
    loop {
        let size = screen.read(&mut room).unwrap();
        seen.push_str(&String::from_utf8_lossy(&room[..size]));
        if size == 0 {
            break;
        }
        // Two pictures, then the key.
        if seen.matches("q ends").count() >= 2
            && let Some(mut key) = key.take()
        {
            key.write_all(b"q").unwrap();
        }
    }
    assert!(script.wait().unwrap().success(), "{seen}");
    let (start, end) = ("\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l");
    assert!(seen.contains(start) && seen.contains(end), "{seen:?}");
    assert!(seen.contains("passed 0/s (0)"), "{seen:?}");
    watched.end();
}

/// As logrotate does it: move, SIGHUP.
#[test]
fn the_access_log_is_opened_anew_on_sighup() {
    let watched = watched();
    let door = address(&watched.told["listening"][0]);
    let (log, moved) = (watched.house.path("access"), watched.house.path("moved"));
    ask(door, "town-alder.beispiel.example", "/portal?secret=1", "");
    std::fs::rename(&log, &moved).unwrap();
    watched.gate.signal("HUP");
    assert!((0..TURNS).any(|_| log.exists() || watched.look().is_null()));
    ask(door, "town-alder.beispiel.example", "/portal?secret=2", "");
    let Watched {
        house, plane, gate, ..
    } = watched;
    gate.terminate().done();
    plane.process.terminate().done();
    for path in [&log, &moved] {
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("\"path\":\"/portal\""), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
    drop(house);
}

/// Filters that follow a gate are named with it, and that they do not follow.
#[test]
fn filters_that_are_away_are_named() {
    let house = House::new(None);
    let plane = house.start(0);
    let flags = format!(
        " --haproxy {}=/etc/haproxy/anlauf.map --nftables anlauf --nft /bin/false \
         --nftables-cell town-alder/portal=127.0.0.1:25",
        house.path("nobody.sock").display()
    );
    let gate = Running::start(&mut house.gate(&plane.control, &flags));
    let told = gate.listens().unwrap();
    let admin = address(&told["admin"]);
    let look = || serde_json::from_str::<Value>(&ask(admin, "gate", "/state", "").1).unwrap();
    let is_said = |state: &Value| {
        let drivers = state["drivers"].as_array().unwrap();
        let said = drivers.iter().filter_map(|one| one["trouble"].as_str());
        said.filter(|why| !why.contains("not heard")).count() == 2
    };
    assert!((0..TURNS).any(|_| is_said(&look())));
    let state = look();
    let first = state["not_proven"][0].as_str().unwrap();
    assert!(
        first.starts_with("HAProxy at ") && first.ends_with("/nobody.sock"),
        "{state}"
    );
    assert_eq!(state["not_proven"][1], "nftables table anlauf");
    gate.terminate().done();
    plane.process.terminate().done();
}
