//! Every page in both languages is well-formed, labelled, and runs nothing of anybody else.

use std::collections::BTreeSet;

use super::html::{Piece, is_void, read, value};
use super::outline::outline;
use super::{open, pages};
use crate::stand::Stand;

#[tokio::test]
async fn every_page_is_sound() {
    let stand = Stand::rich().await;
    for (who, path) in pages(&stand) {
        for language in ["de", "en"] {
            let page = open(&stand, Some(who), language, &path).await;
            assert_eq!(page.status, 200, "{path}");
            check(&format!("{path} in {language}"), language, &page.text);
        }
    }
}

#[tokio::test]
async fn pages_without_landscape_or_incident_are_sound() {
    let empty = Stand::new();
    let calm = Stand::founded().await;
    for stand in [empty, calm] {
        for path in [
            "/console",
            "/console/grid",
            "/console/plan",
            "/console/inbox",
            "/",
        ] {
            let page = open(&stand, Some("operator-1"), "de", path).await;
            assert_eq!(page.status, 200, "{path}");
            check(path, "de", &page.text);
        }
    }
}

#[tokio::test]
async fn a_page_that_is_not_there_is_sound() {
    let stand = Stand::founded().await;
    let page = open(&stand, None, "en", "/nowhere").await;
    assert_eq!(page.status, 404);
    check("/nowhere", "en", &page.text);
}

/// The checker itself sees what it should see.
#[test]
fn the_checker_sees_what_it_should_see() {
    let page = |inner: &str| format!("<html lang=\"de\"><h1>a</h1>{inner}</html>");
    let is_sound =
        |page: String| std::panic::catch_unwind(|| check("made up", "de", &page)).is_ok();
    assert!(is_sound(page("<p id=\"x\"></p>")));
    for unsound in [
        "<p id=\"x\"></p><p id=\"x\"></p>",
        "<h3>b</h3>",
        "<h1>b</h1>",
        "<p>",
        "<p style=\"color:red\"></p>",
        "<p onclick=\"x()\"></p>",
        "<input id=\"x\" name=\"x\">",
        "<a href=\"https://elsewhere.example/\"></a>",
    ] {
        assert!(!is_sound(page(unsound)), "{unsound}");
    }
}

pub(super) fn check(name: &str, language: &str, page: &str) {
    let pieces = read(page);
    nesting(name, &pieces);
    headings(name, &pieces);
    labels(name, &pieces);
    let (mut ids, mut tags) = (BTreeSet::new(), Vec::new());
    for piece in &pieces {
        let Piece::Open(tag, attributes) = piece else {
            continue;
        };
        tags.push(tag.as_str());
        if let Some(id) = value(attributes, "id") {
            assert!(
                ids.insert(id.to_owned()),
                "{name}: id `{id}` is there twice"
            );
        }
        if tag == "html" {
            assert_eq!(value(attributes, "lang"), Some(language), "{name}");
        }
        let keys: BTreeSet<_> = attributes.iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys.len(),
            attributes.len(),
            "{name}: {tag} has an attribute twice"
        );
        for (key, value) in attributes {
            assert!(
                key != "style" && !key.starts_with("on"),
                "{name}: `{key}` of {tag} is inline"
            );
            let outside = value.contains("://") && key != "xmlns";
            let leads = matches!(key.as_str(), "href" | "src" | "action");
            assert!(
                !(leads && outside),
                "{name}: {tag} leads outside to {value}"
            );
        }
    }
    assert_eq!(
        tags.iter().filter(|tag| **tag == "h1").count(),
        1,
        "{name}: one h1"
    );
}

fn nesting(name: &str, pieces: &[Piece]) {
    let mut open: Vec<&str> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Open(tag, _) if !is_void(tag) => open.push(tag),
            Piece::Close(tag) => assert_eq!(open.pop(), Some(tag.as_str()), "{name}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{name}: never closed: {open:?}");
}

fn headings(name: &str, pieces: &[Piece]) {
    let mut before = 0;
    for piece in pieces {
        let Piece::Open(tag, _) = piece else { continue };
        let Some(level) = tag
            .strip_prefix('h')
            .and_then(|level| level.parse::<u32>().ok())
        else {
            continue;
        };
        assert!(level <= before + 1, "{name}: h{level} after h{before}");
        before = level;
    }
}

/// Every field has a label of its own.
fn labels(name: &str, pieces: &[Piece]) {
    let open = |wanted: &[&str]| {
        let fits = |tag: &String| wanted.contains(&tag.as_str());
        pieces
            .iter()
            .filter_map(move |piece| match piece {
                Piece::Open(tag, attributes) if fits(tag) => Some(attributes),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let labelled: BTreeSet<_> = open(&["label"])
        .iter()
        .filter_map(|a| value(a, "for"))
        .collect();
    for field in open(&["input", "select", "textarea"]) {
        if value(field, "type") == Some("hidden") {
            continue;
        }
        let id =
            value(field, "id").unwrap_or_else(|| panic!("{name}: a field has no id: {field:?}"));
        assert!(labelled.contains(id), "{name}: field `{id}` has no label");
    }
}

/// A release that has ended is in force nowhere: no entry says so, and everybody reads the same.
#[tokio::test]
async fn an_ended_release_is_shut_on_pages_and_in_the_api() {
    let stand = Stand::rich().await;
    let open = [("shared/mail", "full"), ("town-alder/portal", "pilot")];
    for (days, shut) in [(0, false), (400, true)] {
        stand.desk.pass(anlauf_model::Minutes::days(days));
        for (cell, stage) in open {
            let want = if shut { "closed" } else { stage };
            let told = stand.json("operator-1", &format!("/cells/{cell}")).await;
            assert_eq!(told["stage"], want, "{cell} after {days} days");
            let path = format!("/console/cells/{cell}");
            let page = open_page(&stand, &path).await;
            let title = page.lines().find(|line| line.starts_with("# "));
            let is_shut = title.is_some_and(|title| title.ends_with("× Closed"));
            assert_eq!(is_shut, shut, "{title:?} after {days} days");
        }
        let status = stand.json("operator-1", "/status").await;
        let cells = stand.json("operator-1", "/cells").await;
        let listed = cells["cells"].as_array().expect("a list");
        let closed = listed
            .iter()
            .filter(|cell| cell["stage"] == "closed")
            .count();
        assert_eq!(status["stages"]["closed"], closed);
        assert_eq!(closed == listed.len(), shut, "{closed} of {}", listed.len());
    }
}

async fn open_page(stand: &Stand, path: &str) -> String {
    let page = open(stand, Some("operator-1"), "en", path).await;
    outline(&page.text, false)
}
