//! Signed tree heads (C2SP tlog-checkpoint, signed-note).
//!
//! In:    origin, size and root of a ledger; a signer; or the text of a note.
//! Out:   the note; or the checkpoint, if the log's own signature holds.
//! Never: believes the log's name in the note: origin and key are what the reader was told before.
//! See:   C2SP tlog-checkpoint v1.0.0, signed-note v1.0.0, docs/formats/ledger.md.

use anlauf_model::Digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use anlauf_keys::key::{PublicKey, Signer};
use anlauf_keys::refusal::{Refusal, plain};

/// Largest note. Bytes. Three lines and a hundred cosignatures fit.
pub const NOTE_SIZE_MAX: usize = 64 * 1024;

/// Longest origin. Bytes.
pub const ORIGIN_SIZE_MAX: usize = 255;

/// Signature type of a log's Ed25519 key in a signed note.
pub(crate) const ALGORITHM_LOG: u8 = 0x01;

/// How large a ledger is and what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Which ledger: no space, no `+`, such as `anlauf/drill-krankenkassen`.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Digest,
}

impl Checkpoint {
    /// The text that is signed: three lines, each ended by a line feed.
    pub fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root.0)
        )
    }

    /// The note: body, empty line, one signature line in the name of the origin.
    ///
    /// # Errors
    /// The origin is not a legal key name.
    pub fn sign(&self, signer: &Signer) -> Result<String, Refusal> {
        origin_check(&self.origin)?;
        let body = self.body();
        let public = signer.public_bytes();
        let mut bytes = key_hash(&self.origin, ALGORITHM_LOG, &public).to_vec();
        bytes.extend(signer.sign_raw(body.as_bytes()));
        Ok(format!(
            "{body}\n\u{2014} {} {}\n",
            self.origin,
            STANDARD.encode(bytes)
        ))
    }

    /// Parses a note strictly and checks the log's own signature. Lines of other signers
    /// (witnesses) must have the right form and are not judged.
    ///
    /// # Errors
    /// Another origin, a malformed note, no signature of this key or a false one.
    pub fn verify(note: &str, origin: &str, public: &PublicKey) -> Result<Self, Refusal> {
        let (checkpoint, signatures) = parse(note)?;
        if checkpoint.origin != origin {
            let got = plain(&checkpoint.origin, 80);
            let message = format!("checkpoint of `{got}` where `{origin}` was expected");
            return Err(Refusal::one("AN-TRU-051", message));
        }
        let Some(key) = public.bytes() else {
            let message = "the ledger's public key is unsound; install the right one";
            return Err(Refusal::one("AN-TRU-052", message));
        };
        let hash = key_hash(origin, ALGORITHM_LOG, &key);
        let body = checkpoint.body();
        let mut own = signatures
            .iter()
            .filter(|line| line.name == origin && line.hash == hash);
        let holds = |line: &Line<'_>| public.verify_raw(body.as_bytes(), &line.sig);
        match (own.next(), own.next()) {
            (Some(line), None) if holds(line) => Ok(checkpoint),
            _ => {
                let message = format!("not signed once by the key of `{origin}`; fetch it again");
                Err(Refusal::one("AN-TRU-052", message))
            }
        }
    }
}

/// The verifier key in the form other C2SP tools read: `name+hash+key`.
///
/// # Errors
/// The origin is not a legal key name, or the key is unsound.
pub fn verifier_key(origin: &str, public: &PublicKey) -> Result<String, Refusal> {
    verifier_key_of(origin, ALGORITHM_LOG, public)
}

/// The name and key in a log's verifier key.
///
/// # Errors
/// It is not exactly such a key, or one of another type.
pub fn verifier_key_parse(text: &str) -> Result<(String, PublicKey), Refusal> {
    verifier_key_read(text, ALGORITHM_LOG)
}

pub(crate) fn verifier_key_of(
    name: &str,
    algorithm: u8,
    public: &PublicKey,
) -> Result<String, Refusal> {
    origin_check(name)?;
    let Some(key) = public.bytes() else {
        return Err(Refusal::one("AN-TRU-052", "the public key is unsound"));
    };
    let mut bytes = vec![algorithm];
    bytes.extend(key);
    Ok(format!(
        "{name}+{}+{}",
        hex::encode(key_hash(name, algorithm, &key)),
        STANDARD.encode(bytes)
    ))
}

pub(crate) fn verifier_key_read(text: &str, algorithm: u8) -> Result<(String, PublicKey), Refusal> {
    let wrong = || {
        let got = plain(text, 80);
        let message = format!("`{got}` is no verifier key `name+hash+key` of this kind");
        Refusal::one("AN-TRU-053", message)
    };
    let (name, rest) = text.split_once('+').ok_or_else(wrong)?;
    let (_, key) = rest.split_once('+').ok_or_else(wrong)?;
    let bytes = STANDARD.decode(key).map_err(|_| wrong())?;
    let public = match bytes.split_first() {
        Some((first, key)) if *first == algorithm => PublicKey(hex::encode(key)),
        _ => return Err(wrong()),
    };
    // One form only, so that the hash holds too.
    match verifier_key_of(name, algorithm, &public) {
        Ok(form) if form == text => Ok((name.to_owned(), public)),
        _ => Err(wrong()),
    }
}

/// A signature line of a note.
pub(crate) struct Line<'n> {
    pub(crate) name: &'n str,
    pub(crate) hash: [u8; 4],
    pub(crate) sig: Vec<u8>,
}

/// Takes a note apart; judges no signature.
pub(crate) fn parse(note: &str) -> Result<(Checkpoint, Vec<Line<'_>>), Refusal> {
    if note.len() > NOTE_SIZE_MAX {
        return Err(malformed("it is too large"));
    }
    // The body cannot hold an empty line, so the first one ends it.
    let (text, signatures) = note
        .split_once("\n\n")
        .ok_or_else(|| malformed("no empty line"))?;
    let [origin, size, root] = text.split('\n').collect::<Vec<_>>()[..] else {
        return Err(malformed("the body is not three lines"));
    };
    origin_check(origin)?;
    let number: u64 = size.parse().map_err(|_| malformed("its size"))?;
    if number.to_string() != size {
        return Err(malformed("its size"));
    }
    let root = STANDARD.decode(root).map_err(|_| malformed("its root"))?;
    let root = Digest(root.try_into().map_err(|_| malformed("its root"))?);
    let lines = signatures
        .strip_suffix('\n')
        .ok_or_else(|| malformed("no line feed at its end"))?;
    let lines = lines
        .split('\n')
        .map(signature_line)
        .collect::<Option<Vec<_>>>();
    let lines = lines.ok_or_else(|| malformed("a signature line"))?;
    Ok((
        Checkpoint {
            origin: origin.to_owned(),
            size: number,
            root,
        },
        lines,
    ))
}

pub(crate) fn signature_line(line: &str) -> Option<Line<'_>> {
    let (name, text) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    origin_check(name).ok()?;
    let bytes = STANDARD.decode(text).ok()?;
    let (hash, sig) = bytes.split_first_chunk::<4>()?;
    (!sig.is_empty()).then(|| Line {
        name,
        hash: *hash,
        sig: sig.to_vec(),
    })
}

/// First four bytes of SHA-256 over name, line feed, signature type and key. Only a hint.
pub(crate) fn key_hash(name: &str, algorithm: u8, key: &[u8; 32]) -> [u8; 4] {
    let mut text = name.as_bytes().to_vec();
    text.extend([b'\n', algorithm]);
    text.extend(key);
    let Digest(digest) = Digest::of(&text);
    [digest[0], digest[1], digest[2], digest[3]]
}

pub(crate) fn origin_check(origin: &str) -> Result<(), Refusal> {
    let fits = (1..=ORIGIN_SIZE_MAX).contains(&origin.len());
    if fits && origin.bytes().all(|b| b.is_ascii_graphic() && b != b'+') {
        return Ok(());
    }
    Err(malformed(
        "an origin is 1 to 255 ASCII characters without space and `+`",
    ))
}

fn malformed(what: &str) -> Refusal {
    Refusal::one(
        "AN-TRU-050",
        format!("the checkpoint is malformed: {what}; fetch it again"),
    )
}
