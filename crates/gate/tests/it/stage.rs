//! Who passes at which stage, and what a backend is told of them.

use anlauf_gate::Pilot;
use anlauf_model::{Digest, Stage};

use crate::backend::{Backend, mirror};
use crate::cast::{HOST, MELDEN, SOZIALES};
use crate::client::{Client, get, get_with};
use crate::house::House;

const PASS: &str = "pass-of-ahornfeld";

fn passes() -> Pilot {
    let digest = |pass: &str| vec![Digest::of(pass.as_bytes())];
    let (own, other) = (
        "stadt-ahornfeld".parse().unwrap(),
        "stadt-ulmenau".parse().unwrap(),
    );
    Pilot {
        networks: Vec::new(),
        passes: [(own, digest(PASS)), (other, digest("pass-of-ulmenau"))].into(),
    }
}

#[tokio::test]
async fn pilot_wants_a_pass_of_the_cells_own_tenant() {
    let house = House::with(mirror().await, |config| config.pilot = passes()).await;
    house.ground().await;
    house.open(MELDEN, 1, Stage::Pilot).await;
    let to = house.address();
    for (lines, want) in [
        ("", 503),
        ("anlauf-pass: pass-of-ahornfeld\r\n", 200),
        ("cookie: a=b; anlauf-pass=pass-of-ahornfeld\r\n", 200),
        ("anlauf-pass: pass-of-ulmenau\r\n", 503),
        ("anlauf-pass: \r\n", 503),
        ("cookie: anlauf-pass\r\n", 503),
        ("x-anlauf-pass: pass-of-ahornfeld\r\n", 503),
    ] {
        assert_eq!(
            get_with(to, HOST, "/melden/a", lines).await.status,
            want,
            "{lines}"
        );
    }
    // The backend never sees a pass.
    let lines = "cookie: a=b; anlauf-pass=pass-of-ahornfeld; c=d\r\n";
    let seen = get_with(to, HOST, "/melden/a", lines).await.body;
    assert!(seen.contains("cookie: a=b; c=d\r\n"), "{seen}");
    assert!(!seen.contains(PASS), "{seen}");
}

#[tokio::test]
async fn clean_room_wants_the_test_network() {
    let networks = [("127.0.0.0/8", 200), ("10.0.0.0/8", 503), ("::1", 503)];
    for (network, want) in networks {
        let change = |config: &mut anlauf_gate::GateConfig| {
            config.clean_room = vec![network.parse().unwrap()];
            config.pilot = passes();
        };
        let house = House::with(mirror().await, change).await;
        house.ground().await;
        house.open(MELDEN, 1, Stage::CleanRoom).await;
        let to = house.address();
        assert_eq!(get(to, HOST, "/melden/a").await.status, want, "{network}");
        // A pass is for the pilot, not for the clean room.
        let lines = format!("anlauf-pass: {PASS}\r\n");
        assert_eq!(
            get_with(to, HOST, "/melden/a", &lines).await.status,
            want,
            "{network}"
        );
        // A client cannot say where it comes from.
        let lines = "x-forwarded-for: 10.0.0.1\r\nforwarded: for=10.0.0.1\r\n";
        assert_eq!(
            get_with(to, HOST, "/melden/a", lines).await.status,
            want,
            "{network}"
        );
    }
}

#[tokio::test]
async fn basic_lets_only_its_functions_through() {
    let house = House::grounded(mirror().await).await;
    for id in [
        "shared/post",
        "stadt-ahornfeld/post",
        "shared/serviceportal",
    ] {
        house.open(id, 1, Stage::Full).await;
    }
    house
        .open("stadt-ahornfeld/serviceportal", 1, Stage::Basic)
        .await;
    let to = house.address();
    for (method, path, want) in [
        ("GET", "/portal", 200),
        ("GET", "/portal/antrag?x=1", 200),
        ("POST", "/portal/antrag", 503),
        ("DELETE", "/portal", 503),
        ("get", "/portal", 503),
    ] {
        let text = format!("{method} {path} HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
        assert_eq!(
            Client::new(to).await.ask(&text).await.status,
            want,
            "{method} {path}"
        );
    }
    house
        .open("stadt-ahornfeld/serviceportal", 2, Stage::Full)
        .await;
    let text = format!("POST /portal/a HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(Client::new(to).await.ask(&text).await.status, 200);
}

#[tokio::test]
async fn narrowing_cuts_who_is_inside() {
    let mut backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let mut client = Client::new(house.address()).await;
    client
        .say(&format!("GET /melden/a HTTP/1.1\r\nhost: {HOST}\r\n\r\n"))
        .await;
    let exchange = backend.next().await;
    house.open(MELDEN, 2, Stage::Pilot).await;
    assert_eq!(client.settle().await, (0, 0));
    assert_eq!(exchange.rest().await, b"");
}

#[tokio::test]
async fn a_backend_hears_of_the_client_from_the_gate_only() {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let forged = "X-Anlauf-Cell: stadt-ulmenau/meldewesen\r\nx_anlauf_cell: b\r\n\
                  x-anlauf-stage: full\r\nx-forwarded-for: 10.0.0.1\r\nX_Forwarded_For: c\r\n\
                  forwarded: for=d\r\nx-real-ip: e\r\nx-forwarded-host: f\r\n\
                  proxy-connection: g\r\nconnection: x-anlauf-cell, x-secret\r\n\
                  x-secret: h\r\nte: gzip\r\nx-kept: i\r\nupgrade: websocket\r\n";
    let answer = get_with(house.address(), HOST, "/melden/a?q=%20b&r=//..", forged).await;
    let mut lines: Vec<&str> = answer
        .body
        .lines()
        .filter(|line| !line.is_empty())
        .collect();
    lines[1..].sort_unstable();
    let want = [
        "GET /melden/a?q=%20b&r=//.. HTTP/1.1",
        "forwarded: for=127.0.0.1;host=\"stadt-ahornfeld.kommunen.example\";proto=http",
        "host: stadt-ahornfeld.kommunen.example",
        "x-anlauf-cell: stadt-ahornfeld/meldewesen",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: stadt-ahornfeld.kommunen.example",
        "x-forwarded-proto: http",
        "x-kept: i",
    ];
    assert_eq!(lines, want);
}

#[tokio::test]
async fn hosts_that_nobody_has_reach_no_backend() {
    let mut backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(SOZIALES, 1, Stage::Full).await;
    let to = house.address();
    for (host, path, want) in [
        ("nobody.example", "/soziales", 421),
        ("kommunen.example", "/soziales", 421),
        ("x.stadt-ahornfeld.kommunen.example", "/soziales", 421),
        ("stadt-ahornfeld.kommunen.example.", "/nichts", 404),
        ("STADT-AHORNFELD.kommunen.EXAMPLE:8080", "/nichts", 404),
        ("stadt-ahornfeld.kommunen.example..", "/soziales", 421),
        ("127.0.0.1", "/soziales", 421),
        ("[::1]", "/soziales", 421),
        ("localhost", "/.anlauf/health", 421),
        ("", "/soziales", 400),
        ("stadt-ahornfeld.kommunen.example:99999x", "/soziales", 400),
        ("user@stadt-ahornfeld.kommunen.example", "/soziales", 400),
        ("stadt-ahornfeld.kommunen.example/x", "/soziales", 400),
        (
            "stadt-ahornfeld.kommunen.example, nobody.example",
            "/soziales",
            400,
        ),
    ] {
        assert_eq!(get(to, host, path).await.status, want, "{host} {path}");
    }
    assert!(backend.is_quiet());
    assert_eq!(house.gate.counts().passed, 0);
    assert_eq!(get(to, HOST, "/.anlauf/health").await.body, "ok\n");
}
