//! A proof in one text that an entry lies in a log: to be kept beside what it proves.
//!
//! In:    place, path and checkpoint; or the text. Out: the text; or whether it holds for a leaf.
//! Never: believes the extra data: nobody signed it.
//! See:   C2SP tlog-proof v1.0.0.

use anlauf_keys::refusal::Refusal;
use anlauf_model::Digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, NOTE_SIZE_MAX};
use crate::merkle::inclusion_verify;

/// First line of every proof.
pub const PROOF_HEAD: &str = "c2sp.org/tlog-proof@v1";

/// Most hashes of a proof: a tree of 2^63 leaves.
pub const HASH_COUNT_MAX: usize = 63;

/// Longest text. Bytes.
pub const PROOF_SIZE_MAX: usize = NOTE_SIZE_MAX + 16 * 1024;

/// A proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// Whatever the application put beside it; not signed.
    pub extra: Option<Vec<u8>>,
    /// Place of the entry, from 0.
    pub index: u64,
    /// From the leaf's sibling upwards.
    pub path: Vec<Digest>,
    /// The checkpoint with its signatures.
    pub note: String,
}

impl Proof {
    /// The text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{PROOF_HEAD}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", STANDARD.encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.path {
            text.push_str(&STANDARD.encode(hash.0));
            text.push('\n');
        }
        text + "\n" + &self.note
    }

    /// Parses strictly; the note is judged by [`Proof::verify`].
    ///
    /// # Errors
    /// It is not exactly what [`Proof::to_text`] writes.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let wrong = |what: &str| {
            Refusal::one(
                "AN-TRU-057",
                format!("the proof is malformed: {what}; fetch it again"),
            )
        };
        if text.len() > PROOF_SIZE_MAX {
            return Err(wrong("it is too large"));
        }
        let (head, note) = text
            .split_once("\n\n")
            .ok_or_else(|| wrong("no empty line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(PROOF_HEAD) {
            return Err(wrong("its first line"));
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = match extra.and_then(|line| line.strip_prefix("extra ")) {
            Some(text) => Some(STANDARD.decode(text).map_err(|_| wrong("its extra data"))?),
            None => None,
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| wrong("its place"))?;
        let path = lines.map(hash_line).collect::<Option<Vec<_>>>();
        let path = path.ok_or_else(|| wrong("its path"))?;
        let proof = Self {
            extra,
            index,
            path,
            note: note.to_owned(),
        };
        if proof.path.len() > HASH_COUNT_MAX || proof.to_text() != text {
            return Err(wrong("not canonical"));
        }
        Ok(proof)
    }

    /// Whether the leaf lies where the proof says, in the log of this name and key. Gives the
    /// checkpoint; whether enough witnesses signed it too is the policy's to say.
    ///
    /// # Errors
    /// It does not.
    pub fn verify(&self, leaf: &Digest, checkpoint: &Checkpoint) -> Result<(), Refusal> {
        inclusion_verify(
            leaf,
            self.index,
            checkpoint.size,
            &self.path,
            &checkpoint.root,
        )
    }
}

/// A hash in base64.
pub(crate) fn hash_line(line: &str) -> Option<Digest> {
    STANDARD.decode(line).ok()?.try_into().ok().map(Digest)
}
