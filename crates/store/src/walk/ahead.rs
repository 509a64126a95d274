//! Opens rows on every core while the next are read, and hands them on in their order.
//!
//! In:    where rows come from. Out: each row's entry and leaf, or why it is wrong, in order.
//! Never: hands a row on before every row ahead of it; holds more than a few batches at once; hides
//!        a wrong row behind one further on that could not even be read.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, available_parallelism};

use anlauf_model::Digest;
use anlauf_recovery::Entry;

use crate::leaf::Raw;

/// Rows of a batch, and their bytes, whichever is reached first.
const BATCH_COUNT_MAX: usize = 512;
/// See [`BATCH_COUNT_MAX`].
const BATCH_SIZE_MAX: usize = 256 * 1024;
/// Batches that a worker has, waiting or done.
const BATCHES_OF_WORKER: usize = 2;
/// More workers than this wait for the reader.
const WORKER_COUNT_MAX: usize = 8;

/// A row's entry and leaf, or what is wrong with it.
pub(super) type Opened = Result<(Entry, Digest), &'static str>;

/// Consecutive rows, and the position of the first.
struct Batch {
    first: u64,
    rows: Vec<Raw>,
}

/// Where batches go to, and where they come back from, in the same order.
struct Worker {
    rows: SyncSender<Batch>,
    opened: Receiver<Vec<Opened>>,
}

/// Reads to the end and hands every row on with its position, from 1.
///
/// # Errors
/// The first that `next` or `each` gives, in the order of the rows.
pub(super) fn opened<E>(
    next: &mut dyn FnMut() -> Result<Option<Raw>, E>,
    each: &mut dyn FnMut(u64, Opened) -> Result<(), E>,
) -> Result<(), E> {
    let count = available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let start = |_| {
            let (rows, work) = sync_channel(BATCHES_OF_WORKER);
            let (done, opened) = sync_channel(BATCHES_OF_WORKER);
            scope.spawn(move || run(&work, &done));
            Worker { rows, opened }
        };
        let workers: Vec<Worker> = (0..count.min(WORKER_COUNT_MAX)).map(start).collect();
        turn(&workers, next, each)
    })
}

/// Batches go round the workers, and are taken back in the same turn.
fn turn<E>(
    workers: &[Worker],
    next: &mut dyn FnMut() -> Result<Option<Raw>, E>,
    each: &mut dyn FnMut(u64, Opened) -> Result<(), E>,
) -> Result<(), E> {
    let (mut given, mut taken) = (0, 0);
    let mut seq = 1;
    let mut hand_on = |taken: &mut usize| {
        let worker = workers.get(*taken % workers.len());
        *taken += 1;
        let opened = worker.and_then(|worker| worker.opened.recv().ok());
        for opened in opened.expect("a worker ends after its batches") {
            each(seq, opened)?;
            seq += 1;
        }
        Ok(())
    };
    let mut first = 1;
    let mut end = Ok(false);
    while let Ok(false) = end {
        let mut rows = Vec::new();
        end = fill(&mut rows, next);
        let batch = Batch { first, rows };
        first += batch.rows.len() as u64;
        if given - taken == workers.len() * BATCHES_OF_WORKER {
            hand_on(&mut taken)?;
        }
        let worker = workers.get(given % workers.len());
        let sent = worker.and_then(|worker| worker.rows.send(batch).ok());
        sent.expect("a worker ends after its batches");
        given += 1;
    }
    // What was read before the end is judged first, also before an end by an error.
    while taken < given {
        hand_on(&mut taken)?;
    }
    end.map(drop)
}

/// Reads a batch; whether nothing comes after it.
fn fill<E>(
    rows: &mut Vec<Raw>,
    next: &mut dyn FnMut() -> Result<Option<Raw>, E>,
) -> Result<bool, E> {
    let mut size = 0;
    while rows.len() < BATCH_COUNT_MAX && size < BATCH_SIZE_MAX {
        let Some(row) = next()? else {
            return Ok(true);
        };
        size += row.size();
        rows.push(row);
    }
    Ok(false)
}

fn run(work: &Receiver<Batch>, done: &SyncSender<Vec<Opened>>) {
    while let Ok(batch) = work.recv() {
        let opened = (batch.first..)
            .zip(&batch.rows)
            .map(|(seq, row)| row.open(seq));
        // Nobody wants it any more once an earlier row was wrong.
        if done.send(opened.collect()).is_err() {
            return;
        }
    }
}
