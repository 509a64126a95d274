//! One entry of the ledger as the Merkle tree sees it.
//!
//! In:    place, time, kind, scope and salted digest of an event.
//! Out:   the leaf's bytes and hash.
//! Never: holds the event itself: dropping salt and body forgets it, and the tree stands.
//! See:   docs/formats/ledger.md, C2SP tlog-tiles (an entry holds at most 65,535 bytes).

use anlauf_model::{Digest, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::merkle::leaf_hash;
use anlauf_keys::refusal::{Refusal, plain};

/// First line of every leaf; another layout gets another number.
pub const LEAF_HEAD: &str = "anlauf-leaf/1";

/// Longest kind or scope. Bytes. A tenant's scope is `tenant/` and 63 characters.
pub const LEAF_WORD_SIZE_MAX: usize = 128;

/// What the tree commits to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaf {
    seq: u64,
    at: Timestamp,
    kind: String,
    scope: String,
    body: Digest,
}

impl Leaf {
    /// A leaf. `body` is made by [`salted`].
    ///
    /// # Errors
    /// Kind or scope are not 1 to 128 printable ASCII characters without spaces.
    pub fn new(
        seq: u64,
        at: Timestamp,
        kind: &str,
        scope: &str,
        body: Digest,
    ) -> Result<Self, Refusal> {
        for word in [kind, scope] {
            let fits = (1..=LEAF_WORD_SIZE_MAX).contains(&word.len());
            if !fits || !word.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(malformed(&plain(word, 80)));
            }
        }
        Ok(Self {
            seq,
            at,
            kind: kind.to_owned(),
            scope: scope.to_owned(),
            body,
        })
    }

    /// Parses the bytes strictly.
    ///
    /// # Errors
    /// They are not exactly what [`Leaf::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("not text"))?;
        let lines: Vec<&str> = text.split('\n').collect();
        let [_, seq, at, kind, scope, body, ""] = lines[..] else {
            return Err(malformed("not six lines"));
        };
        let seq = seq.parse().map_err(|_| malformed("its place"))?;
        let at = Timestamp(at.parse().map_err(|_| malformed("its time"))?);
        let body = body.parse().map_err(|_| malformed("its body"))?;
        let leaf = Self::new(seq, at, kind, scope, body)?;
        if leaf.to_bytes() == bytes {
            Ok(leaf)
        } else {
            Err(malformed("not canonical"))
        }
    }

    /// The leaf's bytes: six lines, each ended by a line feed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self {
            seq,
            at,
            kind,
            scope,
            body,
        } = self;
        format!("{LEAF_HEAD}\n{seq}\n{}\n{kind}\n{scope}\n{body}\n", at.0).into_bytes()
    }

    /// The leaf hash in the tree.
    pub fn hash(&self) -> Digest {
        leaf_hash(&self.to_bytes())
    }

    /// Place in the ledger.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When the event was appended.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Which kind of event.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Who may read the body.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Salted digest of the body.
    pub fn body(&self) -> &Digest {
        &self.body
    }
}

/// Digest of an event's body under its own random salt, so that nobody finds a short body by
/// trying.
pub fn salted(salt: &[u8; 32], body: &[u8]) -> Digest {
    let head = b"anlauf-body/1\n";
    Digest(
        Sha256::new()
            .chain_update(head)
            .chain_update(salt)
            .chain_update(body)
            .finalize()
            .into(),
    )
}

fn malformed(what: &str) -> Refusal {
    let message = format!("a ledger leaf is malformed: `{what}`; restore it from a mirror");
    Refusal::one("AN-TRU-062", message)
}
