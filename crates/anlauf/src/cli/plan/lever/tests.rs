//! What `anlauf plan earlier` says.

use anlauf_model::Language;
use serde_json::json;

use super::lines;
use crate::output::Output;

const ENGLISH: Output = Output {
    json: false,
    language: Language::En,
};

#[test]
fn every_lever_is_one_line_with_its_gain() {
    let answer = json!({
        "cell": "town-alder/mail",
        "levers": [
            { "change": "lanes", "team": "systems", "lanes": 3,
              "opens": "2026-11-03T08:00:00Z", "earlier": 3000 },
            { "change": "free", "site": "site-east", "at": "2026-11-01T08:00:00Z",
              "opens": "2026-11-04T08:00:00Z", "earlier": 90 },
            { "change": "give_back", "cell": "town-alder/mail",
              "opens": "2026-11-04T09:00:00Z", "earlier": 30 },
        ],
    });
    insta::assert_snapshot!(lines(&answer, ENGLISH).join("\n"), @r"
    would bring it forward:
      team systems with 3 lanes: 2 d 2 h earlier, opens 2026-11-03T08:00:00Z
      site-east free from 2026-11-01T08:00:00Z: 1 h 30 min earlier, opens 2026-11-04T08:00:00Z
      give back the agreed window: town-alder/mail: 30 min earlier, opens 2026-11-04T09:00:00Z
    ");
}

#[test]
fn nothing_that_helps_is_said_too() {
    let text = lines(&json!({ "levers": [] }), ENGLISH).join("\n");
    assert!(text.starts_with("nothing of that helps"), "{text}");
}
