//! A photo from the upload to the card order, and everything that may be wrong with it.

use reference_provider::kernel::house::set_emergency;
use reference_provider::kernel::synth::portrait;
use reference_provider::photo::retention::retire;

use crate::route::session;
use crate::stage::{Answer, EISVOGEL, Stage, kvnr};

const DAY: i64 = 86_400;

struct Cast {
    stage: Stage,
    insured: String,
    clerk: String,
}

impl Cast {
    fn new() -> Self {
        let stage = Stage::new();
        let mut cast = Self {
            stage,
            insured: String::new(),
            clerk: String::new(),
        };
        cast.log_in();
        cast
    }

    fn log_in(&mut self) {
        self.insured = self.of(2);
        self.clerk = format!("Bearer {}", self.stage.token(EISVOGEL, "desk", "clerk-1"));
    }

    fn of(&self, number: u32) -> String {
        format!(
            "Bearer {}",
            self.stage.token(EISVOGEL, "app", &kvnr(EISVOGEL, number))
        )
    }

    fn send(&self, who: &str, bytes: &[u8]) -> Answer {
        let headers = [("authorization", who), ("content-type", "image/jpeg")];
        self.stage
            .ask(EISVOGEL, ("POST", "/lichtbild/api/photos"), &headers, bytes)
    }

    fn clerk(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = [
            ("authorization", self.clerk.as_str()),
            ("content-type", "application/json"),
        ];
        let path = format!("/lichtbild/api/{path}");
        self.stage
            .ask(EISVOGEL, (method, &path), &headers, body.as_bytes())
    }

    fn own(&self, path: &str) -> Answer {
        let headers = [("authorization", self.insured.as_str())];
        self.stage
            .get(EISVOGEL, &format!("/lichtbild/api/{path}"), &headers)
    }
}

#[test]
fn an_approved_photo_is_a_card_order_once() {
    let cast = Cast::new();
    let told = cast.send(&cast.insured, &portrait(1, (560, 720)));
    assert_eq!(told.status, 201, "{}", told.text());
    let again = cast.send(&cast.insured, &portrait(1, (560, 720)));
    assert_eq!(
        again.json()["id"],
        told.json()["id"],
        "sent twice is one photo"
    );
    let id = told.json()["id"].as_i64().unwrap();

    assert_eq!(
        cast.clerk("GET", "queue", "").json()["photos"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let done = cast.clerk("POST", &format!("photos/{id}/approve"), "");
    assert_eq!(
        (done.status, &done.json()["order"]),
        (200, &1.into()),
        "{}",
        done.text()
    );
    let twice = cast.clerk("POST", &format!("photos/{id}/approve"), "");
    assert_eq!(
        (twice.status, &twice.json()["code"]),
        (409, &"photo-decided".into())
    );
    let orders = cast.clerk("GET", "orders", "").json();
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1);
    assert_eq!(orders["orders"][0]["kvnr"], kvnr(EISVOGEL, 2));
    let image = cast.own(&format!("photos/{id}/image"));
    let mark = ring::digest::digest(&ring::digest::SHA256, &image.body);
    assert_eq!(orders["orders"][0]["sha256"], hex::encode(mark));
    // Another insured person of the same insurer sees nothing of it.
    let other = cast.of(3);
    let told = cast.stage.get(
        EISVOGEL,
        &format!("/lichtbild/api/photos/{id}"),
        &[("authorization", &other)],
    );
    assert_eq!(told.status, 404);
}

#[test]
fn a_rejection_has_a_reason_that_the_person_reads() {
    let cast = Cast::new();
    let told = cast.send(&cast.insured, &portrait(1, (560, 720)));
    let id = told.json()["id"].as_i64().unwrap();
    let path = format!("photos/{id}/reject");
    assert_eq!(cast.clerk("POST", &path, r#"{"reason":" "}"#).status, 422);
    assert_eq!(cast.clerk("POST", &path, "{broken").status, 400);
    let done = cast.clerk("POST", &path, r#"{"reason":"Augen geschlossen"}"#);
    assert_eq!(done.status, 200, "{}", done.text());
    let seen = cast.own(&format!("photos/{id}")).json();
    assert_eq!(
        (&seen["state"], &seen["reason"]),
        (&"rejected".into(), &"Augen geschlossen".into())
    );
    assert_eq!(
        cast.clerk("GET", "orders", "").json()["orders"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn bad_uploads_get_a_reason_in_both_languages_and_never_a_500() {
    let cast = Cast::new();
    let good = portrait(1, (560, 720));
    let cases: [(u16, &str, &[u8]); 5] = [
        (415, "photo-no-jpeg", b"\x89PNG\r\n"),
        (415, "photo-no-jpeg", b""),
        (422, "photo-broken", &good[..200]),
        (422, "photo-proportions", &portrait(1, (700, 700))),
        (413, "photo-too-large", &vec![0xff; 5 * 1024 * 1024 + 1]),
    ];
    for (status, code, bytes) in cases {
        let told = cast.send(&cast.insured, bytes);
        assert_eq!(told.status, status, "{code}: {}", told.text());
        assert_eq!(told.header("content-type"), "application/problem+json");
        let told = told.json();
        assert_eq!(told["code"], code);
        assert_ne!(told["de"], told["en"]);
    }
    let huge = cast.send(&cast.insured, &vec![0xff; 6 * 1024 * 1024]);
    assert_eq!(
        (huge.status, &huge.json()["code"]),
        (413, &"too-large".into())
    );
    assert_eq!(cast.send(&cast.of(0), &good).json()["code"], "photo-age");
    assert_eq!(
        cast.send(&cast.of(1), &good).json()["code"],
        "photo-not-needed"
    );
    let headers = [
        ("authorization", cast.insured.as_str()),
        ("content-type", "text/plain"),
    ];
    let told = cast
        .stage
        .ask(EISVOGEL, ("POST", "/lichtbild/api/photos"), &headers, &good);
    assert_eq!(told.status, 415);
}

#[test]
fn in_emergency_operation_photos_come_in_and_approvals_wait() {
    let cast = Cast::new();
    let tenant = cast.stage.house.tenant(EISVOGEL).unwrap();
    set_emergency(tenant, "lichtbild", true).unwrap();
    let told = cast.send(&cast.insured, &portrait(1, (560, 720)));
    assert_eq!(told.status, 201);
    let approve = format!("photos/{}/approve", told.json()["id"]);
    let no = cast.clerk("POST", &approve, "");
    assert_eq!(
        (no.status, &no.json()["code"]),
        (503, &"emergency-operation".into())
    );
    assert_eq!(no.header("retry-after"), "300");
    set_emergency(tenant, "lichtbild", false).unwrap();
    assert_eq!(cast.clerk("POST", &approve, "").status, 200);
}

#[test]
fn images_go_when_their_time_is_over() {
    let mut cast = Cast::new();
    let send = |cast: &Cast, seed| {
        let told = cast.send(&cast.insured, &portrait(seed, (560, 720)));
        told.json()["id"].as_i64().unwrap()
    };
    let approved = send(&cast, 1);
    cast.clerk("POST", &format!("photos/{approved}/approve"), "");
    let rejected = send(&cast, 2);
    cast.clerk(
        "POST",
        &format!("photos/{rejected}/reject"),
        r#"{"reason":"dunkel"}"#,
    );
    let waiting = send(&cast, 3);
    let has = |cast: &Cast, id: i64| cast.own(&format!("photos/{id}/image")).status == 200;
    let run = |cast: &Cast| {
        let tenant = cast.stage.house.tenant(EISVOGEL).unwrap();
        retire(tenant, cast.stage.time()).unwrap()
    };
    assert_eq!(run(&cast), Default::default());
    cast.stage.later(31 * DAY);
    cast.log_in();
    assert_eq!(run(&cast).decided, 1);
    assert!(has(&cast, approved) && !has(&cast, rejected) && has(&cast, waiting));
    cast.stage.later(3_650 * DAY);
    cast.log_in();
    assert_eq!(run(&cast).old, 1);
    assert!(
        !has(&cast, approved) && has(&cast, waiting),
        "what waits is not deleted"
    );
}

#[test]
fn a_clerk_decides_on_pages_and_strangers_cannot_make_them() {
    let cast = Cast::new();
    let told = cast.send(&cast.insured, &portrait(1, (560, 720)));
    let id = told.json()["id"].as_i64().unwrap();
    let cookie = session(&cast.stage, EISVOGEL);
    let page = cast
        .stage
        .get(EISVOGEL, "/lichtbild/", &[("cookie", &cookie)]);
    assert!(page.text().contains(&kvnr(EISVOGEL, 2)), "{}", page.text());
    let english = [("cookie", cookie.as_str()), ("accept-language", "en")];
    let page = cast.stage.get(EISVOGEL, "/lichtbild/", &english);
    assert!(page.text().contains("Review photos"));
    let path = format!("/lichtbild/photos/{id}/approve");
    let forged = [
        ("cookie", cookie.as_str()),
        ("origin", "http://evil.example"),
    ];
    assert_eq!(
        cast.stage
            .ask(EISVOGEL, ("POST", &path), &forged, b"")
            .status,
        403
    );
    let done = cast
        .stage
        .ask(EISVOGEL, ("POST", &path), &[("cookie", &cookie)], b"");
    assert_eq!(done.status, 303, "{}", done.text());
}
