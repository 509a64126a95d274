//! The insured app: its files as a browser wants them, and the app on a phone and at a desk.
//!
//! In:    a house, a small control plane, chromium. Out: what the person sees when services shut,
//!        come back, or the server is gone.
//! Never: an emulated loss of network: the server's process is ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use anlauf_webdriver::{Browser, Ended};
use reference_provider::kernel::seed::password_of;
use reference_provider::record::shelf::{State, set_state};
use serde_json::{Value, json};

use crate::stage::{EISVOGEL, SEED, Stage, kvnr};

/// As the gate says it of a shut cell (`crates/gate/src/page/snapshots`).
const SHUT: &str = concat!(
    r#"{"as_of":"2026-04-24T11:55:00Z","cell":"bkk-eisvogel/og","detail":"It is being checked.","#,
    r#""next_word_at":"2026-04-24T16:00:00Z","status":503,"#,
    r#""title":"This service is not available at the moment","#,
    r#""type":"urn:anlauf:problem:cell-closed"}"#,
);

/// Answers everything with the text of the moment; an empty text is no answer.
fn speak(listener: TcpListener, status: &'static str, text: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = BufReader::new(stream.try_clone().expect("a second handle"));
            let mut line = String::new();
            while head.read_line(&mut line).is_ok_and(|size| size > 2) {
                line.clear();
            }
            let text = text.lock().expect("sound").clone();
            if !text.is_empty() {
                let size = text.len();
                let _sent = write!(
                    stream,
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\
                     content-length: {size}\r\nconnection: close\r\n\r\n{text}"
                );
            }
        }
    });
}

fn status(open: u32) -> String {
    let words = match open {
        0 => json!({ "de": "derzeit nicht verfügbar", "en": "not available at present" }),
        _ => json!({ "de": "läuft", "en": "is running" }),
    };
    json!({
        "as_of": "2026-03-02T08:00:00Z", "next_word_at": "2026-03-02T10:00:00Z", "drill": false,
        "running": true, "title": null, "tenant": "BKK Eisvogel", "notices": [],
        "services": [{ "service": "epa", "name": { "de": "Patientenakte", "en": "Record" },
            "stage": "closed", "words": words, "open": open, "instances": 1 }],
    })
    .to_string()
}

fn log_in(browser: &Browser, base: &str) {
    browser.go(&format!("{base}/app/"));
    browser.until(
        "the login is offered",
        "return !!document.querySelector('#login')",
    );
    browser.look("document.querySelector('#login').click(); return 0");
    browser.until(
        "the issuer asks",
        "return location.pathname === '/idp/authorize'",
    );
    browser.type_into("input[name=name]", &kvnr(EISVOGEL, 2));
    browser.type_into(
        "input[name=password]",
        &format!("{}\u{e007}", password_of(SEED)),
    );
    browser.until(
        "my data is there",
        "return location.pathname === '/app/' && !!document.querySelector('main dl')",
    );
}

/// A worker has taken the page in hand.
const CONTROLLED: &str = "return !!navigator.serviceWorker.controller";

#[test]
fn the_files_are_what_a_browser_installs() {
    let stage = Stage::new();
    let manifest = stage.get(EISVOGEL, "/app/manifest.webmanifest", &[]);
    assert_eq!(manifest.header("content-type"), "application/manifest+json");
    let told = manifest.json();
    assert_eq!(told["name"], "BKK Eisvogel App");
    for (name, value) in [
        ("start_url", "/app/"),
        ("scope", "/app/"),
        ("display", "standalone"),
    ] {
        assert_eq!(told[name], value);
    }
    let icon = told["icons"][0]["src"].as_str().expect("an icon");
    let icon = stage.get(EISVOGEL, icon, &[]);
    assert_eq!(
        (icon.status, icon.header("content-type")),
        (200, "image/svg+xml")
    );
    let worker = stage.get(EISVOGEL, "/app/sw.js", &[]);
    assert!(worker.header("content-type").starts_with("text/javascript"));
    assert_eq!(worker.header("service-worker-allowed"), "/app/");
    assert!(!worker.text().contains("{version}"));
    // Another insurer's colour is another version; no file of people's data is kept.
    let other = stage.get(crate::stage::AMSEL, "/app/sw.js", &[]);
    assert_ne!(worker.text(), other.text());
    for never in ["/app/api", "/og", "/epa", "/idp", "/lichtbild"] {
        assert!(!worker.text().contains(&format!("\"{never}")), "{never}");
    }
    let none = stage.get(EISVOGEL, "/app/api/status", &[]).json();
    assert_eq!(
        (&none["configured"], &none["status"]),
        (&json!(false), &Value::Null)
    );
}

#[test]
fn a_silent_control_plane_leaves_its_last_word_with_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let text = Arc::new(Mutex::new(status(1)));
    speak(listener, "200 OK", Arc::clone(&text));
    let stage = Stage::with_status(Some(format!("http://{address}/api/v1/public/status")));
    let first = stage.get(EISVOGEL, "/app/api/status", &[]).json();
    assert_eq!(
        (&first["reachable"], &first["status"]["services"][0]["open"]),
        (&json!(true), &json!(1))
    );
    for bad in [String::new(), "{}".to_owned(), "no JSON".to_owned()] {
        *text.lock().expect("sound") = bad;
        stage.later(10);
        let then = stage.get(EISVOGEL, "/app/api/status", &[]).json();
        assert_eq!(then["reachable"], false);
        assert_eq!(
            (&then["heard_at"], &then["status"]),
            (&first["heard_at"], &first["status"])
        );
    }
}

#[test]
fn the_app_fits_installs_and_says_when_the_record_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let text = Arc::new(Mutex::new(status(0)));
    speak(listener, "200 OK", Arc::clone(&text));
    let stage = Stage::with_status(Some(format!("http://{address}/api/v1/public/status")));
    let tenant = stage.house.tenant(EISVOGEL).expect("an insurer");
    let profile = tempfile::TempDir::new().expect("a folder");
    let browser = Browser::open(profile.path(), &[]);
    browser.width(390);
    log_in(&browser, &tenant.origin);
    browser.until("the worker is in charge", CONTROLLED);
    let order = json!({ "cmd": "Page.getInstallabilityErrors", "params": {} });
    let errors = browser.post("/goog/cdp/execute", &order);
    assert_eq!(errors["installabilityErrors"], json!([]));
    fits(&browser);
    browser.until(
        "shut is said",
        "return document.querySelector('main').innerText.includes('not available')",
    );
    assert_eq!(
        browser.look("return document.querySelector('#notices').innerText"),
        ""
    );
    *text.lock().expect("sound") = status(1);
    stage.later(10);
    browser.look("document.querySelector('#ask').click(); return 0");
    browser.until(
        "the notice",
        "return document.querySelector('#notices').innerText ===
           'The record of your insurer is available again.'",
    );
    browser.look("location.hash = 'record'; return 0");
    browser.until(
        "documents",
        "return document.querySelectorAll('main .document').length > 0",
    );
    set_state(tenant, &stage.house.master, (None, State::Suspended)).expect("suspended");
    browser.look("location.hash = 'home'; return 0");
    browser.until("home", "return !!document.querySelector('main dl')");
    browser.look("location.hash = 'record'; return 0");
    browser.until(
        "suspended",
        "return !!document.querySelector('main .suspended')",
    );
    keeps_own_files_only(&browser);
}

/// What lies on the device after all screens were seen.
fn keeps_own_files_only(browser: &Browser) {
    let kept = browser.look(
        "return caches.keys().then(async names => (await Promise.all(names.map(async name =>
           (await (await caches.open(name)).keys()).map(r => new URL(r.url).pathname)))).flat())",
    );
    let kept = kept.as_array().expect("names");
    let is_own = |path: &Value| {
        path.as_str().is_some_and(|path| {
            path == "/app/"
                || path == "/app/manifest.webmanifest"
                || path.starts_with("/app/assets/")
        })
    };
    assert!(kept.len() == 7 && kept.iter().all(is_own), "{kept:?}");
}

/// Each screen on a phone and at a desk.
fn fits(browser: &Browser) {
    for width in [1280, 390] {
        browser.width(width);
        for screen in ["home", "record", "photo", "state"] {
            browser.look(&format!("location.hash = '{screen}'; return 0"));
            browser.until(
                screen,
                &format!("return document.querySelector('main').dataset.screen === '{screen}'"),
            );
            let page = browser.look(
                "const e = document.documentElement; return {
                   h1: document.querySelectorAll('h1').length, over: e.scrollWidth - e.clientWidth,
                   wide: e.clientWidth, fault: document.querySelectorAll('main .fault').length }",
            );
            let wanted = json!({ "h1": 1, "over": 0, "wide": width, "fault": 0 });
            assert_eq!(page, wanted, "{screen}");
        }
    }
}

#[test]
fn the_shell_opens_without_the_server_and_is_calm_at_a_shut_gate() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let mut served = serve(folder.path(), address);
    let profile = tempfile::TempDir::new().expect("a folder");
    let browser = Browser::open(profile.path(), &[]);
    let base = format!("http://{EISVOGEL}.localhost:{}", address.port());
    browser.width(390);
    log_in(&browser, &base);
    browser.until("the worker is in charge", CONTROLLED);
    served.0.kill().expect("it runs");
    served.0.wait().expect("it ended");
    browser.go(&format!("{base}/app/?again"));
    browser.until(
        "the shell says so",
        "return document.querySelector('main').innerText.includes('The app stays usable')",
    );
    browser.look("location.hash = 'state'; return 0");
    browser.until(
        "no word yet",
        "return document.querySelector('main .silent')?.innerText.includes('none yet')",
    );
    let listener = TcpListener::bind(address).expect("the same port");
    speak(
        listener,
        "503 Service Unavailable",
        Arc::new(Mutex::new(SHUT.to_owned())),
    );
    browser.go(&format!("{base}/app/"));
    browser.until(
        "the next word",
        "return document.querySelector('main .shut .next')?.innerText.includes('24/04/2026')",
    );
    assert_eq!(
        browser.look("return document.querySelectorAll('nav a').length"),
        4
    );
}

/// The real program, once it listens.
fn serve(folder: &std::path::Path, address: SocketAddr) -> Ended {
    let child = Command::new(env!("CARGO_BIN_EXE_reference-provider"))
        .arg("--data")
        .arg(folder.join("data"))
        .args(["--seed", &SEED.to_string(), "--insured", "8", "--public"])
        .arg(format!("http://{{tenant}}.localhost:{}", address.port()))
        .args(["serve", "--listen", &address.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.expect("the program starts");
    let mut talk = BufReader::new(child.stdout.take().expect("asked for"));
    let mut line = String::new();
    talk.read_line(&mut line).expect("it says where");
    assert!(line.starts_with("listening"), "{line}");
    std::thread::spawn(move || talk.read_to_string(&mut String::new()));
    Ended(child)
}
