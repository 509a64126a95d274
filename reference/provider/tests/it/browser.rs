//! The branch as a person sees it: Debian's chromium at a desk's width and a phone's.
//!
//! In:    a house, chromium and its driver. Out: a login by keyboard, pages that fit, a form that
//!        keeps what was typed while the service says 503, and is sent once it is back.
//! Never: a wait by the clock: the page is asked again, bounded in count.

use anlauf_webdriver::Browser;
use reference_provider::kernel::house::set_emergency;
use reference_provider::kernel::seed::password_of;

use crate::route::session_of;
use crate::stage::{EISVOGEL, SEED, Stage, kvnr};

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

#[test]
fn the_branch_fits_a_phone_and_keeps_what_was_typed_across_a_closing() {
    let stage = Stage::new();
    let profile = tempfile::TempDir::new().expect("a folder");
    let browser = Browser::open(profile.path(), &[]);
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
    let browser = Browser::open(profile.path(), &[]);
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
