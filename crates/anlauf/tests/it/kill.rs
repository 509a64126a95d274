//! `kill -9` at random points: what was acknowledged is there, and no gate opened by it.
//!
//! A control plane and a gate process are under load of commands: tenants' wishes, notices, and a
//! pair of cells that are opened and shut again and again. Both are killed at random, also while
//! they start. After every restart the ledger proves itself, every acknowledged command is in it at
//! its place, and each cell at the gate is at no later stage than the ledger released it to and at
//! no earlier epoch than before. `KILL_SEED` plays a run again; `KILL_COUNT` sets how many.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anlauf_model::feed::GateReport;
use anlauf_model::{CellId, Epoch, Stage};
use anlauf_recovery::Event;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::house::{Desk, House};
use crate::process::{Running, address};

pub mod load;

use load::{Load, get};

/// How often something is killed, unless `KILL_COUNT` says otherwise.
const KILL_COUNT: u64 = 200;

/// What is known of each cell at the gate.
type Cells = BTreeMap<CellId, (Stage, Epoch)>;

fn set(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let seed = set("KILL_SEED", 1);
    let count = set("KILL_COUNT", KILL_COUNT);
    eprintln!("KILL_SEED={seed} KILL_COUNT={count}");
    let mut story = Story::new(seed);
    while story.kills < count {
        story.round();
    }
    eprintln!(
        "{} commands acknowledged, {} openings",
        story.checked, story.openings
    );
    assert!(
        story.checked > count / 2,
        "hardly anything was acknowledged"
    );
    assert!(story.openings > 5, "the cells were hardly ever opened");
    story.house.run("ledger verify data").done();
}

struct Story {
    house: House,
    port: u16,
    chance: Xoshiro256PlusPlus,
    /// Numbers the keys of commands over all rounds.
    next: Arc<AtomicU64>,
    kills: u64,
    /// Acknowledged commands found in the ledger.
    checked: u64,
    /// Releases in the ledger.
    openings: u64,
    /// First entry that was not looked at yet.
    unread: u64,
    /// What the ledger released: by cell and epoch, to which stage.
    released: BTreeMap<(CellId, Epoch), Stage>,
    /// What the gate said before it was killed.
    before: Cells,
}

impl Story {
    fn new(seed: u64) -> Self {
        let house = House::drill();
        // A port that was free a moment ago: the gate must find the control plane again.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut story = Self {
            house,
            port,
            chance: Xoshiro256PlusPlus::seed_from_u64(seed),
            next: Arc::new(AtomicU64::new(1)),
            kills: 0,
            checked: 0,
            openings: 0,
            unread: 1,
            released: BTreeMap::new(),
            before: Cells::new(),
        };
        let plane = story.house.start(port);
        plane.process.terminate().done();
        story.read_ledger(&BTreeMap::new());
        story
    }

    /// One life of the control plane and the gate, from start to kill.
    fn round(&mut self) {
        if self.chance.random_bool(0.2) {
            self.kill_while_starting();
            return;
        }
        let plane = self.house.start(self.port);
        let gate = Running::start(&mut self.house.gate(&plane.control, ""));
        let admin = address(&gate.listens().expect("the gate starts on its own state")["admin"]);
        self.check_gate(&cells(admin));

        let load = Load::start(&self.house, &plane.control, &self.next);
        load.wait(self.chance.random_range(1..12));
        // A gate that is killed alone comes back while the control plane goes on.
        let gate = match self.chance.random_bool(0.5) {
            true => self.kill_gate(gate, admin, &plane.control),
            false => (gate, admin),
        };
        load.wait(self.chance.random_range(0..6));
        self.before = cells(gate.1);
        plane.process.kill();
        gate.0.kill();
        self.kills += 2;
        let acknowledged = load.end();
        self.read_ledger(&acknowledged);
    }

    fn kill_gate(
        &mut self,
        gate: Running,
        admin: SocketAddr,
        control: &str,
    ) -> (Running, SocketAddr) {
        self.before = cells(admin);
        gate.kill();
        self.kills += 1;
        let gate = Running::start(&mut self.house.gate(control, ""));
        let admin = address(&gate.listens().expect("the gate starts on its own state")["admin"]);
        let after = cells(admin);
        self.read_released();
        self.check_gate(&after);
        (gate, admin)
    }

    /// Kills the control plane at some point of its start.
    fn kill_while_starting(&mut self) {
        let process = Running::start(&mut self.house.serve(self.port));
        // Not to wait for anything: any point will do, and each is another one.
        std::thread::sleep(Duration::from_micros(self.chance.random_range(0..40_000)));
        process.kill();
        self.kills += 1;
    }

    /// Nothing at the gate is further open than the ledger released it, nor earlier than before.
    fn check_gate(&mut self, after: &Cells) {
        for (cell, (stage, epoch)) in after {
            if *stage > Stage::Closed {
                let released = self.released.get(&(cell.clone(), *epoch));
                assert!(
                    released.is_some_and(|most| stage <= most),
                    "{cell} is at {stage} {epoch:?} at the gate, released is {released:?}"
                );
            }
            let Some((stage_before, epoch_before)) = self.before.get(cell) else {
                continue;
            };
            assert!(
                epoch >= epoch_before,
                "{cell} went back from {epoch_before:?} to {epoch:?}"
            );
            assert!(
                epoch > epoch_before || stage <= stage_before,
                "{cell} opened by a restart: {stage_before} to {stage} at {epoch:?}"
            );
        }
    }

    /// Reads the ledger beside its writer, as far as releases go.
    fn read_released(&mut self) {
        let reader = anlauf_store::Reader::open(&self.house.path("data")).unwrap();
        for entry in reader.entries(self.unread, usize::MAX >> 1).unwrap() {
            self.note(&entry.event);
            self.unread = entry.seq + 1;
        }
    }

    fn note(&mut self, event: &Event) {
        if let Event::CellsReleased { stage, cells, .. } = event {
            self.openings += 1;
            for (cell, epoch) in cells {
                self.released.insert((cell.clone(), *epoch), *stage);
            }
        }
    }

    /// Starts the control plane again, which proves its ledger, and looks for what was answered.
    fn read_ledger(&mut self, acknowledged: &BTreeMap<u64, String>) {
        let plane = self.house.start(self.port);
        let reader = anlauf_store::Reader::open(&self.house.path("data")).unwrap();
        for (seq, key) in acknowledged {
            let record = reader.record(*seq).unwrap();
            let found = record.map(|record| record.entry.key);
            assert_eq!(
                found.as_ref(),
                Some(key),
                "entry {seq} was acknowledged and is gone"
            );
            self.checked += 1;
        }
        self.read_released();
        let desk = Desk {
            house: &self.house,
            control: &plane.control,
        };
        // The same key again is the same command: nothing is done twice.
        if let Some((_, key)) = acknowledged
            .iter()
            .find(|(_, key)| key.starts_with("wish-"))
        {
            let line = format!("wish state town-birch town-birch/mail --key {key}");
            assert_eq!(desk.must("town-birch.approver-1", &line)["replayed"], true);
        }
        // Not counted: nothing is going on at this point.
        plane.process.kill();
    }
}

/// Every cell as the gate has it, and as it would have it again after a kill.
///
/// A gate shuts a cell before its disk knows, so the first look may be ahead of the disk. The
/// second is answered after what the first saw was written.
fn cells(admin: SocketAddr) -> Cells {
    let look = || get::<GateReport>(&format!("http://{admin}/state"));
    let (first, _written) = (look(), look());
    let cells = first.changed.into_iter();
    cells
        .map(|cell| (cell.cell, (cell.stage, cell.epoch)))
        .collect()
}
