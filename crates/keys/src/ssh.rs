//! Signatures that OpenSSH makes: with key files, from agents, on FIDO2 tokens.
//!
//! In:    scheme and blob of a public key, message, namespace, an `SSHSIG` blob.
//! Out:   nothing, or the [`Flaw`].
//! Never: leaves the flags of a token to OpenSSH, which takes a signature that nobody touched for.
//! See:   OpenSSH `PROTOCOL.sshsig`, `PROTOCOL.u2f`; RFC 4251 §5, RFC 5656 §3.1, RFC 8709 §4.

use sha2::{Digest as _, Sha256, Sha512};

use crate::key::{Flaw, Scheme};
use crate::point::{Point, held};

/// First bytes of every signature, and of the bytes it is over.
const MAGIC: &[u8] = b"SSHSIG";

/// A public key taken out of its blob.
pub(crate) struct Key<'b> {
    pub(crate) point: Point,
    /// What a token signs for, `ssh:…`; none for keys in files.
    application: Option<&'b [u8]>,
}

/// Reads the types of RFC 4251 §5; none at the first byte that does not fit.
pub(crate) struct Reader<'b>(pub(crate) &'b [u8]);

/// The name OpenSSH gives to keys and signatures of a scheme; none for schemes of others.
pub(crate) fn algorithm(scheme: Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::Ed25519
        | Scheme::WebauthnEs256
        | Scheme::WebauthnEd25519
        | Scheme::WebauthnEs256Touch
        | Scheme::WebauthnEd25519Touch => None,
        Scheme::SshEd25519 => Some("ssh-ed25519"),
        Scheme::SshEcdsaP256 => Some("ecdsa-sha2-nistp256"),
        Scheme::SshSkEd25519 | Scheme::SshSkEd25519Touch => Some("sk-ssh-ed25519@openssh.com"),
        Scheme::SshSkEcdsaP256 | Scheme::SshSkEcdsaP256Touch => {
            Some("sk-ecdsa-sha2-nistp256@openssh.com")
        }
    }
}

/// Takes a sound key out of its blob; nothing may stand before, between or behind.
pub(crate) fn key(scheme: Scheme, blob: &[u8]) -> Option<Key<'_>> {
    let mut reader = Reader(blob);
    reader.expect(algorithm(scheme)?.as_bytes())?;
    let (is_p256, is_token) = match scheme {
        Scheme::SshEd25519 => (false, false),
        Scheme::SshEcdsaP256 => (true, false),
        Scheme::SshSkEd25519 | Scheme::SshSkEd25519Touch => (false, true),
        Scheme::SshSkEcdsaP256 | Scheme::SshSkEcdsaP256Touch => (true, true),
        _ => return None,
    };
    let point = if is_p256 {
        reader.expect(b"nistp256")?;
        Point::p256(reader.string()?)?
    } else {
        Point::ed25519(reader.string()?)?
    };
    let application = if is_token {
        // Another application is another program's: a web login must not sign here.
        Some(reader.string()?)
            .filter(|text| text.starts_with(b"ssh:"))?
            .into()
    } else {
        None
    };
    reader.end()?;
    Some(Key { point, application })
}

/// Judges a binary `SSHSIG` of the key in `blob`.
pub(crate) fn verify(
    scheme: Scheme,
    blob: &[u8],
    namespace: &str,
    message: &[u8],
    sig: &[u8],
) -> Result<(), Flaw> {
    let key = key(scheme, blob).ok_or(Flaw::Foreign)?;
    let flags = check(scheme, &key, (blob, namespace, message), sig).ok_or(Flaw::Foreign)?;
    match key.application {
        Some(_) => held(flags, scheme.is_verifying()),
        None => Ok(()),
    }
}

/// The flags of a signature that holds; 0 for keys in files.
fn check(
    scheme: Scheme,
    key: &Key<'_>,
    (blob, namespace, message): (&[u8], &str, &[u8]),
    sig: &[u8],
) -> Option<u8> {
    let mut outer = Reader(sig.strip_prefix(MAGIC)?);
    let is_version = outer.number()? == 1;
    outer.expect(blob)?;
    outer.expect(namespace.as_bytes())?;
    outer.expect(b"")?;
    let hash = outer.string()?;
    let digest = match hash {
        b"sha512" => Sha512::digest(message).to_vec(),
        b"sha256" => Sha256::digest(message).to_vec(),
        _ => return None,
    };
    let mut inner = Reader(outer.string()?);
    outer.end()?;
    inner.expect(algorithm(scheme)?.as_bytes())?;
    let raw = inner.string()?;
    let mut signed = MAGIC.to_vec();
    for part in [namespace.as_bytes(), b"", hash, &digest] {
        signed.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        signed.extend(part);
    }
    let mut flags = 0;
    if let Some(application) = key.application {
        flags = inner.byte()?;
        let counter = inner.number()?.to_be_bytes();
        let parts = [&Sha256::digest(application)[..], &[flags], &counter];
        signed = [parts.concat(), Sha256::digest(&signed).to_vec()].concat();
    }
    inner.end()?;
    (is_version && key.point.holds(&signed, raw, p256_signature)).then_some(flags)
}

/// The two numbers of RFC 5656 §3.1.2.
fn p256_signature(raw: &[u8]) -> Option<p256::ecdsa::Signature> {
    let mut reader = Reader(raw);
    let (r, s) = (reader.scalar()?, reader.scalar()?);
    reader.end()?;
    p256::ecdsa::Signature::from_scalars(r, s).ok()
}

/// A positive number of at most 256 bits out of its one shortest form, as RFC 4251 and DER write
/// it alike: the highest bit set means negative, a zero in front says that it is not meant.
pub(crate) fn positive(digits: &[u8]) -> Option<[u8; 32]> {
    let digits = match digits {
        [0, rest @ ..] if rest.first()? & 0x80 != 0 => rest,
        [0 | 0x80..=0xff, ..] => return None,
        whole => whole,
    };
    let mut out = [0; 32];
    out.get_mut(32usize.checked_sub(digits.len())?..)?
        .copy_from_slice(digits);
    Some(out)
}

impl<'b> Reader<'b> {
    fn take(&mut self, size: usize) -> Option<&'b [u8]> {
        let (head, tail) = self.0.split_at_checked(size)?;
        self.0 = tail;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(crate) fn string(&mut self) -> Option<&'b [u8]> {
        let size = usize::try_from(self.number()?).ok()?;
        self.take(size)
    }

    fn expect(&mut self, want: &[u8]) -> Option<()> {
        (self.string()? == want).then_some(())
    }

    /// A positive number of at most 256 bits, in its one shortest form.
    fn scalar(&mut self) -> Option<[u8; 32]> {
        positive(self.string()?)
    }

    pub(crate) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
