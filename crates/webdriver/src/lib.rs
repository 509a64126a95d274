//! A real browser for tests, driven by WebDriver: Debian's chromium and its driver.
//!
//! In:    addresses, scripts, keys pressed. Out: what the browser answers; a panic when it cannot.
//! Never: a wait by the clock: what has to change is asked for again, bounded in count.
//! See:   W3C WebDriver; WebAuthn Level 2 §11 (virtual authenticators).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Name of an element in answers of the driver (W3C WebDriver §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Most looks at a page that has to change.
const LOOK_COUNT_MAX: usize = 5_000;

/// A process that ends with the test.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// One browser, driven by WebDriver.
///
/// It is the driver's child, not ours: ended with the driver alone it would stay behind.
pub struct Browser {
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
    /// A fresh browser in English with its profile in a folder; `more` goes on its command line.
    pub fn open(profile: &Path, more: &[String]) -> Self {
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
        let mut arguments = json!([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--accept-lang=en",
            format!("--user-data-dir={}", profile.display()),
        ]);
        let all = arguments.as_array_mut().expect("a list");
        all.extend(more.iter().map(|word| json!(word)));
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

    /// Sends the driver an order of this session; its answer.
    pub fn post(&self, path: &str, body: &Value) -> Value {
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

    /// Opens an address.
    pub fn go(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    /// What a script gives in the page.
    pub fn look(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Presses keys in a field.
    pub fn type_into(&self, selector: &str, text: &str) {
        let id = self.element(selector);
        self.post(&format!("/element/{id}/value"), &json!({ "text": text }));
    }

    /// A phone or a desk.
    pub fn width(&self, width: u32) {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        let order = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size });
        self.post("/goog/cdp/execute", &order);
    }

    /// What the browser complained about since the last question.
    pub fn complaints(&self) -> Vec<Value> {
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
    pub fn log_in(&self, base: &str, token: &str) {
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

    /// Presses a button or follows a link.
    pub fn press(&self, selector: &str) {
        let id = self.element(selector);
        self.post(&format!("/element/{id}/click"), &json!({}));
    }

    fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.post("/element", &wanted);
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    /// Asks again until the answer is a text that is not empty.
    pub fn told(&self, script: &str) -> String {
        let found = (0..LOOK_COUNT_MAX).find_map(|_| {
            let answer = self.look(script);
            answer
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        });
        found.unwrap_or_else(|| panic!("nothing came of `{script}`"))
    }

    /// An authenticator in software that asks its holder and hears yes.
    pub fn authenticator(&self) {
        let wanted = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserConsenting": true, "isUserVerified": true,
        });
        self.post("/webauthn/authenticator", &wanted);
    }

    /// Every page fits a desk and a phone, has one headline and a label at each field.
    pub fn fit(&self, base: &str, pages: &[&str]) {
        for width in [1280, 390] {
            self.width(width);
            for path in pages {
                self.go(&format!("{base}{path}"));
                let page = self.look(
                    "const e = document.documentElement; return {
                       at: location.pathname, h1: document.querySelectorAll('h1').length,
                       wide: e.clientWidth, over: e.scrollWidth - e.clientWidth,
                       bare: [...document.querySelectorAll('input, select, textarea')]
                         .filter(f => f.type !== 'hidden' && !f.labels.length).length }",
                );
                let wanted = json!({ "at": path, "h1": 1, "wide": width, "over": 0, "bare": 0 });
                assert_eq!(page, wanted);
            }
        }
    }

    /// Asks the page until it says so.
    pub fn until(&self, what: &str, script: &str) {
        let is_so = (0..LOOK_COUNT_MAX).any(|_| self.look(script) == true);
        assert!(
            is_so,
            "{what}: {}",
            self.look("return document.body.innerText")
        );
    }
}
