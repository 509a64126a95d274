//! A real browser, driven by WebDriver: Debian's chromium and its driver.
//!
//! In:    addresses, scripts, keys pressed. Out: what the browser answers.
//! Never: a wait by the clock: what has to change is asked for again, bounded in count.
//! See:   W3C WebDriver; WebAuthn Level 2 §11 (virtual authenticators).

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Name of an element in answers of the driver (W3C WebDriver §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Most looks at an address that has to change.
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
    pub fn open(profile: &std::path::Path) -> Self {
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

    pub fn go(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    pub fn look(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    pub fn type_into(&self, selector: &str, text: &str) {
        let found = self.post(
            "/element",
            &json!({ "using": "css selector", "value": selector }),
        );
        let id = found[ELEMENT].as_str().expect("an element");
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
        let found = self.post(
            "/element",
            &json!({ "using": "css selector", "value": selector }),
        );
        let id = found[ELEMENT].as_str().expect("an element");
        self.post(&format!("/element/{id}/click"), &json!({}));
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
}
