//! Every route with a login of another insurer, without one, and with one that is over.

use reference_provider::kernel::house::set_emergency;
use reference_provider::kernel::route::{Guard, Proof, Route, SERVICES};

use crate::stage::{AMSEL, Answer, EISVOGEL, Stage, kvnr};

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
        .replace("{version}", "1")
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

/// Somebody whom a route lets in.
fn shown(stage: &Stage, route: &Route) -> Vec<(&'static str, String)> {
    let own = kvnr(EISVOGEL, 2);
    let (client, room, name) = match route.guard {
        Guard::Public => return Vec::new(),
        Guard::Clerk => ("desk", "lichtbild", "clerk-1"),
        Guard::Insured | Guard::Either => ("app", "og", own.as_str()),
    };
    match route.proof {
        Proof::Token => {
            let token = stage.token(EISVOGEL, client, name);
            vec![("authorization", format!("Bearer {token}"))]
        }
        Proof::Cookie => vec![("cookie", session_of(stage, EISVOGEL, (room, name)))],
    }
}

/// Each kind of person shows the same again.
fn all_shown(stage: &Stage) -> impl Fn(&Route) -> Vec<(&'static str, String)> {
    let of = |guard, proof| {
        let one = |route: &&Route| route.guard == guard && route.proof == proof;
        routes().find(one).map(|route| shown(stage, route))
    };
    let guards = [Guard::Public, Guard::Insured, Guard::Clerk, Guard::Either];
    let proofs = [Proof::Token, Proof::Cookie];
    let all: Vec<_> = guards
        .iter()
        .flat_map(|guard| proofs.map(|proof| (*guard, proof, of(*guard, proof))))
        .collect();
    move |route| {
        let found = all
            .iter()
            .find(|(guard, proof, _)| (*guard, *proof) == (route.guard, route.proof));
        found
            .and_then(|(.., shown)| shown.clone())
            .unwrap_or_default()
    }
}

/// The form in which a service says no to a program.
fn is_own_form(service: &str, told: &Answer) -> bool {
    let media = told.header("content-type");
    match service {
        "epa" => {
            media.starts_with("application/fhir+json")
                && told.json()["resourceType"] == "OperationOutcome"
        }
        "idp" => {
            media.starts_with("text/html")
                || media.starts_with("application/json") && told.json()["error"].is_string()
        }
        _ => {
            media.starts_with("text/html")
                || media.starts_with("application/problem+json") && told.json()["code"].is_string()
        }
    }
}

#[test]
fn bad_input_gets_the_services_own_no_on_every_route() {
    let stage = Stage::new();
    let shown = all_shown(&stage);
    let junk: [(&str, &[u8]); 7] = [
        (
            "application/fhir+json",
            b"{\"resourceType\": \"Consent\", \"x\": [1]}",
        ),
        ("application/json", b"[[[["),
        ("application/json", b"\"\xff\xfe\""),
        (
            "application/x-www-form-urlencoded",
            b"%ff%00=%&&&=a&state=%F0",
        ),
        ("multipart/form-data; boundary=XX", b"--XX\r\n\r\n"),
        ("image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"),
        ("text/plain\\; \"", b""),
    ];
    let mut count = 0;
    for service in &SERVICES {
        for route in service.routes.iter().filter(|route| route.method != "GET") {
            let own = shown(route);
            let send = |(media, body): (&str, &[u8])| {
                let mut headers: Vec<(&str, &str)> = own
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                headers.push(("content-type", media));
                let told = stage.ask(EISVOGEL, (route.method, &path(route)), &headers, body);
                let what = format!("{} {} {media}: {}", route.method, route.path, told.status);
                assert!(told.status < 500, "{what}");
                let is_no = told.status >= 400;
                assert!(
                    !is_no || is_own_form(service.id, &told),
                    "{what}: {}",
                    told.text()
                );
                told.status
            };
            junk.iter().for_each(|one| {
                send(*one);
                count += 1;
            });
            let large = vec![b'x'; route.size_max + 1];
            let told = send(("application/json", &large));
            assert_eq!(told, 413, "{} {}", route.method, route.path);
        }
    }
    assert!(count > 100, "only {count} tries");
}

#[test]
fn emergency_operation_stops_what_it_says_and_nothing_else() {
    let stage = Stage::new();
    let shown = all_shown(&stage);
    let tenant = stage.house.tenant(EISVOGEL).expect("an insurer");
    for service in &SERVICES {
        set_emergency(tenant, service.id, true).expect("on");
        let health = stage.get(EISVOGEL, &format!("/{}/health", service.id), &[]);
        assert_eq!(
            (health.status, &health.json()["operation"]),
            (200, &"emergency".into())
        );
        let mut stopped = 0;
        for route in service.routes {
            let own = shown(route);
            let headers: Vec<(&str, &str)> = own
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let told = stage.ask(EISVOGEL, (route.method, &path(route)), &headers, b"");
            let what = format!("{} {}: {}", route.method, route.path, told.text());
            assert_eq!(told.status == 503, !route.in_emergency, "{what}");
            assert!(
                told.status != 503 || is_own_form(service.id, &told),
                "{what}"
            );
            stopped += usize::from(!route.in_emergency);
            assert!(
                route.in_emergency || route.method != "GET",
                "reading goes on: {what}"
            );
        }
        // People write in the branch and in records; of photos the approvals wait.
        let wanted = match service.id {
            "og" => 1..9,
            "epa" => 3..4,
            "lichtbild" => 2..3,
            _ => 0..1,
        };
        assert!(wanted.contains(&stopped), "{}: {stopped}", service.id);
        set_emergency(tenant, service.id, false).expect("off");
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
