//! Every limit of the API and the pages, with its reason.
//!
//! In:    nothing. Out: constants. Never: a limit without a reason.

use std::time::Duration;

use anlauf_model::limits::ENVELOPE_SIZE_MAX;

/// Longest a question for news of the feed is held. Milliseconds; gates ask with 10,000.
pub(crate) const FEED_WAIT_MS_MAX: u64 = 25_000;

/// Most items of one stretch of the feed.
pub(crate) const FEED_ITEM_COUNT_MAX: usize = 512;

/// Where a stretch of the feed ends. Bytes of envelopes; a gate reads at most 32 envelopes' worth,
/// and one more envelope and the JSON around it still fit.
pub(crate) const FEED_SIZE_MAX: usize = 24 * ENVELOPE_SIZE_MAX;

/// How often a close is drawn up again because cells moved on meanwhile.
///
/// Each turn loses only against another release or close of the same cells; eight in a row means
/// that something else is wrong.
pub(crate) const CLOSE_DRAWING_COUNT_MAX: u32 = 8;

/// Most improvement steps one request may ask of the planner; the reference landscape takes
/// minutes for so many.
pub(crate) const PLAN_STEP_COUNT_MAX: u32 = 20_000;

/// Most simulations one request may ask of the forecast; P95 is steady long before.
pub(crate) const FORECAST_SAMPLE_COUNT_MAX: u32 = 10_000;

/// Simulations when the request names no number.
pub(crate) const FORECAST_SAMPLE_COUNT_DEFAULT: u32 = 200;

/// Plans and forecasts that are made at the same time. One, so that nobody's planning takes the
/// processor from the gates' closes.
pub(crate) const PLANNING_COUNT_MAX: usize = 1;

/// Plans and forecasts that wait for their turn; more are asked to come again.
pub(crate) const PLANNING_WAITING_COUNT_MAX: usize = 8;

/// Entries read at once while looking for plans.
pub(crate) const PLAN_READ_COUNT_MAX: usize = 256;

/// Most entries of one page of the ledger.
pub(crate) const ENTRY_COUNT_MAX: usize = 1_000;

/// Entries of a page when the request names no number.
pub(crate) const ENTRY_COUNT_DEFAULT: usize = 100;

/// Items of a list when the request names no number.
pub(crate) const ROW_COUNT_DEFAULT: usize = 1_000;

/// Most rows of a plan or cells of a list in one answer.
pub(crate) const ROW_COUNT_MAX: usize = 20_000;

/// Most items of each list of an inbox: more than a person works off before looking again.
pub(crate) const INBOX_COUNT_MAX: usize = 200;

/// Moves that a difference of plans lists; the rest is counted.
pub(crate) const MOVE_COUNT_MAX: usize = 50;

/// Cells of one gate that are listed as not as wanted; the rest is counted.
pub(crate) const DIFFERENCE_COUNT_MAX: usize = 100;

/// Notices on the public status.
pub(crate) const PUBLIC_NOTICE_COUNT_MAX: usize = 50;

/// Entries looked at for one page; a tenant that may read few of them is sent on from there.
pub(crate) const ENTRY_LOOK_COUNT_MAX: usize = 20_000;

/// Events that wait for a slow client; the ledger is read on when it has taken them.
pub(crate) const EVENT_WAITING_COUNT_MAX: usize = 64;

/// Silence after which a stream of events sends a comment, so that proxies keep it open.
pub(crate) const EVENT_SILENCE_MAX: Duration = Duration::from_secs(15);

/// Entries a stream of events reads at once.
pub(crate) const EVENT_READ_COUNT_MAX: usize = 256;

const _: () = assert!(FEED_SIZE_MAX >= ENVELOPE_SIZE_MAX);
const _: () = assert!(ROW_COUNT_DEFAULT <= ROW_COUNT_MAX);
const _: () = assert!(ENTRY_COUNT_DEFAULT <= ENTRY_COUNT_MAX);
const _: () = assert!(FORECAST_SAMPLE_COUNT_DEFAULT <= FORECAST_SAMPLE_COUNT_MAX);

/// Most changes one trial may try; a tenant has few, an operator tries one after the other.
pub(crate) const TRIAL_CHANGE_COUNT_MAX: usize = 20;

/// Simulations of a trial, with and without the changes: an answer within a second for 80 tenants
/// and 30 services.
pub(crate) const TRIAL_SAMPLE_COUNT: u32 = 60;
