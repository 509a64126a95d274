//! The ledger in front of those who do not trust its keeper: witnesses, and who asks them.
//!
//! In:    the leaves of the ledger; the log's key, which the adversary has as well.
//! Out:   what each watcher has accepted; nothing, or the promise that was broken.
//! Never: a tree built or compared by anything but the product's own code; who is right is known
//!        here from the leaves alone.
//! See:   C2SP tlog-witness; docs/guide/simulator.md, "Ledger".
//!
//! Four witnesses, one of them stolen: it signs whatever it is shown. A tree counts for a watcher
//! when three of four have signed it: 2k > n + f, so two trees cannot both have three.

use anlauf_model::Digest;
use anlauf_trust::merkle::{Levels, consistency, consistency_verify};
use anlauf_trust::{Checkpoint, PublicKey, Signer};

use crate::chance::Chance;
use crate::check::Broken;
use crate::mutant::Mutant;

/// Name of the log.
const ORIGIN: &str = "anlauf/drill-sim";

/// How many witnesses there are, and how many of them must have signed.
const WITNESS_COUNT: usize = 4;
const WITNESS_COUNT_MIN: usize = 3;

/// Trees that the adversary keeps for later.
const PAST_COUNT_MAX: usize = 30;

/// Which of them is stolen.
const STOLEN: usize = 0;

/// Someone's last accepted tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    size: u64,
    root: Digest,
}

/// A tree of the log: the honest one, or the adversary's.
struct Tree {
    leaves: Vec<Digest>,
    levels: Levels,
}

/// Everybody who looks at the ledger from outside.
pub struct Watch {
    log: Signer,
    witnesses: Vec<(Signer, Seen)>,
    watchers: Vec<Seen>,
    /// The adversary's branch, and how many leaves it shares with the honest tree.
    branch: Option<(Vec<Digest>, usize)>,
    /// Whether anyone holds the honest tree, or the branch, beyond where they part.
    held: (bool, bool),
    /// Trees of before, with the notes that vouched for them.
    past: Vec<(Seen, Vec<String>)>,
    mutant: Option<Mutant>,
    /// Signatures asked for, trees offered.
    pub actions: u64,
}

impl Tree {
    fn of(leaves: &[Digest]) -> Self {
        Self {
            leaves: leaves.to_vec(),
            levels: Levels::of(leaves),
        }
    }

    fn seen(&self, size: u64) -> Option<Seen> {
        let nodes = |level: u32, index: u64| self.levels.node(level, index);
        let root = anlauf_trust::merkle::root_at(&nodes, size)?;
        Some(Seen { size, root })
    }

    fn proof(&self, old: u64, new: u64) -> Vec<Digest> {
        let nodes = |level: u32, index: u64| self.levels.node(level, index);
        consistency(&nodes, old, new).unwrap_or_default()
    }
}

impl Watch {
    /// Nobody has seen anything.
    pub fn new(seed: u64, watcher_count: usize, mutant: Option<Mutant>) -> Self {
        let none = Seen {
            size: 0,
            root: anlauf_trust::merkle::root_empty(),
        };
        let signer =
            |name: String| Signer::from_seed(Digest::of(format!("sim {seed} {name}").as_bytes()).0);
        let witness = |number| (signer(format!("witness {number}")), none);
        Self {
            log: signer("log".into()),
            witnesses: (0..WITNESS_COUNT).map(witness).collect(),
            watchers: vec![none; watcher_count],
            branch: None,
            held: (false, false),
            past: Vec::new(),
            mutant,
            actions: 0,
        }
    }

    /// The log shows a tree to some witnesses and some watchers: its own at some size, or the
    /// adversary shows a branch, or an old tree.
    ///
    /// # Errors
    /// The ledger has shrunk or forked in front of a watcher.
    pub fn round(&mut self, chance: &mut Chance, honest: &[Digest]) -> Result<(), Broken> {
        if honest.len() < 4 {
            return Ok(());
        }
        let is_branch = chance.percent(30);
        let leaves = if is_branch {
            self.branch(chance, honest)
        } else {
            honest.to_vec()
        };
        let tree = Tree::of(&leaves);
        let back = if chance.percent(20) {
            chance.below(leaves.len() / 2)
        } else {
            0
        };
        let size = (tree.leaves.len() - back) as u64;
        let Some(offered) = tree.seen(size) else {
            return Ok(());
        };
        let Some(notes) = self.notes(chance, &tree, offered) else {
            return Ok(());
        };
        for watcher in 0..self.watchers.len() {
            // Some are cut off, or are not asked.
            if chance.percent(40) {
                self.offer(watcher, (&tree, offered), (&notes, is_branch))?;
            }
        }
        if !is_branch && self.past.len() < PAST_COUNT_MAX {
            self.past.push((offered, notes));
        }
        self.replay(honest)
    }

    /// The adversary shows a watcher a tree of before, with every signature it had.
    fn replay(&mut self, honest: &[Digest]) -> Result<(), Broken> {
        let turn = usize::try_from(self.actions).unwrap_or(0);
        let Some((offered, notes)) = self.past.get(turn % self.past.len().max(1)).cloned() else {
            return Ok(());
        };
        let watcher = turn % self.watchers.len().max(1);
        self.offer(watcher, (&Tree::of(honest), offered), (&notes, false))
    }

    /// Leaves that part from the honest ones somewhere. The same branch grows on for a while.
    fn branch(&mut self, chance: &mut Chance, honest: &[Digest]) -> Vec<Digest> {
        // Nobody fell for it: another attempt, from where the ledger is now.
        if self.branch.is_none() || (!self.held.1 && chance.percent(25)) {
            self.held = (false, false);
            let shared = honest.len() - chance.below(3) - 1;
            self.branch = Some((honest[..shared].to_vec(), shared));
        }
        let more = 1 + chance.below(3);
        let Some((leaves, _)) = &mut self.branch else {
            return honest.to_vec();
        };
        for _ in 0..more {
            let text = format!("never so {}", leaves.len());
            leaves.push(Digest::of(text.as_bytes()));
        }
        leaves.clone()
    }

    /// The log's note over a tree, and the notes of the witnesses that were reached and signed.
    fn notes(&mut self, chance: &mut Chance, tree: &Tree, offered: Seen) -> Option<Vec<String>> {
        let checkpoint = checkpoint(ORIGIN.to_owned(), offered);
        let mut notes = vec![checkpoint.sign(&self.log).ok()?];
        for number in 0..WITNESS_COUNT {
            // One lags behind: it is not reached.
            if number != STOLEN && chance.percent(35) {
                continue;
            }
            self.actions += 1;
            notes.extend(self.cosign(number, tree, offered));
        }
        Some(notes)
    }

    /// A witness signs what grows out of what it signed last.
    fn cosign(&mut self, number: usize, tree: &Tree, offered: Seen) -> Option<String> {
        let (signer, last) = &mut self.witnesses[number];
        let is_easy = number == STOLEN || self.mutant == Some(Mutant::WitnessSignsAll);
        if !is_easy && !grows(*last, offered, tree) {
            return None;
        }
        *last = offered;
        checkpoint(witness_name(number), offered).sign(signer).ok()
    }

    /// A watcher is shown a tree.
    fn offer(
        &mut self,
        watcher: usize,
        (tree, offered): (&Tree, Seen),
        (notes, is_branch): (&[String], bool),
    ) -> Result<(), Broken> {
        self.actions += 1;
        let is_signed = notes.first().is_some_and(|note| {
            Checkpoint::verify(note, ORIGIN, &self.log.public()).is_ok_and(|c| is_over(&c, offered))
        });
        let signed = (0..WITNESS_COUNT).filter(|number| {
            let (name, public) = (witness_name(*number), self.witness(*number));
            notes.iter().any(|note| {
                Checkpoint::verify(note, &name, &public).is_ok_and(|c| is_over(&c, offered))
            })
        });
        let asked = match self.mutant {
            Some(Mutant::WatchAsksTwo) => 2,
            _ => WITNESS_COUNT_MIN,
        };
        let last = self.watchers[watcher];
        let forgets = self.mutant == Some(Mutant::WatchForgets);
        let follows = forgets || grows(last, offered, tree);
        if !is_signed || signed.count() < asked || !follows {
            return Ok(());
        }
        self.watchers[watcher] = offered;
        self.holds(watcher, (last, offered), is_branch)
    }

    fn witness(&self, number: usize) -> PublicKey {
        self.witnesses[number].0.public()
    }

    /// What was promised, whoever signed: no watcher sees the ledger shrink, and no two see it
    /// part.
    fn holds(
        &mut self,
        watcher: usize,
        (last, now): (Seen, Seen),
        is_branch: bool,
    ) -> Result<(), Broken> {
        if now.size < last.size {
            let what = format!(
                "watcher {watcher} went from {} to {} entries",
                last.size, now.size
            );
            return Err(("shrink", what));
        }
        let parts = self
            .branch
            .as_ref()
            .map_or(usize::MAX, |(_, shared)| *shared);
        if now.size as usize > parts {
            let side = if is_branch {
                &mut self.held.1
            } else {
                &mut self.held.0
            };
            *side = true;
        }
        if self.held == (true, true) {
            let what = format!(
                "two watchers hold different ledgers from entry {} on",
                parts + 1
            );
            return Err(("fork", what));
        }
        Ok(())
    }
}

fn checkpoint(origin: String, seen: Seen) -> Checkpoint {
    Checkpoint {
        origin,
        size: seen.size,
        root: seen.root,
    }
}

fn witness_name(number: usize) -> String {
    format!("witness-{number}")
}

fn is_over(checkpoint: &Checkpoint, seen: Seen) -> bool {
    checkpoint.size == seen.size && checkpoint.root == seen.root
}

/// Whether a tree grows out of another, by the product's own proof.
fn grows(last: Seen, offered: Seen, tree: &Tree) -> bool {
    if offered.size < last.size {
        return false;
    }
    let proof = tree.proof(last.size, offered.size);
    last.size == 0
        || consistency_verify(
            (last.size, &last.root),
            (offered.size, &offered.root),
            &proof,
        )
        .is_ok()
}
