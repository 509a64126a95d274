//! Other people's proxies ask before they let a request pass: Debian's nginx and HAProxy with the
//! settings of the guide, Traefik and Envoy by the shape of their questions.

use std::net::SocketAddr;
use std::path::Path;

use anlauf_gate::GateConfig;
use anlauf_model::Stage;

use crate::backend::{Backend, mirror};
use crate::cast::{HOST, MELDEN, cells, closing, text};
use crate::client::{Answer, Client, get, get_with, post};
use crate::house::House;
use crate::proxy::{Front, front, settings};

const GUIDE: &str = include_str!("../../../../docs/guide/forward-auth.md");

/// A gate that is asked; its own door leads to a service as well.
async fn house(proxies: &str) -> House {
    let change = |config: &mut GateConfig| {
        config.serving.proxies = vec![proxies.parse().unwrap()];
        config.serving.asked = vec!["127.0.0.1:0".parse().unwrap()];
    };
    let house = House::with(mirror().await, change).await;
    house.ground().await;
    house
}

async fn shut(house: &House, epoch: u64) {
    let envelope = closing(cells(&[MELDEN]), epoch);
    let answer = post(house.admin(), "/close", &text(&envelope)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn asked(house: &House) -> SocketAddr {
    house.gate.asked()[0]
}

/// A question as Traefik puts it.
async fn traefik(house: &House, (method, path): (&str, &str), more: &str) -> Answer {
    let lines = format!(
        "x-forwarded-method: {method}\r\nx-forwarded-proto: http\r\nx-forwarded-host: {HOST}\r\n\
         x-forwarded-uri: {path}\r\nx-forwarded-for: 192.0.2.7\r\n{more}"
    );
    get_with(asked(house), "gate.internal", "/traefik", &lines).await
}

/// A question as Envoy puts it.
async fn envoy(house: &House, method: &str, path: &str) -> Answer {
    let text = format!(
        "{method} /envoy{path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 0\r\n\
         x-forwarded-for: 192.0.2.7\r\naccept: text/html\r\n\r\n"
    );
    Client::new(asked(house)).await.ask(&text).await
}

#[tokio::test]
async fn questions_are_answered_as_the_gate_would_answer_for_itself() {
    let house = house("127.0.0.1").await;
    for (stage, epoch) in [("shut", 0), ("open", 1)] {
        if epoch > 0 {
            house.open(MELDEN, epoch, Stage::Full).await;
        }
        let is_open = stage == "open";
        let page = traefik(&house, ("POST", "/melden/a?b=//c"), "accept: text/html\r\n").await;
        assert_eq!(page.status, if is_open { 200 } else { 503 });
        assert_eq!(
            page.head.contains("retry-after: "),
            !is_open,
            "{}",
            page.head
        );
        assert_eq!(page.body.contains("<h1>"), !is_open, "{}", page.body);
        assert_eq!(
            page.head
                .contains("x-anlauf-cell: stadt-ahornfeld/meldewesen"),
            is_open
        );
        // Envoy must not take a closed cell for an error of the gate.
        let page = envoy(&house, "DELETE", "/melden/a?b").await;
        assert_eq!(page.status, if is_open { 200 } else { 403 });
        assert_eq!(page.body.contains("<h1>"), !is_open, "{}", page.body);
    }
    for (method, path, want) in [
        ("GET", "/nichts", 404),
        ("GET", "/melden/../soziales", 400),
        ("GET", "/soziales", 503),
        ("TRACE", "/melden", 405),
        ("GET", "/.anlauf/health", 403),
        ("GET", "melden", 400),
    ] {
        assert_eq!(
            traefik(&house, (method, path), "").await.status,
            want,
            "{path}"
        );
    }
    assert_eq!(envoy(&house, "GET", "/nichts").await.status, 404);
    assert_eq!(envoy(&house, "GET", "/.anlauf/health").await.status, 403);
    let lines = format!(
        "x-original-method: GET\r\nx-original-uri: /melden\r\nx-forwarded-host: {HOST}\r\n"
    );
    let own = asked(&house);
    assert_eq!(get_with(own, "gate", "/nginx", &lines).await.status, 200);
    shut(&house, 1).await;
    assert_eq!(get_with(own, "gate", "/nginx", &lines).await.status, 403);
    assert_eq!(traefik(&house, ("GET", "/melden"), "").await.status, 503);
    assert_eq!(envoy(&house, "GET", "/melden").await.status, 403);
    let state = get(house.admin(), "gate", "/state").await.body;
    assert!(
        state.contains("\"not_proven\":[\"forward authentication at "),
        "{state}"
    );
}

#[tokio::test]
async fn two_answers_to_one_question_are_a_no() {
    let house = house("127.0.0.1").await;
    house.open(MELDEN, 1, Stage::Full).await;
    for more in [
        "x-forwarded-host: stadt-ulmenau.kommunen.example\r\n",
        "x-forwarded-uri: /soziales\r\n",
        "x-original-uri: /soziales\r\n",
        "x-original-method: POST\r\n",
        "x-forwarded-proto: https\r\n",
        "forwarded: for=192.0.2.8\r\n",
    ] {
        let answer = traefik(&house, ("GET", "/melden"), more).await;
        assert_eq!(answer.status, 400, "{more}");
    }
    let own = asked(&house);
    for lines in [
        "",
        "x-forwarded-uri: /melden\r\nx-forwarded-method: GET\r\n",
    ] {
        assert_eq!(
            get_with(own, HOST, "/traefik", lines).await.status,
            400,
            "{lines}"
        );
        assert_eq!(
            get_with(own, HOST, "/nginx", lines).await.status,
            403,
            "{lines}"
        );
    }
    for path in ["/", "/melden", "/envoy", "/envoymelden", "/nginx/a"] {
        assert_eq!(get(own, HOST, path).await.status, 404, "{path}");
    }
    // HTTP/2 is nobody's way of asking.
    let mut client = Client::new(own).await;
    client.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(client.answer().await.unwrap().status, 400);
}

#[tokio::test]
async fn nobody_but_a_trusted_proxy_is_answered() {
    let house = house("10.0.0.0/8").await;
    house.open(MELDEN, 1, Stage::Full).await;
    assert_eq!(traefik(&house, ("GET", "/melden"), "").await.status, 403);
    assert_eq!(envoy(&house, "GET", "/melden").await.status, 403);
}

#[tokio::test]
async fn a_tester_is_who_the_proxy_names() {
    let house = {
        let change = |config: &mut GateConfig| {
            config.serving.proxies = vec!["127.0.0.1".parse().unwrap()];
            config.serving.asked = vec!["127.0.0.1:0".parse().unwrap()];
            config.clean_room = vec!["192.0.2.7".parse().unwrap()];
        };
        House::with(mirror().await, change).await
    };
    house.ground().await;
    house.open(MELDEN, 1, Stage::CleanRoom).await;
    assert_eq!(traefik(&house, ("GET", "/melden"), "").await.status, 200);
    let own = asked(&house);
    let lines = format!(
        "x-forwarded-method: GET\r\nx-forwarded-host: {HOST}\r\nx-forwarded-uri: /melden\r\n"
    );
    for more in ["", "x-forwarded-for: 192.0.2.7, 192.0.2.8\r\n"] {
        let answer = get_with(own, "gate", "/traefik", &format!("{lines}{more}")).await;
        assert_eq!(answer.status, 503, "{more}");
    }
}

async fn nginx(house: &House, service: SocketAddr) -> Front {
    let places = [
        ("127.0.0.1:8080", house.address().to_string()),
        ("127.0.0.1:8444", asked(house).to_string()),
        ("127.0.0.1:9000", service.to_string()),
    ];
    let text = |listen: SocketAddr, folder: &Path| {
        let (folder, own) = (folder.display(), settings(GUIDE, "nginx", &places));
        format!(
            "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;
             events {{ }}
             http {{
               access_log off;
               client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
               fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
               server {{ listen {listen}; {own} }}
             }}"
        )
    };
    front("/usr/sbin/nginx", &["-c"], text).await
}

async fn haproxy(house: &House, service: SocketAddr) -> Front {
    let text = |listen: SocketAddr, folder: &Path| {
        let script = folder.join("anlauf.lua");
        std::fs::write(&script, settings(GUIDE, "lua", &[])).unwrap();
        let places = [
            ("/etc/haproxy/anlauf.lua", script.display().to_string()),
            ("bind :80", format!("bind {listen}")),
            ("127.0.0.1:8444", asked(house).to_string()),
            ("127.0.0.1:9000", service.to_string()),
        ];
        settings(GUIDE, "haproxy", &places)
    };
    front("/usr/sbin/haproxy", &["-db", "-f"], text).await
}

/// One proxy through a whole life of a cell.
async fn walk(name: &str, house: House, proxy: Front, mut service: Backend) {
    let to = proxy.address;
    let ask = |path: &'static str| {
        let lines = "accept: text/html\r\naccept-language: de\r\n\
                     x-forwarded-host: nobody.example\r\nx-forwarded-uri: /soziales\r\n\
                     x-original-uri: /a\r\nx-forwarded-for: 10.0.0.1\r\n";
        async move { get_with(to, HOST, path, lines).await }
    };
    let page = ask("/melden/a").await;
    assert_eq!(page.status, 503, "{name}: {}", page.head);
    assert!(
        page.body.contains("<h1>Dieser Dienst ist im Moment nicht"),
        "{name}: {}",
        page.body
    );
    assert!(
        page.head.to_ascii_lowercase().contains("retry-after: 3600"),
        "{name}"
    );
    assert!(service.is_quiet(), "{name} let it pass");
    house.open(MELDEN, 1, Stage::Full).await;
    let passes = tokio::spawn(ask("/melden/a?b=c"));
    let mut exchange = service.next().await;
    assert!(
        exchange.head.starts_with("GET /melden/a?b=c HTTP/1."),
        "{}",
        exchange.head
    );
    exchange
        .say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi")
        .await;
    let answer = passes.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "hi"), "{name}");
    for path in ["/soziales", "/nichts", "/.anlauf/health"] {
        let status = ask(path).await.status;
        assert!(
            status >= 400 || path == "/.anlauf/health",
            "{name} {path}: {status}"
        );
    }
    assert!(service.is_quiet(), "{name} let it pass");
    shut(&house, 1).await;
    assert_eq!(ask("/melden/a").await.status, 503, "{name}");
    house.gate.stop().await;
    // A gate that is gone is a no.
    let status = ask("/melden/a").await.status;
    assert!((500..=503).contains(&status), "{name}: {status}");
    assert!(service.is_quiet(), "{name} let it pass");
}

#[tokio::test]
async fn nginx_asks_before_it_passes() {
    let (house, service) = (house("127.0.0.1").await, Backend::new().await);
    let proxy = nginx(&house, service.address).await;
    walk("nginx", house, proxy, service).await;
}

#[tokio::test]
async fn haproxy_asks_before_it_passes() {
    let (house, service) = (house("127.0.0.1").await, Backend::new().await);
    let proxy = haproxy(&house, service.address).await;
    walk("HAProxy", house, proxy, service).await;
}
