//! How long work is done for a command: one at a time, off the server's threads, once per key.
//!
//! In:    a key, and how to make the order. Out: the entry that holds what was made.
//! Never: holds the state while it works; makes a second thing for a key that has one.

use std::collections::BTreeMap;
use std::sync::Arc;

use anlauf_model::{CellId, Landscape, SiteId, Slot, TenantId, Timestamp};
use anlauf_planner::{CellProgress, Situation};
use anlauf_recovery::{Command, Entry, Order, Refusal, State, query};
use axum::http::StatusCode;
use tokio::sync::SemaphorePermit;

use super::command::key_last;
use crate::Web;
use crate::limits::PLANNING_WAITING_COUNT_MAX;
use crate::memory::Memory;
use crate::port::DeskError;
use crate::problem::Problem;
use crate::who::Who;

/// What was made, at its place in the ledger.
pub(crate) struct Made {
    /// Its entry.
    pub(crate) entry: Entry,
    /// Whether it was made before, for the same key.
    pub(crate) replayed: bool,
}

impl Made {
    /// The refusal when the key stands for something else.
    pub(crate) fn key_used(&self) -> Problem {
        let (key, seq) = (&self.entry.key, self.entry.seq);
        let message = format!("key `{key}` was used for another order at entry {seq}");
        Refusal::one("AN-REC-002", message, "use a fresh key for a new order").into()
    }
}

/// The parts of a situation without the state they were read from.
pub(crate) struct Parts {
    now: Timestamp,
    began: Timestamp,
    progress: BTreeMap<CellId, CellProgress>,
    slots: BTreeMap<CellId, Slot>,
    wishes: BTreeMap<TenantId, Vec<CellId>>,
    holds: BTreeMap<SiteId, Timestamp>,
    lanes: BTreeMap<anlauf_model::TeamId, u32>,
}

/// Reads a situation's parts off the state; none before a landscape is adopted.
pub(crate) fn parts(state: &State, now: Timestamp) -> Option<Parts> {
    let Situation {
        landscape: _,
        now,
        began,
        progress,
        slots,
        wishes,
        holds,
        lanes,
    } = query::situation(state, now)?;
    Some(Parts {
        now,
        began,
        progress,
        slots,
        wishes,
        holds,
        lanes,
    })
}

impl Parts {
    /// The situation on its landscape.
    pub(crate) fn on(self, landscape: &Landscape) -> Situation<'_> {
        let Self {
            now,
            began,
            progress,
            slots,
            wishes,
            holds,
            lanes,
        } = self;
        Situation {
            landscape,
            now,
            began,
            progress,
            slots,
            wishes,
            holds,
            lanes,
        }
    }
}

/// Makes an order in its turn and submits it; gives what the key already stands for instead, if
/// it was used.
///
/// What is made carries its time, so made again it would be another order under the same key.
pub(crate) async fn submit_made(
    web: &Arc<Web>,
    memory: &Memory,
    who: &Who,
    (key, reason): (&str, &str),
    make: impl FnOnce() -> Result<Order, Problem> + Send + 'static,
) -> Result<Made, Problem> {
    if let Some(made) = known(web, who, key).await? {
        return Ok(made);
    }
    let _turn = turn(memory).await?;
    // Someone may have made it while we waited.
    if let Some(made) = known(web, who, key).await? {
        return Ok(made);
    }
    let order = blocking(make).await??;
    let command = Command {
        key: key.to_owned(),
        actor: who.0.clone(),
        reason: reason.to_owned(),
        order,
    };
    let accepted = web.desk.submit(command).await?;
    let replayed = accepted.replayed;
    let entry = accepted.entries.into_iter().next();
    let lost = || DeskError::Ledger(format!("entry {} has no content", accepted.seq));
    Ok(Made {
        entry: entry.ok_or_else(lost)?,
        replayed,
    })
}

/// Waits for the turn to plan; too long a queue is turned away.
pub(crate) async fn turn(memory: &Memory) -> Result<[SemaphorePermit<'_>; 2], Problem> {
    let place = memory.planning_queue.try_acquire().map_err(|_| {
        let detail = format!(
            "{PLANNING_WAITING_COUNT_MAX} plans or forecasts wait; send it again in a moment"
        );
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    })?;
    let permit = memory.planning.acquire().await;
    Ok([place, permit.map_err(|_| DeskError::Stopped)?])
}

/// What a key of this person stands for already.
async fn known(web: &Arc<Web>, who: &Who, key: &str) -> Result<Option<Made>, Problem> {
    let last = key_last(&web.desk.state(), key);
    let Some(seq) = last else { return Ok(None) };
    let ledger = web.clone();
    let entries = blocking(move || ledger.desk.entries(seq, 1)).await??;
    let Some(entry) = entries.into_iter().next() else {
        return Ok(None);
    };
    let made = Made {
        entry,
        replayed: true,
    };
    if made.entry.actor.person == who.0.person {
        Ok(Some(made))
    } else {
        Err(made.key_used())
    }
}

/// Runs work that takes its time off the server's own threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "work for a request broke off");
        let detail = "the work for this request broke off; the log says more";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "broke off", detail)
    })
}
