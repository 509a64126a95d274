//! 200 insured people at once, each writing and reading, while cells close and open.
//!
//! In:    people with a login, mail of others. Out: what they were told, and what lies there after.
//! Never: a word of the service about whether it was open: the times are taken out here.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};

use reference_provider::kernel::synth::portrait;
use reference_provider::mail::maildir::Mailbox;
use reference_provider::mail::sender::{Letter, Sender, State};
use serde_json::{Value, json};

use crate::house::{CELLS, HOST, Scene, TOWN, Told, kvnr, until};

/// How many people.
const PERSON_COUNT: u32 = 200;
/// How many answers people have had when a close is ordered: the others are inside then.
const ANSWER_COUNT_BEFORE_CLOSE: usize = 60;
const LETTER_COUNT: u32 = 60;

/// What is shut and opened: cell, first path segment.
const DOORS: [(&str, &str); 3] = [("og", "og"), ("portal", "lichtbild"), ("epa", "epa")];
const OG: usize = 0;
const PHOTO: usize = 1;
const RECORD: usize = 2;

/// What people got.
#[derive(Default)]
struct Book {
    doors: [Door; 3],
    cut: AtomicU64,
    odd: Mutex<Vec<String>>,
}

/// One cell as people see it.
#[derive(Default)]
struct Door {
    /// Odd while the close is known to have come, and no release was asked for yet.
    turn: AtomicU64,
    served: AtomicU64,
    told: AtomicU64,
    leaked: AtomicU64,
    /// Writings that were acknowledged.
    taken: AtomicU64,
}

/// One insured person, and what the services said they have taken.
struct Person {
    number: u32,
    cookie: String,
    token: Option<String>,
    applications: usize,
    photos: usize,
    entries: usize,
}

/// A word for each person who has been there.
type Seen = Receiver<()>;

type Headers<'a> = Vec<(&'static str, &'a str)>;

impl Book {
    /// One request to a cell; the answer if the service itself gave one of those that were meant.
    fn ask(
        &self,
        scene: &Scene,
        door: usize,
        (line, headers, body, wanted): ((&str, &str), &Headers<'_>, &[u8], &[u16]),
    ) -> Option<Told> {
        let at = &self.doors[door];
        let before = at.turn.load(Ordering::SeqCst);
        let told = scene.call(line, headers, body);
        let after = at.turn.load(Ordering::SeqCst);
        let Some(told) = told else {
            self.cut.fetch_add(1, Ordering::SeqCst);
            return None;
        };
        if told.is_service() && before == after && before % 2 == 1 {
            at.leaked.fetch_add(1, Ordering::SeqCst);
        }
        if told.is_shut() {
            at.told.fetch_add(1, Ordering::SeqCst);
            return None;
        }
        if told.is_service() && wanted.contains(&told.status) {
            at.served.fetch_add(1, Ordering::SeqCst);
            return Some(told);
        }
        let mut odd = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
        odd.push(format!(
            "{line:?}: {} {} {}",
            told.status, told.head, told.body
        ));
        None
    }

    /// Nobody got anything but the service or an honest no.
    fn check(&self) {
        let odd = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(odd.first(), None, "of {}", odd.len());
    }
}

/// A form of the branch with files, as a browser sends it.
fn form(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut text = String::new();
    let head = "--XX\r\nContent-Disposition: form-data; name=";
    for (name, value) in fields {
        write!(text, "{head}\"{name}\"\r\n\r\n{value}\r\n").expect("text");
    }
    let mut body = text.into_bytes();
    if let Some((name, bytes)) = file {
        let start = format!("{head}\"{name}\"; filename=\"a\"\r\n\r\n");
        body.extend([start.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend(b"--XX--\r\n");
    body
}

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=XX");
const JSON: (&str, &str) = ("accept", "application/json");

impl Person {
    /// One visit: half of the people write to the branch, half read; some to the other services.
    fn visit(&mut self, scene: &Scene, book: &Book) {
        match self.number % 2 {
            0 => self.apply(scene, book),
            _ => self.read(scene, book),
        }
        if self.number % 20 == 3 {
            self.send_photo(scene, book);
        }
        self.keep_entry(scene, book);
    }

    fn read(&self, scene: &Scene, book: &Book) {
        let headers = vec![("cookie", self.cookie.as_str()), JSON];
        let told = book.ask(scene, OG, (("GET", "/og/data"), &headers, b"", &[200]));
        if let Some(told) = told {
            assert!(
                told.body.contains(&kvnr(self.number)),
                "somebody else's data"
            );
        }
    }

    fn apply(&mut self, scene: &Scene, book: &Book) {
        let place = self.applications;
        let words = format!("Antrag-{}-{place}.", self.number);
        let once = format!("0123456789abcdef-{place}");
        let fields = [
            ("kind", "aid"),
            ("body", words.as_str()),
            ("once", once.as_str()),
        ];
        let body = form(&fields, Some(("file", b"%PDF-1.4")));
        let headers = vec![("cookie", self.cookie.as_str()), FORM, JSON];
        let line = ("POST", "/og/applications");
        if book
            .ask(scene, OG, (line, &headers, &body, &[303]))
            .is_some()
        {
            self.applications += 1;
            book.doors[OG].taken.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn send_photo(&mut self, scene: &Scene, book: &Book) {
        let image = portrait(u64::from(self.number) * 10 + self.photos as u64, (560, 720));
        let headers = vec![("cookie", self.cookie.as_str()), FORM, JSON];
        let line = ("POST", "/lichtbild/upload");
        let body = form(&[], Some(("photo", &image)));
        if book
            .ask(scene, PHOTO, (line, &headers, &body, &[303]))
            .is_some()
        {
            self.photos += 1;
            book.doors[PHOTO].taken.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn keep_entry(&mut self, scene: &Scene, book: &Book) {
        let Some(token) = &self.token else { return };
        let name = format!("entry-{}", self.entries);
        let bearer = format!("Bearer {token}");
        let once = format!("identifier=urn:test|{name}");
        let headers = vec![
            ("authorization", bearer.as_str()),
            ("content-type", "application/fhir+json"),
            ("accept", "application/fhir+json"),
            ("if-none-exist", &once),
        ];
        let body = consent(&kvnr(self.number), &name).to_string();
        // What was taken, but not heard of, is known by its name: 200 instead of 201.
        let line = ("POST", "/epa/Consent");
        let wanted = (line, &headers, body.as_bytes(), &[200, 201][..]);
        if book.ask(scene, RECORD, wanted).is_some() {
            self.entries += 1;
            book.doors[RECORD].taken.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Everything that was acknowledged is there, once, and of what was not at most the last.
    fn check(&self, scene: &Scene) {
        let cookie = [("cookie", self.cookie.as_str())];
        let get = |path: &str| scene.call(("GET", path), &cookie, b"").expect("it is open");
        let page = get("/og/applications").body;
        let count = page.matches("Antrag-").count();
        assert!(
            (self.applications..=self.applications + 1).contains(&count),
            "{page}"
        );
        for place in 0..self.applications {
            let words = format!("Antrag-{}-{place}.", self.number);
            assert_eq!(page.matches(&words).count(), 1, "{words}");
        }
        if self.number % 20 == 3 {
            let page = get("/lichtbild/upload").body;
            let count = page.matches("<article>").count();
            assert!((self.photos..=self.photos + 1).contains(&count), "{page}");
        }
        if let Some(token) = &self.token {
            let bearer = format!("Bearer {token}");
            let headers = [("authorization", bearer.as_str())];
            let told = scene.call(("GET", "/epa/Consent?_count=100"), &headers, b"");
            let found: Value = serde_json::from_str(&told.expect("open").body).expect("JSON");
            let entries = found["entry"].as_array().cloned().unwrap_or_default();
            for place in 0..self.entries {
                let name = json!(format!("entry-{place}"));
                let is_it = |one: &&Value| one["resource"]["identifier"][0]["value"] == name;
                assert_eq!(entries.iter().filter(is_it).count(), 1, "{name}");
            }
        }
    }
}

fn consent(patient: &str, name: &str) -> Value {
    let coding =
        |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    json!({
        "resourceType": "Consent", "status": "active",
        "identifier": [{ "system": "urn:test", "value": name }],
        "scope": coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coding("http://loinc.org", "59284-0")],
        "patient": { "reference": format!("Patient/{patient}") },
        "policyRule": coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"),
        "provision": { "type": "deny", "actor": [{
            "role": coding("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "AGNT"),
            "reference": { "reference": format!("Patient/{}", kvnr(0)) },
        }] },
    })
}

/// Everybody comes once, at the same time, while something is done.
fn all_visit(scene: &Scene, book: &Book, people: &mut [Person], meanwhile: impl FnOnce(&Seen)) {
    let (tell, seen) = channel();
    std::thread::scope(|scope| {
        for person in people {
            let tell = tell.clone();
            scope.spawn(move || {
                person.visit(scene, book);
                tell.send(()).expect("the test listens");
            });
        }
        meanwhile(&seen);
    });
}

/// A round: the cells are closed while people are inside, nothing passes, they are opened while
/// people come, and then everybody gets what is theirs.
fn close_and_open(scene: &Scene, book: &Book, people: &mut [Person], doors: &[usize]) {
    let cells: Vec<&str> = doors.iter().map(|door| DOORS[*door].0).collect();
    let turn = || {
        for door in doors {
            book.doors[*door].turn.fetch_add(1, Ordering::SeqCst);
        }
    };
    let told = || -> Vec<u64> {
        let all = doors.iter().map(|door| &book.doors[*door].told);
        all.map(|told| told.load(Ordering::SeqCst)).collect()
    };
    all_visit(scene, book, people, |seen| {
        (0..ANSWER_COUNT_BEFORE_CLOSE).for_each(|_| seen.recv().expect("people are there"));
        scene.house.close_town(&cells);
        for door in doors {
            until("the close", || scene.health(DOORS[*door].1) == (503, false));
        }
        turn();
    });
    book.check();
    let before = told();
    all_visit(scene, book, people, |_| {});
    book.check();
    for (before, after) in before.iter().zip(told()) {
        assert!(
            after >= before + 10,
            "people come to a shut cell and are told"
        );
    }
    turn();
    all_visit(scene, book, people, |_| scene.house.release_town(&cells));
    for door in doors {
        until("the release", || {
            scene.health(DOORS[*door].1) == (200, true)
        });
    }
    let before = (told(), book.cut.load(Ordering::SeqCst));
    all_visit(scene, book, people, |_| {});
    let after = (told(), book.cut.load(Ordering::SeqCst));
    assert_eq!(after, before, "a released cell serves everybody");
}

/// Mail to the town's people, handed to the gate.
fn letters(scene: &Scene) -> Sender {
    let mut sender = Sender::new(scene.mail, "sender.example");
    for number in 0..LETTER_COUNT {
        let letter = Letter {
            from: "a@sender.example".to_owned(),
            to: format!("{}@{TOWN}.example", kvnr(2 + number).to_ascii_lowercase()),
            text: format!("Message-ID: <{number}@sender>\r\n\r\nHallo\r\n").into_bytes(),
        };
        sender.put(letter).expect("room");
    }
    sender
}

/// While its cell is shut nothing is taken; after the release everything lies there, once.
fn mail_waits_and_arrives(scene: &Scene) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let mut sender = letters(scene);
    let shut = runtime.block_on(sender.round());
    assert_eq!(shut.waiting_count, LETTER_COUNT as usize, "{shut:?}");
    assert!(
        !scene
            .house
            .mail()
            .join(kvnr(2).to_ascii_lowercase())
            .exists()
    );
    scene.house.found_mail();
    // The gate follows when it has heard of the release: until then it says 450, or cuts.
    let is_sent = (0..1_000).any(|_| runtime.block_on(sender.round()).waiting_count == 0);
    assert!(is_sent && sender.states().all(|(_, state)| *state == State::Sent));
    let mut counts = BTreeMap::new();
    for folder in std::fs::read_dir(scene.house.mail()).expect("mailboxes") {
        let mailbox = Mailbox::new(folder.expect("one").path());
        counts.extend(mailbox.counts().expect("read"));
    }
    let wanted = (0..LETTER_COUNT).map(|number| (format!("<{number}@sender>"), 1));
    assert_eq!(counts, wanted.collect(), "mail is lost or doubled");
}

#[test]
fn two_hundred_people_lose_nothing_while_cells_close_and_open() {
    let scene = Scene::new();
    scene.house.commission();
    scene
        .house
        .release_town(&[&CELLS[..], &["portal"]].concat());
    for path in ["idp", "og", "app", "epa", "lichtbild"] {
        until("the release", || scene.health(path) == (200, true));
    }
    scene.house.close_town(&["mail"]);
    let mut people: Vec<Person> = (2..PERSON_COUNT + 2)
        .map(|number| Person {
            number,
            cookie: scene.house.session(&kvnr(number)),
            token: (number % 10 == 2).then(|| scene.token(&kvnr(number))),
            applications: 0,
            photos: 0,
            entries: 0,
        })
        .collect();
    let book = Book::default();
    close_and_open(&scene, &book, &mut people, &[OG, RECORD]);
    // The photo service needs mail.
    mail_waits_and_arrives(&scene);
    close_and_open(&scene, &book, &mut people, &[PHOTO, OG]);
    book.check();
    for (door, (name, _)) in book.doors.iter().zip(DOORS) {
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        println!(
            "{name}: served {}, told {}, writings taken {}",
            count(&door.served),
            count(&door.told),
            count(&door.taken),
        );
        assert_eq!(
            count(&door.leaked),
            0,
            "served by the closed cell `{name}` of {HOST}"
        );
        assert!(count(&door.taken) >= 20, "{name}");
    }
    println!("cut {}", book.cut.load(Ordering::SeqCst));
    people.iter().for_each(|person| person.check(&scene));
}
