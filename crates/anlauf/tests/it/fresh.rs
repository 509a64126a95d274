//! A gate that is started again, or goes without word, while the control plane is frozen: the real
//! control plane as a process, a real gate whose clock the test turns.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anlauf_gate::{Clock, Gate, GateConfig, Pilot, Serving, SystemClock, Upstreams};
use anlauf_model::{CellId, Stage, Timestamp};
use anlauf_trust::Envelope;

use crate::first_start::commission;
use crate::house::{Desk, House, Plane, backend};
use crate::process::ask;

/// A class A cell of the example landscape.
const PORTAL: &str = "town-alder/portal";
const HOST: &str = "town-alder.beispiel.example";

/// Only a test that fails waits so long.
const FOR_EVER: Duration = Duration::from_secs(120);

/// The machine's clock, but for time that the test lets pass at once.
struct Turned {
    machine: SystemClock,
    start: Instant,
    skipped: AtomicI64,
}

impl Turned {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            machine: SystemClock::new(),
            start: Instant::now(),
            skipped: AtomicI64::new(0),
        })
    }

    fn skip_minutes(&self, minutes: i64) {
        self.skipped.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }
}

impl Clock for Turned {
    fn now(&self) -> Timestamp {
        self.machine.now()
    }

    fn ran(&self) -> i64 {
        let ran = i64::try_from(self.start.elapsed().as_millis()).unwrap();
        ran + self.skipped.load(Ordering::SeqCst)
    }
}

/// What a gate of the house starts from.
struct Site<'a> {
    house: &'a House,
    clock: Arc<Turned>,
    upstream: SocketAddr,
}

impl Site<'_> {
    async fn start(&self, control: &str) -> Gate {
        let root = std::fs::read(self.house.path("data/authority/root.json")).unwrap();
        let config = GateConfig {
            id: "gate-1".parse().unwrap(),
            control: control.to_owned(),
            token: self.house.token("gate-1"),
            state_dir: self.house.path("gate"),
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            admin: Some("127.0.0.1:0".parse().unwrap()),
            pin: Envelope::parse(root.trim_ascii()).unwrap().digest(),
            upstreams: Upstreams {
                default: Some(format!("http://{}", self.upstream)),
                ..Upstreams::default()
            },
            clean_room: Vec::new(),
            pilot: Pilot::default(),
            time_zone: "Europe/Berlin".into(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            serving: Serving::default(),
        };
        Gate::start(config).await.unwrap()
    }
}

fn portal(gate: &Gate) -> Stage {
    let cell: CellId = PORTAL.parse().unwrap();
    gate.stage(&cell).map_or(Stage::Closed, |(stage, _)| stage)
}

async fn becomes(gate: &Gate, stage: Stage) {
    let mut progress = gate.progress();
    let said = progress.wait_for(|_| portal(gate) == stage);
    tokio::time::timeout(FOR_EVER, said).await.unwrap().unwrap();
}

/// Status and body of a request for the portal.
async fn visit(gate: &Gate) -> (u16, String) {
    let door = gate.addresses()[0];
    let asked = move || {
        ask(
            door,
            HOST,
            "/portal",
            "Accept: application/problem+json\r\n",
        )
    };
    tokio::task::spawn_blocking(asked).await.unwrap()
}

/// The gate opens first and reports then: the control plane is asked until it knows.
async fn is_told_fresh(desk: &Desk<'_>) {
    let asked = async {
        loop {
            let gates = desk.read("operator-1", "gates");
            let fresh = &gates[0]["freshness"][0];
            assert_eq!(fresh["class"], "A", "{gates}");
            if fresh["standing"] == "fresh" {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FOR_EVER, asked).await.unwrap();
}

async fn is_shut(gate: &Gate) {
    assert_eq!(portal(gate), Stage::Closed);
    let (status, body) = visit(gate).await;
    assert_eq!(status, 503);
    assert!(
        body.contains("urn:anlauf:problem:cell-unconfirmed"),
        "{body}"
    );
}

async fn is_open(gate: &Gate) {
    becomes(gate, Stage::Full).await;
    assert_eq!(visit(gate).await, (200, "welcome to the portal".into()));
}

/// A rehearsal whose policy lets class A shut after a quarter of an hour without word.
fn house(upstream: SocketAddr) -> House {
    House::drill_with(Some(upstream), |house| {
        house.edit(
            "policy.toml",
            "# [[freshness]]\n# class = \"A\"\n# minutes_max = 15\n# stale = \"close\"",
            "[[freshness]]\nclass = \"A\"\nminutes_max = 15\nstale = \"close\"",
        );
    })
}

#[test]
fn a_gate_opens_class_a_only_with_fresh_word() {
    let upstream = backend("welcome to the portal");
    let house = house(upstream);
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    commission(&desk);
    let site = Site {
        house: &house,
        clock: Turned::new(),
        upstream,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(story(&site, &plane, &desk));
    plane.process.terminate().done();
}

async fn story(site: &Site<'_>, plane: &Plane, desk: &Desk<'_>) {
    let gate = site.start(&plane.control).await;
    is_open(&gate).await;

    // Started again while the control plane is frozen: its disk says open, and nobody confirms it.
    plane.process.signal("STOP");
    gate.stop().await;
    let gate = site.start(&plane.control).await;
    is_shut(&gate).await;
    plane.process.signal("CONT");
    is_open(&gate).await;

    // A quarter of an hour without word shuts it; the next word opens it, without new signatures.
    plane.process.signal("STOP");
    site.clock.skip_minutes(16);
    becomes(&gate, Stage::Closed).await;
    is_shut(&gate).await;
    plane.process.signal("CONT");
    is_open(&gate).await;
    is_told_fresh(desk).await;

    // Cut off for good: question and answer travel as files.
    gate.stop().await;
    let gate = site.start("http://127.0.0.1:9").await;
    is_shut(&gate).await;
    let admin = format!("http://{}", gate.admin().unwrap());
    let house = site.house;
    house
        .run(&format!("beacon ask --gate {admin} --out ask.json"))
        .done();
    house
        .run(&format!(
            "beacon answer ask.json --out answer.json --control {} --token-file tokens/gate-1",
            plane.control
        ))
        .done();
    let bring = format!("--json beacon bring answer.json --gate {admin}");
    let told: serde_json::Value = serde_json::from_str(&house.run(&bring).done()).unwrap();
    assert_eq!(told["freshness"][0]["standing"], "fresh", "{told}");
    is_open(&gate).await;
    // An answer is used once.
    house.run(&bring).says(3, &["AN-GAT-020"]);
    gate.stop().await;
}
