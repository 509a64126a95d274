//! How pages read, in both languages: snapshots of what a reader gets.

use anlauf_model::Minutes;
use serde_json::json;

use super::outline::outline;
use super::{HERE, OWN, OWN_PERSON, open, send};
use crate::Desk;
use crate::stand::Stand;
use crate::stand::desk::ORIGIN;

/// One snapshot per page and language.
async fn look(stand: &Stand, who: Option<&str>, name: &str, path: &str) {
    for language in ["de", "en"] {
        let page = open(stand, who, language, path).await;
        insta::assert_snapshot!(format!("{name}-{language}"), outline(&page.text, false));
    }
}

#[tokio::test]
async fn the_console_reads_well() {
    let stand = Stand::rich().await;
    let operator = Some("operator-1");
    look(&stand, operator, "situation", "/console").await;
    look(&stand, operator, "grid", "/console/grid").await;
    look(
        &stand,
        operator,
        "cell",
        &format!("/console/cells/{OWN}/portal"),
    )
    .await;
    look(&stand, operator, "plan", "/console/plan").await;
    for view in ["load", "changes", "course"] {
        let name = format!("plan-{view}");
        look(&stand, operator, &name, &format!("/console/plan/{view}")).await;
    }
    look(&stand, operator, "inbox", "/console/inbox").await;
    look(&stand, operator, "gates", "/console/gates").await;
    look(&stand, operator, "evidence", "/console/evidence").await;
    look(
        &stand,
        operator,
        "close",
        "/console/close?scope=dependents/shared/mail",
    )
    .await;
    look(&stand, operator, "desk", "/console/desk").await;
}

#[tokio::test]
async fn the_portal_reads_well() {
    let stand = Stand::rich().await;
    look(&stand, Some(OWN_PERSON), "portal", "/tenant").await;
    look(
        &stand,
        Some(OWN_PERSON),
        "portal-cell",
        "/tenant/cells/portal",
    )
    .await;
}

#[tokio::test]
async fn the_public_page_reads_calmly() {
    let stand = Stand::rich().await;
    look(&stand, None, "status", &format!("/status?tenant={OWN}")).await;
    look(&Stand::founded().await, None, "status-calm", "/").await;
    look(
        &Stand::new(),
        Some("operator-1"),
        "situation-empty",
        "/console",
    )
    .await;
}

#[tokio::test]
async fn a_no_reads_kindly() {
    let stand = Stand::contained().await;
    let path = format!("/console/cells/{OWN}/portal/draw-up");
    let fields = [("key", "form-1"), ("reason", "ready")];
    let page = send(&stand, Some("operator-1"), &path, &fields).await;
    insta::assert_snapshot!("refused-de", outline(&page.text, false));
    let page = open(&stand, None, "de", "/nowhere").await;
    insta::assert_snapshot!("not-found-de", outline(&page.text, true));
}

#[tokio::test]
async fn a_drill_is_marked_on_every_page() {
    let stand = Stand::rich().await;
    for (who, path) in super::pages(&stand) {
        let page = open(&stand, Some(who), "de", &path).await;
        assert!(
            page.text.contains("class=\"drill\""),
            "{path} does not say that it is a drill"
        );
    }
}

#[tokio::test]
async fn the_feed_names_every_public_notice_and_no_other() {
    let stand = Stand::rich().await;
    let feed = open(&stand, None, "en", "/status.atom").await;
    assert_eq!(feed.status, 200);
    assert!(
        feed.text.contains("revised") && feed.text.contains(":notice:1"),
        "{}",
        feed.text
    );
    assert!(
        !feed.text.contains(":notice:2"),
        "a tenant's own notice is not public"
    );
}

#[tokio::test]
async fn the_feed_leads_to_a_page_by_its_whole_address() {
    let stand = Stand::founded().await;
    let feed = open(&stand, None, "en", "/status.atom").await;
    let link = format!("href=\"http://{HERE}/\"");
    assert!(feed.text.contains(&link), "{}", feed.text);
    let behind = axum::http::Request::builder()
        .uri("/status.atom")
        .header("host", HERE)
        .header("x-forwarded-proto", "https");
    let behind = behind.body(axum::body::Body::empty()).expect("legal");
    let feed = super::read(&stand, behind).await;
    assert!(feed.text.contains(&format!("href=\"https://{HERE}/\"")));
}

#[tokio::test]
async fn only_the_newest_notice_can_be_overdue() {
    let stand = Stand::rich().await;
    let next = (stand.desk.now() + Minutes::days(1)).to_string();
    let order = json!({ "verb": "publish_notice", "text": { "de": "neu", "en": "new" },
        "next_word_at": next, "tenant": null });
    stand.must("operator-1", order).await;
    let overdue = |text: &str| -> Vec<bool> {
        let notices = text.split("<article").skip(1);
        notices
            .map(|notice| notice.contains("<em>überfällig"))
            .collect()
    };
    let page = open(&stand, None, "de", "/").await;
    assert_eq!(overdue(&page.text), [false, false]);
    stand.desk.pass(Minutes::days(3));
    let page = open(&stand, None, "de", "/").await;
    assert_eq!(
        overdue(&page.text),
        [true, false],
        "the second word kept the first's promise"
    );
}

#[tokio::test]
async fn the_proof_page_prints_commands_that_exist() {
    let stand = Stand::rich().await;
    let page = open(&stand, Some("operator-1"), "en", "/console/proof").await;
    for command in [
        format!("anlauf ledger verify DIR --origin {ORIGIN} --key DIR/log.pub"),
        "anlauf prove ENTRY --out FILE".to_owned(),
        format!("anlauf prove --check FILE --origin {ORIGIN} --log-key log.pub"),
    ] {
        assert!(page.text.contains(&command), "{command}\n{}", page.text);
    }
}

#[tokio::test]
async fn style_and_script_come_from_here_and_are_known_again() {
    let stand = Stand::founded().await;
    for name in ["anlauf.css", "anlauf.js", "anlauf.svg"] {
        let path = format!("/assets/{name}");
        let first = open(&stand, None, "de", &path).await;
        assert_eq!(first.status, 200, "{path}");
        let tag = first.headers["etag"].clone();
        let request = axum::http::Request::builder()
            .uri(&path)
            .header("if-none-match", tag);
        let again = super::read(
            &stand,
            request.body(axum::body::Body::empty()).expect("legal"),
        );
        assert_eq!(again.await.status, 304, "{path}");
    }
    let script = open(&stand, None, "de", "/assets/anlauf.js").await;
    assert!(script.text.lines().count() < 300);
    let style = open(&stand, None, "de", "/assets/anlauf.css").await;
    assert!(
        !style.text.contains("url(") && !style.text.contains("@import"),
        "nothing from outside"
    );
}
