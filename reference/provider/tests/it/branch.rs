//! The branch as a person uses it: data, address, messages, drafts that survive a closing.

use std::io::Write;
use std::process::{Command, Stdio};

use reference_provider::kernel::house::set_emergency;
use reference_provider::kernel::synth::portrait;

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

/// What a foreign reader of PDF reads.
fn words_of(pdf: &[u8]) -> String {
    let mut child = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pdftotext is installed (Debian: poppler-utils)");
    let mut input = child.stdin.take().expect("asked for");
    input.write_all(pdf).expect("it reads");
    drop(input);
    let done = child.wait_with_output().expect("it ends");
    let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && complaint.is_empty(), "{complaint}");
    String::from_utf8(done.stdout).expect("text")
}

#[test]
fn a_certificate_is_a_pdf_that_others_read() {
    let person = Person::new();
    let body = "street=M%C3%BChlgasse+(Hof)+%5C7&postcode=12345&city=Probenau";
    person.send("POST", "/og/address", body);
    let shown = [("cookie", person.cookie.as_str())];
    let told = person.stage.get(EISVOGEL, "/og/certificate.pdf", &shown);
    assert_eq!(
        (told.status, told.header("content-type")),
        (200, "application/pdf")
    );
    let words = words_of(&told.body);
    let own = kvnr(EISVOGEL, 2);
    for part in [
        "BKK Eisvogel",
        &own,
        "Mühlgasse (Hof) \\7",
        "12345 Probenau",
        "02.03.2026",
    ] {
        assert!(words.contains(part), "{part} not in {words}");
    }
    assert!(person.get("/og/certificate").contains("certificate.pdf"));
}

fn photo_form(jpeg: &[u8]) -> Vec<u8> {
    let head = "--XX\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n\
                Content-Type: image/jpeg\r\n\r\n";
    [head.as_bytes(), jpeg, b"\r\n--XX--\r\n"].concat()
}

#[test]
fn a_photo_from_the_branch_passes_the_photo_services_own_checks() {
    let person = Person::new();
    let send = |body: &[u8]| {
        let headers = [
            ("cookie", person.cookie.as_str()),
            ("content-type", "multipart/form-data; boundary=XX"),
        ];
        person
            .stage
            .ask(EISVOGEL, ("POST", "/lichtbild/upload"), &headers, body)
    };
    let good = send(&photo_form(&portrait(1, (560, 720))));
    assert_eq!(
        (good.status, good.header("location")),
        (303, "/lichtbild/upload?done=1"),
        "{}",
        good.text()
    );
    assert!(person.get("/lichtbild/upload").contains("wird geprüft"));
    let form = person.get("/og/photo");
    assert!(form.contains("action=\"/lichtbild/upload\""));
    assert!(
        !form.contains("wird geprüft"),
        "the branch knows nothing of photos"
    );
    let square = send(&photo_form(&portrait(1, (700, 700))));
    assert_eq!(square.status, 422);
    assert!(
        square.text().contains("class=\"fault\""),
        "{}",
        square.text()
    );
    assert_eq!(send(&photo_form(b"GIF89a")).status, 415);
    assert_eq!(send(b"--XX").status, 415);
    assert_eq!(
        person.get("/lichtbild/upload").matches("<article>").count(),
        1
    );
    let stage = &person.stage;
    let none = stage.get(EISVOGEL, "/lichtbild/upload", &[]);
    assert_eq!(none.header("location"), "/og/login?to=%2Fog%2Fphoto");
    let clerk = session_of(&person.stage, EISVOGEL, ("lichtbild", "clerk-1"));
    let desk = person
        .stage
        .get(EISVOGEL, "/lichtbild/", &[("cookie", &clerk)]);
    assert!(desk.text().contains(&kvnr(EISVOGEL, 2)), "the desk sees it");
}

/// A form of fields and files.
fn form_of(fields: &[(&str, &str)], files: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    let head = |name: &str, more: &str| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n")
    };
    for (name, value) in fields {
        body.extend(head(name, "").bytes());
        body.extend(value.bytes());
        body.extend(b"\r\n");
    }
    for file in files {
        body.extend(head("file", "; filename=\"a\"").bytes());
        body.extend_from_slice(file);
        body.extend(b"\r\n");
    }
    body.extend(b"--XX--\r\n");
    body
}

const GOOD: [(&str, &str); 3] = [
    ("kind", "aid"),
    ("body", "Hörgerät"),
    ("once", "0123456789abcdef"),
];

impl Person {
    fn apply(&self, body: &[u8]) -> u16 {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("content-type", "multipart/form-data; boundary=XX"),
        ];
        let told = self
            .stage
            .ask(EISVOGEL, ("POST", "/og/applications"), &headers, body);
        told.status
    }
}

#[test]
fn an_application_is_taken_by_a_clerk_and_its_state_is_seen() {
    let person = Person::new();
    let pdf = b"%PDF-1.4 Rechnung";
    person.send("PUT", "/og/drafts/application", "kind=aid&body=H");
    assert!(person.get("/og/applications").contains("\"aid\" selected"));
    let form = form_of(&GOOD, &[pdf, b""]);
    for _ in 0..2 {
        assert_eq!(person.apply(&form), 303);
    }
    let page = person.get("/og/applications");
    assert_eq!(page.matches("<article>").count(), 1, "sent twice is one");
    assert!(page.contains("eingegangen") && !page.contains("\"aid\" selected"));
    let stage = &person.stage;
    let clerk = format!("Bearer {}", stage.token(EISVOGEL, "desk", "clerk-1"));
    let shown = [("authorization", clerk.as_str())];
    let waiting = stage.get(EISVOGEL, "/og/api/applications", &shown).json();
    let one = &waiting["applications"][0];
    assert_eq!(
        (&one["text"], &one["files"]),
        (&"Hörgerät".into(), &1.into())
    );
    let path = format!("/og/api/applications/{}", one["id"]);
    let file = stage.get(EISVOGEL, &format!("{path}/files/0"), &shown);
    assert_eq!(
        (file.header("content-type"), &file.body[..]),
        ("application/pdf", &pdf[..])
    );
    let say = |body: &str| {
        let told = stage.ask(EISVOGEL, ("POST", &path), &shown, body.as_bytes());
        told.status
    };
    assert_eq!(say(r#"{"state":"approved"}"#), 409, "not taken yet");
    assert_eq!(say(r#"{"state":"taken"}"#), 200);
    assert_eq!(say(r#"{"state":"taken"}"#), 409, "once");
    assert_eq!(say(r#"{"state":"rejected"}"#), 422, "a no needs its reason");
    assert_eq!(
        say(r#"{"state":"rejected","reason":"Verordnung fehlt"}"#),
        200
    );
    assert_eq!(say("x"), 400);
    let page = person.get("/og/applications");
    assert!(page.contains("abgelehnt") && page.contains("Verordnung fehlt"));
    assert!(person.get("/og/messages").contains("Verordnung fehlt"));
}

#[test]
fn a_clerk_decides_on_pages_and_the_person_reads_it() {
    let person = Person::new();
    let stage = &person.stage;
    assert_eq!(person.apply(&form_of(&GOOD, &[b"%PDF-1.4 Rechnung"])), 303);
    let cookie = session_of(stage, EISVOGEL, ("og/desk", "clerk-1"));
    let shown = [("cookie", cookie.as_str()), ("accept-language", "en")];
    let page = |path: &str| {
        let told = stage.get(EISVOGEL, path, &shown);
        assert_eq!(told.status, 200, "{path}: {}", told.text());
        told.text()
    };
    let list = page("/og/desk/");
    assert!(
        list.contains(&kvnr(EISVOGEL, 2)) && list.contains("/og/desk/1"),
        "{list}"
    );
    let one = page("/og/desk/1");
    assert!(
        one.contains("Hörgerät") && one.contains("Take it on"),
        "{one}"
    );
    let file = stage.get(EISVOGEL, "/og/desk/1/files/0", &shown);
    assert_eq!(file.body, b"%PDF-1.4 Rechnung");
    assert_eq!(file.header("content-disposition"), "attachment");
    let say = |path: &str, body: &str| {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [shown[0], shown[1], form];
        stage.ask(EISVOGEL, ("POST", path), &headers, body.as_bytes())
    };
    assert_eq!(
        say("/og/desk/1", "state=approved").status,
        409,
        "not taken yet"
    );
    let taken = say("/og/desk/1", "state=taken");
    assert_eq!(
        (taken.status, taken.header("location")),
        (303, "/og/desk/1")
    );
    let none = say("/og/desk/1", "state=rejected&reason=+");
    assert_eq!(none.status, 422);
    assert!(none.text().contains("role=\"alert\"") && none.text().contains("Approve"));
    let done = say("/og/desk/1", "state=rejected&reason=Verordnung+fehlt");
    assert_eq!(done.status, 303);
    assert_eq!(say("/og/desk/1", "state=taken").status, 409);
    assert_eq!(say("/og/desk/99", "state=taken").status, 404);
    assert!(page("/og/desk/?state=rejected").contains("/og/desk/1"));
    assert!(!page("/og/desk/").contains("/og/desk/1\""));
    assert!(person.get("/og/messages").contains("Verordnung fehlt"));
    // Neither the person nor a clerk of another insurer comes to the desk.
    let own = stage.get(EISVOGEL, "/og/desk/1", &[("cookie", &person.cookie)]);
    assert_eq!(own.header("location"), "/og/desk/login?to=%2Fog%2Fdesk%2F1");
    assert_eq!(person.send("POST", "/og/desk/1", "state=taken").status, 403);
    let foreign = session_of(stage, AMSEL, ("og/desk", "clerk-1"));
    for path in ["/og/desk/", "/og/desk/1", "/og/desk/1/files/0"] {
        let told = stage.get(EISVOGEL, path, &[("cookie", &foreign)]);
        assert_eq!(told.status, 404, "{path}");
        let told = stage.get(EISVOGEL, path, &[]);
        let to = path.replace('/', "%2F");
        assert_eq!(told.header("location"), format!("/og/desk/login?to={to}"));
    }
}

#[test]
fn files_are_judged_by_what_is_in_them_and_by_their_size() {
    let person = Person::new();
    let large = [b"%PDF-".as_slice(), &vec![0; 4 * 1024 * 1024]].concat();
    let pdf: &[u8] = b"%PDF-1.4";
    assert_eq!(person.apply(&form_of(&GOOD, &[b"MZ\x90"])), 415);
    assert_eq!(person.apply(&form_of(&GOOD, &[&large])), 413);
    assert_eq!(person.apply(&form_of(&GOOD, &[pdf; 4])), 413);
    assert_eq!(
        person.apply(&form_of(&GOOD, &[&large, &large, &large, &large])),
        413
    );
    assert_eq!(
        person.apply(&form_of(&[("kind", "house"), GOOD[1], GOOD[2]], &[])),
        422
    );
    assert_eq!(person.apply(&form_of(&[GOOD[0], GOOD[2]], &[])), 422);
    assert_eq!(person.apply(b""), 415);
    assert!(!person.get("/og/applications").contains("<article>"));
}
