//! What a witness says about a checkpoint, and how many must say it.
//!
//! In:    a note with cosignatures; the witnesses and the quorum the reader was told before.
//! Out:   the checkpoint, if the log and enough witnesses signed it; when each did.
//! Never: takes a quorum under which a split view could go unseen.
//! See:   C2SP tlog-cosignature v1.0.1 (Ed25519), tlog-policy; docs/formats/ledger.md.

use std::collections::BTreeMap;

use anlauf_keys::key::{PublicKey, Signer};
use anlauf_keys::refusal::{Refusal, plain};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{
    Checkpoint, key_hash, origin_check, parse, verifier_key_of, verifier_key_parse,
    verifier_key_read,
};

/// Signature type of a witness's Ed25519 key.
const ALGORITHM_WITNESS: u8 = 0x04;

/// Most witnesses of one policy.
pub const WITNESS_COUNT_MAX: usize = 64;

/// An outsider that cosigns checkpoints it found consistent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Its key's name.
    pub name: String,
    /// Its key.
    pub public: PublicKey,
    /// Where it is asked, if it is asked over a network.
    pub url: Option<String>,
}

/// Which log to believe, and on whose cosignatures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The log's name.
    pub origin: String,
    /// The log's key.
    pub log: PublicKey,
    /// Who may cosign.
    pub witnesses: Vec<Witness>,
    /// How many of them must.
    pub quorum: usize,
}

/// The cosignature line of a witness under a checkpoint, ended by a line feed.
///
/// # Errors
/// The name is not legal.
pub fn cosign(
    checkpoint: &Checkpoint,
    name: &str,
    signer: &Signer,
    at_seconds: u64,
) -> Result<String, Refusal> {
    origin_check(name)?;
    let hash = key_hash(name, ALGORITHM_WITNESS, &signer.public_bytes());
    let sig = signer.sign_raw(&message(checkpoint, at_seconds));
    let bytes = [&hash[..], &at_seconds.to_be_bytes(), &sig].concat();
    Ok(format!("\u{2014} {name} {}\n", STANDARD.encode(bytes)))
}

/// The verifier key of a witness: `name+hash+key` with type 4.
///
/// # Errors
/// The name is not legal, or the key is unsound.
pub fn witness_key(name: &str, public: &PublicKey) -> Result<String, Refusal> {
    verifier_key_of(name, ALGORITHM_WITNESS, public)
}

/// What a witness's signature is over.
fn message(checkpoint: &Checkpoint, at_seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {at_seconds}\n{}", checkpoint.body()).into_bytes()
}

impl Witness {
    /// When this witness cosigned the note's checkpoint: the newest of its lines that hold.
    ///
    /// # Errors
    /// The note is malformed.
    pub fn cosigned_at(&self, note: &str) -> Result<Option<u64>, Refusal> {
        let (checkpoint, lines) = parse(note)?;
        let Some(key) = self.public.bytes() else {
            return Ok(None);
        };
        let hash = key_hash(&self.name, ALGORITHM_WITNESS, &key);
        let ours = lines
            .iter()
            .filter(|line| line.name == self.name && line.hash == hash);
        let moments = ours.filter_map(|line| {
            let (at, sig) = line.sig.split_first_chunk::<8>()?;
            let at = u64::from_be_bytes(*at);
            self.public
                .verify_raw(&message(&checkpoint, at), sig)
                .then_some(at)
        });
        Ok(moments.max())
    }
}

impl Policy {
    /// Reads the text form (C2SP tlog-policy): `log KEY`, `witness NAME KEY [URL]`,
    /// `group NAME COUNT NAME…` and `quorum NAME`; `#` begins a comment. One log and one group.
    ///
    /// `faulty` is how many witnesses may be in the hands of whoever owns the log. Two quorums of
    /// `k` among `n` share `2k − n` witnesses; unless that is more than `faulty`, the shared ones
    /// could all be faulty and two readers see two ledgers.
    ///
    /// # Errors
    /// Not of this form, an unknown or repeated name, or a quorum with `2k ≤ n + faulty`.
    pub fn parse(text: &str, faulty: usize) -> Result<Self, Refusal> {
        let mut draft = Draft::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            draft
                .take(&words)
                .map_err(|why| malformed(&format!("line {}: {why}", index + 1)))?;
        }
        let policy = draft.finish().map_err(|why| malformed(&why))?;
        quorum_check(policy.witnesses.len(), policy.quorum, faulty)?;
        Ok(policy)
    }

    /// The checkpoint of a note that the log and a quorum of distinct witnesses signed, and when
    /// each witness did. Seconds since 1970 in UTC.
    ///
    /// # Errors
    /// The log did not sign it, or too few witnesses did.
    pub fn verify(&self, note: &str) -> Result<(Checkpoint, BTreeMap<String, u64>), Refusal> {
        let checkpoint = Checkpoint::verify(note, &self.origin, &self.log)?;
        let mut cosigned = BTreeMap::new();
        for witness in &self.witnesses {
            if let Some(at) = witness.cosigned_at(note)? {
                cosigned.insert(witness.name.clone(), at);
            }
        }
        let (count, want) = (cosigned.len(), self.quorum);
        if count < want {
            let message = format!("cosigned by {count} of {want} witnesses; ask the others");
            return Err(Refusal::one("AN-TRU-055", message));
        }
        Ok((checkpoint, cosigned))
    }
}

/// Whether no two quorums can both be reached by different ledgers.
///
/// # Errors
/// `2k ≤ n + f`, `k > n`, or `k` is 0.
pub fn quorum_check(count: usize, quorum: usize, faulty: usize) -> Result<(), Refusal> {
    if (1..=count).contains(&quorum) && 2 * quorum > count + faulty {
        return Ok(());
    }
    let message = format!(
        "a quorum of {quorum} among {count} witnesses does not rule out two ledgers when {faulty} \
         may be false: 2 × quorum must be more than {}",
        count + faulty
    );
    Err(Refusal::one("AN-TRU-054", message))
}

#[derive(Default)]
struct Draft {
    log: Option<(String, PublicKey)>,
    witnesses: Vec<Witness>,
    group: Option<(String, usize)>,
    quorum: Option<String>,
}

impl Draft {
    fn take(&mut self, words: &[&str]) -> Result<(), String> {
        let key_error = |refusal: Refusal| refusal.to_string();
        match words {
            [] => Ok(()),
            ["log", key] | ["log", key, _] if self.log.is_none() => {
                self.log = Some(verifier_key_parse(key).map_err(key_error)?);
                Ok(())
            }
            ["witness", _, key] | ["witness", _, key, _]
                if self.witnesses.len() < WITNESS_COUNT_MAX =>
            {
                let (name, public) =
                    verifier_key_read(key, ALGORITHM_WITNESS).map_err(key_error)?;
                let same = |known: &Witness| known.name == name || known.public == public;
                if self.witnesses.iter().any(same) {
                    return Err("a witness occurs twice".into());
                }
                let url = words.get(3).map(|url| (*url).to_owned());
                self.witnesses.push(Witness { name, public, url });
                Ok(())
            }
            ["group", name, count, members @ ..] if self.group.is_none() => {
                if members.len() != self.witnesses.len() {
                    return Err("the one group holds every witness once".into());
                }
                let count = match *count {
                    "all" => members.len(),
                    "any" => 1,
                    text => text.parse().map_err(|_| "the group's count".to_owned())?,
                };
                self.group = Some(((*name).to_owned(), count));
                Ok(())
            }
            ["quorum", name] if self.quorum.is_none() => {
                self.quorum = Some((*name).to_owned());
                Ok(())
            }
            [word, ..] => Err(format!("`{}` is not expected here", plain(word, 40))),
        }
    }

    fn finish(self) -> Result<Policy, String> {
        let (origin, log) = self.log.ok_or("no `log`")?;
        let (group, quorum) = self.group.ok_or("no `group`")?;
        if self.quorum.as_deref() != Some(group.as_str()) {
            return Err("`quorum` does not name the group".into());
        }
        Ok(Policy {
            origin,
            log,
            witnesses: self.witnesses,
            quorum,
        })
    }
}

fn malformed(why: &str) -> Refusal {
    let message = format!("the witness policy is malformed: {why}");
    Refusal::one("AN-TRU-053", message)
}
