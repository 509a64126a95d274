//! Every route with a login of another insurer, without one, and with one that is over.

use reference_provider::kernel::route::{Guard, Proof, Route, SERVICES};

use crate::stage::{AMSEL, EISVOGEL, Stage, kvnr};

fn routes() -> impl Iterator<Item = &'static Route> {
    SERVICES.iter().flat_map(|service| service.routes)
}

fn path(route: &Route) -> String {
    let own = kvnr(EISVOGEL, 2);
    route
        .path
        .replace("{id}", "1")
        .replace("{kind}", "DocumentReference")
        .replace("{kvnr}", &own)
        .replace("{name}", "page.css")
        .replace("{form}", "address")
        .replace("{place}", "0")
}

#[test]
fn every_route_is_nothing_to_another_insurers_token() {
    let stage = Stage::new();
    let insured = stage.token(AMSEL, "app", &kvnr(AMSEL, 2));
    let clerk = stage.token(AMSEL, "desk", "clerk-1");
    let cookie = session(&stage, AMSEL);
    let mut count = 0;
    for route in routes() {
        for token in [&insured, &clerk] {
            let bearer = format!("Bearer {token}");
            let shown: [(&str, &str); 1] = match route.proof {
                Proof::Token => [("authorization", &bearer)],
                Proof::Cookie => [("cookie", &cookie)],
            };
            let told = stage.ask(EISVOGEL, (route.method, &path(route)), &shown, b"");
            assert_eq!(
                told.status,
                404,
                "{} {}: {}",
                route.method,
                route.path,
                told.text()
            );
            count += 1;
        }
    }
    assert!(count > 50, "only {count} tries");
}

#[test]
fn every_guarded_route_wants_a_login_that_holds() {
    let stage = Stage::new();
    let token = stage.token(EISVOGEL, "app", &kvnr(EISVOGEL, 2));
    stage.later(700);
    let over = format!("Bearer {token}");
    for route in routes().filter(|route| route.guard != Guard::Public) {
        for shown in [
            &[][..],
            &[("authorization", over.as_str())],
            &[("authorization", "Basic x")],
        ] {
            let told = stage.ask(EISVOGEL, (route.method, &path(route)), shown, b"");
            let wanted = match (route.proof, route.method) {
                (Proof::Cookie, "GET") => 303,
                _ => 401,
            };
            assert_eq!(
                told.status,
                wanted,
                "{} {}: {}",
                route.method,
                route.path,
                told.text()
            );
        }
    }
}

#[test]
fn an_insured_person_is_no_clerk() {
    let stage = Stage::new();
    let bearer = format!(
        "Bearer {}",
        stage.token(EISVOGEL, "app", &kvnr(EISVOGEL, 2))
    );
    for route in routes().filter(|r| r.guard == Guard::Clerk && r.proof == Proof::Token) {
        let shown = [("authorization", bearer.as_str())];
        let told = stage.ask(EISVOGEL, (route.method, &path(route)), &shown, b"");
        assert_eq!(told.status, 403, "{} {}", route.method, route.path);
    }
}

#[test]
fn unknown_hosts_paths_and_methods_are_said_plainly() {
    let stage = Stage::new();
    assert_eq!(stage.get("bkk-niemand", "/idp/jwks", &[]).status, 421);
    assert_eq!(stage.get(EISVOGEL, "/nowhere", &[]).status, 404);
    assert_eq!(
        stage.get(EISVOGEL, "/lichtbild/api/nothing", &[]).status,
        404
    );
    let told = stage.ask(EISVOGEL, ("DELETE", "/idp/jwks"), &[], b"");
    assert_eq!(
        (told.status, told.json()["error"].as_str()),
        (405, Some("method"))
    );
    for service in ["idp", "lichtbild", "og", "epa", "app"] {
        let told = stage.get(EISVOGEL, &format!("/{service}/health"), &[]);
        assert_eq!(
            (told.status, &told.json()["operation"]),
            (200, &"normal".into())
        );
    }
}

/// Logs a clerk in on pages as a browser does; the session's cookie.
pub fn session(stage: &Stage, tenant: &str) -> String {
    session_of(stage, tenant, ("lichtbild", "clerk-1"))
}

/// Logs anyone in on the pages of a service.
pub fn session_of(stage: &Stage, tenant: &str, (service, name): (&str, &str)) -> String {
    let sent = stage.get(tenant, &format!("/{service}/login"), &[]);
    assert_eq!(sent.status, 303, "{}", sent.text());
    let (_, query) = sent.header("location").split_once('?').expect("a query");
    let pairs = reference_provider::kernel::ask::decode_form(query.as_bytes());
    let secret = reference_provider::kernel::seed::password_of(crate::stage::SEED);
    let mut fields: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    fields.extend([("name", name), ("password", secret.as_str())]);
    let back = stage.form(tenant, "/idp/authorize", &fields);
    let (_, query) = back.header("location").split_once('?').expect("a query");
    let visit = sent.cookie("reference-visit").expect("a cookie");
    let visit = format!("reference-visit={visit}");
    let callback = format!("/{service}/callback?{query}");
    let told = stage.get(tenant, &callback, &[("cookie", &visit)]);
    assert_eq!(told.status, 303, "{}", told.text());
    let stolen = stage.get(tenant, &callback, &[]);
    assert_eq!(
        stolen.status, 400,
        "a callback without the browser's own cookie"
    );
    format!(
        "reference-session={}",
        told.cookie("reference-session").expect("a session")
    )
}
