//! The pages as a person sees them: a real browser in front of the real program.
//!
//! In:    a municipal drill that has been played and stays open; Debian's chromium and its driver.
//! Out:   what must hold on every page: loads, fits narrow and wide, speaks the language, no
//!        faults.
//! Never: a wait by the clock: the drill says when it stays, the browser when a page is loaded.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anlauf_webdriver::{Browser, Ended};
use serde_json::Value;

const KOMMUNEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../landscapes/kommunen");

const CONSOLE: [&str; 18] = [
    "/",
    "/console",
    "/console/grid",
    "/console/cells/stadt-ahornfeld/kfz",
    "/console/close",
    "/console/plan",
    "/console/plan/load",
    "/console/plan/changes",
    "/console/plan/course",
    "/console/plan/try",
    "/console/inbox",
    "/console/events",
    "/console/gates",
    "/console/evidence",
    "/console/desk",
    "/console/proof",
    "/console/passkey",
    "/console/tenants/stadt-ahornfeld",
];

const PORTAL: [&str; 4] = ["/", "/tenant", "/tenant/passkey", "/status"];

/// A drill that was played to its end and stays open.
struct Drill {
    _process: Ended,
    base: String,
    operator: String,
    tenant: String,
}

impl Drill {
    fn played(data: &std::path::Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_anlauf"))
            .args([
                "drill",
                "--landscape",
                KOMMUNEN,
                "--speed",
                "max",
                "--stay",
                "--data",
            ])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let talk = BufReader::new(child.stderr.take().expect("asked for"));
        let process = Ended(child);
        let (mut base, mut operator, mut tenant) = (None, None, None);
        let mut seen = String::new();
        for line in talk.lines() {
            let line = line.expect("text");
            let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            match words.first().map(String::as_str) {
                Some("public") => base = words.get(1).map(|b| b.trim_end_matches('/').to_owned()),
                Some("console") => operator = words.last().cloned(),
                Some("tenant") => tenant = words.last().cloned(),
                _ => {}
            }
            if line.starts_with("the console stays open") {
                return Self {
                    _process: process,
                    base: base.expect("the public address was printed"),
                    operator: operator.expect("the operator's token was printed"),
                    tenant: tenant.expect("a tenant's token was printed"),
                };
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        panic!("the drill ended instead of staying:\n{seen}");
    }
}

/// Holds one page against what every page promises.
fn holds(browser: &Browser, base: &str, path: &str, (language, banner): (&str, &str)) {
    browser.go(&format!("{base}{path}"));
    let page = browser.look(
        "const d = document; const e = d.documentElement; return {
           lang: e.lang, title: d.title, h1: d.querySelectorAll('h1').length,
           over: e.scrollWidth - e.clientWidth, text: d.body.innerText,
           lost: d.querySelectorAll('.lost').length,
           bare: [...d.querySelectorAll('input, select, textarea')]
             .filter(f => f.type !== 'hidden' && !f.labels.length && !f.ariaLabel).length }",
    );
    let at = format!("{path} in {language}: {page}");
    assert_eq!(page["lang"], language, "{at}");
    assert_eq!(page["h1"], 1, "{at}");
    assert_eq!(page["lost"], 0, "{at}");
    assert_eq!(page["bare"], 0, "a field without a label: {at}");
    assert!(
        page["over"].as_i64().is_some_and(|over| over <= 0),
        "wider than the window: {at}"
    );
    assert!(
        page["title"]
            .as_str()
            .is_some_and(|title| !title.is_empty()),
        "{at}"
    );
    assert!(
        page["text"]
            .as_str()
            .is_some_and(|text| text.contains(banner)),
        "{at}"
    );
    assert_eq!(browser.complaints(), Vec::<Value>::new(), "{at}");
}

#[test]
fn every_page_holds_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let drill = Drill::played(&folder.path().join("drill"));
    let browser = Browser::open(&folder.path().join("profile"), &[]);
    for (token, pages) in [
        (&drill.operator, &CONSOLE[..]),
        (&drill.tenant, &PORTAL[..]),
    ] {
        browser.log_in(&drill.base, token);
        for spoken in [("de", "ÜBUNG"), ("en", "DRILL")] {
            let language = format!("document.cookie = 'anlauf-language={}; path=/'", spoken.0);
            browser.look(&language);
            for width in [390, 1280] {
                browser.width(width);
                for path in pages {
                    holds(&browser, &drill.base, path, spoken);
                }
            }
        }
    }
}
