//! A cell that fills slowly, asked by many clients: limits, share, line, and what a close does to
//! those who wait.

use anlauf_model::Stage;
use h2::client::SendRequest;
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use tokio::net::TcpStream;

use crate::backend::{Backend, mirror};
use crate::cast::{HOST, MELDEN, SOZIALES, cells, closing, noon, text};
use crate::client::{Answer, Client, get, get_with, post};
use crate::house::House;

/// The gate's answer to an operator who sets how fast a cell fills.
async fn fill(house: &House, share: &str, rate: &str, max: &str) -> Answer {
    let body = format!(
        "{{\"cell\":\"{MELDEN}\",\"share_percent\":{share},\"rate_per_minute\":{rate},\
         \"concurrent_max\":{max}}}"
    );
    post(house.admin(), "/inflow", &body).await
}

async fn filling(house: &House, share: &str, rate: &str, max: &str) {
    let answer = fill(house, share, rate, max).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// The value of a line of a head.
fn line<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut lines = answer.head.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// A client that keeps its cookie, as browsers do.
#[derive(Default)]
struct Browser {
    cookie: String,
}

impl Browser {
    async fn ask(&mut self, house: &House) -> Answer {
        let lines = format!(
            "accept: text/html\r\naccept-language: en\r\n{}",
            self.line()
        );
        let answer = get_with(house.address(), HOST, "/melden/a", &lines).await;
        self.keep(&answer);
        answer
    }

    fn line(&self) -> String {
        match self.cookie.is_empty() {
            true => String::new(),
            false => format!("cookie: a=b; {}; c=d\r\n", self.cookie),
        }
    }

    fn keep(&mut self, answer: &Answer) {
        if let Some(line) = line(answer, "set-cookie") {
            assert!(line.contains("; Path=/melden; "), "{line}");
            assert!(line.contains("; HttpOnly; SameSite=Lax"), "{line}");
            self.cookie = line.split(';').next().unwrap().to_owned();
        }
    }
}

async fn house() -> House {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    house.open(SOZIALES, 1, Stage::Full).await;
    house
}

/// One second later.
fn tick(house: &House, seconds: i64) {
    let mut at = noon();
    at.0 += seconds * 1_000;
    house.cast.clock.set(at);
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed() {
    let mut backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(MELDEN, 1, Stage::Full).await;
    filling(&house, "null", "null", "3").await;
    let ask = format!("GET /melden/a HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    let mut inside = Vec::new();
    for _ in 0..3 {
        let mut client = Client::new(house.address()).await;
        client.say(&ask).await;
        inside.push((client, backend.next().await));
    }
    for _ in 0..30 {
        let answer = get(house.address(), HOST, "/melden/a").await;
        assert_eq!(answer.status, 503);
    }
    assert!(backend.is_quiet(), "a fourth is under way");
    // The half of an answer is still under way, the whole no more.
    let (mut client, mut exchange) = inside.remove(0);
    exchange
        .say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nab")
        .await;
    assert!(
        client
            .head()
            .await
            .unwrap()
            .contains("set-cookie: anlauf-place=")
    );
    assert_eq!(client.exactly(2).await.unwrap(), b"ab");
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    exchange.say("cd").await;
    assert_eq!(client.exactly(2).await.unwrap(), b"cd");
    // The gate notes the end of the answer before it reads on.
    client.say(&ask).await;
    let exchange = backend.next().await;
    // A client that leaves makes room as well.
    drop((client, exchange));
    let mut freed = false;
    for _ in 0..1_000 {
        let flows = get(house.admin(), "gate", "/inflow").await.body;
        freed = flows.contains("\"in_flight\":2");
        if freed {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(freed, "a client that has left holds its slot");
}

#[tokio::test]
async fn a_line_tells_the_truth_and_is_served_in_order() {
    let house = house().await;
    filling(&house, "null", "60", "null").await;
    let mut first = Browser::default();
    assert_eq!(first.ask(&house).await.status, 200);
    let mut others: Vec<Browser> = (0..5).map(|_| Browser::default()).collect();
    for browser in &mut others {
        // The first look gives a cookie, the second a place.
        browser.ask(&house).await;
    }
    for (before, browser) in others.iter_mut().enumerate() {
        let page = browser.ask(&house).await;
        assert_eq!(page.status, 503);
        assert_eq!(line(&page, "retry-after"), Some("5"));
        assert!(page.body.contains("http-equiv=\"refresh\" content=\"5\""));
        let word = match before {
            0 => "You are next.".to_owned(),
            1 => "There is about 1 place before you.".to_owned(),
            _ => format!("There are about {before} places before you."),
        };
        assert!(page.body.contains(&word), "{word} in {}", page.body);
    }
    // Who is in goes on without asking again; a cell beside is nobody's business.
    assert_eq!(first.ask(&house).await.status, 200);
    assert_eq!(get(house.address(), HOST, "/soziales").await.status, 200);
    for second in 1..=5 {
        tick(&house, second);
        // Asked from the back: nobody overtakes.
        let mut came = Vec::new();
        for (index, browser) in others.iter_mut().enumerate().rev() {
            let answer = browser.ask(&house).await;
            if answer.status == 200 {
                assert!(!answer.body.contains("anlauf-place"), "the backend sees it");
                assert!(
                    answer.body.contains("cookie: a=b; c=d\r\n"),
                    "{}",
                    answer.body
                );
                came.push(index);
            }
        }
        let want: Vec<usize> = (0..second as usize).rev().collect();
        assert_eq!(came, want);
    }
    let metrics = get(house.admin(), "gate", "/metrics").await.body;
    for line in [
        // The first twice, then in each second all that have come in by then.
        "anlauf_gate_inflow_total{cell=\"stadt-ahornfeld/meldewesen\",outcome=\"in\"} 17",
        // Twice each, and 4, 3, 2, 1 and 0 once more.
        "anlauf_gate_inflow_total{cell=\"stadt-ahornfeld/meldewesen\",outcome=\"waits\"} 20",
        "anlauf_gate_inflow{cell=\"stadt-ahornfeld/meldewesen\",what=\"in_flight\"} 0",
        "anlauf_gate_inflow{cell=\"stadt-ahornfeld/meldewesen\",what=\"waiting\"} 0",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn programs_carry_their_place_in_a_line_of_its_name() {
    let house = house().await;
    filling(&house, "null", "1", "null").await;
    get(house.address(), HOST, "/melden/a").await;
    let mut carried = String::new();
    let mut told = Vec::new();
    for _ in 0..2 {
        let lines = format!("accept: application/json\r\n{carried}");
        let answer = get_with(house.address(), HOST, "/melden/a", &lines).await;
        assert_eq!(answer.status, 503);
        let place = line(&answer, "anlauf-place").unwrap();
        carried = format!("anlauf-place: {place}\r\n");
        told.push(answer.body);
    }
    for body in &told {
        assert!(
            body.contains("\"type\":\"urn:anlauf:problem:cell-line\""),
            "{body}"
        );
        assert!(body.contains("\"before\":0"), "{body}");
    }
    tick(&house, 60);
    let answer = get_with(house.address(), HOST, "/melden/a", &carried).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("anlauf-place"), "{}", answer.body);
    // The same place a second time is none.
    let answer = get_with(house.address(), HOST, "/melden/a", &carried).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn a_forged_place_is_a_new_one_at_the_end() {
    let house = house().await;
    filling(&house, "null", "1", "null").await;
    get(house.address(), HOST, "/melden/a").await;
    let mut honest = Browser::default();
    honest.ask(&house).await;
    honest.ask(&house).await;
    let (_, seal) = honest.cookie.rsplit_once('.').unwrap();
    let inside = noon().0;
    for forged in [
        format!("1.0.0.0.{inside}.{seal}"),
        format!("1.0.{inside}.1.0.{seal}"),
        "x".repeat(20_000),
        String::new(),
        "1.0.0.0.0.".to_owned(),
    ] {
        let lines = format!("accept: application/json\r\ncookie: anlauf-place={forged}\r\n");
        let answer = get_with(house.address(), HOST, "/melden/a", &lines).await;
        assert_eq!(answer.status, 503, "{forged}");
        assert!(answer.body.contains("\"before\":1"), "{}", answer.body);
    }
    // A place of another cell is none here.
    let other = format!("cookie: {}\r\n", honest.cookie);
    let body = format!(
        "{{\"cell\":\"{SOZIALES}\",\"share_percent\":null,\"rate_per_minute\":1,\
         \"concurrent_max\":null}}"
    );
    assert_eq!(post(house.admin(), "/inflow", &body).await.status, 200);
    get(house.address(), HOST, "/soziales").await;
    let answer = get_with(house.address(), HOST, "/soziales", &other).await;
    assert!(line(&answer, "set-cookie").is_some(), "{}", answer.head);
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn a_share_is_the_same_people_and_the_others_hear_why() {
    let house = house().await;
    // One address has one lot; whatever it is, it is below 100 and not below 0 percent.
    filling(&house, "0", "null", "null").await;
    let mut browser = Browser::default();
    let page = browser.ask(&house).await;
    assert_eq!(page.status, 503);
    assert!(
        page.body.contains("We let everyone in by and by"),
        "{}",
        page.body
    );
    assert_eq!(line(&page, "retry-after"), Some("300"));
    let lot: f64 = browser.cookie.split('.').nth(1).unwrap().parse().unwrap();
    let (above, below) = (
        (lot / 100.0).floor() as u32 + 1,
        (lot / 100.0).floor() as u32,
    );
    filling(&house, &above.to_string(), "null", "null").await;
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 200);
    assert_eq!(browser.ask(&house).await.status, 200);
    filling(&house, &below.to_string(), "null", "null").await;
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    assert_eq!(browser.ask(&house).await.status, 503);
    let german = "accept: text/html\r\naccept-language: de\r\n";
    let page = get_with(house.address(), HOST, "/melden/a", german).await;
    assert!(
        page.body.contains("Wir lassen nach und nach alle hinein"),
        "{}",
        page.body
    );
    // A page for a request that changes something does not ask again by itself.
    let ask = format!(
        "POST /melden/a HTTP/1.1\r\nhost: {HOST}\r\naccept: text/html\r\ncontent-length: 0\r\n\r\n"
    );
    let page = Client::new(house.address()).await.ask(&ask).await;
    assert_eq!(page.status, 503);
    assert!(!page.body.contains("http-equiv"), "{}", page.body);
}

#[tokio::test]
async fn a_close_empties_the_line_and_those_in_it_hear_of_it() {
    let house = house().await;
    filling(&house, "null", "60", "null").await;
    let mut inside = Browser::default();
    assert_eq!(inside.ask(&house).await.status, 200);
    let mut waits = Browser::default();
    waits.ask(&house).await;
    assert!(waits.ask(&house).await.body.contains("You are next."));
    let close = closing(cells(&[MELDEN]), 1);
    assert_eq!(
        post(house.admin(), "/close", &text(&close)).await.status,
        200
    );
    for browser in [&mut inside, &mut waits] {
        let page = browser.ask(&house).await;
        assert!(
            page.body.contains("This service is not available"),
            "{}",
            page.body
        );
    }
    let flows = get(house.admin(), "gate", "/inflow").await.body;
    assert!(flows.contains("\"waiting\":0"), "{flows}");
    house.open(MELDEN, 2, Stage::Full).await;
    // Nobody brings anything along from before: the first to come is the first.
    assert_eq!(Browser::default().ask(&house).await.status, 200);
    let page = waits.ask(&house).await;
    assert!(page.body.contains("You are next."), "{}", page.body);
    let page = inside.ask(&house).await;
    assert!(
        page.body.contains("about 1 place before you"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn what_was_set_and_who_is_in_outlive_a_restart() {
    let house = house().await;
    filling(&house, "null", "1", "null").await;
    let mut inside = Browser::default();
    assert_eq!(inside.ask(&house).await.status, 200);
    let (dir, control) = (
        house.dir.path().to_owned(),
        house.control.address.to_string(),
    );
    let config = house.config(&control, &dir);
    let House {
        gate,
        cast,
        control,
        dir,
        backend,
    } = house;
    gate.stop().await;
    let gate = anlauf_gate::Gate::start(config.clone()).await.unwrap();
    let house = House {
        gate,
        cast,
        control,
        dir,
        backend,
    };
    assert_eq!(inside.ask(&house).await.status, 200);
    assert_eq!(
        Browser::default().ask(&house).await.status,
        200,
        "the first of its minute"
    );
    assert_eq!(Browser::default().ask(&house).await.status, 503);
    // What cannot be read is no reason to let everyone in.
    let House { gate, dir, .. } = house;
    gate.stop().await;
    std::fs::write(dir.path().join("inflow.json"), "{\"a/b\":{\"share\":3}}").unwrap();
    let error = anlauf_gate::Gate::start(config).await.err().unwrap();
    assert!(error.to_string().contains("AN-GAT-016"), "{error}");
}

#[tokio::test]
async fn operators_are_told_what_is_no_order() {
    let house = house().await;
    for (share, rate, max) in [
        ("101", "null", "null"),
        ("null", "0", "null"),
        ("1", "1", "0"),
    ] {
        assert_eq!(fill(&house, share, rate, max).await.status, 400);
    }
    let short = format!("{{\"cell\":\"{MELDEN}\",\"share_percent\":10}}");
    let typo = format!(
        "{{\"cell\":\"{MELDEN}\",\"share\":10,\"share_percent\":null,\"rate_per_minute\":null,\
         \"concurrent_max\":null}}"
    );
    for body in [short.as_str(), typo.as_str(), "", "[]"] {
        assert_eq!(
            post(house.admin(), "/inflow", body).await.status,
            400,
            "{body}"
        );
    }
    let nobody = "{\"cell\":\"a/b\",\"share_percent\":1,\"rate_per_minute\":null,\
                  \"concurrent_max\":null}";
    assert_eq!(post(house.admin(), "/inflow", nobody).await.status, 404);
    filling(&house, "10", "null", "null").await;
    filling(&house, "null", "null", "null").await;
    let flows = get(house.admin(), "gate", "/inflow").await.body;
    assert_eq!(flows, "{\"cells\":[]}");
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 200);
    // No limit opens what is not released.
    let shut = closing(cells(&[MELDEN]), 1);
    post(house.admin(), "/close", &text(&shut)).await;
    filling(&house, "100", "1000000", "1000000").await;
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
}

async fn ask_http2(send: &mut SendRequest<Bytes>, cookie: &str) -> hyper::Response<h2::RecvStream> {
    std::future::poll_fn(|cx| send.poll_ready(cx))
        .await
        .unwrap();
    let request = Request::builder()
        .uri(format!("http://{HOST}/melden/a"))
        .header("cookie", cookie)
        .body(())
        .unwrap();
    send.send_request(request, true).unwrap().0.await.unwrap()
}

#[tokio::test]
async fn the_same_over_http2() {
    let house = house().await;
    filling(&house, "null", "60", "null").await;
    let stream = TcpStream::connect(house.address()).await.unwrap();
    let (mut send, connection) = h2::client::handshake(stream).await.unwrap();
    let drive = tokio::spawn(async move { drop(connection.await) });
    let cookie = |answer: &hyper::Response<h2::RecvStream>| {
        let line = answer.headers()["set-cookie"].to_str().unwrap();
        line.split(';').next().unwrap().to_owned()
    };
    let answer = ask_http2(&mut send, "a=b").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let inside = cookie(&answer);
    let answer = ask_http2(&mut send, "a=b").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let answer = ask_http2(&mut send, &cookie(&answer)).await;
    assert_eq!(answer.headers()["retry-after"], "5");
    let waits = cookie(&answer);
    let answer = ask_http2(&mut send, &inside).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(!answer.headers().contains_key("set-cookie"));
    tick(&house, 1);
    let answer = ask_http2(&mut send, &waits).await;
    assert_eq!(answer.status(), StatusCode::OK);
    drive.abort();
}
