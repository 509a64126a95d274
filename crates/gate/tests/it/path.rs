//! A path that a backend could read in another way than the gate leads nowhere.

use anlauf_model::Stage;

use crate::backend::Backend;
use crate::cast::{HOST, MELDEN, SOZIALES};
use crate::client::Client;
use crate::house::House;

/// Cells of one host are mostly served by one backend. One of them is open, `/soziales`; all other
/// paths of the host are shut or nobody's. What gets through must be for the open one in every
/// reading.
#[tokio::test]
async fn no_spelling_of_a_path_leads_into_another_cell() {
    let mut backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(SOZIALES, 1, Stage::Full).await;
    let paths = [
        ("/soziales", 200),
        ("/soziales/", 200),
        ("/soziales/a//b", 200),
        ("/%73oziales/a", 200),
        ("/soziales/%C3%A4", 200),
        ("/soziales/a;v=1/b", 200),
        ("/soziales/a%2Fb", 200),
        ("/soziales/100%25", 200),
        ("/soziales?x=/../melden", 200),
        ("/soziales/...", 200),
        ("/melden", 503),
        ("/%6delden/a", 503),
        ("/melden/soziales", 503),
        ("/sozialesx", 404),
        ("/Soziales", 404),
        ("/MELDEN", 404),
        ("/", 404),
        ("//soziales/a", 404),
        ("/soziales%2Fa", 404),
        ("/soziales%5Ca", 404),
        ("/soziales\\a", 404),
        ("/soziales;v=1/a", 404),
        ("/melden;/a", 404),
        ("/%2Fsoziales", 404),
        ("/soziales/../melden", 400),
        ("/soziales/..", 400),
        ("/soziales/./a", 400),
        ("/soziales/%2e%2e/melden", 400),
        ("/soziales/%2E./melden", 400),
        ("/soziales/..%2fmelden", 400),
        ("/soziales/..%5cmelden", 400),
        ("/soziales\\..\\melden", 400),
        ("/soziales/..;/melden", 400),
        ("/soziales/..;x=1/melden", 400),
        ("/soziales/%252e%252e/melden", 400),
        ("/soziales/..%252fmelden", 400),
        ("/soziales/%00", 400),
        ("/soziales/%zz", 400),
        ("/soziales/%2", 400),
        ("*", 400),
        ("soziales", 400),
    ];
    for (path, want) in paths {
        let mut client = Client::new(house.address()).await;
        client
            .say(&format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\n\r\n"))
            .await;
        if want == 200 {
            let mut exchange = backend.next().await;
            let head = &exchange.head;
            assert!(
                head.starts_with(&format!("GET {path} HTTP/1.1\r\n")),
                "{path}: {head}"
            );
            assert!(
                head.contains(&format!("x-anlauf-cell: {SOZIALES}\r\n")),
                "{path}: {head}"
            );
            let done = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            exchange.say(done).await;
        }
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status, want, "{path}");
        assert!(backend.is_quiet(), "{path}");
    }
}

/// The target of a request may be a whole address, and then it decides.
#[tokio::test]
async fn host_and_target_must_agree() {
    let mut backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(SOZIALES, 1, Stage::Full).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let other = "stadt-ulmenau.kommunen.example";
    for (target, host, want) in [
        (format!("http://{HOST}/soziales"), HOST, 200),
        (
            format!("http://{}/soziales", HOST.to_uppercase()),
            HOST,
            200,
        ),
        (format!("http://{HOST}/soziales"), other, 400),
        (format!("http://{other}/soziales"), HOST, 400),
        (format!("http://{other}/soziales"), other, 503),
        (format!("http://user@{HOST}/soziales"), HOST, 400),
        (format!("{HOST}:80"), HOST, 400),
    ] {
        let mut client = Client::new(house.address()).await;
        client
            .say(&format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n"))
            .await;
        if want == 200 {
            let mut exchange = backend.next().await;
            assert!(
                exchange.head.contains(&format!("host: {HOST}\r\n")),
                "{}",
                exchange.head
            );
            assert!(
                exchange.head.starts_with("GET /soziales HTTP/1.1\r\n"),
                "{}",
                exchange.head
            );
            exchange
                .say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                .await;
        }
        assert_eq!(
            client.answer().await.unwrap().status,
            want,
            "{target} {host}"
        );
        assert!(backend.is_quiet(), "{target} {host}");
    }
}
