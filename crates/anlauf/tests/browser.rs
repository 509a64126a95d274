//! The pages as a person sees them: a real browser in front of the real program.
//!
//! In:    a municipal drill that has been played and stays open; Debian's chromium and its driver.
//! Out:   what must hold on every page: loads, fits narrow and wide, speaks the language, no
//!        faults.
//! Never: a wait by the clock: the drill says when it stays, the browser when a page is loaded.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

const KOMMUNEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../landscapes/kommunen");

/// Name of an element in answers of the driver (W3C WebDriver §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Most looks at an address that has to change.
const LOOK_COUNT_MAX: usize = 5_000;

const CONSOLE: [&str; 17] = [
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
    "/console/tenants/stadt-ahornfeld",
];

const PORTAL: [&str; 3] = ["/", "/tenant", "/status"];

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

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

/// One browser, driven by WebDriver.
///
/// It is the driver's child, not ours: ended with the driver alone it would stay behind.
struct Browser {
    _driver: Ended,
    session: String,
    web: ureq::Agent,
}

impl Drop for Browser {
    /// Runs before the driver ends, also when a look at a page has failed.
    fn drop(&mut self) {
        let _gone = self.web.delete(&self.session).call();
    }
}

impl Browser {
    fn open(profile: &std::path::Path) -> Self {
        let child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.expect("chromedriver is there; `cargo xtask ci` installs it");
        let talk = BufReader::new(child.stdout.take().expect("asked for"));
        let driver = Ended(child);
        let mut lines = talk.lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let base = format!(
            "http://127.0.0.1:{}/session",
            port.expect("the driver says its port")
        );
        let web: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let arguments = json!([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            format!("--user-data-dir={}", profile.display()),
        ]);
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let mut browser = Self {
            _driver: driver,
            session: base,
            web,
        };
        let opened = browser.post("", &wanted);
        let id = opened["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("no session: {opened}"));
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let mut answer = self
            .web
            .post(format!("{}{path}", self.session))
            .send_json(body)
            .expect("the driver answers");
        let answer: Value = answer
            .body_mut()
            .read_json()
            .expect("the driver speaks JSON");
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{path} {body}: {value}");
        value
    }

    fn go(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    fn look(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    fn type_into(&self, selector: &str, text: &str) {
        let found = self.post(
            "/element",
            &json!({ "using": "css selector", "value": selector }),
        );
        let id = found[ELEMENT].as_str().expect("an element");
        self.post(&format!("/element/{id}/value"), &json!({ "text": text }));
    }

    /// A phone or a desk.
    fn width(&self, width: u32) {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        let order = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size });
        self.post("/goog/cdp/execute", &order);
    }

    /// What the browser complained about since the last question.
    fn complaints(&self) -> Vec<Value> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let severe = |entry: &&Value| entry["level"] == "SEVERE";
        log.as_array()
            .into_iter()
            .flatten()
            .filter(severe)
            .cloned()
            .collect()
    }

    /// Logs in by the keyboard alone; Enter (U+E007) sends the form.
    fn log_in(&self, base: &str, token: &str) {
        self.go(&format!("{base}/login"));
        self.type_into("input[name=token]", &format!("{token}\u{e007}"));
        // A key is answered before the page it leads to is there: ask again, bounded in count.
        let is_in = (0..LOOK_COUNT_MAX).any(|_| {
            let told = self.web.get(format!("{}/url", self.session)).call();
            let mut told = told.expect("the driver answers");
            let told: Value = told.body_mut().read_json().expect("the driver speaks JSON");
            told["value"]
                .as_str()
                .is_some_and(|address| !address.ends_with("/login"))
        });
        assert!(is_in, "the login was refused");
    }

    /// Holds one page against what every page promises.
    fn holds(&self, base: &str, path: &str, (language, banner): (&str, &str)) {
        self.go(&format!("{base}{path}"));
        let page = self.look(
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
        assert_eq!(self.complaints(), Vec::<Value>::new(), "{at}");
    }
}

#[test]
fn every_page_holds_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let drill = Drill::played(&folder.path().join("drill"));
    let browser = Browser::open(&folder.path().join("profile"));
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
                    browser.holds(&drill.base, path, spoken);
                }
            }
        }
    }
}
