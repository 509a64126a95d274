//! How fast the ledger takes entries, beside bare flushes of the same disk, and how fast the state
//! comes back from it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anlauf_model::{Role, TaskKind, Text, Timestamp};
use anlauf_recovery::command::TaskRef;
use anlauf_recovery::{Actor, Command, Order};
use anlauf_store::{Desk, DeskConfig, SystemClock, verify};
use anlauf_trust::Signer;
use anyhow::{Context, Result, ensure};

use crate::figure::{Table, millis, spread};
use crate::landscape;

/// Rounds of every figure; ours and the peer's turn by turn.
const RUNS: usize = 5;
/// Appends of one client in one round.
const SINGLE_COUNT: usize = 200;
/// Clients at once, and appends of each in one round.
const CLIENT_COUNT: usize = 64;
const CLIENT_APPENDS: usize = 50;
/// Entries of the ledger that the state is rebuilt from.
const REBUILD_COUNT: u64 = 100_000;
/// Bytes of a bare append: as long as a small entry with its leaf in the file.
const BARE_SIZE: usize = 1_024;

/// Measures appends and the rebuild.
///
/// # Errors
/// The disk or the ledger fails.
pub fn run(scratch: &Path) -> Result<Table> {
    let mut table = Table::new("Ledger (SQLite, WAL, synchronous=FULL)");
    let folder = tempfile::tempdir_in(scratch)?;
    appends(folder.path(), &mut table)?;
    rebuild(&folder.path().join("long"), &mut table)?;
    Ok(table)
}

fn appends(folder: &Path, table: &mut Table) -> Result<()> {
    let desk = open(&folder.join("short"))?;
    let mut number = 0;
    let (mut single, mut many, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        bare.push(per_second(
            SINGLE_COUNT,
            bare_appends(&folder.join("bare"), SINGLE_COUNT)?,
        ));
        let begun = Instant::now();
        for _ in 0..SINGLE_COUNT {
            number += 1;
            desk.submit_blocking(notice(number))
                .context("an append was refused")?;
        }
        single.push(per_second(SINGLE_COUNT, begun.elapsed()));
        let spent = clients(&desk, &mut number)?;
        many.push(per_second(CLIENT_COUNT * CLIENT_APPENDS, spent));
    }
    desk.close();
    let middle = |values: &[f64]| crate::figure::median(values.to_vec()).0;
    let peer = format!("{} bare `write` + `fdatasync`", spread(bare.clone(), "/s"));
    let ratio = middle(&single) / middle(&bare);
    table.beside(
        "acknowledged appends, one client",
        spread(single, "/s"),
        &peer,
        ratio,
    );
    let ratio = middle(&many) / middle(&bare);
    let what = format!("acknowledged appends, {CLIENT_COUNT} clients at once");
    table.beside(&what, spread(many, "/s"), &peer, ratio);
    Ok(())
}

fn clients(desk: &Desk, number: &mut usize) -> Result<Duration> {
    let begun = Instant::now();
    let threads: Vec<_> = (0..CLIENT_COUNT)
        .map(|client| {
            let desk = desk.clone();
            let first = *number + client * CLIENT_APPENDS + 1;
            std::thread::spawn(move || {
                (first..first + CLIENT_APPENDS)
                    .all(|number| desk.submit_blocking(notice(number)).is_ok())
            })
        })
        .collect();
    *number += CLIENT_COUNT * CLIENT_APPENDS;
    for thread in threads {
        ensure!(thread.join().unwrap_or(false), "an append failed");
    }
    Ok(begun.elapsed())
}

/// What the disk can do at most: write at the end of a file, flush, again.
fn bare_appends(path: &Path, count: usize) -> Result<Duration> {
    let mut file = File::create(path)?;
    let block = [7u8; BARE_SIZE];
    let begun = Instant::now();
    for _ in 0..count {
        file.write_all(&block)?;
        file.sync_data()?;
    }
    Ok(begun.elapsed())
}

fn rebuild(folder: &Path, table: &mut Table) -> Result<()> {
    let desk = open(folder)?;
    let landscape = landscape::reference()?;
    let tasks: Vec<TaskRef> = landscape
        .cells()
        .values()
        .filter(|cell| cell.tasks.contains_key(&TaskKind::Evidence))
        .map(|cell| TaskRef {
            cell: cell.id.clone(),
            task: TaskKind::Evidence,
        })
        .collect();
    let declared = Box::new(landscape.declared().clone());
    let title = Text {
        de: "Messung".into(),
        en: "measurement".into(),
    };
    let mut orders = vec![
        Order::AdoptLandscape {
            landscape: declared,
        },
        Order::DeclareIncident { title },
        Order::StartTasks {
            tasks: tasks.clone(),
        },
    ];
    // Each tenant's work is reported again and again, a few cells an entry, as in a recovery.
    let mut chunks = tasks.chunks(FEW_COUNT).map(<[TaskRef]>::to_vec).cycle();
    let mut number = 0;
    let mut seq = 0;
    while seq < REBUILD_COUNT {
        let order = match orders.is_empty() {
            false => orders.remove(0),
            true => Order::FailTasks {
                tasks: chunks.by_ref().take(PACK_COUNT).flatten().collect(),
            },
        };
        number += 1;
        seq = desk
            .submit_blocking(command(format!("rebuild-{number}"), order))?
            .seq;
    }
    desk.close();
    let (mut opens, mut proofs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begun = Instant::now();
        let desk = open(folder)?;
        opens.push(millis(begun.elapsed()));
        ensure!(desk.read().seq >= REBUILD_COUNT, "the state is not whole");
        desk.close();
        let begun = Instant::now();
        verify(folder)?;
        proofs.push(millis(begun.elapsed()));
    }
    table.figure(
        &format!("state rebuilt and proven from {seq} entries"),
        spread(opens, "ms"),
    );
    table.figure(
        &format!("`ledger verify` of {seq} entries"),
        spread(proofs, "ms"),
    );
    Ok(())
}

/// Cells of one tenant that are told of together.
const FEW_COUNT: usize = 4;
/// How many of those in one command.
const PACK_COUNT: usize = 100;

fn open(folder: &Path) -> Result<Desk> {
    Ok(Desk::open(DeskConfig {
        data_dir: folder.to_owned(),
        domain: None,
        clock: Arc::new(SystemClock),
        signer: Signer::from_seed([9; 32]),
        origin: "anlauf/bench".into(),
    })?)
}

fn command(key: String, order: Order) -> Command {
    let operator = |text: &str| text.parse().expect("a plain id");
    let actor = Actor {
        person: operator("operator-1"),
        organisation: "provider".parse().expect("a plain id"),
        role: Role::Operator,
        tenant: None,
    };
    Command {
        key,
        actor,
        reason: "measured".into(),
        order,
    }
}

fn notice(number: usize) -> Command {
    let order = Order::PublishNotice {
        text: Text {
            de: format!("Stand {number}"),
            en: format!("as of {number}"),
        },
        next_word_at: Timestamp(4_000_000_000_000),
        tenant: None,
    };
    command(format!("notice-{number}"), order)
}

fn per_second(count: usize, spent: Duration) -> f64 {
    count as f64 / spent.as_secs_f64()
}
