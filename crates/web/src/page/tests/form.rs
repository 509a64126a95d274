//! Forms: each is one command, done once, answered 303 or with every reason why not.

use anlauf_recovery::state::Answer;

use super::{OTHER, OWN, OWN_PERSON, open, send};
use crate::Desk;
use crate::stand::Stand;

const NOTICE: [(&str, &str); 5] = [
    ("key", "form-1"),
    ("reason", "regular word"),
    ("de", "Guten Tag"),
    ("en", "Good day"),
    ("next", "2099-05-01T12:00"),
];

#[tokio::test]
async fn a_notice_is_published_once() {
    let stand = Stand::founded().await;
    let first = send(&stand, Some("operator-1"), "/console/desk/publish", &NOTICE).await;
    assert_eq!(first.status, 303, "{}", first.text);
    let again = send(&stand, Some("operator-1"), "/console/desk/publish", &NOTICE).await;
    assert_eq!(
        again.location(),
        first.location(),
        "the same form sent twice"
    );
    assert_eq!(stand.desk.state().notices.len(), 1);
    let page = open(&stand, None, "en", "/").await;
    assert!(page.text.contains("Good day"), "the public reads it");
    let done = open(&stand, Some("operator-1"), "de", first.location()).await;
    assert!(done.text.contains("Erledigt"));
}

#[tokio::test]
async fn a_refusal_names_every_reason_and_changes_nothing() {
    let stand = Stand::contained().await;
    let before = stand.desk.state().seq;
    let fields = [("key", "form-2"), ("reason", "ready")];
    let path = format!("/console/cells/{OWN}/portal/draw-up");
    let page = send(&stand, Some("operator-1"), &path, &fields).await;
    assert_eq!(page.status, 409);
    for code in ["AN-REC-075", "AN-REC-032"] {
        assert!(page.text.contains(code), "{code} is named");
    }
    assert!(page.text.contains("Abhilfe"), "with its remedy");
    assert_eq!(stand.desk.state().seq, before);
}

#[tokio::test]
async fn a_form_without_a_reason_is_refused() {
    let stand = Stand::founded().await;
    let fields: Vec<_> = NOTICE
        .iter()
        .copied()
        .filter(|(key, _)| *key != "reason")
        .collect();
    let page = send(&stand, Some("operator-1"), "/console/desk/publish", &fields).await;
    assert_eq!(page.status, 409);
    assert!(page.text.contains("AN-REC-001"));
}

#[tokio::test]
async fn a_close_lists_its_cells_before_and_shuts_them() {
    let stand = Stand::rich().await;
    let path = "/console/close?scope=dependents/shared/mail";
    let page = open(&stand, Some("operator-1"), "de", path).await;
    let open_cells = |stand: &Stand| {
        let state = stand.desk.state();
        let open = state
            .cells
            .values()
            .filter(|cell| cell.stage > anlauf_model::Stage::Closed);
        open.count()
    };
    let before = open_cells(&stand);
    assert!(page.text.contains("Genau diese Zellen"));
    let fields = [
        ("key", "form-3"),
        ("reason", "new trace"),
        ("scope", "dependents/shared/mail"),
    ];
    let done = send(&stand, Some("operator-1"), "/console/close/order", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(open_cells(&stand) < before);
    let state = stand.desk.state();
    assert_eq!(
        state.cells[&"shared/mail".parse().expect("legal")].stage,
        anlauf_model::Stage::Closed
    );
}

#[tokio::test]
async fn a_tenant_answers_its_slot_and_states_its_order() {
    let stand = Stand::rich().await;
    let cell = format!("{OWN}/mail");
    let fields = [
        ("key", "form-4"),
        ("reason", "suits us"),
        ("cell", &cell),
        ("do", "agree"),
    ];
    let done = send(&stand, Some(OWN_PERSON), "/tenant/slots", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let id = cell.parse().expect("legal");
    assert_eq!(stand.desk.state().offers[&id].answer, Answer::Agreed);
    let wish = [
        ("key", "form-5"),
        ("reason", "money first"),
        ("rank-mail", "2"),
        ("rank-portal", "1"),
    ];
    let done = send(&stand, Some(OWN_PERSON), "/tenant/wish", &wish).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let wished: Vec<_> = stand.desk.state().wishes[&OWN.parse().expect("legal")]
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(wished, [format!("{OWN}/portal"), format!("{OWN}/mail")]);
}

#[tokio::test]
async fn a_tenant_cannot_answer_for_another() {
    let stand = Stand::rich().await;
    let before = stand.desk.state().seq;
    let cell = format!("{OTHER}/mail");
    for (path, action) in [
        ("/tenant/slots", "agree"),
        ("/tenant/accept", "pass"),
        ("/tenant/catch-up", ""),
    ] {
        let fields = [
            ("key", "k"),
            ("reason", "r"),
            ("cell", cell.as_str()),
            ("do", action),
        ];
        let page = send(&stand, Some(OWN_PERSON), path, &fields).await;
        assert_eq!(page.status, 404, "{path}");
    }
    let fields = [
        ("key", "k"),
        ("reason", "r"),
        ("service", "../town-birch/mail"),
    ];
    assert_eq!(
        send(&stand, Some(OWN_PERSON), "/tenant/close", &fields)
            .await
            .status,
        404
    );
    assert_eq!(stand.desk.state().seq, before);
}

#[tokio::test]
async fn a_plan_is_made_by_a_button_and_waits_for_adoption() {
    let stand = Stand::rich().await;
    let fields = [("key", "form-6"), ("reason", "a slot was declined")];
    let done = send(&stand, Some("operator-1"), "/console/plan/make", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let plan = *stand
        .desk
        .state()
        .proposed
        .keys()
        .next()
        .expect("a plan is proposed");
    let inbox = open(&stand, Some("operator-1"), "de", "/console/inbox").await;
    assert!(inbox.text.contains(&plan.short()));
    let fields = [
        ("key", "form-7"),
        ("reason", "checked"),
        ("plan", &plan.to_string()),
    ];
    let done = send(&stand, Some("operator-1"), "/console/plan/adopt", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert_eq!(
        stand.desk.state().plan.as_ref().map(|plan| plan.id),
        Some(plan)
    );
}

#[tokio::test]
async fn roles_see_only_buttons_they_may_press() {
    let stand = Stand::rich().await;
    let forms = |page: &super::Page| page.text.matches("method=\"post\"").count();
    for path in [
        "/console/desk",
        "/console/plan",
        "/console/inbox",
        "/console/evidence/1",
    ] {
        let auditor = open(&stand, Some("auditor-1"), "de", path).await;
        assert_eq!(auditor.status, 200, "{path}");
        assert_eq!(forms(&auditor), 1, "{path}: an auditor can only log out");
    }
    let operator = open(&stand, Some("operator-1"), "de", "/console/desk").await;
    assert!(forms(&operator) > 1);
}
