//! The branch as a person sees it: Debian's chromium at a desk's width and a phone's.
//!
//! In:    a house, chromium and its driver. Out: a login by keyboard, pages that fit, a form that
//!        keeps what was typed while the service says 503, and is sent once it is back.
//! Never: a wait by the clock: the page is asked again, bounded in count.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use reference_provider::kernel::house::set_emergency;
use reference_provider::kernel::seed::password_of;
use serde_json::{Value, json};

use crate::route::session_of;
use crate::stage::{EISVOGEL, SEED, Stage, kvnr};

/// Name of an element in answers of the driver (W3C WebDriver §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Most looks at a page that has to change.
const LOOK_COUNT_MAX: usize = 5_000;

const PAGES: [&str; 8] = [
    "/og/",
    "/og/data",
    "/og/address",
    "/og/messages",
    "/og/applications",
    "/og/certificate",
    "/og/photo",
    "/lichtbild/upload",
];

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
            "--accept-lang=en",
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

    /// Every page fits a desk and a phone, has one headline and a label at each field.
    fn fit(&self, base: &str, pages: &[&str]) {
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

#[test]
fn the_branch_fits_a_phone_and_keeps_what_was_typed_across_a_closing() {
    let stage = Stage::new();
    let profile = tempfile::TempDir::new().expect("a folder");
    let browser = Browser::open(profile.path());
    let base = stage
        .house
        .tenant(EISVOGEL)
        .expect("an insurer")
        .origin
        .clone();
    browser.width(390);
    browser.go(&format!("{base}/og/"));
    browser.type_into("input[name=name]", &kvnr(EISVOGEL, 2));
    let secret = format!("{}\u{e007}", password_of(SEED));
    browser.type_into("input[name=password]", &secret);
    browser.until(
        "the login leads back",
        "return location.pathname === '/og/'",
    );
    browser.fit(&base, &PAGES);
    let tenant = stage.house.tenant(EISVOGEL).expect("an insurer");
    set_emergency(tenant, "og", true).expect("503 to what is sent");
    browser.go(&format!("{base}/og/messages"));
    browser.type_into("input[name=subject]", "Reha");
    browser.type_into("textarea[name=body]", "Alles, was ich schrieb");
    browser.look("document.querySelector('form[data-draft] button').click(); return 0");
    let state = "return document.querySelector('.draft-state').textContent";
    browser.until(
        "it is told",
        &format!("{state}.includes('Nothing is lost')"),
    );
    browser.go(&format!("{base}/og/"));
    browser.go(&format!("{base}/og/messages"));
    let typed = "return document.querySelector('textarea[name=body]').value";
    browser.until(
        "the words are back",
        &format!("{typed} === 'Alles, was ich schrieb'"),
    );
    set_emergency(tenant, "og", false).expect("normal again");
    browser.look("document.querySelector('form[data-draft] button').click(); return 0");
    browser.until("it is sent", "return location.search.includes('done=')");
    browser.until(
        "it is there once",
        "return document.querySelectorAll('article').length === 1",
    );
    browser.until("no draft is left", &format!("{typed} === ''"));
}

#[test]
fn a_clerk_handles_an_application_at_a_desk_and_on_a_phone() {
    let stage = Stage::new();
    let cookie = session_of(&stage, EISVOGEL, ("og", &kvnr(EISVOGEL, 2)));
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "multipart/form-data; boundary=XX"),
    ];
    let part = "--XX\r\nContent-Disposition: form-data; name=";
    let sent = format!(
        "{part}\"kind\"\r\n\r\naid\r\n{part}\"body\"\r\n\r\nHörgerät\r\n\
         {part}\"once\"\r\n\r\n0123456789abcdef\r\n\
         {part}\"file\"; filename=\"a\"\r\n\r\n%PDF-1.4\r\n--XX--\r\n"
    );
    let told = stage.ask(
        EISVOGEL,
        ("POST", "/og/applications"),
        &headers,
        sent.as_bytes(),
    );
    assert_eq!(told.status, 303, "{}", told.text());
    let profile = tempfile::TempDir::new().expect("a folder");
    let browser = Browser::open(profile.path());
    let tenant = stage.house.tenant(EISVOGEL).expect("an insurer");
    let base = tenant.origin.as_str();
    browser.go(&format!("{base}/og/desk/"));
    browser.type_into("input[name=name]", "clerk-1");
    browser.type_into(
        "input[name=password]",
        &format!("{}\u{e007}", password_of(SEED)),
    );
    browser.until("the login", "return location.pathname === '/og/desk/'");
    browser.fit(base, &["/og/desk/", "/og/desk/1"]);
    browser.look("document.querySelector('main form button').click(); return 0");
    let rejects = "return document.querySelector('input[name=state][value=rejected]') !== null";
    browser.until("it is taken on", rejects);
    browser.fit(base, &["/og/desk/1"]);
    let reason = "input[value=rejected] ~ label input[name=reason]";
    browser.type_into(reason, "Verordnung fehlt\u{e007}");
    let is_said = "return document.body.innerText.includes('Reason: Verordnung fehlt')";
    browser.until("it is decided", is_said);
    let own = stage.get(EISVOGEL, "/og/messages", &[("cookie", &cookie)]);
    assert!(own.text().contains("Verordnung fehlt"));
}
