//! Who comes where: every address without a login, with the wrong one, and from another site.

use axum::http::header;

use super::super::{Audience, ROUTES};
use super::{HERE, OTHER, OTHER_PERSON, OWN, OWN_PERSON, open, post, send};
use crate::Desk;
use crate::stand::Stand;

fn filled(path: &str) -> String {
    path.replace("{owner}", OTHER)
        .replace("{tenant}", OTHER)
        .replace("{service}", "portal")
        .replace("{number}", "3")
        .replace("{release}", &"0".repeat(64))
}

#[tokio::test]
async fn nobody_comes_in_without_a_login() {
    let stand = Stand::rich().await;
    for route in ROUTES
        .iter()
        .filter(|route| route.audience != Audience::Public)
    {
        let path = filled(route.path);
        let page = match route.show {
            Some(_) => open(&stand, None, "de", &path).await,
            None => send(&stand, None, &path, &[]).await,
        };
        assert_eq!(page.status, 303, "{path}");
        assert!(
            page.location().starts_with("/login"),
            "{path} leads to {}",
            page.location()
        );
    }
}

#[tokio::test]
async fn a_tenant_has_no_console_and_the_provider_no_portal() {
    let stand = Stand::rich().await;
    let before = stand.desk.state().seq;
    for route in ROUTES {
        let (wrong, home) = match route.audience {
            Audience::Public => continue,
            Audience::Console => (OWN_PERSON, "/tenant"),
            Audience::Portal => ("operator-1", "/console"),
        };
        let path = filled(route.path);
        let page = match route.show {
            Some(_) => open(&stand, Some(wrong), "de", &path).await,
            None => send(&stand, Some(wrong), &path, &[("reason", "mine")]).await,
        };
        if route.show.is_some() && matches!(path.as_str(), "/console" | "/tenant") {
            assert_eq!(
                (page.status.as_u16(), page.location()),
                (303, home),
                "{path}"
            );
        } else {
            assert_eq!(page.status, 404, "{path}");
        }
    }
    assert_eq!(stand.desk.state().seq, before, "nothing was done");
}

#[tokio::test]
async fn gates_and_the_public_have_neither() {
    let stand = Stand::rich().await;
    for who in ["gate-1", "anyone"] {
        for route in ROUTES
            .iter()
            .filter(|r| r.audience != Audience::Public && r.show.is_some())
        {
            let page = open(&stand, Some(who), "de", &filled(route.path)).await;
            assert_eq!(page.status, 404, "{} as {who}", route.path);
        }
    }
}

#[tokio::test]
async fn a_tenant_never_reads_of_another() {
    let stand = Stand::rich().await;
    let other = stand
        .landscape
        .tenant(&OTHER.parse().expect("legal"))
        .expect("it is there");
    let other_name = other.name.as_str();
    let last = stand.desk.state().seq;
    let mut paths = vec!["/tenant".to_owned()];
    for cell in stand
        .landscape
        .cells_of_tenant(&OWN.parse().expect("legal"))
    {
        paths.push(format!("/tenant/cells/{}", cell.service()));
    }
    paths.extend((1..=last).map(|number| format!("/tenant/events/{number}")));
    let mut read = 0;
    for path in paths {
        for language in ["de", "en"] {
            let page = open(&stand, Some(OWN_PERSON), language, &path).await;
            if page.status == 404 {
                continue;
            }
            read += 1;
            assert_eq!(page.status, 200, "{path}");
            assert!(!page.text.contains(OTHER), "{path} names {OTHER}");
            assert!(!page.text.contains(other_name), "{path} names {other_name}");
        }
    }
    assert!(read > 40, "the tenant reads its own entries: {read}");
    let own = open(&stand, Some(OTHER_PERSON), "de", "/tenant").await;
    assert!(
        own.text.contains(other_name),
        "the other tenant reads of itself"
    );
}

#[tokio::test]
async fn a_tenants_entries_of_others_are_nowhere() {
    let stand = Stand::rich().await;
    let entries = stand.desk.entries(1, 10_000).expect("memory");
    let foreign = entries.iter().filter(|entry| {
        entry.scope == anlauf_recovery::event::Scope::Tenant(OTHER.parse().expect("legal"))
    });
    let mut tried = 0;
    for entry in foreign {
        tried += 1;
        let path = format!("/tenant/events/{}", entry.seq);
        assert_eq!(
            open(&stand, Some(OWN_PERSON), "de", &path).await.status,
            404,
            "{path}"
        );
    }
    assert!(tried > 5, "the other tenant has entries");
}

#[tokio::test]
async fn another_sites_form_does_nothing() {
    let stand = Stand::rich().await;
    let before = stand.desk.state().seq;
    let fields = [("scope", "everything"), ("reason", "boo"), ("key", "k-1")];
    for origin in [
        "https://evil.example",
        "null",
        "http://anlauf.example.evil.example",
    ] {
        let page = post(
            &stand,
            Some("operator-1"),
            "/console/close/order",
            &fields,
            origin,
        )
        .await;
        assert_eq!(page.status, 403, "{origin}");
    }
    assert_eq!(stand.desk.state().seq, before, "nothing was done");
    let page = send(&stand, Some("operator-1"), "/console/close/order", &fields).await;
    assert_eq!(page.status, 303, "the same from our own page is done");
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let stand = Stand::founded().await;
    for path in [
        "/",
        "/console",
        "/nowhere",
        "/assets/anlauf.css",
        "/status.atom",
        "/login",
    ] {
        let page = open(&stand, Some("operator-1"), "de", path).await;
        let has = |name: &str| {
            page.headers
                .get(name)
                .is_some_and(|value| !value.is_empty())
        };
        assert!(
            has("content-security-policy") && has("x-content-type-options"),
            "{path}"
        );
        let policy = page.headers["content-security-policy"]
            .to_str()
            .expect("text");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_login_is_a_cookie_no_script_reads_and_no_other_site_sends() {
    let stand = Stand::founded().await;
    let page = send(
        &stand,
        None,
        "/login",
        &[("token", "operator-1"), ("back", "/console/grid")],
    )
    .await;
    assert_eq!(
        (page.status.as_u16(), page.location()),
        (303, "/console/grid")
    );
    let cookie = page.headers[header::SET_COOKIE].to_str().expect("text");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let wrong = send(&stand, None, "/login", &[("token", "nobody")]).await;
    assert_eq!(wrong.status, 401);
    assert!(!wrong.headers.contains_key(header::SET_COOKIE));
    for back in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let page = send(
            &stand,
            None,
            "/login",
            &[("token", "operator-1"), ("back", back)],
        )
        .await;
        assert_eq!(page.location(), "/console", "{back} is not followed");
    }
}

#[tokio::test]
async fn the_language_is_the_cookies_else_the_browsers() {
    let stand = Stand::founded().await;
    let page = open(&stand, None, "en", "/").await;
    assert!(page.text.contains("<html lang=\"en\">"));
    let to = open(&stand, None, "en", "/language?to=de&back=%2Fstatus").await;
    assert_eq!((to.status.as_u16(), to.location()), (303, "/status"));
    assert!(
        to.headers[header::SET_COOKIE]
            .to_str()
            .expect("text")
            .starts_with("anlauf-language=de")
    );
    let away = open(
        &stand,
        None,
        "en",
        "/language?to=de&back=%2F%2Fevil.example",
    )
    .await;
    assert_eq!(away.location(), "/");
    let request = axum::http::Request::builder()
        .uri("/")
        .header(header::HOST, HERE)
        .header(header::ACCEPT_LANGUAGE, "fr, en;q=0.8, de;q=0.4");
    let page = super::read(
        &stand,
        request.body(axum::body::Body::empty()).expect("legal"),
    )
    .await;
    assert!(page.text.contains("<html lang=\"en\">"));
}
