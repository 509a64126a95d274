//! Passkeys: judges an assertion that a browser made with a WebAuthn authenticator.
//!
//! In:    scheme and text of a public key, message, an assertion as it stands in an envelope.
//! Out:   nothing, or the [`Flaw`].
//! Never: takes relying party or origin from the assertion; believes a counter.
//! See:   WebAuthn Level 2 §7.2, §6.1, §5.8.1; docs/formats/statement.md, "Passkeys"; ADR 023.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::key::{Flaw, PublicKey, Scheme};
use crate::point::{Point, held};
use crate::ssh::{Reader, positive};
use crate::strict;

/// First bytes of an assertion in an envelope; another layout gets another number.
const MAGIC: &[u8] = b"anlauf-webauthn/1\0";

/// Longest client data that is read. Bytes; browsers write about 150.
const CLIENT_DATA_SIZE_MAX: usize = 2_048;

/// Most origins of one key: a provider's page and a tenant's.
const ORIGIN_COUNT_MAX: usize = 4;

/// Authenticator data without attested key and extensions: hash of the relying party, flags,
/// counter.
const AUTHENTICATOR_DATA_SIZE: usize = 37;

/// Flags that announce further data, which an assertion for us never has.
const FLAGS_FURTHER: u8 = 0xc0;

/// A passkey as its record pins it: the point, whose page may ask it, and nothing else.
#[derive(Debug)]
pub(crate) struct Passkey<'t> {
    pub(crate) point: Point,
    /// The relying party (WebAuthn §5.1.2, a domain).
    relying_party: &'t str,
    /// Pages that may ask, `https://sign.example`.
    origins: Vec<&'t str>,
}

/// What the browser says it asked for (WebAuthn §5.8.1). Fields that are not ours may stand beside,
/// as the standard demands of readers; none may come twice.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin")]
    cross_origin: bool,
    #[serde(rename = "topOrigin")]
    top_origin: Option<serde::de::IgnoredAny>,
}

/// An assertion: what the browser hands over, in one byte form.
struct Assertion<'b> {
    authenticator_data: &'b [u8],
    client_data: &'b [u8],
    signature: &'b [u8],
}

/// The text of a passkey in a key record: the point in hex, its relying party, its origins.
pub fn passkey_text(point: &[u8], relying_party: &str, origins: &[&str]) -> PublicKey {
    let mut words = vec![hex::encode(point), relying_party.to_owned()];
    words.extend(origins.iter().map(ToString::to_string));
    PublicKey(words.join(" "))
}

/// The relying party that a passkey's record pins; none when it is no sound passkey.
pub fn relying_party(scheme: Scheme, public: &PublicKey) -> Option<&str> {
    passkey(scheme, &public.0).map(|key| key.relying_party)
}

/// An assertion as it stands in an envelope: each part with its length in front.
pub fn assertion_bytes(authenticator_data: &[u8], client_data: &[u8], sig: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for part in [authenticator_data, client_data, sig] {
        out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend(part);
    }
    out
}

/// Takes a sound passkey out of its text, which has one form.
pub(crate) fn passkey(scheme: Scheme, text: &str) -> Option<Passkey<'_>> {
    let mut words = text.split(' ');
    let digits = words.next()?;
    let point = hex::decode(digits).ok()?;
    let point = match scheme {
        Scheme::WebauthnEs256 | Scheme::WebauthnEs256Touch => Point::p256(&point)?,
        Scheme::WebauthnEd25519 | Scheme::WebauthnEd25519Touch => Point::ed25519(&point)?,
        _ => return None,
    };
    let relying_party = words.next().filter(|name| is_domain(name))?;
    let origins: Vec<_> = words.collect();
    let is_lower = !digits.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_few = (1..=ORIGIN_COUNT_MAX).contains(&origins.len());
    let is_apart = origins.windows(2).all(|pair| pair[0] < pair[1]);
    let is_own = origins.iter().all(|origin| belongs(origin, relying_party));
    (is_lower && is_few && is_apart && is_own).then_some(Passkey {
        point,
        relying_party,
        origins,
    })
}

fn is_domain(name: &str) -> bool {
    let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    (1..=253).contains(&name.len())
        && name.bytes().all(legal)
        && !name.split('.').any(str::is_empty)
}

/// Whether an origin is of the relying party and encrypted; a page on the signer's own machine is
/// encrypted enough (WebAuthn §5.1.2, W3C Secure Contexts §3.1).
fn belongs(origin: &str, relying_party: &str) -> bool {
    let (host, is_safe) = match (origin.strip_prefix("https://"), relying_party) {
        (Some(host), _) => (host, true),
        (None, "localhost") => (origin.strip_prefix("http://").unwrap_or_default(), true),
        (None, _) => ("", false),
    };
    let (host, port) = host
        .split_once(':')
        .map_or((host, None), |(h, p)| (h, Some(p)));
    let is_port = |port: &str| {
        port.parse::<u16>()
            .is_ok_and(|number| number > 0 && number.to_string() == port)
    };
    let is_own = host == relying_party
        || host
            .strip_suffix(relying_party)
            .is_some_and(|rest| rest.ends_with('.'));
    is_safe && is_own && is_domain(host) && port.is_none_or(is_port)
}

/// Judges an assertion of the passkey in `text`.
pub(crate) fn verify(scheme: Scheme, text: &str, message: &[u8], sig: &[u8]) -> Result<(), Flaw> {
    let key = passkey(scheme, text).ok_or(Flaw::Foreign)?;
    let flags = check(&key, message, sig).ok_or(Flaw::Foreign)?;
    held(flags, scheme.is_verifying())
}

/// The flags of an assertion that holds.
fn check(key: &Passkey<'_>, message: &[u8], sig: &[u8]) -> Option<u8> {
    let assertion = assertion(sig)?;
    let client = client_data(assertion.client_data)?;
    let is_asked = client.kind == "webauthn.get"
        && client.challenge == challenge(message)
        && key.origins.contains(&client.origin.as_str())
        && !client.cross_origin
        && client.top_origin.is_none();
    let data: &[u8; AUTHENTICATOR_DATA_SIZE] = assertion.authenticator_data.try_into().ok()?;
    let flags = data[32];
    let is_ours = data[..32] == Sha256::digest(key.relying_party)[..];
    // The counter (data[33..]) is signed and not judged: passkeys that are kept on several devices
    // count zero, and a cloned key is what revocation is for.
    let signed = [data, &Sha256::digest(assertion.client_data)[..]].concat();
    let holds = key
        .point
        .holds(&signed, assertion.signature, p256_signature);
    (is_asked && is_ours && flags & FLAGS_FURTHER == 0 && holds).then_some(flags)
}

/// What a passkey is asked to sign for a message: unpadded base64url of its SHA-256.
pub fn challenge(message: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(message))
}

fn assertion(sig: &[u8]) -> Option<Assertion<'_>> {
    let mut reader = Reader(sig.strip_prefix(MAGIC)?);
    let assertion = Assertion {
        authenticator_data: reader.string()?,
        client_data: reader.string()?,
        signature: reader.string()?,
    };
    reader.end()?;
    (assertion.client_data.len() <= CLIENT_DATA_SIZE_MAX).then_some(assertion)
}

fn client_data(bytes: &[u8]) -> Option<ClientData> {
    strict::parse(bytes).ok()
}

/// The two numbers of an `Ecdsa-Sig-Value` in DER (RFC 3279 §2.2.3): short lengths only, each
/// number in its one shortest form.
fn p256_signature(raw: &[u8]) -> Option<p256::ecdsa::Signature> {
    let (&[0x30, size], rest) = raw.split_first_chunk()? else {
        return None;
    };
    if usize::from(size) != rest.len() || size >= 0x80 {
        return None;
    }
    let (r, rest) = integer(rest)?;
    let (s, rest) = integer(rest)?;
    let sig = rest
        .is_empty()
        .then(|| p256::ecdsa::Signature::from_scalars(r, s))?;
    sig.ok()
}

/// A positive INTEGER of at most 256 bits, and what follows it.
fn integer(bytes: &[u8]) -> Option<([u8; 32], &[u8])> {
    let (&[0x02, size], rest) = bytes.split_first_chunk()? else {
        return None;
    };
    let (number, rest) = rest.split_at_checked(usize::from(size))?;
    Some((positive(number)?, rest))
}
