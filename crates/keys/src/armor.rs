//! OpenSSH's texts, as people hand them around: a public key line, an armoured signature.
//!
//! In:    the text of a `.pub` or `.sig` file. Out: a public key with its scheme; the binary form.
//! Never: part of the verifier: what an envelope holds is binary, in one form.
//! See:   sshd(8) "AUTHORIZED_KEYS FILE FORMAT", OpenSSH `PROTOCOL.sshsig`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::key::{PublicKey, Scheme};
use crate::refusal::Refusal;
use crate::ssh;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

/// Longest text that is read. Bytes. Signatures of the largest kind have about 1 KiB.
pub const ARMOR_SIZE_MAX: usize = 16 * 1024;

/// Schemes of keys by OpenSSH; those that prove their holder before those that cannot.
const SCHEMES: [Scheme; 4] = [
    Scheme::SshEd25519,
    Scheme::SshEcdsaP256,
    Scheme::SshSkEd25519,
    Scheme::SshSkEcdsaP256,
];

/// The key in a line `TYPE BASE64 [COMMENT]`. A token's key is taken to prove its holder.
///
/// # Errors
/// It is no such line, or a key of a kind that is not taken (RSA, DSA, other curves).
pub fn public_line(line: &str) -> Result<(Scheme, PublicKey), Refusal> {
    let mut words = line.split_ascii_whitespace();
    let kind = words.next().unwrap_or_default();
    let public = PublicKey(words.next().unwrap_or_default().to_owned());
    let scheme = SCHEMES
        .into_iter()
        .find(|scheme| ssh::algorithm(*scheme) == Some(kind));
    match scheme.filter(|scheme| public.point(*scheme).is_some()) {
        Some(scheme) => Ok((scheme, public)),
        None => {
            let message = "no sound public key line of OpenSSH; ed25519, ecdsa-sha2-nistp256 and \
                           their sk- forms are taken";
            Err(Refusal::one("AN-TRU-044", message))
        }
    }
}

/// The line again, with a comment; none for schemes that are not OpenSSH's.
pub fn line_of(scheme: Scheme, public: &PublicKey, comment: &str) -> Option<String> {
    Some(format!(
        "{} {} {comment}",
        ssh::algorithm(scheme)?,
        public.0
    ))
}

/// The binary form of an armoured signature, as it stands in an envelope.
///
/// # Errors
/// It is not armoured so, or not base64.
pub fn dearmor(text: &str) -> Result<Vec<u8>, Refusal> {
    let inner = (text.len() <= ARMOR_SIZE_MAX)
        .then(|| text.trim().strip_prefix(BEGIN)?.strip_suffix(END))
        .flatten();
    let digits: String = inner.unwrap_or_default().split_ascii_whitespace().collect();
    match STANDARD.decode(&digits) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => {
            let message = "no armoured signature of `ssh-keygen -Y sign`; hand over its .sig file";
            Err(Refusal::one("AN-TRU-044", message))
        }
    }
}

/// The armoured form, as `ssh-keygen -Y verify` reads it.
pub fn armor(sig: &[u8]) -> String {
    let digits = STANDARD.encode(sig);
    let mut text = format!("{BEGIN}\n");
    for chunk in digits.as_bytes().chunks(70) {
        text.extend(chunk.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text + END + "\n"
}
