//! What a gate says when a request does not get through: true to the protocol, calm, no blame.
//!
//! In:    why not, the cell, the caller's `Accept` and `Accept-Language`, words from the feed.
//! Out:   a whole response: HTML, problem+json, FHIR OperationOutcome or plain text, de or en.
//! Never: refers to another host, names a technical cause, promises a date.
//! See:   RFC 9457 (problem details), RFC 9110 §10.2.3 (`Retry-After`), docs/formats/gate.md.

use std::borrow::Cow;
use std::sync::Arc;

use anlauf_model::feed::Words;
use anlauf_model::{Language, Timestamp};
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::body::Download;
use crate::forward::Failed;
use crate::judge::No;
use crate::limits::{RETRY_AFTER_DEFAULT, RETRY_AFTER_MAX, RETRY_AFTER_MIN};
use crate::request::{Fields, Wrong};
use crate::table::CellState;

mod html;

/// Why a request does not get through.
#[derive(Clone, Copy)]
pub(crate) enum Why<'a> {
    /// The judge said no.
    No(No, &'a CellState),
    /// The backend failed.
    Failed(Failed, &'a CellState),
    /// Nobody's host.
    NoHost,
    /// The host is ours, the path is not.
    NoPath,
    /// The request cannot be understood.
    Wrong(Wrong),
}

/// How the caller wants to be answered. Cheap to keep while a backend is asked.
pub(crate) struct Wishes<'a> {
    form: Cow<'a, str>,
    language: Cow<'a, str>,
}

/// Everything a page is made from.
pub(crate) struct Speaker {
    /// Whether this is a rehearsal.
    pub(crate) drill: bool,
    /// Words from the feed.
    pub(crate) words: Arc<Words>,
    /// The present.
    pub(crate) now: Timestamp,
    /// Where the readers live.
    pub(crate) zone: TimeZone,
}

/// One answer in one language, before it takes a form.
pub(crate) struct Told<'a> {
    pub(crate) language: Language,
    pub(crate) host: &'a str,
    pub(crate) title: &'static str,
    pub(crate) detail: Cow<'static, str>,
    /// After how many seconds the page asks again by itself.
    pub(crate) reload: Option<u16>,
    pub(crate) drill: bool,
    pub(crate) as_of: String,
    pub(crate) next_word: Option<String>,
    status: StatusCode,
    kind: &'static str,
    cell: Option<String>,
    /// How many stand before this client in a line.
    before: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Html,
    Problem,
    Fhir,
    Plain,
}

impl<'a> Wishes<'a> {
    /// What the request says of them.
    pub(crate) fn of(fields: &'a impl Fields) -> Self {
        let text = |name| Cow::Borrowed(fields.text(name).unwrap_or_default());
        Self {
            form: text("accept"),
            language: text("accept-language"),
        }
    }

    /// The same without its request.
    pub(crate) fn into_owned(self) -> Wishes<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Wishes {
            form: own(self.form),
            language: own(self.language),
        }
    }

    /// Form and language as they were asked for.
    pub(crate) fn parts(&self) -> (&str, &str) {
        (&self.form, &self.language)
    }
}

impl Speaker {
    /// The whole response.
    pub(crate) fn say(&self, why: Why<'_>, host: &str, asked: &Wishes<'_>) -> Response<Download> {
        let language = Language::accept(&asked.language);
        let told = self.tell(why, host, language);
        let (kind, text) = match form(&asked.form) {
            Form::Html => ("text/html; charset=utf-8", html::page(&told)),
            Form::Problem => ("application/problem+json", self.problem(&told).to_string()),
            Form::Fhir => ("application/fhir+json", outcome(&told).to_string()),
            Form::Plain => ("text/plain; charset=utf-8", plain(&told)),
        };
        let mut response = Response::new(Download::Own(None));
        *response.status_mut() = told.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::VARY,
            HeaderValue::from_static("Accept, Accept-Language"),
        );
        headers.insert(
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(language.tag()),
        );
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if kind.starts_with("text/html") {
            headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        }
        if let Why::Wrong(Wrong::Method) = why {
            headers.insert(header::ALLOW, HeaderValue::from_static(METHODS));
        }
        if let Some(seconds) = self.retry_after(why) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        *response.body_mut() = Download::own(text);
        response
    }

    fn tell<'a>(&self, why: Why<'_>, host: &'a str, language: Language) -> Told<'a> {
        let (status, kind, [title_de, detail_de, title_en, detail_en]) = meaning(why);
        let (title, detail) = match language {
            Language::De => (title_de, detail_de),
            Language::En => (title_en, detail_en),
        };
        let (again, before) = match why {
            Why::No(No::Outside(again) | No::Busy(again), _) => (Some(again), None),
            Why::No(No::Waits(again, before), _) => (Some(again), Some(before)),
            _ => (None, None),
        };
        let detail = match before {
            Some(before) => Cow::Owned(format!("{} {detail}", position(before, language))),
            None => Cow::Borrowed(*detail),
        };
        Told {
            language,
            host,
            title,
            detail,
            reload: again
                .filter(|again| again.reloads)
                .map(|again| again.seconds),
            drill: self.drill,
            as_of: self.time(self.as_of(), language),
            next_word: self.next_word_at().map(|at| self.time(at, language)),
            status,
            kind,
            cell: cell(why).map(|cell| cell.id.to_string()),
            before,
        }
    }

    /// When the words were written; without words the gate speaks for itself.
    fn as_of(&self) -> Timestamp {
        self.words.as_of.unwrap_or(self.now).min(self.now)
    }

    /// A promise that has passed is not repeated.
    fn next_word_at(&self) -> Option<Timestamp> {
        self.words.next_word_at.filter(|at| *at > self.now)
    }

    /// Seconds until it makes sense to ask again.
    fn retry_after(&self, why: Why<'_>) -> Option<i64> {
        let expected = match why {
            Why::No(No::Closed | No::Testing | No::Reduced, cell) => {
                self.words.expected.get(&cell.id).copied()
            }
            Why::No(No::Outside(again) | No::Waits(again, _) | No::Busy(again), _) => {
                return Some(again.seconds.into());
            }
            Why::No(No::Unconfirmed, _) | Why::Failed(Failed::Unreachable | Failed::Silent, _) => {
                return Some(RETRY_AFTER_MIN);
            }
            _ => return None,
        };
        let seconds = expected.map(|at| at.0.saturating_sub(self.now.0).div_euclid(1000));
        Some(
            seconds
                .unwrap_or(RETRY_AFTER_DEFAULT)
                .clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX),
        )
    }

    fn time(&self, at: Timestamp, language: Language) -> String {
        let Ok(time) = jiff::Timestamp::from_millisecond(at.0) else {
            return at.to_string();
        };
        let time = time.to_zoned_datetime(self.zone.clone());
        match language {
            Language::De => time.strftime("%d.%m.%Y, %H:%M Uhr").to_string(),
            Language::En => time.strftime("%-d %B %Y, %H:%M").to_string(),
        }
    }

    fn problem(&self, told: &Told<'_>) -> Value {
        let mut value = json!({
            "type": format!("urn:anlauf:problem:{}", told.kind),
            "title": told.title,
            "status": told.status.as_u16(),
            "detail": told.detail,
            "instance": format!("urn:anlauf:gate:{}:{}", told.host, self.now),
            "as_of": self.as_of(),
        });
        if let Value::Object(map) = &mut value {
            if let Some(cell) = &told.cell {
                map.insert("cell".to_owned(), json!(cell));
            }
            if let Some(before) = told.before {
                map.insert("before".to_owned(), json!(before));
            }
            if let Some(at) = self.next_word_at() {
                map.insert("next_word_at".to_owned(), json!(at));
            }
            if told.drill {
                map.insert("drill".to_owned(), json!(true));
            }
        }
        value
    }
}

/// Labels shared by the forms.
pub(crate) fn label(language: Language, name: &'static str) -> &'static str {
    match (language, name) {
        (Language::De, "as_of") => "Stand",
        (Language::De, "next") => "Nächste Mitteilung",
        (Language::De, "drill") => "Übung – kein echter Vorfall",
        (Language::En, "as_of") => "As of",
        (Language::En, "next") => "Next word at",
        (Language::En, "drill") => "Drill – not a real incident",
        (_, other) => other,
    }
}

fn cell<'a>(why: Why<'a>) -> Option<&'a CellState> {
    match why {
        Why::No(_, cell) | Why::Failed(_, cell) => Some(cell),
        _ => None,
    }
}

/// Status, name, and title and detail: German, then English.
fn meaning(why: Why<'_>) -> (StatusCode, &'static str, &'static Text4) {
    match why {
        Why::No(No::Closed, _) => (StatusCode::SERVICE_UNAVAILABLE, "cell-closed", &CLOSED),
        Why::No(No::Unconfirmed, _) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "cell-unconfirmed",
            &UNCONFIRMED,
        ),
        Why::No(No::Testing, _) => (StatusCode::SERVICE_UNAVAILABLE, "cell-testing", &TESTING),
        Why::No(No::Reduced, _) => (StatusCode::SERVICE_UNAVAILABLE, "cell-reduced", &REDUCED),
        Why::No(No::Outside(_), _) => (StatusCode::SERVICE_UNAVAILABLE, "cell-filling", &OUTSIDE),
        Why::No(No::Waits(..), _) => (StatusCode::SERVICE_UNAVAILABLE, "cell-line", &WAITS),
        Why::No(No::Busy(_), _) => (StatusCode::SERVICE_UNAVAILABLE, "cell-busy", &BUSY),
        Why::Failed(Failed::Unreachable, _) => (StatusCode::BAD_GATEWAY, "backend", &FAILED),
        Why::Failed(Failed::Silent, _) => (StatusCode::GATEWAY_TIMEOUT, "backend-late", &FAILED),
        Why::Failed(Failed::Spoiled, _) => (StatusCode::BAD_REQUEST, "body", &SPOILED),
        Why::NoHost => (StatusCode::MISDIRECTED_REQUEST, "unknown-host", &NO_HOST),
        Why::NoPath => (StatusCode::NOT_FOUND, "unknown-path", &NO_PATH),
        Why::Wrong(Wrong::Method) => (StatusCode::METHOD_NOT_ALLOWED, "method", &WRONG),
        Why::Wrong(Wrong::Host) => (StatusCode::BAD_REQUEST, "host", &WRONG),
        Why::Wrong(Wrong::Path) => (StatusCode::BAD_REQUEST, "path", &WRONG),
        Why::Wrong(Wrong::Length) => (StatusCode::BAD_REQUEST, "length", &WRONG),
        Why::Wrong(Wrong::Client) => (StatusCode::BAD_REQUEST, "client", &WRONG),
    }
}

/// What a gateway passes on; a cell's own rules come on top.
/// A page needs nothing but its own style, and stands in nobody's frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
);

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

type Text4 = [&'static str; 4];

const CLOSED: Text4 = [
    "Dieser Dienst ist im Moment nicht erreichbar",
    "Er wird geprüft und danach Schritt für Schritt wieder freigegeben. \
     Sie müssen nichts tun. Bitte versuchen Sie es später noch einmal.",
    "This service is not available at the moment",
    "It is being checked and will be released again step by step. \
     There is nothing you need to do. Please try again later.",
];
const UNCONFIRMED: Text4 = [
    "Dieser Dienst ist im Moment nicht erreichbar",
    "Er ist freigegeben, aber diesem Zugang fehlt gerade die Bestätigung, dass das noch gilt. \
     Sobald sie da ist, öffnet er wieder von selbst. Bitte versuchen Sie es in einigen Minuten \
     noch einmal.",
    "This service is not available at the moment",
    "It is released, but this entrance lacks word that this still holds. As soon as it has it, it \
     opens again by itself. Please try again in a few minutes.",
];
const TESTING: Text4 = [
    "Dieser Dienst wird gerade getestet",
    "Er ist noch nicht für alle geöffnet. Bitte versuchen Sie es später noch einmal.",
    "This service is being tested",
    "It is not open to everyone yet. Please try again later.",
];
const REDUCED: Text4 = [
    "Diese Funktion ist noch nicht wieder verfügbar",
    "Der Dienst läuft zunächst mit eingeschränktem Umfang. \
     Andere Funktionen können Sie bereits nutzen.",
    "This function is not available again yet",
    "The service runs with fewer functions at first. Other functions can be used already.",
];
const OUTSIDE: Text4 = [
    "Dieser Dienst läuft wieder an",
    "Wir lassen nach und nach alle hinein; Sie sind noch nicht dabei. \
     Es hilft nicht, die Seite oft neu zu laden. Bitte versuchen Sie es später noch einmal.",
    "This service is starting up again",
    "We let everyone in by and by, and your turn has not come yet. \
     Loading the page again and again does not help. Please try again later.",
];
const WAITS: Text4 = [
    "Sie sind in der Warteschlange",
    "Der Dienst läuft wieder, aber nicht für alle zugleich. \
     Wer zuerst kam, ist zuerst an der Reihe. Ihr Platz bleibt Ihnen, solange Sie hier warten.",
    "You are in the line",
    "The service is back, but not for everyone at once. \
     Whoever came first goes in first. Your place stays yours while you wait here.",
];
const BUSY: Text4 = [
    "Einen Moment bitte",
    "Sie sind an der Reihe, aber gerade sind alle Plätze belegt. \
     In wenigen Sekunden geht es weiter.",
    "One moment, please",
    "It is your turn, but every place is taken right now. It goes on in a few seconds.",
];
const FAILED: Text4 = [
    "Der Dienst antwortet gerade nicht",
    "Bitte versuchen Sie es in einigen Minuten noch einmal.",
    "The service does not answer right now",
    "Please try again in a few minutes.",
];
const NO_HOST: Text4 = [
    "Diese Adresse wird hier nicht bedient",
    "Bitte prüfen Sie die Adresse.",
    "This address is not served here",
    "Please check the address.",
];
const NO_PATH: Text4 = [
    "Diese Seite gibt es hier nicht",
    "Bitte prüfen Sie die Adresse.",
    "There is no such page here",
    "Please check the address.",
];
const WRONG: Text4 = [
    "Diese Anfrage ist nicht verständlich",
    "Sie wurde nicht weitergegeben.",
    "This request cannot be understood",
    "It was not passed on.",
];
const SPOILED: Text4 = [
    "Der Inhalt dieser Anfrage ist nicht verständlich",
    "Er brach ab oder ist falsch gebaut. Bitte senden Sie die Anfrage noch einmal.",
    "The content of this request cannot be understood",
    "It broke off or is built wrongly. Please send the request again.",
];

/// How many stand before a client. The number may count some who have left.
fn position(before: u64, language: Language) -> String {
    match (language, before) {
        (Language::De, 0) => "Sie sind als Nächstes an der Reihe.".to_owned(),
        (Language::De, 1) => "Vor Ihnen ist noch etwa 1 Platz.".to_owned(),
        (Language::De, _) => format!("Vor Ihnen sind noch etwa {before} Plätze."),
        (Language::En, 0) => "You are next.".to_owned(),
        (Language::En, 1) => "There is about 1 place before you.".to_owned(),
        (Language::En, _) => format!("There are about {before} places before you."),
    }
}

fn outcome(told: &Told<'_>) -> Value {
    let code = if told.status.is_server_error() {
        "transient"
    } else {
        "not-found"
    };
    json!({
        "resourceType": "OperationOutcome",
        "issue": [{
            "severity": "error",
            "code": code,
            "details": { "text": told.title },
            "diagnostics": told.detail,
        }],
    })
}

fn plain(told: &Told<'_>) -> String {
    let language = told.language;
    let mut out = String::new();
    if told.drill {
        out.push_str(&format!("*** {} ***\n\n", label(language, "drill")));
    }
    out.push_str(&format!(
        "{}\n{}\n\n{}\n",
        told.title, told.host, told.detail
    ));
    out.push_str(&format!("{}: {}\n", label(language, "as_of"), told.as_of));
    if let Some(next) = &told.next_word {
        out.push_str(&format!("{}: {next}\n", label(language, "next")));
    }
    out
}

/// Picks a form from `Accept` (RFC 9110 §12.5.1): highest quality, then first; else plain text.
fn form(accept: &str) -> Form {
    let mut best = (Form::Plain, 0.0f32);
    for part in accept.split(',').take(32) {
        let mut pieces = part.split(';');
        let media = pieces
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let quality = pieces.find_map(|p| p.trim().strip_prefix("q=").and_then(|q| q.parse().ok()));
        let form = match media.as_str() {
            "text/html" | "application/xhtml+xml" => Form::Html,
            "application/fhir+json" => Form::Fhir,
            "application/json" | "application/*" => Form::Problem,
            other if other.ends_with("+json") => Form::Problem,
            "text/plain" | "text/*" | "*/*" => Form::Plain,
            _ => continue,
        };
        let quality = quality.unwrap_or(1.0f32);
        if quality > best.1 {
            best = (form, quality);
        }
    }
    best.0
}

#[cfg(test)]
mod tests;
