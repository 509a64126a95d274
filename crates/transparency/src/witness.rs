//! What a witness looks at before it cosigns.
//!
//! In:    a request, the log's key, what this witness cosigned last.
//! Out:   the checkpoint to keep and to cosign; or what to answer.
//! Never: keeps anything: whoever calls looks and keeps in one step, and keeps before it answers.
//! See:   C2SP tlog-witness v1.0.0, `add-checkpoint`.

use std::collections::BTreeMap;

use anlauf_keys::key::PublicKey;
use anlauf_model::Digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, NOTE_SIZE_MAX, parse};
use crate::merkle::consistency_verify;
use crate::proof::{HASH_COUNT_MAX, hash_line};

/// Longest request. Bytes.
pub const REQUEST_SIZE_MAX: usize = NOTE_SIZE_MAX + 4 * 1024;

/// A request to cosign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The size that the log believes this witness has.
    pub old: u64,
    /// That the new tree continues the old one.
    pub proof: Vec<Digest>,
    /// The checkpoint.
    pub note: String,
}

/// Why a witness does not cosign, with the HTTP status of the protocol.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum No {
    /// 400.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    /// 404.
    #[error("this witness was not told of a log `{0}`")]
    Unknown(String),
    /// 403.
    #[error("the log's key did not sign the checkpoint")]
    Unsigned,
    /// 409; the answer is the size.
    #[error("the newest cosigned checkpoint has {0} entries")]
    Conflict(u64),
    /// 422.
    #[error("the ledger is not shown to continue the one cosigned before; this may be a fork")]
    Inconsistent,
}

impl No {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            No::Malformed(_) => 400,
            No::Unknown(_) => 404,
            No::Unsigned => 403,
            No::Conflict(_) => 409,
            No::Inconsistent => 422,
        }
    }
}

impl Request {
    /// The body of the request.
    pub fn to_text(&self) -> String {
        let mut text = format!("old {}\n", self.old);
        for hash in &self.proof {
            text.push_str(&STANDARD.encode(hash.0));
            text.push('\n');
        }
        text + "\n" + &self.note
    }

    /// Parses strictly.
    ///
    /// # Errors
    /// It is not exactly what [`Request::to_text`] writes.
    pub fn parse(text: &str) -> Result<Self, No> {
        if text.len() > REQUEST_SIZE_MAX {
            return Err(No::Malformed("it is too large"));
        }
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(No::Malformed("no empty line"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.and_then(|text| text.parse().ok());
        let proof = lines.map(hash_line).collect::<Option<Vec<_>>>();
        let (Some(old), Some(proof)) = (old, proof) else {
            return Err(No::Malformed("its old size or proof"));
        };
        let request = Self {
            old,
            proof,
            note: note.to_owned(),
        };
        if request.proof.len() > HASH_COUNT_MAX || request.to_text() != text {
            return Err(No::Malformed("not canonical"));
        }
        Ok(request)
    }

    /// Judges it: `logs` are the keys this witness was told, `known` is what it cosigned last for
    /// an origin.
    ///
    /// # Errors
    /// What to answer instead of a cosignature; nothing is to be kept then.
    pub fn judge(
        &self,
        logs: &BTreeMap<String, PublicKey>,
        known: &dyn Fn(&str) -> Option<(u64, Digest)>,
    ) -> Result<Checkpoint, No> {
        let (claim, _) = parse(&self.note).map_err(|_| No::Malformed("its checkpoint"))?;
        let Some(key) = logs.get(&claim.origin) else {
            return Err(No::Unknown(claim.origin));
        };
        let checkpoint =
            Checkpoint::verify(&self.note, &claim.origin, key).map_err(|_| No::Unsigned)?;
        if self.old > checkpoint.size {
            return Err(No::Malformed("its old size is greater than the new one"));
        }
        let last = known(&checkpoint.origin);
        let size = last.map_or(0, |(size, _)| size);
        if self.old != size {
            return Err(No::Conflict(size));
        }
        let Some((old, root)) = last.filter(|(size, _)| *size > 0) else {
            // The first sight of a log: there is nothing to hold it against.
            return match self.proof.is_empty() {
                true => Ok(checkpoint),
                false => Err(No::Inconsistent),
            };
        };
        if old == checkpoint.size && root != checkpoint.root {
            return Err(No::Conflict(old));
        }
        consistency_verify(
            (old, &root),
            (checkpoint.size, &checkpoint.root),
            &self.proof,
        )
        .map_err(|_| No::Inconsistent)?;
        Ok(checkpoint)
    }
}
