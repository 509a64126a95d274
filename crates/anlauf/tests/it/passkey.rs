//! A passkey from its making to an open gate, in a real browser with an authenticator in software.

use anlauf_webdriver::Browser;
use serde_json::Value;

use crate::first_start::Feed;
use crate::house::{Desk, House, backend};
use crate::process::{Running, address, ask};

const GRANT: &str = "--stage full --minutes 60 site-west/network";

#[test]
fn a_passkey_is_enrolled_signs_in_the_browser_and_the_gate_opens() {
    let house = House::new(Some(backend("unused")));
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    // A relying party has a name, never an address in numbers.
    let base = plane.control.replace("127.0.0.1", "localhost");
    let gate = Running::start(&mut house.gate(&plane.control, ""));
    let told = gate.listens().unwrap();
    let mut feed = Feed::start(&desk);
    let browser = Browser::open(&house.path("profile"), &[]);
    browser.authenticator();
    browser.log_in(&base, &house.token("security-1"));

    enrol(&house, &desk, &browser, &base);
    feed.followed(&desk);

    let drawn = desk.must("operator-1", &format!("break-glass propose {GRANT}"));
    let release = drawn["entries"][0]["release"].as_str().unwrap().to_owned();
    // The inbox leads to the page that has the whole statement and the digits.
    browser.go(&format!("{base}/console/inbox"));
    browser.press(&format!("a[href='/console/sign/{release}']"));
    let words = browser.told("return document.getElementById('statement')?.innerText");
    assert!(words.contains("site-west/network"), "{words}");
    browser.type_into("input[name=reason]", "read and compared");
    browser.press("form[data-passkey] button");
    let at = browser
        .told("const q = location.search; return location.pathname === '/console' && q ? q : ''");
    assert!(at.starts_with("?done="), "{at}");
    let signed = &desk.read("operator-1", &format!("release show {release}"))["signed"];
    assert_eq!(signed[0]["person"], "security-1");

    desk.must(
        "forensics-1",
        &format!("sign {release} --yes --ssh-key ssh/forensics-1"),
    );
    desk.must("operator-1", &format!("release carry-out {release}"));
    feed.followed(&desk);
    let (_, state) = ask(address(&told["admin"]), "localhost", "/state", "");
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["break_glass"][0]["cell"], "site-west/network");
    // Every page of everyone tells it.
    browser.go(&format!("{base}/console/plan"));
    let banner = browser.told("return document.getElementById('glass')?.innerText");
    assert!(banner.to_lowercase().contains("break-glass"), "{banner}");
    drop(browser);
    gate.terminate().done();
    plane.process.terminate().done();
}

/// The card from the page, through the ceremony, into the next root.
fn enrol(house: &House, desk: &Desk<'_>, browser: &Browser, base: &str) {
    browser.go(&format!("{base}/language?to=en&back=/console/passkey"));
    browser.press("form[data-passkey] button");
    let card = browser.told("return document.getElementById('card')?.textContent");
    let digits = browser.told("return document.getElementById('card-digits')?.textContent");
    std::fs::write(house.path("from-browser.json"), &card).unwrap();
    house
        .run("key enrol --person owner-1 --card from-browser.json --out keys/wrong.pub")
        .says(6, &["is the card of `security-1`"]);
    let forged = card.replace("localhost http", "localhost https");
    assert_ne!(forged, card);
    std::fs::write(house.path("forged.json"), forged).unwrap();
    house
        .run("key enrol --person security-1 --card forged.json --out keys/wrong.pub")
        .says(6, &["is no public key"]);
    let line = "--json key enrol --person security-1 --card from-browser.json \
                --out cards/security-1-passkey.pub";
    std::fs::create_dir(house.path("cards")).unwrap();
    let shown: Value = serde_json::from_str(&house.run(line).done()).unwrap();
    assert_eq!(shown["fingerprint"], digits, "what both read out");
    house
        .run(
            "key rotate --keep --landscape land --keys cards --root data/authority/root.json \
             --out root-2.json",
        )
        .done();
    for signer in ["security-1", "forensics-1"] {
        house
            .run(&format!("sign root-2.json --key keys/{signer}.key --yes"))
            .done();
    }
    desk.must("operator-1", "adopt root-2.json");
}
