//! Entries as they happen: in order, once, resumed by number, filtered.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION};
use hyper::body::Body as _;
use serde_json::{Value, json};

use super::cover::assert_unseen;
use crate::Desk as _;
use crate::stand::Stand;
use crate::stand::story::{OTHER, OWN, OWN_PERSON};

/// One event of a stream: its id and its data.
type Event = (u64, Value);

/// A running stream.
struct Stream(Body);

impl Stream {
    async fn open(stand: &Stand, who: &str, path: &str, last: Option<u64>) -> Self {
        let mut request = Request::get(format!("/api/v1{path}"))
            .header(AUTHORIZATION, format!("Bearer {who}"))
            .header(ACCEPT_LANGUAGE, "en");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last.to_string());
        }
        let response = stand
            .send(request.body(Body::empty()).expect("legal"))
            .await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body())
    }

    /// The next `count` events; each frame holds one.
    async fn next(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            let frame =
                std::future::poll_fn(|context| std::pin::Pin::new(&mut self.0).poll_frame(context));
            let frame = frame.await.expect("the stream goes on").expect("no error");
            let text = String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text");
            events.extend(event(&text));
        }
        events
    }
}

fn event(text: &str) -> Option<Event> {
    let mut lines = text.lines();
    let id = lines
        .next()?
        .strip_prefix("id: ")?
        .parse()
        .expect("a number");
    assert_eq!(lines.next(), Some("event: entry"));
    let data = lines.next()?.strip_prefix("data: ")?;
    assert!(text.ends_with("\n\n"), "an event ends with an empty line");
    Some((id, serde_json::from_str(data).expect("JSON")))
}

#[tokio::test]
async fn a_stream_tells_what_happens_from_now_on() {
    let stand = Stand::contained().await;
    let mut stream = Stream::open(&stand, "auditor-1", "/events", None).await;
    stand
        .must(
            "operator-1",
            json!({ "verb": "narrow_incident", "sites": ["site-east"] }),
        )
        .await;
    let events = stream.next(1).await;
    assert_eq!(events[0].0, stand.desk.state().seq);
    assert_eq!(events[0].1["event"], json!("incident_narrowed"));
    assert_eq!(
        events[0].1["words"],
        json!("incident narrowed to Site east")
    );
}

#[tokio::test]
async fn a_stream_resumes_where_it_broke_off() {
    let stand = Stand::rich().await;
    let head = stand.desk.state().seq;
    let count = usize::try_from(head).expect("short");
    let whole = Stream::open(&stand, "auditor-1", "/events?from=0", None)
        .await
        .next(count)
        .await;
    let ids: Vec<_> = whole.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, (1..=head).collect::<Vec<_>>());
    for broken_at in [1, head / 2, head - 1] {
        // `Last-Event-ID` goes before the address, which a browser repeats as it was.
        let mut stream = Stream::open(&stand, "auditor-1", "/events?from=0", Some(broken_at)).await;
        let rest = stream
            .next(usize::try_from(head - broken_at).expect("short"))
            .await;
        assert_eq!(rest, whole[usize::try_from(broken_at).expect("short")..]);
    }
}

#[tokio::test]
async fn a_tenant_hears_only_its_own() {
    let stand = Stand::rich().await;
    let page = stand.json(OWN_PERSON, "/entries?limit=1000").await;
    let entries = page["entries"].as_array().expect("entries");
    let mut stream = Stream::open(&stand, OWN_PERSON, "/events?from=0", None).await;
    let events = stream.next(entries.len()).await;
    let ids: Vec<_> = events.iter().map(|(id, _)| json!(id)).collect();
    assert_eq!(
        ids,
        entries
            .iter()
            .map(|entry| entry["seq"].clone())
            .collect::<Vec<_>>()
    );
    for (id, data) in &events {
        assert_unseen(&data.to_string(), &format!("event {id}"));
    }
    // Another tenant's wish, then its own: the next it hears is its own.
    for tenant in [OTHER, OWN] {
        let cells = [format!("{tenant}/mail")];
        let order = json!({ "verb": "state_wish", "tenant": tenant, "order": cells });
        stand.must(&format!("{tenant}.approver-1"), order).await;
    }
    let (id, data) = stream.next(1).await.remove(0);
    assert_eq!(id, stand.desk.state().seq);
    assert_unseen(&data.to_string(), "the wish after another's");
}

#[tokio::test]
async fn a_wrong_number_is_told() {
    let stand = Stand::contained().await;
    let request = Request::get("/api/v1/events")
        .header(AUTHORIZATION, "Bearer auditor-1")
        .header("Last-Event-ID", "yesterday");
    let response = stand
        .send(request.body(Body::empty()).expect("legal"))
        .await;
    assert_eq!(response.status(), 400);
}
