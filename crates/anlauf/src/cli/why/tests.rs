//! What `anlauf why` says.

use anlauf_model::Language;
use serde_json::json;

use super::lines;
use crate::output::Output;

const ENGLISH: Output = Output {
    json: false,
    language: Language::En,
};

#[test]
fn the_chain_says_whose_step_it_is() {
    let why = json!({
        "cell": "town-alder/mail",
        "stage": "closed",
        "stage_next": "pilot",
        "tasks_open": [],
        "agreed": { "from": "2026-11-01T08:00:00Z", "to": "2026-11-02T08:00:00Z" },
        "ready": "ab".repeat(32),
        "levers": [
            { "change": "lanes", "team": "crew", "lanes": 3, "opens": "2026-11-03T20:00:00Z",
              "earlier": 720 },
        ],
        "chain": [
            { "why": "work", "task": "rebuild", "start": "2026-11-03T08:00:00Z",
              "end": "2026-11-04T08:00:00Z" },
            { "why": "needs", "cell": "site-east/network", "until": "2026-11-03T08:00:00Z" },
            { "why": "work", "task": "evidence", "start": "2026-11-02T08:00:00Z",
              "end": "2026-11-03T08:00:00Z" },
        ],
    });
    let text = lines(&why, ENGLISH).join("\n");
    assert!(text.contains("own work (rebuild)"), "{text}");
    assert!(
        text.contains("work of site-east/network (evidence)"),
        "{text}"
    );
    assert_eq!(text.matches("own work").count(), 1, "{text}");
    assert!(
        text.contains("signed; to be carried out with `anlauf release carry-out abababababab`"),
        "{text}"
    );
    let lever = "team crew with 3 lanes: 12 h 0 min earlier, opens 2026-11-03T20:00:00Z";
    let chain = text.find("work of site-east/network").unwrap();
    assert!(text.find(lever).is_some_and(|at| at > chain), "{text}");
    assert!(!text.contains("steps not done"), "{text}");
    assert!(
        text.contains("the plan does not keep it, it is ready only at"),
        "{text}"
    );
}
