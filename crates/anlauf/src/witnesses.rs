//! Asks the witnesses of a policy to cosign the newest checkpoint of a ledger.
//!
//! In:    the data folder, a policy; the witnesses' answers over HTTP.
//! Out:   a [`Round`]: who cosigned what and who did not; `cosigned.txt` once the policy holds.
//! Never: puts a note in place that the policy does not believe; writes to the ledger.
//! See:   C2SP tlog-witness, docs/formats/ledger.md.

use std::path::Path;
use std::time::Duration;

use anlauf_store::Reader;
use anlauf_store::export::FILE_COSIGNED;
use anlauf_transparency::cosignature::{Policy, Witness};
use anlauf_transparency::merkle::{Levels, consistency};
use anlauf_transparency::witness::Request;
use anlauf_trust::Checkpoint;

use crate::cli::read_text;
use crate::cli::witness::keep;
use crate::exit::{Done, Failure};

/// Longest wait for one witness.
const WITNESS_WAIT_MAX: Duration = Duration::from_secs(10);

/// Largest answer of a witness. Bytes.
const ANSWER_SIZE_MAX: u64 = 16 * 1024;

/// Reads a policy.
///
/// # Errors
/// It is none, or its quorum allows two ledgers.
pub fn policy(file: &Path, faulty: usize) -> Done<Policy> {
    Ok(Policy::parse(&read_text(file, "witness policy")?, faulty)?)
}

/// One checkpoint on its way through the witnesses.
pub struct Round {
    /// What they are to cosign.
    pub head: Checkpoint,
    /// As the log signed it.
    own: String,
    levels: Levels,
    /// The same with the cosignatures so far.
    note: String,
}

/// What became of one witness.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// Its name.
    pub witness: String,
    /// When it cosigned the round's checkpoint. Seconds since 1970 in UTC.
    pub at: Option<u64>,
    /// Why it did not.
    pub why: Option<String>,
}

impl Round {
    /// Begins with the newest checkpoint of a data folder, without what was cosigned of it before:
    /// everybody is asked, so that an old copy of the folder is told from the ledger.
    ///
    /// # Errors
    /// Nothing is signed yet, or not by the policy's log.
    pub fn begin(data: &Path, policy: &Policy) -> Done<Self> {
        let reader = Reader::open(data)?;
        let own = reader.head()?.note;
        let own =
            own.ok_or_else(|| Failure::missing("nothing is signed yet; start the program"))?;
        let head = Checkpoint::verify(&own, &policy.origin, &policy.log)?;
        let levels = Levels::of(&reader.leaves(head.size)?);
        Ok(Self {
            head,
            note: own.clone(),
            own,
            levels,
        })
    }

    /// Begins with what was cosigned of the same checkpoint before.
    ///
    /// # Errors
    /// As [`Round::begin`].
    pub fn go_on(data: &Path, policy: &Policy) -> Done<Self> {
        let mut round = Self::begin(data, policy)?;
        let kept = std::fs::read_to_string(data.join(FILE_COSIGNED)).unwrap_or_default();
        round.take(policy, &kept);
        Ok(round)
    }

    /// The question to a witness that has cosigned `old` entries; none if there are not as many.
    pub fn request(&self, old: u64) -> Option<Request> {
        let node = |level, index| self.levels.node(level, index);
        let proof = match old {
            0 => Some(Vec::new()),
            old if old == self.head.size => Some(Vec::new()),
            old => consistency(&node, old, self.head.size),
        };
        proof.map(|proof| Request {
            old,
            proof,
            note: self.own.clone(),
        })
    }

    /// Takes the answer of a witness of the policy; only lines that are signatures in its name, so
    /// that one witness cannot spoil the note for the others.
    pub fn take(&mut self, policy: &Policy, answer: &str) {
        for line in answer.lines() {
            let name = line
                .strip_prefix("\u{2014} ")
                .and_then(|rest| rest.split(' ').next());
            let witness = policy
                .witnesses
                .iter()
                .find(|one| Some(one.name.as_str()) == name);
            if let Some(witness) = witness {
                self.add(witness, line);
            }
        }
    }

    /// Adds a line if it is the witness's cosignature of this checkpoint.
    fn add(&mut self, witness: &Witness, line: &str) {
        let alone = format!("{}{line}\n", self.own);
        if matches!(witness.cosigned_at(&alone), Ok(Some(_))) {
            self.note.push_str(line);
            self.note.push('\n');
        }
    }

    /// Asks every witness that has not cosigned yet.
    ///
    /// # Errors
    /// The note is malformed.
    pub fn ask(&mut self, policy: &Policy) -> Done<Vec<Said>> {
        let mut asked = Vec::new();
        for witness in &policy.witnesses {
            asked.push(witness.cosigned_at(&self.note)?.is_none());
        }
        // At once, so that one that hangs holds up none of the others.
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = policy
                .witnesses
                .iter()
                .zip(&asked)
                .map(|(witness, ask)| ask.then(|| scope.spawn(|| self.ask_one(witness))))
                .collect();
            let answer = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err("asking failed".into()))
            };
            threads
                .into_iter()
                .map(|thread| thread.map(answer))
                .collect()
        });
        let mut said = Vec::new();
        for (witness, answer) in policy.witnesses.iter().zip(answers) {
            let mut why = None;
            match answer {
                Some(Ok(text)) => text.lines().for_each(|line| self.add(witness, line)),
                Some(Err(error)) => why = Some(error),
                None => {}
            }
            let at = witness.cosigned_at(&self.note)?;
            if at.is_none() && why.is_none() {
                why = Some("its answer holds no cosignature of its key".to_owned());
            }
            said.push(Said {
                witness: witness.name.clone(),
                at,
                why,
            });
        }
        Ok(said)
    }

    /// Keeps the note beside the ledger, for exports; how many cosigned it.
    ///
    /// # Errors
    /// Fewer did than the policy demands, or the file cannot be written.
    pub fn keep(&self, data: &Path, policy: &Policy) -> Done<usize> {
        let (_, cosigned) = policy.verify(&self.note)?;
        keep(&data.join(FILE_COSIGNED), &self.note)?;
        Ok(cosigned.len())
    }

    /// The note with the cosignatures so far.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Asks one witness; when it says how far it is, once more from there.
    fn ask_one(&self, witness: &Witness) -> Result<String, String> {
        let url = witness
            .url
            .as_deref()
            .ok_or("it has no address; carry the request as a file")?;
        let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        let mut old = 0;
        for _ in 0..2 {
            let request = self.request(old).ok_or_else(|| {
                format!(
                    "it has cosigned {old} entries, more than there are: an old copy, or a fork"
                )
            })?;
            let (status, text) =
                post(&url, &request.to_text()).map_err(|error| error.to_string())?;
            match status {
                200 => return Ok(text),
                409 => old = text.trim().parse().map_err(|_| "its answer has no size")?,
                status => return Err(format!("it answered {status}: {}", text.trim())),
            }
        }
        Err(format!(
            "it keeps saying that it has {old} entries: this ledger is another one"
        ))
    }
}

fn post(url: &str, body: &str) -> anyhow::Result<(u16, String)> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(WITNESS_WAIT_MAX))
        .max_redirects(0)
        .build();
    let mut response = config.new_agent().post(url).send(body)?;
    let status = response.status().as_u16();
    let text = response
        .body_mut()
        .with_config()
        .limit(ANSWER_SIZE_MAX)
        .read_to_string()?;
    Ok((status, text))
}
