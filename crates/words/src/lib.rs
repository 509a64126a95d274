//! Signed statements as a person reads them before signing, in German and English.
//!
//! In:    a parsed statement, a language.
//! Out:   lines of text, the last with digits to compare by voice.
//! Never: decides anything; lets outside text look like a line of ours.
//! See:   docs/formats/statement.md, docs/guide/key-ceremony.md.

mod authority;
mod cells;

use anlauf_model::{Digest, Language};
use anlauf_trust::{Envelope, Statement};

pub use cells::{close, finding, release};

/// The statement as text of several lines.
pub fn statement(statement: &Statement, language: Language) -> String {
    let (lines, payload) = match statement {
        Statement::Release(it) => return release(it, language),
        Statement::Close(it) => return close(it, language),
        Statement::Finding(it) => return finding(it, language),
        Statement::Root(root) => (authority::root(root, language), root.to_payload()),
        Statement::Policy(policy) => (authority::policy(policy, language), policy.to_payload()),
        Statement::Delegation(list) => (authority::list(list, language), list.to_payload()),
    };
    let lines = lines.into_iter().chain([aloud(payload, language)]);
    lines.collect::<Vec<_>>().join("\n")
}

/// The line to read to one another. A payload has one envelope without signatures, and so one name.
fn aloud(payload: Vec<u8>, language: Language) -> String {
    let digits = fingerprint(&Envelope::unsigned(payload).digest());
    match language {
        Language::De => format!("Zum Vorlesen: {digits}"),
        Language::En => format!("To read aloud: {digits}"),
    }
}

/// Sixteen digits in groups of four, from an envelope's digest, to read out to one another.
///
/// 53 bits: two people on the telephone tell statements apart. Never used to decide.
pub fn fingerprint(digest: &Digest) -> String {
    let bytes = digest.0.first_chunk::<8>().expect("a digest has 32 bytes");
    let digits = format!(
        "{:016}",
        u64::from_be_bytes(*bytes) % 10_000_000_000_000_000
    );
    format!(
        "{} {} {} {}",
        &digits[..4],
        &digits[4..8],
        &digits[8..12],
        &digits[12..]
    )
}
