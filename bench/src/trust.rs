//! How fast signatures, releases, proofs and whole ledgers are verified.
//!
//! In:    a folder for scratch. Out: figures, on one thread unless the row says otherwise.
//! Never: measures something that does not hold: every verdict is looked at.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anlauf_model::landscape::{CellKind, Class, PolicyRule, SignerCount};
use anlauf_model::{CellId, Digest, Epoch, Minutes, Role, Stage, Text, Timestamp};
use anlauf_recovery::{Actor, Entry, Order, State, decide};
use anlauf_store::export::check::{Believed, check};
use anlauf_store::export::export;
use anlauf_store::{Ledger, LedgerConfig};
use anlauf_trust::merkle::{Levels, inclusion, inclusion_verify, leaf_hash};
use anlauf_trust::{
    Authority, CellFacts, Envelope, Frontier, KeyRecord, Policy, Release, ReleaseCell, Root,
    Scheme, Signer,
};
use anyhow::{Context, Result, ensure};

use crate::figure::{Table, millis, spread};

/// Rounds of every figure.
const RUNS: usize = 5;
/// Cells that a gate holds, each with a release of four signatures.
const CELL_COUNT: usize = 8_000;
/// Verifications of one round.
const VERIFY_COUNT: usize = 4_000;
/// Leaves of the tree that proofs are made from.
const LEAF_COUNT: u64 = 1_000_000;
/// Proofs of one round.
const PROOF_COUNT: u64 = 10_000;
/// Leaves that are hashed again from bodies.
const REHASH_COUNT: u64 = 10_000_000;
/// Bytes of such a body.
const BODY_SIZE: usize = 400;
/// Entries of the ledger that is exported and verified.
const EXPORT_COUNT: usize = 50_000;

/// Events that are simulated at least.
const SIM_EVENT_COUNT: u64 = 10_000_000;

const DOMAIN: &str = "drill-bench";
const ORIGIN: &str = "anlauf/drill-bench";
const ROLES: [(&str, Role, &str); 4] = [
    ("security-1", Role::Security, "provider"),
    ("security-2", Role::Security, "provider"),
    ("owner-1", Role::Owner, "provider"),
    ("tenant-1", Role::Tenant, "bkk-amsel"),
];

/// Measures everything.
///
/// # Errors
/// Something does not hold, or the disk fails.
pub fn run(scratch: &Path, sim: Option<&Path>) -> Result<Table> {
    let mut table = Table::new("Trust (one thread unless said otherwise)");
    signatures(&mut table)?;
    gate_start(&mut table)?;
    proofs(&mut table)?;
    rehash(&mut table);
    ledger(scratch, &mut table)?;
    if let Some(sim) = sim {
        simulator(sim, &mut table)?;
    }
    Ok(table)
}

/// Plays the product's own core under seeds, until enough has happened.
fn simulator(sim: &Path, table: &mut Table) -> Result<()> {
    let out = Command::new(sim)
        .args(["--quiet", "--events", &SIM_EVENT_COUNT.to_string()])
        .output()
        .with_context(|| format!("cannot start `{}`", sim.display()))?;
    let said = String::from_utf8_lossy(&out.stdout);
    ensure!(
        out.status.success() && said.contains(" 0 violations"),
        "the simulator found a violation: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let rate = said.lines().last().unwrap_or_default();
    let what =
        format!("simulated, {SIM_EVENT_COUNT} events at least, 0 violations (release build)");
    table.figure(&what, rate);
    Ok(())
}

fn now() -> Timestamp {
    Timestamp(1_777_032_000_000)
}

fn signer(seed: usize) -> Signer {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&(seed as u64).to_be_bytes());
    Signer::from_seed(bytes)
}

/// Raw Ed25519 signatures over a statement of one cell.
fn signatures(table: &mut Table) -> Result<()> {
    let key = signer(1);
    let message = release(0, Digest::of(b"policy")).to_payload();
    let sig = key.sign_raw(&message);
    let public = key.public();
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        for _ in 0..VERIFY_COUNT {
            ensure!(
                public.verify_raw(&message, &sig),
                "a sound signature was refused"
            );
        }
        rates.push(VERIFY_COUNT as f64 / begun.elapsed().as_secs_f64());
    }
    let what = format!(
        "Ed25519 signatures verified, strictly, over {} bytes",
        message.len()
    );
    table.figure(&what, spread(rates, "/s"));
    Ok(())
}

fn cell(number: usize) -> CellId {
    let text = format!("bkk-amsel/service-{number}");
    text.parse().expect("a plain name")
}

fn release(number: usize, policy: Digest) -> Release {
    Release {
        domain: DOMAIN.into(),
        cells: vec![ReleaseCell {
            cell: cell(number),
            epoch: Epoch(1),
            evidence: Vec::new(),
        }],
        stage: Stage::Full,
        not_before: now() - Minutes(10),
        not_after: now() + Minutes::days(30),
        root_version_min: 1,
        policy,
        plan: None,
        reason: "measured".into(),
        critical: Vec::new(),
        break_glass: false,
    }
}

fn authority() -> Result<(Authority, Digest)> {
    let record = |(number, (name, role, organisation)): (usize, &(&str, Role, &str))| {
        let key = signer(number);
        Ok(KeyRecord {
            id: key.keyid(),
            scheme: Scheme::Ed25519,
            public: key.public(),
            person: name.parse().context("a name")?,
            organisation: organisation.parse().context("a name")?,
            role: *role,
            tenant: match role {
                Role::Tenant => Some(organisation.parse().context("a name")?),
                _ => None,
            },
            not_before: now() - Minutes::days(1),
            not_after: now() + Minutes::days(100),
        })
    };
    let keys = ROLES
        .iter()
        .enumerate()
        .map(record)
        .collect::<Result<Vec<_>>>()?;
    let root = Root {
        domain: DOMAIN.into(),
        drill: true,
        version: 1,
        expires: now() + Minutes::days(100),
        root_keys: vec![signer(0).keyid()],
        keys,
        root_threshold: 1,
        root_organisations_min: 1,
    };
    let counts = [(Role::Security, 2), (Role::Owner, 1), (Role::Tenant, 1)];
    let policy = Policy {
        domain: DOMAIN.into(),
        version: 1,
        table: Digest::of(b"table"),
        freshness: Vec::new(),
        rules: vec![PolicyRule {
            class: Class::A,
            kinds: Vec::new(),
            stages: Vec::new(),
            findings: Vec::new(),
            signers: counts
                .map(|(role, count)| SignerCount { role, count })
                .to_vec(),
            organisations_min: 2,
            origins_min: 0,
        }],
    };
    let sealed = |payload| {
        let mut envelope = Envelope::unsigned(payload);
        signer(0).sign(&mut envelope);
        envelope
    };
    let root = sealed(root.to_payload());
    let mut authority = Authority::pinned(&root, &root.digest(), now())?;
    let policy = sealed(policy.to_payload());
    authority.adopt_policy(&policy, now())?;
    Ok((authority, policy.digest()))
}

fn facts(id: &CellId) -> Option<CellFacts> {
    Some(CellFacts {
        class: Class::A,
        kind: CellKind::Tenant,
        tenant: "bkk-amsel".parse().ok(),
        site: "dc-south".parse().ok()?,
        service: id.service().parse().ok()?,
        epoch: Epoch(0),
    })
}

/// What a gate judges when it starts: every release in full, parsed from its bytes.
fn gate_start(table: &mut Table) -> Result<()> {
    let (authority, policy) = authority()?;
    let signers: Vec<Signer> = (0..ROLES.len()).map(signer).collect();
    let sealed: Vec<Vec<u8>> = (0..CELL_COUNT)
        .map(|number| {
            let mut envelope = Envelope::unsigned(release(number, policy).to_payload());
            for key in &signers {
                key.sign(&mut envelope);
            }
            envelope.to_bytes()
        })
        .collect();
    let judge = |part: &[Vec<u8>]| {
        let holds = |bytes: &Vec<u8>| {
            let envelope = Envelope::parse(bytes);
            envelope.is_ok_and(|e| authority.check_release(&e, &facts, now()).is_ok())
        };
        part.iter().all(holds)
    };
    for threads in [1, 2] {
        let begun = Instant::now();
        let held = std::thread::scope(|scope| {
            let parts = sealed.chunks(CELL_COUNT / threads);
            let running: Vec<_> = parts.map(|part| scope.spawn(|| judge(part))).collect();
            running.into_iter().all(|one| one.join().unwrap_or(false))
        });
        ensure!(held, "a sound release was refused");
        let what =
            format!("{CELL_COUNT} releases × 4 signatures judged in full, {threads} thread(s)");
        table.figure(&what, format!("{:.2} s", begun.elapsed().as_secs_f64()));
    }
    Ok(())
}

fn proofs(table: &mut Table) -> Result<()> {
    let leaves: Vec<Digest> = (0..LEAF_COUNT)
        .map(|n| leaf_hash(&n.to_be_bytes()))
        .collect();
    let levels = Levels::of(&leaves);
    let root = anlauf_trust::merkle::root_of(&leaves);
    let node = |level, index| levels.node(level, index);
    let (mut making, mut checking) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begun = Instant::now();
        let made: Option<Vec<_>> = (0..PROOF_COUNT)
            .map(|n| n * 97 % LEAF_COUNT)
            .map(|index| Some((index, inclusion(&node, index, LEAF_COUNT)?)))
            .collect();
        let made = made.context("a node is missing")?;
        making.push(micros(begun.elapsed(), PROOF_COUNT));
        let begun = Instant::now();
        for (index, path) in &made {
            let leaf = &leaves[usize::try_from(*index)?];
            inclusion_verify(leaf, *index, LEAF_COUNT, path, &root)?;
        }
        checking.push(micros(begun.elapsed(), PROOF_COUNT));
    }
    table.figure(
        "inclusion proof made, tree of 10⁶ in memory",
        spread(making, "µs"),
    );
    table.figure("inclusion proof checked", spread(checking, "µs"));
    Ok(())
}

fn micros(span: Duration, count: u64) -> f64 {
    span.as_secs_f64() * 1e6 / count as f64
}

/// The arithmetic of an offline verification: body, leaf, tree; in constant memory.
fn rehash(table: &mut Table) {
    let mut body = vec![b'x'; BODY_SIZE];
    let mut tree = Frontier::default();
    let begun = Instant::now();
    for number in 0..REHASH_COUNT {
        body[..8].copy_from_slice(&number.to_be_bytes());
        let digest = anlauf_trust::leaf::salted(&[3; 32], &body);
        tree.append(leaf_hash(&digest.0));
    }
    let what = format!("10⁷ bodies of {BODY_SIZE} bytes hashed into a tree, in memory");
    let spent = begun.elapsed().as_secs_f64();
    table.figure(&what, format!("{spent:.1} s ({})", tree.root().short()));
}

/// A ledger on the disk, exported and proven from the folder alone.
fn ledger(scratch: &Path, table: &mut Table) -> Result<()> {
    let folder = tempfile::tempdir_in(scratch)?;
    let key = signer(99);
    let data = folder.path().join("data");
    let (mut ledger, _) = Ledger::open(LedgerConfig {
        folder: data.clone(),
        domain: None,
        origin: ORIGIN.into(),
        public: key.public(),
    })?;
    let entries = entries(EXPORT_COUNT)?;
    ledger.append(&entries)?;
    ledger.checkpoint(&key)?;
    drop(ledger);
    let begun = Instant::now();
    let report = anlauf_store::verify_signed(&data, ORIGIN, &key.public())?;
    ensure!(report.size == EXPORT_COUNT as u64, "entries are missing");
    let each = micros(begun.elapsed(), report.size);
    let what = format!("ledger of {EXPORT_COUNT} entries verified from the database");
    table.figure(
        &what,
        format!("{:.0} ms, {each:.1} µs each", millis(begun.elapsed())),
    );
    let out = folder.path().join("out");
    let begun = Instant::now();
    export(&data, &out, None, (ORIGIN, &key.public()))?;
    table.figure(
        "the same exported",
        format!("{:.0} ms", millis(begun.elapsed())),
    );
    let begun = Instant::now();
    let report = check(&out, Believed::Log(ORIGIN, &key.public()))?;
    ensure!(
        report.body_count == EXPORT_COUNT as u64,
        "bodies are missing"
    );
    let each = micros(begun.elapsed(), report.size);
    let shown = format!("{:.0} ms, {each:.1} µs each", millis(begun.elapsed()));
    table.figure("the export verified from its folder alone", shown);
    Ok(())
}

/// Entries of notices, one like the other but for number and key.
fn entries(count: usize) -> Result<Vec<Entry>> {
    let order = Order::PublishNotice {
        text: Text {
            de: "Stand".into(),
            en: "as of".into(),
        },
        next_word_at: Timestamp(4_000_000_000_000),
        tenant: None,
    };
    let command = anlauf_recovery::Command {
        key: "notice".into(),
        actor: Actor {
            person: "operator-1".parse().context("a name")?,
            organisation: "provider".parse().context("a name")?,
            role: Role::Operator,
            tenant: None,
        },
        reason: "measured".into(),
        order,
    };
    let decided = decide(&State::default(), now(), &command);
    let first = decided.ok().and_then(|entries| entries.into_iter().next());
    let first = first.context("a notice was refused")?;
    let next = |number: usize| Entry {
        seq: number as u64,
        key: format!("notice-{number}"),
        ..first.clone()
    };
    Ok((1..=count).map(next).collect())
}
