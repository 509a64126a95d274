//! What bad input gets: one clear problem each, and nothing changed.

use anlauf_model::limits::REQUEST_BODY_SIZE_MAX;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::Desk as _;
use crate::stand::Stand;

/// Posts raw bytes as the operator; gives status and problem.
async fn post(stand: &Stand, path: &str, kind: Option<&str>, body: Vec<u8>) -> (u16, Value) {
    let mut request =
        Request::post(format!("/api/v1{path}")).header(AUTHORIZATION, "Bearer operator-1");
    if let Some(kind) = kind {
        request = request.header(CONTENT_TYPE, kind);
    }
    let response = stand
        .send(request.body(Body::from(body)).expect("legal"))
        .await;
    let status = response.status().as_u16();
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("whole");
    let problem: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(problem["status"], json!(status));
    assert_eq!(stand.desk.state().seq, 0, "something changed");
    (status, problem)
}

const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn a_wrong_body_is_told_by_line_and_column() {
    let stand = Stand::new();
    let cases = [
        ("{\n  \"key\": 7 }", "line 2, column 10"),
        ("", "line 1, column 0"),
        ("{ \"key\": \"k\",\n \"reason\": \"r\"", "line 2"),
        (
            "{\"key\":\"k\",\"reason\":\"r\",\"order\":{\"verb\":\"dance\"}}",
            "unknown variant `dance`",
        ),
        ("{\"key\":\"k\",\"reason\":\"r\"}", "missing field `order`"),
        (
            "{\"key\":\"k\",\"key\":\"k\",\"reason\":\"r\"}",
            "duplicate field `key`",
        ),
        ("\u{0}\u{1}", "line 1"),
    ];
    for (body, says) in cases {
        let (status, problem) = post(&stand, "/commands", JSON, body.into()).await;
        assert_eq!(status, 400, "{body}");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(says), "{body}: {detail}");
    }
    let (status, _) = post(&stand, "/commands", JSON, vec![0xff, 0xfe, 0x80]).await;
    assert_eq!(status, 400);
}

/// Nobody says in a body who they are.
#[tokio::test]
async fn an_actor_in_the_body_is_refused() {
    let stand = Stand::new();
    let actor = json!({ "person": "security-1", "organisation": "provider", "role": "security" });
    let body =
        json!({ "key": "k", "reason": "r", "actor": actor, "order": { "verb": "end_incident" } });
    let (status, problem) = post(&stand, "/commands", JSON, body.to_string().into()).await;
    assert_eq!(status, 400);
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|d| d.contains("unknown field `actor`"))
    );
}

#[tokio::test]
async fn content_type_and_size_are_looked_at() {
    let stand = Stand::new();
    for path in ["/commands", "/close", "/plan/proposals", "/forecast"] {
        for kind in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
        ] {
            assert_eq!(
                post(&stand, path, kind, b"{}".to_vec()).await.0,
                415,
                "{path} {kind:?}"
            );
        }
        let large = vec![b' '; REQUEST_BODY_SIZE_MAX + 1];
        assert_eq!(post(&stand, path, JSON, large).await.0, 413, "{path}");
        let just = vec![b' '; REQUEST_BODY_SIZE_MAX];
        assert_eq!(post(&stand, path, JSON, just).await.0, 400, "{path}");
        let charset = Some("application/json; charset=utf-8");
        assert_eq!(
            post(&stand, path, charset, b"{}".to_vec()).await.0,
            400,
            "{path}"
        );
    }
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_problems() {
    let stand = Stand::new();
    for path in [
        "/nothing",
        "/cells/a",
        "/cells/a/b/c",
        "",
        "/",
        "/commands/",
    ] {
        let answer = stand.ask(Some("operator-1"), Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            answer.headers[CONTENT_TYPE], "application/problem+json",
            "{path}"
        );
    }
    for (method, path) in [
        (Method::GET, "/commands"),
        (Method::DELETE, "/cells"),
        (Method::PUT, "/close"),
    ] {
        let answer = stand.ask(Some("operator-1"), method, path, None).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(
            answer.headers[CONTENT_TYPE], "application/problem+json",
            "{path}"
        );
        assert!(answer.headers.contains_key("allow"), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_query_is_told() {
    let stand = Stand::founded().await;
    let cases = [
        ("/cells?stage=ajar", "ajar"),
        ("/cells?colour=red", "colour"),
        ("/cells?limit=0", "`limit` is 0"),
        ("/cells?limit=99999999", "`limit`"),
        ("/cells?after=nonsense", "`after` is `nonsense`"),
        ("/cells?tenant=Not%20An%20Id", "not a legal tenant id"),
        ("/entries?limit=1001", "`limit` is 1001"),
        ("/entries?from=minus", "invalid digit"),
        (
            "/releases?open=maybe",
            "provided string was not `true` or `false`",
        ),
        ("/plans/diff", "missing field `to`"),
    ];
    for (path, says) in cases {
        let answer = stand.get("operator-1", path).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{path}: {}",
            answer.text
        );
        assert!(answer.text.contains(says), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn addresses_of_nothing_are_not_found() {
    let stand = Stand::founded().await;
    let paths = [
        "/cells/Town/portal",
        "/cells/town-alder/nothing",
        "/tenants/nobody",
        "/findings/0",
        "/findings/x",
        "/findings/99999999999999999999",
        "/releases/abc",
        "/entries/0/proof",
        "/entries/4000/proof",
        "/entries/-1/proof",
        "/releases/0000000000000000000000000000000000000000000000000000000000000000",
        "/plans/diff?to=0000000000000000000000000000000000000000000000000000000000000000",
    ];
    for path in paths {
        let answer = stand.get("operator-1", path).await;
        assert_eq!(
            answer.status,
            StatusCode::NOT_FOUND,
            "{path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn before_a_landscape_every_route_answers() {
    let stand = Stand::new();
    for route in super::super::table()
        .iter()
        .filter(|route| route.path != "/events")
    {
        if route.method == super::super::route::Method::Get {
            let path = route.path.replace(['{', '}'], "");
            let answer = stand.get("operator-1", &path).await;
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.text);
        }
    }
}
