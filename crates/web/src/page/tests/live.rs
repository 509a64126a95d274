//! Live pages: parts come when something happens, only to whom may read them.

use axum::body::{Body, HttpBody};
use axum::http::header::COOKIE;
use axum::http::{Request, StatusCode};
use serde_json::json;
use std::future::poll_fn;
use std::pin::Pin;

use super::{OWN_PERSON, cookies};
use crate::Desk;
use crate::stand::Stand;

async fn follow(stand: &Stand, who: &str, at: &str, seen: u64) -> (StatusCode, Body) {
    let uri = format!("/live?at={}", super::super::visit::encoded(at));
    let request = Request::builder()
        .uri(uri)
        .header(COOKIE, cookies(Some(who), "de"))
        .header("last-event-id", seen.to_string());
    let response = stand
        .send(request.body(Body::empty()).expect("legal"))
        .await;
    (response.status(), response.into_body())
}

async fn next(body: &mut Body) -> Option<String> {
    let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
    let bytes = frame.expect("no error").into_data().expect("data");
    Some(String::from_utf8(bytes.to_vec()).expect("text"))
}

#[tokio::test]
async fn a_reader_that_missed_something_gets_the_page_again() {
    let stand = Stand::founded().await;
    let (status, mut body) = follow(&stand, "operator-1", "/console", 1).await;
    assert_eq!(status, 200);
    let message = next(&mut body).await.expect("a message");
    assert!(
        message.contains("event: part\n") && message.contains("situation-due"),
        "{message}"
    );
    assert!(message.contains(&format!("id: {}\n", stand.desk.state().seq)));
}

#[tokio::test]
async fn only_what_changed_is_sent() {
    let stand = Stand::founded().await;
    let seen = stand.desk.state().seq;
    let (_, mut body) = follow(&stand, "operator-1", "/console", seen).await;
    tokio::task::yield_now().await;
    let title = json!({ "de": "Angriff", "en": "attack" });
    stand
        .must(
            "operator-1",
            json!({ "verb": "declare_incident", "title": title }),
        )
        .await;
    let message = next(&mut body).await.expect("a message");
    assert!(
        message.contains("situation-head") && message.contains("Angriff"),
        "{message}"
    );
    assert!(
        !message.contains("situation-gates"),
        "the gates did not change"
    );
}

#[tokio::test]
async fn a_stream_shows_no_more_than_its_page() {
    let stand = Stand::founded().await;
    for (who, at) in [
        (OWN_PERSON, "/console"),
        ("gate-1", "/console"),
        ("operator-1", "/tenant"),
    ] {
        assert_eq!(follow(&stand, who, at, 0).await.0, 404, "{at} as {who}");
    }
    assert_eq!(
        follow(&stand, "operator-1", "/console/close/order", 0)
            .await
            .0,
        404,
        "a form"
    );
}
