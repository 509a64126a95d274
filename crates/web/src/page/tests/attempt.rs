//! What would be if, and what would move it earlier: asked for by form, answered without a change.

use super::sound::check;
use super::{open, send};
use crate::Desk;
use crate::stand::Stand;
use crate::stand::story::{OTHER, OTHER_PERSON, OWN, OWN_PERSON};

const OPERATOR: Option<&str> = Some("operator-1");

/// The name of a tenant that must not be read by another.
fn name(stand: &Stand, tenant: &str) -> String {
    let tenant = stand.landscape.tenant(&tenant.parse().expect("legal"));
    tenant.expect("it is there").name.clone()
}

#[tokio::test]
async fn the_operator_tries_people_and_sites_and_nothing_changes() {
    let stand = Stand::rich().await;
    let before = stand.desk.state().seq;
    let fields = [
        ("team", "systems"),
        ("lanes", "9"),
        ("site", "site-west"),
        ("free", "2026-05-20T08:00"),
    ];
    let page = send(&stand, OPERATOR, "/console/plan/try", &fields).await;
    assert_eq!(page.status, 200, "{}", page.text);
    check("the answer", "de", &page.text);
    assert!(
        page.text.contains("9\u{a0}Bahnen"),
        "what was tried is told"
    );
    assert!(page.text.contains("class=\"picture\""), "{}", page.text);
    assert_eq!(stand.desk.state().seq, before);
}

#[tokio::test]
async fn half_a_change_is_no_change() {
    let stand = Stand::rich().await;
    let cases: [&[(&str, &str)]; 5] = [
        &[],
        &[("team", "systems")],
        &[("team", "systems"), ("lanes", "many")],
        &[("site", "site-west"), ("free", "soon")],
        &[("team", "wizards"), ("lanes", "3")],
    ];
    for fields in cases {
        let page = send(&stand, OPERATOR, "/console/plan/try", fields).await;
        assert_eq!(page.status, 400, "{fields:?}");
    }
    let page = send(
        &stand,
        Some("auditor-1"),
        "/console/plan/try",
        &[("team", "systems")],
    )
    .await;
    assert_ne!(page.status, 200, "whoever may not plan may not try");
}

#[tokio::test]
async fn a_tenant_sees_what_its_order_does_to_its_own_and_can_send_it() {
    let stand = Stand::rich().await;
    let before = stand.desk.state().seq;
    let portal = open(&stand, Some(OWN_PERSON), "de", "/tenant").await;
    assert!(portal.text.contains("formaction=\"/tenant/try\""));
    let services: Vec<String> = portal
        .text
        .split("name=\"rank-")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect();
    assert!(services.len() > 1, "there is an order to change");
    let ranks: Vec<(String, String)> = services
        .iter()
        .rev()
        .enumerate()
        .map(|(index, service)| (format!("rank-{service}"), (index + 1).to_string()))
        .collect();
    let fields: Vec<(&str, &str)> = ranks
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let page = send(&stand, Some(OWN_PERSON), "/tenant/try", &fields).await;
    assert_eq!(page.status, 200, "{}", page.text);
    check("the answer", "de", &page.text);
    let other = name(&stand, OTHER);
    assert!(
        !page.text.contains(&other) && !page.text.contains(OTHER),
        "{}",
        page.text
    );
    let last = services.last().expect("more than one");
    let sent = format!("name=\"rank-{last}\" value=\"1\"");
    assert!(
        page.text.contains(&sent),
        "the order goes on: {sent}\n{}",
        page.text
    );
    assert!(page.text.contains("action=\"/tenant/wish\""));
    assert_eq!(stand.desk.state().seq, before);
}

#[tokio::test]
async fn a_tenant_tries_windows_of_its_own_only() {
    let stand = Stand::rich().await;
    let fields = |cell: &'static str| {
        [
            ("cell", cell),
            ("from", "2026-05-20T08:00"),
            ("to", "2026-05-20T18:00"),
        ]
    };
    let own = fields("town-alder/portal");
    assert_eq!(OWN, "town-alder", "the case names its tenant");
    let page = send(&stand, Some(OWN_PERSON), "/tenant/try", &own).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let other = name(&stand, OTHER);
    assert!(!page.text.contains(&other) && !page.text.contains(OTHER));
    let foreign = send(&stand, Some(OTHER_PERSON), "/tenant/try", &own).await;
    assert_eq!(foreign.status, 404, "another's cell is nowhere");
    let ended = [own[0], own[2], ("to", "2020-01-01T00:00")];
    let page = send(&stand, Some(OWN_PERSON), "/tenant/try", &ended).await;
    assert_eq!(page.status, 400);
}

#[tokio::test]
async fn what_would_bring_a_cell_forward_is_told_without_others() {
    let stand = Stand::rich().await;
    let before = stand.desk.state().seq;
    let path = format!("/console/cells/{OWN}/portal/earlier");
    let page = send(&stand, OPERATOR, &path, &[]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    check("the answer", "de", &page.text);
    let own = send(
        &stand,
        Some(OWN_PERSON),
        "/tenant/cells/portal/earlier",
        &[],
    )
    .await;
    assert_eq!(own.status, 200, "{}", own.text);
    let other = name(&stand, OTHER);
    assert!(
        !own.text.contains(&other) && !own.text.contains(OTHER),
        "{}",
        own.text
    );
    let nowhere = send(
        &stand,
        Some(OWN_PERSON),
        "/tenant/cells/nothing/earlier",
        &[],
    )
    .await;
    assert_eq!(nowhere.status, 404);
    assert_eq!(stand.desk.state().seq, before);
}
