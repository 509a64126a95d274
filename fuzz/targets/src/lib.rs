//! What must hold for any bytes from outside, one function per parser.
//!
//! In:    bytes. Out: nothing; a panic is a finding.
//! Never: a clock, a disk or chance: the same bytes do the same.
//! See:   fuzz/README.md (long runs), tests/mutation.rs (bounded runs in CI).

use std::collections::BTreeMap;

use anlauf_gate::proxy_protocol::{BLOCK_SIZE_MAX, Header, header};
use anlauf_gate::smtp::{Chunks, Command, Content, Found, Line, command, line};
use anlauf_model::landscape::source;
use anlauf_model::{Digest, Timestamp};
use anlauf_transparency::cosignature::Policy;
use anlauf_transparency::proof::Proof;
use anlauf_transparency::tile::bundle_parse;
use anlauf_transparency::witness::Request;
use anlauf_trust::armor::{armor, dearmor, public_line};
use anlauf_trust::webauthn::{assertion_bytes, passkey_text, relying_party};
use anlauf_trust::{
    Authority, Checkpoint, Close, Envelope, Leaf, Message, PublicKey, Release, Scheme, Statement,
};

/// A parser under test.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also its folder of seeds.
pub const TARGETS: [(&str, Target); 10] = [
    ("envelope", envelope),
    ("sshsig", sshsig),
    ("webauthn", webauthn),
    ("checkpoint", checkpoint),
    ("proof", proof),
    ("root_chain", root_chain),
    ("landscape", landscape),
    ("witness", witness),
    ("smtp", smtp),
    ("proxy_protocol", proxy_protocol),
];

/// An envelope, and the statement inside: what is read is written again as it was.
pub fn envelope(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::parse(bytes) {
        let again = Envelope::parse(&envelope.to_bytes()).expect("what we write, we read");
        assert_eq!(again, envelope);
        statement(&envelope.payload);
    }
    statement(bytes);
}

fn statement(bytes: &[u8]) {
    let Ok(statement) = Statement::parse(bytes) else {
        return;
    };
    let written = match &statement {
        Statement::Root(root) => root.to_payload(),
        Statement::Policy(policy) => policy.to_payload(),
        Statement::Delegation(list) => list.to_payload(),
        Statement::Finding(finding) => finding.to_payload(),
        Statement::Release(release) => release.to_payload(),
        Statement::Close(close) => close.to_payload(),
    };
    assert_eq!(written, bytes, "one statement has one byte form");
    // A statement is of one kind only.
    let kinds = [Release::parse(bytes).is_ok(), Close::parse(bytes).is_ok()];
    assert!(kinds.iter().filter(|is| **is).count() <= 1);
}

/// A public key line, an armoured signature, a binary one: no bytes sign what was never signed.
pub fn sshsig(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok((scheme, public)) = public_line(&text) {
        assert!(public.point(scheme).is_some());
    }
    let sig = dearmor(&text).unwrap_or_else(|_| bytes.to_vec());
    assert_eq!(dearmor(&armor(&sig)).unwrap_or_default(), sig);
    let message = Message {
        bytes: b"never signed by anyone".to_vec(),
        namespace: "release.v1@drill-fuzz".into(),
    };
    for (scheme, key) in keys_inside(&sig) {
        assert!(scheme.verify(&key, &message, &sig).is_err());
    }
}

/// A passkey's text and an assertion: one text per key, no bytes sign what was never signed.
pub fn webauthn(bytes: &[u8]) {
    let schemes = [
        Scheme::WebauthnEs256,
        Scheme::WebauthnEd25519,
        Scheme::WebauthnEs256Touch,
        Scheme::WebauthnEd25519Touch,
    ];
    let message = Message {
        bytes: b"never signed by anyone".to_vec(),
        namespace: String::new(),
    };
    let text = String::from_utf8_lossy(bytes);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let key = PublicKey(first.to_owned());
    for scheme in schemes {
        assert!(scheme.verify(&key, &message, bytes).is_err());
        // The client data of a seed, around which nothing was signed.
        let data = [0; 37];
        let sig = assertion_bytes(&data, rest.as_bytes(), &bytes[..bytes.len().min(64)]);
        assert!(scheme.verify(&key, &message, &sig).is_err());
        if let (Some(point), Some(party)) = (key.point(scheme), relying_party(scheme, &key)) {
            let origins: Vec<_> = first.split(' ').skip(2).collect();
            assert_eq!(passkey_text(&point, party, &origins), key);
        }
    }
}

/// The key that a signature claims to be of, as every scheme it could be.
fn keys_inside(sig: &[u8]) -> Vec<(Scheme, PublicKey)> {
    let Some(rest) = sig.strip_prefix(b"SSHSIG\0\0\0\x01") else {
        return Vec::new();
    };
    let Some((size, rest)) = rest.split_first_chunk::<4>() else {
        return Vec::new();
    };
    let size = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX);
    let Some(blob) = rest.get(..size) else {
        return Vec::new();
    };
    let schemes = [
        Scheme::SshEd25519,
        Scheme::SshEcdsaP256,
        Scheme::SshSkEd25519,
        Scheme::SshSkEcdsaP256,
        Scheme::SshSkEd25519Touch,
        Scheme::SshSkEcdsaP256Touch,
    ];
    let key = PublicKey::of_blob(blob);
    schemes.map(|scheme| (scheme, key.clone())).to_vec()
}

/// A signed tree head: what a stranger's key did not sign is not believed.
pub fn checkpoint(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let stranger =
        PublicKey("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".into());
    for origin in ["anlauf/drill-test", "a"] {
        assert!(Checkpoint::verify(&text, origin, &stranger).is_err());
    }
    if let Ok(leaf) = Leaf::parse(bytes) {
        assert_eq!(leaf.to_bytes(), bytes);
    }
    if let Ok(policy) = Policy::parse(&text, 1) {
        assert!(2 * policy.quorum > policy.witnesses.len() + 1);
    }
}

/// Proofs and bundles: what is read is written again as it was.
pub fn proof(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(proof) = Proof::parse(&text) {
        assert_eq!(proof.to_text(), text);
        let head = Checkpoint {
            origin: "a".into(),
            size: 8,
            root: Digest([0; 32]),
        };
        assert!(proof.verify(&Digest([1; 32]), &head).is_err());
    }
    if let Ok(entries) = bundle_parse(bytes) {
        let size: usize = entries.iter().map(|entry| entry.len() + 2).sum();
        assert_eq!(size, bytes.len());
    }
}

/// A request to a witness that knows no log.
pub fn witness(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(request) = Request::parse(&text) {
        assert_eq!(request.to_text(), text);
        assert!(request.judge(&BTreeMap::new(), &|_| None).is_err());
    }
}

/// Roots and policies, one per line: nothing but the pinned chain is followed.
pub fn root_chain(bytes: &[u8]) {
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let chain: Vec<Envelope> = lines.map_while(|line| Envelope::parse(line).ok()).collect();
    let Some(first) = chain.first() else {
        return;
    };
    let pin = first.digest();
    let now = Timestamp(1_777_032_000_000);
    let Ok(mut authority) = Authority::pinned(first, &pin, now) else {
        return;
    };
    assert!(Authority::pinned(first, &Digest([7; 32]), now).is_err());
    for next in &chain[1..] {
        let before = authority.clone();
        let moved =
            authority.advance_root(next, now).is_ok() || authority.adopt_policy(next, now).is_ok();
        assert_eq!(moved, authority != before, "a refusal changes nothing");
        let version = authority.root().version;
        assert!(version == before.root().version || version == before.root().version + 1);
    }
}

/// Files of a landscape: `@NAME` begins the next one.
pub fn landscape(bytes: &[u8]) {
    let mut files = BTreeMap::new();
    let text = String::from_utf8_lossy(bytes);
    for part in text.split("\n@") {
        let (name, body) = part.split_once('\n').unwrap_or((part, ""));
        files.insert(
            name.trim_start_matches('@').to_owned(),
            body.as_bytes().to_vec(),
        );
    }
    let read = source::read(&files);
    assert!(read.is_ok() || read.is_err_and(|errors| !errors.is_empty()));
}

/// What an SMTP client says: lines are read in one way, no text hides a second message.
pub fn smtp(bytes: &[u8]) {
    let mut rest = bytes;
    while let Line::Whole(text, size) = line(rest) {
        assert!(!text.iter().any(|byte| b"\r\n\0".contains(byte)));
        smtp_command(text);
        rest = &rest[size..];
    }
    let (out, found) = smtp_text(bytes, bytes.len().max(1));
    for step in [1, 3, 64] {
        let (pieces, same) = smtp_text(bytes, step);
        assert_eq!(found, same, "pieces are read like the whole");
        if !matches!(found, Found::Bad(_)) {
            assert_eq!(out, pieces);
        }
    }
    assert!(!smtp_hides(&out), "a second message in the first");
    let mut chunks = Chunks::default();
    let mut out = Vec::new();
    let written = bytes
        .chunks(5)
        .try_for_each(|piece| chunks.write(piece, &mut out));
    if written.is_ok() && chunks.finish(&mut out).is_ok() {
        assert!(!smtp_hides(&out));
        let lines = out.split_inclusive(|byte| *byte == b'\n');
        let plain: Vec<u8> = lines
            .flat_map(|line| line.strip_prefix(b".").unwrap_or(line))
            .copied()
            .collect();
        let end = plain
            .strip_prefix(bytes)
            .expect("what comes out is what went in");
        assert!(end.is_empty() || end == b"\r\n");
    }
}

fn smtp_command(text: &[u8]) {
    match command(text) {
        Ok(Command::Recipient(to)) => {
            assert!(!to.path.contains(['<', '>', '\\']) && !to.path.contains(char::is_control));
            let domain = to.path.rsplit_once('@').map_or("", |(_, domain)| domain);
            assert_eq!(to.domain, domain.to_lowercase());
            assert!(to.path.matches('@').count() <= 1, "one reading only");
        }
        Ok(Command::Mail(from)) => {
            assert!(!from.path.contains(['<', '>', '\\']) && !from.path.contains(char::is_control));
            assert!(from.is_utf8 || from.path.is_ascii());
        }
        Ok(_) => {}
        Err(reply) => {
            assert!(reply.code >= 500);
            let mut out = Vec::new();
            reply.write(&mut out);
            assert!(matches!(line(&out), Line::Whole(_, size) if size == out.len()));
        }
    }
}

/// What goes on of a text that arrives in pieces, and how it ends.
fn smtp_text(bytes: &[u8], step: usize) -> (Vec<u8>, Found) {
    let (mut content, mut held, mut out) = (Content::default(), Vec::new(), Vec::new());
    for piece in bytes.chunks(step) {
        held.extend_from_slice(piece);
        let (count, found) = content.look(&held);
        out.extend(held.drain(..count));
        if found != Found::More {
            return (out, found);
        }
        assert!(held.len() < 3, "no more than a line end is kept");
    }
    (out, Found::More)
}

/// Whether a server could see the end of a message in it, however lax it is.
fn smtp_hides(text: &[u8]) -> bool {
    let is_bare = |(at, byte): (usize, &u8)| match byte {
        b'\n' => at == 0 || text[at - 1] != b'\r',
        b'\r' => text.get(at + 1).is_some_and(|next| *next != b'\n'),
        _ => false,
    };
    text.iter().enumerate().any(is_bare)
        || text.starts_with(b".\r\n")
        || text.windows(5).any(|five| five == b"\r\n.\r\n")
}

/// The header in front of a connection: the same in whatever pieces it comes and whatever follows,
/// of bounded size, and a client in it is one that a proxy can write.
pub fn proxy_protocol(bytes: &[u8]) {
    let whole = header(bytes);
    let Ok(Some((found, size))) = whole else {
        // What cannot become one does not become one when more comes.
        let more = [bytes, b"\r\n"].concat();
        assert!(whole.is_ok() || header(&more) == whole);
        return;
    };
    assert!(size <= bytes.len() && size <= BLOCK_SIZE_MAX);
    for end in 0..size {
        assert_eq!(header(&bytes[..end]), Ok(None));
    }
    assert_eq!(header(&bytes[..size]), whole);
    if let Header::Client { source, target } = found {
        assert_eq!(source.is_ipv4(), target.is_ipv4());
        let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
        let (from, to) = (source.port(), target.port());
        let line = format!(
            "PROXY {family} {} {} {from} {to}\r\n",
            source.ip(),
            target.ip()
        );
        assert_eq!(header(line.as_bytes()), Ok(Some((found, line.len()))));
    }
}
