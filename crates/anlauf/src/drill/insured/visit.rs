//! One person's visit: log in, send a photo, see the branch, open the app, use the record.
//!
//! In:    a person, a way to the services. Out: entries in the book, receipts, what they keep.
//! Never: gives up what was not accepted: the person keeps it and sends it next time.
//! See:   RFC 7636 (PKCE), FHIR R4 conditional create; docs/guide/reference.md.

use anlauf_model::{Digest, TenantId};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use reference_provider::kernel::ask::{decode_form, encode};
use reference_provider::kernel::synth::portrait;
use serde_json::{Value, json};

use super::book::{Expected, Kind, Outcome, Place, Receipt};
use super::line::{Line, Question, Reply};
use super::{Folk, Outside, Round};

/// Width and height of a photo: little more than the least. Pixels.
const PHOTO_SIZE: (u32, u32) = (420, 540);

const FORM: &str = "application/x-www-form-urlencoded";
const FHIR: &str = "application/fhir+json";

/// Names what people of the drill send.
pub(super) const IDENTIFIER: &str = "urn:drill";

/// A person on their way.
pub(super) struct Visit<'a> {
    pub(super) outside: &'a Outside,
    pub(super) folk: &'a Folk,
    tenant: &'a TenantId,
    person: usize,
    line: Line,
    round: &'a Round,
}

/// Why an act ended before it was done.
pub(super) struct Stop {
    outcome: Outcome,
    why: String,
}

pub(super) type Act<T> = Result<T, Stop>;

/// One visit of one person.
pub(super) async fn visit(
    outside: &Outside,
    tenant: &TenantId,
    (person, round): (usize, &Round),
) -> Option<()> {
    let visit = Visit::new(outside, tenant, (person, round))?;
    let token = visit.login().await;
    visit.note(Kind::Login, &[Kind::Login], &token);
    let token = token.ok();
    let token = token.as_deref();
    if visit.has(Kind::Photo) {
        visit.photo(token).await;
    }
    if visit.has(Kind::Branch) {
        visit.branch(token.is_some()).await;
    }
    if visit.has(Kind::App) {
        let page = visit.ask(Question::get("/app/")).await;
        visit.note(Kind::App, &[Kind::App], &page);
    }
    if visit.has(Kind::Record) {
        visit.record(token).await;
    }
    visit.mailbox().await;
    Some(())
}

impl<'a> Visit<'a> {
    pub(super) fn new(
        outside: &'a Outside,
        tenant: &'a TenantId,
        (person, round): (usize, &'a Round),
    ) -> Option<Self> {
        let folk = outside.folks.get(tenant)?;
        Some(Self {
            outside,
            folk,
            tenant,
            person,
            line: outside.line(folk, person, round)?,
            round,
        })
    }

    pub(super) fn person(&self) -> usize {
        self.person
    }

    /// By which gate they go; none around all of them.
    pub(super) fn gate(&self) -> Option<usize> {
        let goes_in = self.round.around.is_none();
        goes_in.then(|| self.outside.gate(self.person))
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.folk.cells.contains_key(&kind)
    }

    pub(super) fn place(&self, kind: Kind) -> Place {
        (self.tenant.clone(), kind)
    }

    fn number(&self) -> &str {
        self.folk.people.get(self.person).map_or("", String::as_str)
    }

    fn origin(&self) -> String {
        format!("http://{}", self.folk.host)
    }

    pub(super) fn note<T>(&self, kind: Kind, needs: &[Kind], act: &Act<T>) {
        self.note_as(kind, self.expected(needs), act);
    }

    /// The same for what rests in emergency operation.
    pub(super) fn note_normal<T>(&self, kind: Kind, needs: &[Kind], act: &Act<T>) {
        let expected = match (self.expected(needs), self.is_emergency(kind)) {
            (Expected::Open, true) => Expected::Shut,
            (expected, _) => expected,
        };
        self.note_as(kind, expected, act);
    }

    /// Whether the service is in emergency operation.
    pub(super) fn is_emergency(&self, kind: Kind) -> bool {
        let cell = self.folk.cells.get(&kind);
        cell.is_some_and(|cell| self.round.emergency.contains(cell))
    }

    fn expected(&self, needs: &[Kind]) -> Expected {
        let Some(open) = &self.round.open else {
            return Expected::Unknown;
        };
        let is_open = |kind: &Kind| {
            let cell = self.folk.cells.get(kind);
            cell.is_some_and(|cell| open.contains(cell))
        };
        match needs.iter().all(is_open) {
            true => Expected::Open,
            false => Expected::Shut,
        }
    }

    fn note_as<T>(&self, kind: Kind, expected: Expected, act: &Act<T>) {
        let (outcome, why) = match act {
            Ok(_) => (Outcome::Served, "it served"),
            Err(stop) => (stop.outcome, stop.why.as_str()),
        };
        let place = self.place(kind);
        self.outside.book().note(&place, outcome, expected, why);
    }

    /// One question; an answer that is none ends the act. Notes who answered though it was shut.
    pub(super) async fn ask(&self, question: Question<'_>) -> Act<Reply> {
        let path = question.path.to_owned();
        let service = path.split(['/', '?']).nth(1).unwrap_or_default();
        let kind = Kind::of(service);
        let cell = kind.and_then(|kind| self.folk.cells.get(&kind));
        let turn = || cell.and_then(|cell| self.outside.doors.turn_of(cell));
        let before = turn();
        let Some(reply) = self.line.ask(question).await else {
            return Err(Stop {
                outcome: Outcome::Failed,
                why: format!("no answer at {path}"),
            });
        };
        let was_shut = before.is_some_and(|turn| turn % 2 == 1) && before == turn();
        if let (Some(served), Some(kind), Some(cell)) = (reply.served(), kind, cell)
            && (was_shut || served != cell.to_string())
        {
            let place = self.place(kind);
            self.outside.book().at(&place).leaked += 1;
        }
        match reply.outcome() {
            Outcome::Served => Ok(reply),
            outcome => Err(Stop {
                outcome,
                why: format!("{} at {path}", reply.status.as_u16()),
            }),
        }
    }

    /// Authorization code with PKCE, as the app does it; the access token.
    pub(super) async fn login(&self) -> Act<String> {
        self.login_as(("app", "/app/callback"), self.number()).await
    }

    /// The same for a client, with the path it is sent back to, and a name.
    pub(super) async fn login_as(&self, (client, back): (&str, &str), name: &str) -> Act<String> {
        let number = self.outside.number();
        let verifier = Digest::of(format!("drill: verifier {number}").as_bytes()).to_string();
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).0);
        let redirect = format!("{}{back}", self.origin());
        let state = format!("state-{number}");
        let query = form(&[
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", &redirect),
            ("scope", "openid"),
            ("state", &state),
            ("nonce", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let page = format!("/idp/authorize?{query}");
        self.ask(Question::get(&page)).await?;
        let sent = self.type_in(&query, name).await?;
        let code = sent.query("code").ok_or_else(|| wrong("no code"))?;
        if sent.query("state") != Some(state) {
            return Err(wrong("another state"));
        }
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("redirect_uri", &redirect),
            ("code", &code),
            ("code_verifier", &verifier),
        ]);
        let told = self.ask(Question::post("/idp/token", FORM, body)).await?;
        let token = told.json()["access_token"].as_str().map(str::to_owned);
        let token = token.ok_or_else(|| wrong("no token"))?;
        let person = self
            .ask(Question::get("/idp/userinfo").bearer(&token))
            .await?;
        match person.json()["sub"] == name {
            true => Ok(token),
            false => Err(wrong("a token of somebody else")),
        }
    }

    /// Types number and password into the page of the login.
    async fn type_in(&self, query: &str, name: &str) -> Act<Reply> {
        let own = form(&[("name", name), ("password", &self.outside.password)]);
        let body = format!("{query}&{own}");
        self.ask(Question::post("/idp/authorize", FORM, body)).await
    }

    /// The branch's page, by the branch's own login; and an application there.
    async fn branch(&self, can_log_in: bool) {
        let (place, numbers) = self.in_hand(Kind::Branch);
        if !can_log_in {
            let page = self.ask(Question::get("/og/health")).await;
            self.note(Kind::Branch, &[Kind::Branch], &page);
            return self.keep(&place, &numbers);
        }
        let needs = [Kind::Login, Kind::Branch];
        let page = self.branch_page().await;
        self.note(Kind::Branch, &needs, &page);
        let Ok(session) = page else {
            return self.keep(&place, &numbers);
        };
        for (at, number) in numbers.iter().enumerate() {
            let sent = self.send_application(&session, *number).await;
            self.note_normal(Kind::Branch, &needs, &sent);
            let waits = |stop: &Stop| stop.outcome == Outcome::Told;
            if self.is_emergency(Kind::Branch) && sent.as_ref().is_err_and(waits) {
                let waited = numbers[at..]
                    .iter()
                    .filter_map(|one| i64::try_from(*one).ok());
                self.outside.book().desk(&place).waited.extend(waited);
            }
            match sent {
                Ok(receipt) => self.outside.book().accepted(&place, receipt),
                Err(_) => return self.keep(&place, &numbers[at..]),
            }
        }
    }

    async fn send_application(&self, session: &str, number: u64) -> Act<Receipt> {
        let (words, once) = (application(number), application_key(number));
        let parts = [("kind", "aid"), ("body", words.as_str()), ("once", &once)];
        let parts = parts.map(|(name, value)| {
            format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        let body = parts.concat() + "--XX--\r\n";
        let media = "multipart/form-data; boundary=XX";
        let question = Question::post("/og/applications", media, body);
        let told = self.ask(question.with("cookie", session)).await?;
        match told.status.as_u16() {
            303 => Ok(self.receipt(number, once, "")),
            _ => Err(wrong("no receipt for an application")),
        }
    }

    /// The person's applications as they see them.
    pub(super) async fn applications(&self) -> Act<String> {
        let session = self.branch_page().await?;
        let question = Question::get("/og/applications").with("cookie", session);
        Ok(self.ask(question).await?.text())
    }

    /// The cookie of the session that the page was shown in.
    async fn branch_page(&self) -> Act<String> {
        let sent = self.ask(Question::get("/og/login")).await?;
        let visit = sent.cookies().join("; ");
        let location = sent.header("location").unwrap_or_default();
        let (_, query) = location.split_once('?').ok_or_else(|| wrong("no login"))?;
        let query: Vec<(String, String)> = decode_form(query.as_bytes());
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let back = self.type_in(&form(&query), self.number()).await?;
        let back = back.header("location").unwrap_or_default().to_owned();
        let path = back.strip_prefix(&self.origin());
        let path = path.ok_or_else(|| wrong("back to another place"))?;
        let entered = self.ask(Question::get(path).with("cookie", visit)).await?;
        let session = entered.cookies().join("; ");
        let page = Question::get("/og/data").with("cookie", session.as_str());
        match self.ask(page).await?.text().contains(self.number()) {
            true => Ok(session),
            false => Err(wrong("a page of somebody else")),
        }
    }

    /// Sends what is still in the person's hands, or a new photo.
    async fn photo(&self, token: Option<&str>) {
        let (place, numbers) = self.in_hand(Kind::Photo);
        let Some(token) = token else {
            let health = self.ask(Question::get("/lichtbild/health")).await;
            self.note(Kind::Photo, &[Kind::Photo], &health);
            return self.keep(&place, &numbers);
        };
        for (at, number) in numbers.iter().enumerate() {
            let sent = self.send_photo(token, *number).await;
            self.note(Kind::Photo, &[Kind::Login, Kind::Photo], &sent);
            match sent {
                Ok(receipt) => self.outside.book().accepted(&place, receipt),
                Err(_) => return self.keep(&place, &numbers[at..]),
            }
        }
    }

    async fn send_photo(&self, token: &str, number: u64) -> Act<Receipt> {
        let drawn = tokio::task::spawn_blocking(move || portrait(number, PHOTO_SIZE)).await;
        let image = drawn.map_err(|_| wrong("no photo"))?;
        let question = Question::post("/lichtbild/api/photos", "image/jpeg", image);
        let told = self.ask(question.bearer(token)).await?.json();
        let (id, digest) = (told["id"].as_i64(), told["sha256"].as_str());
        match (id, digest) {
            (Some(id), Some(digest)) => Ok(self.receipt(number, id.to_string(), digest)),
            _ => Err(wrong("no receipt for a photo")),
        }
    }

    /// Looks into the record, reads a document, puts in one of one's own.
    async fn record(&self, token: Option<&str>) {
        let (place, numbers) = self.in_hand(Kind::Record);
        let Some(token) = token else {
            let health = self.ask(Question::get("/epa/health")).await;
            self.note(Kind::Record, &[Kind::Record], &health);
            return self.keep(&place, &numbers);
        };
        let needs = [Kind::Login, Kind::Record];
        let read = self.read_document(token).await;
        self.note(Kind::Record, &needs, &read);
        if read.is_err() {
            return self.keep(&place, &numbers);
        }
        for (at, number) in numbers.iter().enumerate() {
            let sent = self.send_document(token, *number).await;
            self.note(Kind::Record, &needs, &sent);
            match sent {
                Ok(receipt) => self.outside.book().accepted(&place, receipt),
                Err(_) => return self.keep(&place, &numbers[at..]),
            }
        }
    }

    async fn read_document(&self, token: &str) -> Act<()> {
        let list = Question::get("/epa/DocumentReference?_count=3").bearer(token);
        let found = self.ask(list).await?.json();
        let first = &found["entry"][0]["resource"];
        let path = self
            .binary_path(first)
            .ok_or_else(|| wrong("no document"))?;
        self.ask(Question::get(&path).bearer(token)).await?;
        Ok(())
    }

    /// Where the content of a reference lies.
    pub(super) fn binary_path(&self, reference: &Value) -> Option<String> {
        let url = reference["content"][0]["attachment"]["url"].as_str()?;
        let path = url.strip_prefix(&self.origin()).unwrap_or(url);
        Some(path.to_owned())
    }

    /// The content, then the reference to it: unless one with its number is there already.
    async fn send_document(&self, token: &str, number: u64) -> Act<Receipt> {
        let patient = json!({ "reference": format!("Patient/{}", self.number()) });
        let words = format!("Synthetischer Befund Nr. {number} von {}\n", self.number());
        let binary = json!({
            "resourceType": "Binary", "contentType": "text/plain",
            "securityContext": patient, "data": BASE64_STANDARD.encode(&words),
        });
        let question = Question::post("/epa/Binary", FHIR, binary.to_string());
        let kept = self.ask(question.bearer(token)).await?.json();
        let binary = kept["id"].as_str().unwrap_or_default();
        let reference = json!({
            "resourceType": "DocumentReference", "status": "current",
            "identifier": [{ "system": IDENTIFIER, "value": number.to_string() }],
            "type": { "coding": [{ "system": "http://loinc.org", "code": "34133-9" }] },
            "subject": patient,
            "content": [{ "attachment": { "url": format!("Binary/{binary}") } }],
        });
        let condition = format!("identifier={IDENTIFIER}%7C{number}");
        let question = Question::post("/epa/DocumentReference", FHIR, reference.to_string())
            .with("if-none-exist", condition);
        let told = self.ask(question.bearer(token)).await?.json();
        let id = told["id"]
            .as_str()
            .ok_or_else(|| wrong("no receipt for a document"))?;
        let digest = Digest::of(words.as_bytes()).to_string();
        Ok(self.receipt(number, id.to_owned(), &digest))
    }

    fn receipt(&self, number: u64, id: String, digest: &str) -> Receipt {
        Receipt {
            person: self.person,
            number,
            id,
            digest: digest.to_owned(),
        }
    }

    /// What this person brings: what could not be sent before, or something new.
    fn in_hand(&self, kind: Kind) -> (Place, Vec<u64>) {
        let place = self.place(kind);
        let mut numbers = self.outside.book().to_send(&place, self.person);
        if numbers.is_empty() {
            numbers.push(self.outside.number());
        }
        (place, numbers)
    }

    fn keep(&self, place: &Place, numbers: &[u64]) {
        let mut book = self.outside.book();
        for number in numbers {
            book.turned_away(place, self.person, *number);
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields
        .iter()
        .map(|(key, value)| format!("{key}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The words of an application; no other has them.
pub(super) fn application(number: u64) -> String {
    format!("Synthetischer Antrag Nr. {number}.")
}

/// What a form is known by when it comes again.
pub fn application_key(number: u64) -> String {
    format!("drill-application-{number:08}")
}

pub(super) fn wrong(why: &str) -> Stop {
    stopped(Outcome::Failed, why)
}

pub(super) fn stopped(outcome: Outcome, why: &str) -> Stop {
    Stop {
        outcome,
        why: why.to_owned(),
    }
}

impl Stop {
    pub(super) fn outcome(&self) -> Outcome {
        self.outcome
    }
}
