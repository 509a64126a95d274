//! Break-glass from outside: drawn up, signed by two, open at a real gate, shut, answered for.
//!
//! That it ends by its own clock is shown where a clock can be set: in the gate's own tests.

use crate::first_start::Feed;
use crate::house::{Desk, House, backend};
use crate::process::{Run, Running, address, ask};

const GRANT: &str = "--stage full --minutes 30 site-west/network";

#[test]
fn two_persons_open_what_nobody_released_and_one_answers_for_it() {
    let house = House::new(Some(backend("unused")));
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    let gate = Running::start(&mut house.gate(&plane.control, ""));
    let told = gate.listens().unwrap();
    let admin = address(&told["admin"]);
    let mut feed = Feed::start(&desk);

    // Words are obligatory, and four hours are the most.
    Run::of(&mut desk.command("operator-1", &format!("break-glass propose {GRANT}")))
        .says(2, &["--reason"]);
    desk.change(
        "operator-1",
        "break-glass propose --stage full --minutes 241 site-west/network",
    )
    .says(3, &["AN-REC-084"]);
    desk.change(
        "town-alder.approver-1",
        &format!("break-glass propose {GRANT}"),
    )
    .says(3, &["AN-REC-003"]);
    let drawn = desk.must("operator-1", &format!("break-glass propose {GRANT}"));
    let release = drawn["entries"][0]["release"].as_str().unwrap().to_owned();
    let words = desk.read("security-1", &format!("release show {release}"));
    let words = words["words"]["en"].as_str().unwrap();
    assert!(
        words.starts_with("BREAK-GLASS WITHOUT A RELEASE"),
        "{words}"
    );

    let sign = |person: &str| {
        let line = format!("sign {release} --yes --ssh-key ssh/{person}");
        desk.change(person, &line)
    };
    let carry = format!("release carry-out {release}");
    sign("security-1").done();
    sign("owner-1").done();
    // Two persons, one organisation.
    desk.change("operator-1", &carry).says(3, &["AN-TRU-031"]);
    sign("forensics-1").done();
    desk.must("operator-1", &carry);

    // The gate itself verified it, opened, and says so; so does every list.
    feed.followed(&desk);
    let (_, state) = ask(admin, "localhost", "/state", "");
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["break_glass"][0]["cell"], "site-west/network");
    let status = desk.read("security-2", "status");
    assert_eq!(status["break_glass"][0]["cells"][0], "site-west/network");
    assert_eq!(status["break_glass"][0]["owed"], false);
    let shown = Run::of(&mut desk.command("security-2", "status")).done();
    assert!(
        shown.contains("!!! BREAK-GLASS without a release until"),
        "{shown}"
    );
    // A tenant hears of its own only.
    let other = desk.read("town-alder.approver-1", "status");
    assert_eq!(other["break_glass"], serde_json::json!([]));
    let review = format!("break-glass review {release}");
    desk.change("operator-1", &review).says(3, &["AN-REC-086"]);

    desk.must("operator-1", "close --yes site-west/network");
    let owed = desk.read("operator-1", "break-glass list");
    assert_eq!(owed[0]["owed"], true);
    desk.change("security-1", &review).says(3, &["AN-REC-003"]);
    desk.must("operator-1", &review);
    assert_eq!(
        desk.read("operator-1", "break-glass list"),
        serde_json::json!([])
    );
    gate.terminate().done();
    plane.process.terminate().done();
}
