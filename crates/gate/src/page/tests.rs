//! What people and programs read while a cell is shut.

use anlauf_model::{CellId, Epoch};

use hyper::header::HeaderMap;

use super::*;
use crate::judge::Again;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cell() -> CellState {
    CellState::new("stadt/melden".parse().unwrap(), Epoch(3))
}

fn speaker(drill: bool) -> Speaker {
    let id: CellId = "stadt/melden".parse().unwrap();
    Speaker {
        drill,
        words: Arc::new(Words {
            as_of: Some(at("2026-04-24T11:55:00Z")),
            next_word_at: Some(at("2026-04-24T16:00:00Z")),
            expected: [(id, at("2026-04-25T12:00:00Z"))].into(),
        }),
        now: at("2026-04-24T12:00:00Z"),
        zone: TimeZone::get("Europe/Berlin").unwrap(),
    }
}

fn asked(accept: &'static str, language: &'static str) -> Wishes<'static> {
    let mut asked = HeaderMap::new();
    asked.insert(header::ACCEPT, HeaderValue::from_static(accept));
    asked.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(language));
    Wishes::of(&asked).into_owned()
}

fn said(speaker: &Speaker, why: Why<'_>, asked: &Wishes) -> String {
    let response = speaker.say(why, "stadt.example", asked);
    let (head, body) = response.into_parts();
    let Download::Own(Some(body)) = body else {
        panic!("the gate speaks for itself")
    };
    let mut text = format!("{}\n", head.status);
    for (name, value) in &head.headers {
        text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    // The style is the same for all and read better in its file.
    let body = match (body.find("<style>"), body.find("</style>")) {
        (Some(from), Some(to)) => format!("{}{}", &body[..from], &body[to + 8..]),
        _ => body,
    };
    text + "\n" + &body
}

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[test]
fn the_calm_page() {
    let closed = cell();
    for (name, language, drill) in [
        ("html_de", "de-DE,de;q=0.9", false),
        ("html_en", "en", false),
        ("html_drill", "fr", true),
    ] {
        let text = said(
            &speaker(drill),
            Why::No(No::Closed, &closed),
            &asked(BROWSER, language),
        );
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn the_same_for_programs() {
    let closed = cell();
    let why = || Why::No(No::Closed, &closed);
    let say = |accept, drill| said(&speaker(drill), why(), &asked(accept, "en"));
    insta::assert_snapshot!("problem", say("application/json", false));
    insta::assert_snapshot!("problem_drill", say("application/problem+json", true));
    insta::assert_snapshot!("fhir", say("application/fhir+json", false));
    insta::assert_snapshot!("plain", say("*/*", true));
}

#[test]
fn every_no_in_both_languages() {
    let cell = cell();
    let again = Again {
        seconds: 20,
        reloads: true,
    };
    let every = [
        Why::No(No::Closed, &cell),
        Why::No(No::Testing, &cell),
        Why::No(No::Reduced, &cell),
        Why::No(No::Outside(again), &cell),
        Why::No(No::Waits(again, 0), &cell),
        Why::No(No::Waits(again, 1), &cell),
        Why::No(No::Waits(again, 1_234), &cell),
        Why::No(No::Busy(again), &cell),
        Why::Failed(Failed::Unreachable, &cell),
        Why::Failed(Failed::Silent, &cell),
        Why::Failed(Failed::Spoiled, &cell),
        Why::NoHost,
        Why::NoPath,
        Why::Wrong(Wrong::Host),
        Why::Wrong(Wrong::Method),
    ];
    let mut text = String::new();
    for why in every {
        for language in ["de", "en"] {
            let said = said(&speaker(false), why, &asked("text/plain", language));
            let status = said.lines().next().unwrap_or_default();
            let own = |line: &&str| line.starts_with("retry-after") || line.starts_with("allow");
            let lines: Vec<_> = said.lines().filter(own).collect();
            let body = said.split_once("\n\n").unwrap().1;
            text.push_str(&format!("{status} {}\n{body}\n\n", lines.join(" ")));
        }
    }
    insta::assert_snapshot!("every_no", text);
}

#[test]
fn the_form_is_what_was_asked_for() {
    for (accept, want) in [
        ("", Form::Plain),
        (BROWSER, Form::Html),
        ("*/*", Form::Plain),
        ("application/json", Form::Problem),
        ("application/vnd.api+json", Form::Problem),
        ("application/fhir+json", Form::Fhir),
        ("text/html;q=0.1, application/json", Form::Problem),
        ("application/json;q=0.1, text/html;q=0.9", Form::Html),
        ("image/png", Form::Plain),
        ("text/html;q=0", Form::Plain),
        ("text/html;q=nan", Form::Plain),
    ] {
        assert_eq!(form(accept), want, "{accept}");
    }
}

#[test]
fn retry_after_follows_the_forecast_within_its_bounds() {
    let cell = cell();
    for (expected, want) in [
        (None, RETRY_AFTER_DEFAULT),
        (Some("2026-04-24T12:30:00Z"), 1_800),
        (Some("2026-04-24T12:00:05Z"), RETRY_AFTER_MIN),
        (Some("2026-04-23T12:00:00Z"), RETRY_AFTER_MIN),
        (Some("2026-06-01T12:00:00Z"), RETRY_AFTER_MAX),
    ] {
        let mut speaker = speaker(false);
        let expected = expected.map(|text| (cell.id.clone(), at(text)));
        speaker.words = Arc::new(Words {
            expected: expected.into_iter().collect(),
            ..Words::default()
        });
        assert_eq!(speaker.retry_after(Why::No(No::Closed, &cell)), Some(want));
    }
    assert_eq!(speaker(false).retry_after(Why::NoHost), None);
}

#[test]
fn no_promise_that_has_passed_and_no_word_from_the_future() {
    let mut speaker = speaker(false);
    speaker.now = at("2026-04-24T17:00:00Z");
    assert_eq!(speaker.next_word_at(), None);
    speaker.now = at("2026-04-24T10:00:00Z");
    assert_eq!(speaker.as_of(), speaker.now);
    speaker.words = Arc::default();
    assert_eq!(speaker.as_of(), speaker.now);
}

#[test]
fn nothing_from_outside_gets_into_the_page_unescaped() {
    let closed = cell();
    let why = Why::No(No::Closed, &closed);
    let response = speaker(false).say(why, "<script>\"'&", &asked(BROWSER, "de"));
    let Download::Own(Some(body)) = response.into_body() else {
        panic!("own words")
    };
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains("&lt;script&gt;&quot;&#39;&amp;"));
    assert!(!body.contains("<script"));
}
