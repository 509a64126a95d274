//! Whatever clients do in whatever order: the limits hold, and the line is a line.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What one of many clients does.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Asks with the best it can prove.
    Ask(usize),
    /// Asks with a number that it has made up, or has from somebody else.
    Claim(u64),
    /// Its oldest request ends.
    End(usize),
    /// Throws away what it carries.
    Forget(usize),
    Pass(i64),
    /// The cell is shut.
    Clear,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0usize..12).prop_map(Act::Ask),
        1 => (0u64..40).prop_map(Act::Claim),
        4 => (0usize..12).prop_map(Act::End),
        1 => (0usize..12).prop_map(Act::Forget),
        4 => (0i64..5_000).prop_map(Act::Pass),
        1 => (55_000i64..65_000).prop_map(Act::Pass),
        1 => Just(Act::Clear),
    ]
}

fn limits() -> impl Strategy<Value = Inflow> {
    let rate = prop::option::of(1u32..600);
    let count = prop::option::of(1u32..5);
    (rate, count).prop_map(|(rate_per_minute, concurrent_max)| Inflow {
        share_percent: None,
        rate_per_minute,
        concurrent_max,
    })
}

/// A client as its test knows it.
#[derive(Clone, Copy, Default)]
struct Client {
    is_back: bool,
    place: Option<u64>,
    is_inside: bool,
    under_way: u32,
}

/// Many clients, and what may be expected of a line.
struct Crowd {
    line: Line,
    inflow: Inflow,
    now: i64,
    clients: Vec<Client>,
    /// When each client came in for the first time.
    came: Vec<i64>,
    /// Places that somebody has come in with.
    used: BTreeMap<u64, ()>,
}

impl Crowd {
    fn new(inflow: Inflow) -> Self {
        Self {
            line: Line::new(0),
            inflow,
            now: 0,
            clients: vec![Client::default(); 12],
            came: Vec::new(),
            used: BTreeMap::new(),
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Ask(who) => self.ask(who),
            Act::Claim(number) => self.claim(number),
            Act::End(who) if self.clients[who].under_way > 0 => {
                self.clients[who].under_way -= 1;
                self.line.leave();
            }
            Act::End(_) => {}
            Act::Forget(who) => {
                let under_way = self.clients[who].under_way;
                self.clients[who] = Client {
                    under_way,
                    ..Client::default()
                };
            }
            Act::Pass(ms) => self.now += ms,
            Act::Clear => {
                self.line.clear();
                self.used.clear();
                for client in &mut self.clients {
                    (client.place, client.is_inside) = (None, false);
                }
            }
        }
        self.check();
    }

    fn ask(&mut self, who: usize) {
        let client = self.clients[who];
        let claim = match client {
            Client {
                is_inside: true, ..
            } => Claim::Inside,
            Client {
                place: Some(place), ..
            } => Claim::Place(place),
            Client { is_back: true, .. } => Claim::Back,
            _ => Claim::New,
        };
        let standing = self.line.ask(claim, &self.inflow, self.now);
        self.note(who, claim, standing);
    }

    /// Somebody comes with a number; whatever happens, nobody comes in with it a second time.
    fn claim(&mut self, number: u64) {
        let claim = Claim::Place(number);
        let standing = self.line.ask(claim, &self.inflow, self.now);
        if matches!(standing, Standing::In { .. }) {
            self.line.leave();
        }
        if let Standing::In { is_first: true } | Standing::Busy { is_first: true } = standing {
            self.came.push(self.now);
            // Taken away from whoever had it, or come in on its own.
            self.used.insert(number, ());
        }
    }

    fn note(&mut self, who: usize, claim: Claim, standing: Standing) {
        let client = &mut self.clients[who];
        client.is_back = true;
        match standing {
            Standing::In { is_first } | Standing::Busy { is_first } => {
                assert_eq!(is_first, claim != Claim::Inside);
                client.is_inside = true;
                client.place = None;
                if is_first {
                    self.came.push(self.now);
                }
                if matches!(standing, Standing::In { .. }) {
                    client.under_way += 1;
                }
            }
            Standing::Waits { place, before } => {
                assert_ne!(claim, Claim::Inside, "nobody is sent out again");
                assert_eq!(place.is_none(), claim == Claim::New);
                if let (Claim::Place(old), Some(new)) = (claim, place) {
                    assert!(new >= old, "nobody moves ahead by asking");
                }
                assert!(before <= self.line.waiting());
                client.place = place;
            }
        }
    }

    fn check(&mut self) {
        let under_way: u32 = self.clients.iter().map(|client| client.under_way).sum();
        assert_eq!(self.line.in_flight(), under_way, "the count is the truth");
        if let Some(max) = self.inflow.concurrent_max {
            assert!(under_way <= max, "{under_way} in flight of {max}");
        }
        assert!(self.line.calls.len() <= CALL_COUNT_MAX);
        self.check_rate();
    }

    /// In any stretch of time no more have come in than the rate lets in, and one second's worth.
    fn check_rate(&self) {
        let Some(rate) = self.inflow.rate_per_minute else {
            return;
        };
        let Some(last) = self.came.last() else { return };
        for (index, first) in self.came.iter().enumerate() {
            // A call may be followed up to a minute after its token was paid.
            let stretch = last - first + CALL_WAIT_MS;
            let most = i64::from(rate.div_ceil(60)) + 1 + stretch * i64::from(rate) / 60_000;
            let count = (self.came.len() - index) as i64;
            assert!(
                count <= most,
                "{count} came in {stretch} ms at {rate} a minute"
            );
        }
    }
}

proptest! {
    #[test]
    fn limits_hold_in_any_order_of_events(
        inflow in limits(),
        acts in prop::collection::vec(act(), 1..200),
    ) {
        let mut crowd = Crowd::new(inflow);
        for act in acts {
            crowd.act(act);
        }
    }

    /// First come, first served: of those who ask again in time, nobody overtakes.
    #[test]
    fn nobody_overtakes(
        inflow in limits(),
        pauses in prop::collection::vec(0i64..3_000, 1..40),
    ) {
        let limited = inflow.rate_per_minute.is_some() || inflow.concurrent_max.is_some();
        prop_assume!(limited);
        let mut line = Line::new(0);
        let mut now = 0;
        // The first takes what there is and stays, so that a line forms.
        let mut inside = 0u32;
        while let Standing::In { .. } = line.ask(Claim::New, &inflow, now) {
            inside += 1;
            prop_assert!(inside < 1_000);
        }
        let mut waiting: Vec<u64> = Vec::new();
        let mut came: Vec<u64> = Vec::new();
        for pause in pauses {
            now += pause;
            match line.ask(Claim::Back, &inflow, now) {
                Standing::Waits { place, .. } => waiting.push(place.unwrap()),
                other => {
                    prop_assert_eq!(line.waiting(), 0, "{:?} past those who wait", other);
                    inside += u32::from(matches!(other, Standing::In { .. }));
                }
            }
            if inside > 0 {
                line.leave();
                inside -= 1;
            }
            let mut befores = Vec::new();
            // Asked from the back, so that whoever overtakes would be seen.
            let mut still = Vec::new();
            for place in waiting.iter().rev() {
                match line.ask(Claim::Place(*place), &inflow, now) {
                    Standing::Waits { place: same, before } => {
                        prop_assert_eq!(same, Some(*place));
                        befores.push(before);
                        still.push(*place);
                    }
                    Standing::In { .. } => {
                        came.push(*place);
                        inside += 1;
                    }
                    Standing::Busy { .. } => came.push(*place),
                }
            }
            still.reverse();
            // The told positions are 0, 1, 2, ...: exactly as many as wait.
            befores.reverse();
            let want: Vec<u64> = (0..befores.len() as u64).collect();
            prop_assert_eq!(befores, want);
            if let (Some(last_in), Some(first_out)) = (came.iter().max(), still.first()) {
                prop_assert!(last_in < first_out, "{last_in} before {first_out}");
            }
            waiting = still;
        }
    }
}

#[test]
fn a_place_is_taken_once_and_only_in_its_line() {
    let one = Inflow {
        concurrent_max: Some(1),
        ..Inflow::default()
    };
    let mut line = Line::new(0);
    assert_eq!(
        line.ask(Claim::New, &one, 0),
        Standing::In { is_first: true }
    );
    let first = Standing::Waits {
        place: Some(1),
        before: 0,
    };
    assert_eq!(line.ask(Claim::Back, &one, 0), first);
    line.leave();
    let place = Claim::Place(1);
    assert_eq!(line.ask(place, &one, 1), Standing::In { is_first: true });
    // The same number again, and one that was never given: to the end.
    let end = |place| Standing::Waits {
        place: Some(place),
        before: place - 2,
    };
    assert_eq!(line.ask(place, &one, 1), end(2));
    assert_eq!(line.ask(Claim::Place(77), &one, 1), end(3));
    let begun = line.begun();
    line.clear();
    assert!(line.begun() > begun);
    assert_eq!((line.waiting(), line.in_flight()), (0, 1));
}

#[test]
fn a_place_is_taken_once_in_the_middle_too() {
    let two = Inflow {
        concurrent_max: Some(2),
        ..Inflow::default()
    };
    let mut line = Line::new(0);
    for _ in 0..2 {
        line.ask(Claim::New, &two, 0);
    }
    for _ in 0..2 {
        line.ask(Claim::Back, &two, 0);
    }
    line.leave();
    line.leave();
    // Both are called; the second comes first, twice.
    let second = Claim::Place(2);
    assert_eq!(line.ask(second, &two, 1), Standing::In { is_first: true });
    let end = Standing::Waits {
        place: Some(3),
        before: 0,
    };
    assert_eq!(line.ask(second, &two, 1), end);
    assert_eq!(
        line.ask(Claim::Place(1), &two, 1),
        Standing::In { is_first: true }
    );
}

#[test]
fn who_does_not_come_holds_nobody_up_for_long() {
    let one = Inflow {
        concurrent_max: Some(1),
        ..Inflow::default()
    };
    let mut line = Line::new(0);
    line.ask(Claim::New, &one, 0);
    for place in 1..=2 {
        let waits = Standing::Waits {
            place: Some(place),
            before: place - 1,
        };
        assert_eq!(line.ask(Claim::Back, &one, 0), waits);
    }
    line.leave();
    // The first is called, and does not come; the second stands behind it for a minute.
    let waits = Standing::Waits {
        place: Some(2),
        before: 0,
    };
    assert_eq!(line.ask(Claim::Place(2), &one, 1_000), waits);
    assert_eq!(
        line.ask(Claim::Place(2), &one, 1_000 + CALL_WAIT_MS - 1),
        waits
    );
    let gone = 1_000 + CALL_WAIT_MS;
    assert_eq!(
        line.ask(Claim::Place(2), &one, gone),
        Standing::In { is_first: true }
    );
    // Who comes too late is at the end.
    let late = Standing::Waits {
        place: Some(3),
        before: 0,
    };
    assert_eq!(line.ask(Claim::Place(1), &one, gone), late);
}

#[test]
fn whoever_asks_once_and_never_again_takes_nobodys_turn() {
    let slow = Inflow {
        rate_per_minute: Some(60),
        ..Inflow::default()
    };
    let mut line = Line::new(0);
    assert_eq!(
        line.ask(Claim::New, &slow, 0),
        Standing::In { is_first: true }
    );
    for _ in 0..100_000 {
        let waits = Standing::Waits {
            place: None,
            before: 0,
        };
        assert_eq!(line.ask(Claim::New, &slow, 0), waits);
    }
    let first = Standing::Waits {
        place: Some(1),
        before: 0,
    };
    assert_eq!(line.ask(Claim::Back, &slow, 0), first);
    assert_eq!(line.ask(Claim::Place(1), &slow, 999), first);
    assert_eq!(
        line.ask(Claim::Place(1), &slow, 1_000),
        Standing::In { is_first: true }
    );
}
