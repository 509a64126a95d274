//! A log that shows two ledgers, with one false witness on its side.
//!
//! The false witness cosigns whatever it is asked. With a quorum that the rule allows, no two
//! forks are ever both believed, in whatever order the honest witnesses are asked; with the next
//! smaller quorum they are, which is why that one is refused at configuration.

use std::collections::BTreeMap;

use anlauf_model::Digest;
use anlauf_transparency::cosignature::{Policy, cosign};
use proptest::prelude::*;

use crate::cosignature::text;
use crate::{ORIGIN, checkpoint, key, leaves, log, note, request};

/// Where the branches part.
const TURN: u64 = 3;

struct World {
    /// What each honest witness cosigned last.
    kept: Vec<Option<(u64, Digest)>>,
    /// The notes of both branches with the cosignatures they got.
    notes: [String; 2],
}

impl World {
    fn new(honest: usize) -> Self {
        let notes = [false, true].map(|turned| note(&branch(turned)));
        Self {
            kept: vec![None; honest],
            notes,
        }
    }

    /// Asks one honest witness to cosign one branch, with the size it answered last.
    fn ask(&mut self, witness: usize, turned: bool, first: u8) {
        let logs = BTreeMap::from([(ORIGIN.to_owned(), log().public())]);
        let known = self.kept[witness];
        let leaves = branch(turned);
        let asked = request(&leaves, known.map_or(0, |(size, _)| size));
        let Ok(head) = asked.judge(&logs, &|_| known) else {
            return;
        };
        self.kept[witness] = Some((head.size, head.root));
        self.cosign(u8::try_from(witness).unwrap() + first, turned);
    }

    fn cosign(&mut self, witness: u8, turned: bool) {
        let head = checkpoint(&branch(turned));
        let line = cosign(&head, &format!("w{witness}"), &key(100 + witness), 7).unwrap();
        self.notes[usize::from(turned)].push_str(&line);
    }
}

fn branch(turned: bool) -> Vec<Digest> {
    leaves(8, if turned { TURN } else { 99 })
}

/// Whether both branches are believed, when the witnesses are asked in this order.
fn both_believed(quorum: usize, order: &[(usize, bool)]) -> bool {
    // Parsed under the rule, then set to what is tried.
    let mut policy = Policy::parse(&text(4, "3"), 1).unwrap();
    policy.quorum = quorum;
    let mut world = World::new(3);
    for turned in [false, true] {
        world.cosign(0, turned);
    }
    for (witness, turned) in order {
        world.ask(*witness, *turned, 1);
    }
    world.notes.iter().all(|note| policy.verify(note).is_ok())
}

#[test]
fn a_quorum_below_the_rule_shows_two_ledgers() {
    assert!(both_believed(2, &[(0, false), (1, true)]));
    assert!(!both_believed(3, &[(0, false), (1, true)]));
}

proptest! {
    #[test]
    fn no_two_forks_are_both_believed(
        order in proptest::collection::vec((0..3usize, any::<bool>()), 0..12),
    ) {
        prop_assert!(!both_believed(3, &order));
    }
}
