//! Has each new checkpoint cosigned by the witnesses of a policy, as long as the program runs.
//!
//! In:    a policy, the data folder, word that a checkpoint was signed.
//! Out:   `cosigned.txt` beside the ledger; what the witnesses said, for pages and the API.
//! Never: waits for a witness before a command is acknowledged; forgets a witness that fell behind.
//! See:   [`crate::witnesses`]; docs/guide/first-start.md.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anlauf_model::Timestamp;
use anlauf_transparency::cosignature::Policy;
use anlauf_trust::PublicKey;
use anlauf_web::{Witness, Witnesses};
use tokio::sync::{Notify, watch};

use crate::control::Watched;
use crate::exit::{Done, Failure};
use crate::witnesses::{Round, Said, policy};

/// Time until a witness that did not cosign is asked again, if nothing new is signed before.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Where checkpoints are to be cosigned.
#[derive(Debug, Clone, clap::Args)]
pub struct WitnessArgs {
    /// Have every checkpoint cosigned by these witnesses (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    witness_policy: Option<PathBuf>,
    /// How many of them may be false without anyone being shown two ledgers
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        requires = "witness_policy"
    )]
    witness_faulty: usize,
}

/// Asks the witnesses.
pub struct Asking {
    policy: Policy,
    data: PathBuf,
    told: watch::Sender<Witnesses>,
    signed: Arc<Notify>,
}

impl Asking {
    /// Reads the policy, if there is one.
    ///
    /// # Errors
    /// It is none, its quorum allows two ledgers, or it is for another ledger than `log`.
    pub fn of(
        args: &WitnessArgs,
        data: &Path,
        origin: &str,
        log: &PublicKey,
    ) -> Done<Option<Self>> {
        let Some(file) = &args.witness_policy else {
            return Ok(None);
        };
        let policy = policy(file, args.witness_faulty)?;
        if policy.origin != origin || policy.log != *log {
            return Err(Failure::input(format!(
                "`{}` is for another ledger: its `log` must be `{origin}` with the key in \
                 `log.pub` of the data folder; `anlauf ledger export` writes that line as \
                 log.vkey",
                file.display()
            )));
        }
        let each = policy.witnesses.iter().map(|one| Witness {
            name: one.name.clone(),
            ..Witness::default()
        });
        let told = Witnesses {
            quorum: policy.quorum,
            each: each.collect(),
            ..Witnesses::default()
        };
        Ok(Some(Self {
            policy,
            data: data.to_owned(),
            told: watch::Sender::new(told),
            signed: Arc::new(Notify::new()),
        }))
    }

    /// What the witnesses said as it comes, and the bell that has them asked.
    pub fn watched(&self) -> Watched {
        Watched {
            told: self.told.subscribe(),
            bell: Arc::clone(&self.signed),
        }
    }

    /// Asks now, after every new checkpoint, and again while a witness is behind.
    pub async fn run(self) -> Infallible {
        let (policy, data) = (Arc::new(self.policy), Arc::new(self.data));
        loop {
            let (for_policy, for_data) = (Arc::clone(&policy), Arc::clone(&data));
            let before = self.told.borrow().clone();
            // Requests that wait, and a tree that is computed: no work for a task.
            let asked = tokio::task::spawn_blocking(move || round(&for_policy, &for_data, before));
            let failed = match asked.await {
                Ok(Ok(told)) => {
                    self.told.send_replace(told);
                    None
                }
                Ok(Err(failure)) => Some(failure.message),
                Err(error) => Some(error.to_string()),
            };
            if let Some(why) = failed {
                tracing::error!("the witnesses were not asked: {why}");
                self.told.send_modify(|told| {
                    told.rounds += 1;
                    told.failed = Some(why);
                });
            }
            let is_behind = {
                let told = self.told.borrow();
                told.failed.is_some() || told.each.iter().any(|one| one.trouble.is_some())
            };
            let again = async {
                match is_behind {
                    true => tokio::time::sleep(AGAIN_AFTER).await,
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.signed.notified() => {}
                () = again => {}
            }
        }
    }
}

/// One round: everybody is asked about the newest checkpoint.
fn round(policy: &Policy, data: &Path, mut told: Witnesses) -> Done<Witnesses> {
    let mut round = match told.rounds {
        0 => Round::begin(data, policy)?,
        _ => Round::go_on(data, policy)?,
    };
    let size = round.head.size;
    let said = round.ask(policy)?;
    (told.asked, told.rounds, told.failed) = (size, told.rounds + 1, None);
    for (one, said) in told.each.iter_mut().zip(said) {
        take(one, said, size);
    }
    // Too few: what was cosigned before still counts.
    if policy.verify(round.note()).is_ok() {
        round.keep(data, policy)?;
        told.size = size;
        told.note = Some(round.note().to_owned());
    }
    Ok(told)
}

fn take(witness: &mut Witness, said: Said, size: u64) {
    match (said.at, said.why) {
        (Some(at), _) => {
            witness.size = size;
            witness.at = i64::try_from(at)
                .ok()
                .and_then(|at| at.checked_mul(1000))
                .map(Timestamp);
            witness.trouble = None;
        }
        (None, why) => {
            if witness.trouble != why {
                let why = why.as_deref().unwrap_or_default();
                tracing::error!(witness = witness.name, "did not cosign: {why}");
            }
            witness.trouble = why;
        }
    }
}
