//! What a person sees in a browser, and a FHIR client hears, when the real gate shuts a cell.
//!
//! In:    chromium, which finds the town's host at the gate. Out: pages, the app's screens.
//! Never: a modelled 503; a photo that was taken while its cell was shut.

use anlauf_webdriver::Browser;
use reference_provider::kernel::seed::password_of;
use reference_provider::kernel::synth::portrait;
use serde_json::{Value, json};

use crate::house::{CELLS, HOST, Scene, TOWN, kvnr, until};

/// A browser for which the gate is where the town's host is.
fn browser(scene: &Scene, profile: &std::path::Path) -> Browser {
    let more = [
        format!("--host-resolver-rules=MAP {HOST}:80 {}", scene.gate),
        // As if it came by https: the app's login needs it.
        format!("--unsafely-treat-insecure-origin-as-secure=http://{HOST}"),
    ];
    Browser::open(profile, &more)
}

fn log_in(browser: &Browser) {
    browser.type_into("input[name=name]", &kvnr(2));
    let secret = format!("{}\u{e007}", password_of(1));
    browser.type_into("input[name=password]", &secret);
}

fn open(scene: &Scene, cells: &[&str]) {
    scene.house.release_town(cells);
    for cell in cells {
        let path = if *cell == "portal" { "lichtbild" } else { cell };
        until("the release", || scene.health(path) == (200, true));
    }
}

fn shut(scene: &Scene, cell: &str) {
    scene.house.close_town(&[cell]);
    let path = if cell == "portal" { "lichtbild" } else { cell };
    until("the close", || scene.health(path) == (503, false));
}

#[test]
fn a_shut_cell_is_told_calmly_and_takes_nothing() {
    let scene = Scene::new();
    scene.house.commission();
    open(&scene, &CELLS);
    let profile = tempfile::TempDir::new().expect("a folder");
    let browser = browser(&scene, profile.path());
    browser.width(390);
    photo_from_the_branch(&scene, &browser);
    app_at_a_shut_gate(&scene, &browser);
    record_at_a_shut_gate(&scene);
}

/// The photo cell is shut, the branch is open.
fn photo_from_the_branch(scene: &Scene, browser: &Browser) {
    let folder = tempfile::TempDir::new().expect("a folder");
    let image = folder.path().join("photo.jpg");
    std::fs::write(&image, portrait(3, (560, 720))).expect("written");
    browser.go(&format!("http://{HOST}/og/photo"));
    log_in(browser);
    browser.until("the form", "return location.pathname === '/og/photo'");
    browser.fit(&format!("http://{HOST}"), &["/og/photo"]);
    browser.type_into("input[name=photo]", image.to_str().expect("a plain path"));
    let send = "document.querySelector('form[data-draft] button').click(); return 0";
    browser.look(send);
    browser.until(
        "it is told",
        "return document.querySelector('.draft-state').textContent.includes('Nothing is lost')",
    );
    let kept = "return document.querySelector('input[name=photo]').files.length";
    assert_eq!(browser.look(kept), 1, "the chosen file stays");
    // Without a browser's script, and with a session that is good: the gate's own no.
    let cookie = scene.house.session(&kvnr(3));
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "multipart/form-data; boundary=XX"),
        ("accept", "application/json"),
    ];
    let part = b"--XX\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a\"\r\n\r\n";
    let body = [&part[..], &portrait(4, (560, 720)), b"\r\n--XX--\r\n"].concat();
    let told = scene.call(("POST", "/lichtbild/upload"), &headers, &body);
    assert!(told.expect("an answer").is_shut());
    // What was the branch's own way to the photo service is no more.
    let told = scene.call(("POST", "/og/photo"), &headers, &body);
    assert_eq!(told.expect("an answer").status, 405);

    open(scene, &["portal"]);
    let own = scene.call(("GET", "/lichtbild/upload"), &headers[..1], b"");
    assert!(
        !own.expect("open").body.contains("<article>"),
        "nothing was taken"
    );
    browser.look(send);
    browser.until("it is sent", "return location.search === '?done=1'");
    assert_eq!(
        browser.look("return location.pathname"),
        "/lichtbild/upload"
    );
    assert_eq!(
        browser.look("return document.querySelectorAll('article').length"),
        1
    );
}

/// Screens of the app with the gate's own words.
fn app_at_a_shut_gate(scene: &Scene, browser: &Browser) {
    browser.go(&format!("http://{HOST}/app/"));
    browser.until("the login", "return !!document.querySelector('#login')");
    browser.look("document.querySelector('#login').click(); return 0");
    browser.until(
        "the issuer",
        "return location.pathname === '/idp/authorize'",
    );
    log_in(browser);
    browser.until("my data", "return !!document.querySelector('main dl')");
    let see = |screen: &str, what: &str, script: &str| {
        browser.look(&format!("location.hash = '{screen}'; return 0"));
        browser.until(what, script);
    };
    let on = |screen: &str| {
        format!("return document.querySelector('main').dataset.screen === '{screen}'")
    };
    see("state", "the screen", &on("state"));
    let line = |words: &str| {
        format!(
            "return [...document.querySelectorAll('main article')].some(a =>
               a.querySelector('h2').textContent === 'epa' && {words})"
        )
    };
    let up = line("!!a.querySelector('.up')");
    browser.until("the record is open", &up);
    shut(scene, "epa");
    see(
        "record",
        "the gate's no",
        "return document.querySelector('main .shut')?.innerText.includes('closed at present')",
    );
    let again = |what: &str, script: &str| {
        browser.until(
            what,
            &format!("document.querySelector('#ask')?.click(); {script}"),
        );
    };
    see("state", "the screen", &on("state"));
    again("the public word", &line("!!a.querySelector('.down')"));
    for width in [1280, 390] {
        browser.width(width);
        let over = "const e = document.documentElement; return e.scrollWidth - e.clientWidth";
        assert_eq!(browser.look(over), 0, "at {width}");
    }
    open(scene, &["epa"]);
    again("it is open again", &up);
    let notice = "return document.querySelector('#notices').innerText.includes(
        'The record of your insurer is available again.')";
    browser.until("the notice", notice);
    see(
        "record",
        "documents",
        "return document.querySelectorAll('main .document').length === 3",
    );
}

/// A FHIR client: suspended by the insurer 409, shut by the gate 503, both as OperationOutcome.
fn record_at_a_shut_gate(scene: &Scene) {
    let bearer = format!("Bearer {}", scene.token(&kvnr(2)));
    let fhir = "application/fhir+json";
    let headers = [("authorization", bearer.as_str()), ("accept", fhir)];
    let ask = |path: &str| -> (u16, Value) {
        let told = scene.call(("GET", path), &headers, b"").expect("an answer");
        assert!(told.head.contains("json"), "{}", told.head);
        (told.status, serde_json::from_str(&told.body).expect("JSON"))
    };
    let code = |told: &Value| told["issue"][0]["code"].clone();
    assert_eq!(ask("/epa/status").0, 200);
    scene.house.operate(&format!("record suspend {TOWN}"));
    for path in ["/epa/status", "/epa/DocumentReference", "/epa/Patient"] {
        let (status, told) = ask(path);
        assert_eq!(
            (status, code(&told)),
            (409, json!("conflict")),
            "{path}: {told}"
        );
    }
    shut(scene, "epa");
    let (status, told) = ask("/epa/status");
    assert_eq!((status, code(&told)), (503, json!("transient")), "{told}");
    open(scene, &["epa"]);
    assert_eq!(
        ask("/epa/status").0,
        409,
        "the release does not reopen a record"
    );
    scene.house.operate(&format!("record activate {TOWN}"));
    let (status, told) = ask("/epa/DocumentReference");
    assert_eq!((status, &told["total"]), (200, &json!(3)));
}
