//! The state screen's source: the public status of the control plane, and its last word.
//!
//! In:    the address of the status (`serve --status URL`). Out: the word, when it was heard,
//!        whether the control plane answers now. Never: a guess; a state that nobody said.
//! See:   docs/guide/api.md, `/public/status`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::kernel::ask::{Ask, Reply, encode};
use crate::kernel::clock::rfc3339;
use crate::kernel::miss::Miss;

/// How long a word is passed on before the control plane is asked again. Seconds.
const FRESH_SECONDS: i64 = 5;

/// How long an answer may take.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// Largest answer. Bytes.
const STATUS_SIZE_MAX: u64 = 256 * 1024;

/// What was heard last, per insurer.
#[derive(Default, Debug)]
pub struct Board {
    words: Mutex<BTreeMap<String, Word>>,
}

#[derive(Clone, Default, Debug)]
struct Word {
    tried_at: Option<i64>,
    heard_at: Option<i64>,
    is_reachable: bool,
    status: Value,
}

impl Board {
    fn change<T>(&self, tenant: &str, work: impl FnOnce(&mut Word) -> T) -> T {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        work(words.entry(tenant.to_owned()).or_default())
    }
}

/// `GET /app/api/status`.
pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let address = ask.house.settings.status.as_deref();
    let (board, id) = (&ask.house.board, ask.tenant.id.as_str());
    // Whoever comes while one asks gets the last word: the control plane is asked by one.
    let is_due = board.change(id, |word| {
        let is_due = word.tried_at.is_none_or(|at| ask.now - at >= FRESH_SECONDS);
        if is_due {
            word.tried_at = Some(ask.now);
        }
        is_due
    });
    if let (true, Some(address)) = (is_due, address) {
        let heard = fetch(address, id);
        board.change(id, |word| {
            word.is_reachable = heard.is_some();
            if let Some(status) = heard {
                word.status = status;
                word.heard_at = Some(ask.now);
            }
        });
    }
    let word = board.change(id, |word| word.clone());
    Ok(Reply::json(
        200,
        &json!({
            "configured": address.is_some(),
            "reachable": word.is_reachable,
            "heard_at": word.heard_at.map(rfc3339),
            "status": word.status,
        }),
    ))
}

/// One answer; none when there is no sound one in time.
fn fetch(address: &str, tenant: &str) -> Option<Value> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(WAIT_MAX))
        .max_redirects(0)
        .build()
        .into();
    let asked = agent
        .get(format!("{address}?tenant={}", encode(tenant)))
        .call();
    let mut answer = match asked {
        Ok(answer) if answer.status() == 200 => answer,
        Ok(answer) => {
            tracing::warn!(
                status = answer.status().as_u16(),
                "the public status says no"
            );
            return None;
        }
        Err(error) => {
            tracing::warn!(%error, "the public status does not answer");
            return None;
        }
    };
    let body = answer.body_mut().with_config().limit(STATUS_SIZE_MAX);
    let status: Value = body.read_json().ok()?;
    status["services"].is_array().then_some(status)
}
