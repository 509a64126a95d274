//! The branch as a person uses it: data, address, messages, drafts that survive a closing.

use reference_provider::kernel::house::set_emergency;

use crate::route::session_of;
use crate::stage::{AMSEL, Answer, EISVOGEL, Stage, kvnr};

struct Person {
    stage: Stage,
    cookie: String,
}

impl Person {
    fn new() -> Self {
        let stage = Stage::new();
        let cookie = session_of(&stage, EISVOGEL, ("og", &kvnr(EISVOGEL, 2)));
        Self { stage, cookie }
    }

    fn get(&self, path: &str) -> String {
        let told = self.stage.get(EISVOGEL, path, &[("cookie", &self.cookie)]);
        assert_eq!(told.status, 200, "{path}: {}", told.text());
        told.text()
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.stage
            .ask(EISVOGEL, (method, path), &headers, body.as_bytes())
    }
}

#[test]
fn a_person_sees_their_data_in_the_insurers_name_and_colour() {
    let person = Person::new();
    let page = person.get("/og/data");
    assert!(
        page.contains(&kvnr(EISVOGEL, 2)) && page.contains("BKK Eisvogel"),
        "{page}"
    );
    assert!(!page.contains(&kvnr(EISVOGEL, 3)));
    let colour = |tenant| {
        person
            .stage
            .get(tenant, "/og/assets/colour.css", &[])
            .text()
    };
    assert_ne!(colour(EISVOGEL), colour(AMSEL));
}

#[test]
fn an_address_is_changed_and_a_wrong_one_kept_in_the_form() {
    let person = Person::new();
    let wrong = person.send(
        "POST",
        "/og/address",
        "street=Neuweg+7&postcode=123&city=Probenau",
    );
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("Neuweg 7") && wrong.text().contains("fünf Ziffern"));
    assert!(!person.get("/og/data").contains("Neuweg"));
    let done = person.send(
        "POST",
        "/og/address",
        "street=Neuweg+7&postcode=12345&city=Probenau",
    );
    assert_eq!(
        (done.status, done.header("location")),
        (303, "/og/address?done=1")
    );
    assert!(person.get("/og/data").contains("Neuweg 7, 12345 Probenau"));
}

#[test]
fn a_draft_comes_back_until_it_is_sent_and_only_to_its_person() {
    let person = Person::new();
    let kept = person.send(
        "PUT",
        "/og/drafts/message",
        "subject=Reha&body=Zeile+1%0AZeile+2",
    );
    assert_eq!(kept.status, 204);
    assert!(person.get("/og/messages").contains("Zeile 1\nZeile 2"));
    let other = session_of(&person.stage, EISVOGEL, ("og", &kvnr(EISVOGEL, 3)));
    let page = person
        .stage
        .get(EISVOGEL, "/og/messages", &[("cookie", &other)]);
    assert!(!page.text().contains("Zeile 1"));
    assert_eq!(person.send("PUT", "/og/drafts/other", "a=b").status, 404);
    let body = "subject=Reha&body=Zeile+1&once=0123456789abcdef";
    for _ in 0..2 {
        assert_eq!(person.send("POST", "/og/messages", body).status, 303);
    }
    let page = person.get("/og/messages");
    assert_eq!(
        page.matches("<article>").count(),
        1,
        "sent twice is one message"
    );
    assert!(
        !page.contains("Zeile 2"),
        "what was sent is no draft any more"
    );
}

#[test]
fn what_is_typed_is_shown_as_text_and_emergency_operation_only_reads() {
    let person = Person::new();
    let body = "subject=%3Cscript%3E&body=x&once=0123456789abcdef";
    person.send("POST", "/og/messages", body);
    assert!(person.get("/og/messages").contains("&lt;script&gt;"));
    let tenant = person.stage.house.tenant(EISVOGEL).unwrap();
    set_emergency(tenant, "og", true).unwrap();
    assert_eq!(person.send("POST", "/og/messages", body).status, 503);
    assert_eq!(
        person.send("PUT", "/og/drafts/message", "subject=a").status,
        204
    );
    assert!(person.get("/og/").contains("Notbetrieb"));
}
