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
use reference_provider::mail::reader::{Reader, Stop};
use reference_provider::mail::sender::{Letter, Sender, State};
use reference_provider::mail::tls;
use serde_json::{Value, json};

use crate::house::{CELLS, HOST, Scene, TOWN, Told, kvnr, password, until};

/// How many people.
const PERSON_COUNT: u32 = 200;
/// How many answers people have had when a close is ordered: the others are inside then.
const ANSWER_COUNT_BEFORE_CLOSE: usize = 60;
/// Letters that are handed to the gate while everybody comes once.
const LETTER_COUNT: u32 = 20;
/// How often a sender tries in that time.
const POST_ROUNDS: usize = 3;

/// What is shut and opened: cell, first path segment.
const DOORS: [(&str, &str); 6] = [
    ("og", "og"),
    ("portal", "lichtbild"),
    ("epa", "epa"),
    ("idp", "idp"),
    ("app", "app"),
    ("mail", ""),
];
const OG: usize = 0;
const PHOTO: usize = 1;
const RECORD: usize = 2;
const LOGIN: usize = 3;
const APP: usize = 4;
const MAIL: usize = 5;

/// What people got.
#[derive(Default)]
struct Book {
    doors: [Door; 6],
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
        self.odd(format!(
            "{line:?}: {} {} {}",
            told.status, told.head, told.body
        ));
        None
    }

    fn odd(&self, words: String) {
        let mut odd = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
        odd.push(words);
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
        if self.number % 10 == 4 {
            self.read_mail(scene, book);
        }
    }

    /// The mailbox as a mail program reads it: shut is a reset.
    fn read_mail(&self, scene: &Scene, book: &Book) {
        let at = &book.doors[MAIL];
        let before = at.turn.load(Ordering::SeqCst);
        let read = letters_of(scene, self.number);
        let after = at.turn.load(Ordering::SeqCst);
        match read {
            Ok(_) | Err(Stop::No(_)) if before == after && before % 2 == 1 => {
                at.leaked.fetch_add(1, Ordering::SeqCst);
            }
            Ok(_) => {
                at.served.fetch_add(1, Ordering::SeqCst);
            }
            Err(Stop::Shut) => {
                at.told.fetch_add(1, Ordering::SeqCst);
            }
            // A close cuts those who are inside.
            Err(Stop::Broken(_)) => {
                book.cut.fetch_add(1, Ordering::SeqCst);
            }
            Err(Stop::No(said)) => book.odd(said),
        }
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
        for (door, path) in [
            (LOGIN, "/idp/.well-known/openid-configuration"),
            (APP, "/app/"),
        ] {
            book.ask(scene, door, (("GET", path), &vec![JSON], b"", &[200]));
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

/// A mail program's look into somebody's mailbox.
fn letters_of(scene: &Scene, number: u32) -> Result<Vec<Vec<u8>>, Stop> {
    let believed = tls::believe(&scene.house.certificate()).expect("a certificate");
    let reader = Reader::new(scene.reading, HOST, believed).expect("a name");
    let name = format!("{}@{TOWN}.example", kvnr(number).to_ascii_lowercase());
    let read = runtime().block_on(reader.read(&name, &password()))?;
    Ok(read.into_iter().map(|one| one.bytes).collect())
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

/// A sender with its queue, which goes on from visit to visit.
struct Postman {
    sender: Sender,
    /// How many letters it was given.
    count: u32,
}

impl Postman {
    /// New letters, and some tries for all that waits.
    fn round(&mut self, book: &Book) {
        for _ in 0..LETTER_COUNT {
            let number = self.count;
            self.count += 1;
            let letter = Letter {
                from: "a@sender.example".to_owned(),
                to: format!("{}@{TOWN}.example", addressee(number).to_ascii_lowercase()),
                text: format!("Message-ID: <{number}@sender>\r\n\r\nHallo {number}\r\n")
                    .into_bytes(),
            };
            self.sender.put(letter).expect("room");
        }
        (0..POST_ROUNDS).for_each(|_| self.try_all(book));
    }

    fn try_all(&mut self, book: &Book) {
        let at = &book.doors[MAIL];
        let before = at.turn.load(Ordering::SeqCst);
        let round = runtime().block_on(self.sender.round());
        let (after, sent) = (at.turn.load(Ordering::SeqCst), round.sent_count as u64);
        if before == after && before % 2 == 1 {
            at.leaked.fetch_add(sent, Ordering::SeqCst);
        }
        at.taken.fetch_add(sent, Ordering::SeqCst);
        at.served.fetch_add(sent, Ordering::SeqCst);
        at.told
            .fetch_add(round.waiting_count as u64, Ordering::SeqCst);
    }

    /// Everything was taken, and lies in the mailboxes once.
    fn check(&mut self, scene: &Scene, book: &Book) {
        self.try_all(book);
        let states = self.sender.states();
        assert!(states.into_iter().all(|(_, state)| *state == State::Sent));
        let mut found = BTreeMap::new();
        for person in (0..READER_COUNT).map(|place| 4 + place * 10) {
            for bytes in letters_of(scene, person).expect("it is open") {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let number = text
                    .rsplit("Hallo ")
                    .next()
                    .expect("words")
                    .trim()
                    .to_owned();
                *found.entry(number).or_insert(0) += 1;
            }
        }
        let wanted = (0..self.count).map(|number| (number.to_string(), 1));
        assert_eq!(found, wanted.collect(), "mail is lost or doubled");
    }
}

/// How many read their mail.
const READER_COUNT: u32 = 20;

/// Whom a letter is for: each of those who read their mail in turn.
fn addressee(letter: u32) -> String {
    kvnr(4 + letter % READER_COUNT * 10)
}

/// Everybody who comes.
struct Crowd {
    people: Vec<Person>,
    postman: Postman,
}

/// Everybody comes once, at the same time, while something is done.
fn all_visit(scene: &Scene, book: &Book, crowd: &mut Crowd, meanwhile: impl FnOnce(&Seen)) {
    let (tell, seen) = channel();
    std::thread::scope(|scope| {
        for person in &mut crowd.people {
            let tell = tell.clone();
            scope.spawn(move || {
                person.visit(scene, book);
                tell.send(()).expect("the test listens");
            });
        }
        let postman = &mut crowd.postman;
        scope.spawn(move || postman.round(book));
        meanwhile(&seen);
    });
}

/// Whether a door is shut, or open, as far as anybody outside can tell.
fn is_open(scene: &Scene, door: usize) -> Option<bool> {
    if door == MAIL {
        return match letters_of(scene, 2) {
            Ok(_) => Some(true),
            Err(Stop::Shut) => Some(false),
            Err(_) => None,
        };
    }
    match scene.health(DOORS[door].1) {
        (503, false) => Some(false),
        (200, true) => Some(true),
        _ => None,
    }
}

/// Releases cells again: mail first, the photo service leans on it.
fn release(scene: &Scene, cells: &[&str]) {
    let others: Vec<&str> = cells
        .iter()
        .copied()
        .filter(|cell| *cell != "mail")
        .collect();
    if others.len() < cells.len() {
        scene.house.found_mail();
    }
    scene.house.release_town(&others);
}

/// A round: the cells are closed while people are inside, nothing passes, they are opened while
/// people come, and then everybody gets what is theirs.
fn close_and_open(scene: &Scene, book: &Book, crowd: &mut Crowd, doors: &[usize]) {
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
    all_visit(scene, book, crowd, |seen| {
        (0..ANSWER_COUNT_BEFORE_CLOSE).for_each(|_| seen.recv().expect("people are there"));
        scene.house.close_town(&cells);
        for door in doors {
            until("the close", || is_open(scene, *door) == Some(false));
        }
        turn();
    });
    book.check();
    let before = told();
    all_visit(scene, book, crowd, |_| {});
    book.check();
    for (before, after) in before.iter().zip(told()) {
        assert!(
            after >= before + 10,
            "people come to a shut cell and are told"
        );
    }
    turn();
    all_visit(scene, book, crowd, |_| release(scene, &cells));
    for door in doors {
        until("the release", || is_open(scene, *door) == Some(true));
    }
    let before = (told(), book.cut.load(Ordering::SeqCst));
    all_visit(scene, book, crowd, |_| {});
    let after = (told(), book.cut.load(Ordering::SeqCst));
    assert_eq!(after, before, "a released cell serves everybody");
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
    let people: Vec<Person> = (2..PERSON_COUNT + 2)
        .map(|number| Person {
            number,
            cookie: scene.house.session(&kvnr(number)),
            token: (number % 10 == 2).then(|| scene.token(&kvnr(number))),
            applications: 0,
            photos: 0,
            entries: 0,
        })
        .collect();
    let postman = Postman {
        sender: Sender::new(scene.mail, "sender.example"),
        count: 0,
    };
    let mut crowd = Crowd { people, postman };
    let book = Book::default();
    for doors in [
        &[OG, RECORD, MAIL][..],
        &[PHOTO, LOGIN, APP],
        &[MAIL, PHOTO, RECORD],
        &[OG, LOGIN, APP],
    ] {
        close_and_open(&scene, &book, &mut crowd, doors);
    }
    book.check();
    crowd.postman.check(&scene, &book);
    for (place, (door, (name, _))) in book.doors.iter().zip(DOORS).enumerate() {
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
        let writes = ![LOGIN, APP].contains(&place);
        assert!(!writes || count(&door.taken) >= 20, "{name}");
        assert_eq!(count(&door.turn), 4, "closed and opened twice: {name}");
    }
    println!("cut {}", book.cut.load(Ordering::SeqCst));
    crowd.people.iter().for_each(|person| person.check(&scene));
}
