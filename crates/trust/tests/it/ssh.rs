//! Signatures by OpenSSH: real ones of `ssh-keygen`, and those of a token built in software.
//!
//! Broken by hand, each found by at least one of these: flags not looked at; namespace not
//! compared; the blob inside the signature not compared with the record's; a second spelling of a
//! scalar taken; software keys counted for the highest class.

use std::path::Path;
use std::process::{Command, Stdio};

use anlauf_model::landscape::Class;
use anlauf_model::{Role, Stage};
use anlauf_trust::armor::{armor, dearmor, line_of, public_line};
use anlauf_trust::statement::TYPE_RELEASE;
use anlauf_trust::{
    Authority, Envelope, Flaw, KeyId, KeyRecord, Message, Policy, PublicKey, Refusal, Release,
    Root, Scheme, Signature,
};
use proptest::prelude::*;

use crate::cast::{
    DOMAIN, RELEASE_SIGNERS, ROOT_SIGNERS, codes, facts, now, policy, record, release, root,
    sealed, signer,
};
use crate::token::{PRESENT, Token, VERIFIED};

const ALL: [Scheme; 6] = [
    Scheme::SshEd25519,
    Scheme::SshEcdsaP256,
    Scheme::SshSkEd25519,
    Scheme::SshSkEcdsaP256,
    Scheme::SshSkEd25519Touch,
    Scheme::SshSkEcdsaP256Touch,
];

fn message() -> Message {
    Message::of(
        &Envelope::unsigned(release().to_payload()),
        TYPE_RELEASE,
        DOMAIN,
    )
}

/// Runs OpenSSH's own program; gives what it printed.
fn keygen(folder: &Path, args: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    use std::io::Write;
    let mut child = Command::new("ssh-keygen")
        .args(args)
        .current_dir(folder)
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen is installed: apt-get install openssh-client");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let out = child.wait_with_output().unwrap();
    out.status.success().then_some(out.stdout)
}

fn judge(token: &Token, sig: &[u8]) -> Result<(), Flaw> {
    token.scheme.verify(&token.public(), &message(), sig)
}

#[test]
fn real_signatures_of_openssh_hold_and_are_bound() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, want) in [
        ("ed25519", Scheme::SshEd25519),
        ("ecdsa", Scheme::SshEcdsaP256),
    ] {
        let new = ["-q", "-t", kind, "-N", "", "-C", "sec-1", "-f", kind];
        keygen(folder.path(), &new, b"").unwrap();
        let line = std::fs::read_to_string(folder.path().join(format!("{kind}.pub"))).unwrap();
        let (scheme, public) = public_line(&line).unwrap();
        assert_eq!(scheme, want);
        assert_eq!(line_of(scheme, &public, "sec-1").unwrap(), line.trim());
        for hash in ["sha512", "sha256"] {
            let message = message();
            let option = format!("hashalg={hash}");
            let sign = [
                "-Y",
                "sign",
                "-f",
                kind,
                "-n",
                &message.namespace,
                "-O",
                &option,
            ];
            let text = keygen(folder.path(), &sign, &message.bytes).unwrap();
            let text = String::from_utf8(text).unwrap();
            let sig = dearmor(&text).unwrap();
            assert_eq!(armor(&sig), text);
            assert_eq!(scheme.verify(&public, &message, &sig), Ok(()));
            let other = Message {
                namespace: format!("close.v1@{DOMAIN}"),
                ..message.clone()
            };
            assert_eq!(scheme.verify(&public, &other, &sig), Err(Flaw::Foreign));
            let mut bytes = message.bytes.clone();
            bytes[40] ^= 1;
            let other = Message { bytes, ..message };
            assert_eq!(scheme.verify(&public, &other, &sig), Err(Flaw::Foreign));
        }
    }
}

#[test]
fn openssh_itself_takes_what_the_token_in_software_signs() {
    let folder = tempfile::tempdir().unwrap();
    for scheme in ALL {
        let mut token = Token::new(scheme, 33);
        let line = line_of(scheme, &token.public(), "").unwrap();
        std::fs::write(folder.path().join("allowed"), format!("sec-1 {line}\n")).unwrap();
        let message = message();
        let check = |token: &Token| {
            let text = armor(&token.sign(&message));
            std::fs::write(folder.path().join("sig"), text).unwrap();
            let ns = &message.namespace;
            let args = [
                "-Y", "verify", "-f", "allowed", "-I", "sec-1", "-n", ns, "-s", "sig",
            ];
            keygen(folder.path(), &args, &message.bytes).is_some()
        };
        assert!(check(&token), "{scheme:?}");
        assert_eq!(judge(&token, &token.sign(&message)), Ok(()));
        // This is why flags are ours to look at: OpenSSH takes a signature nobody touched for.
        token.flags = 0;
        assert!(check(&token), "{scheme:?}");
    }
}

#[test]
fn flags_are_demanded_by_the_class_of_the_key() {
    use Flaw::{Untouched, Unverified};
    let touch = [Err(Untouched), Ok(()), Err(Untouched), Ok(())];
    let verifying = [Err(Untouched), Err(Unverified), Err(Untouched), Ok(())];
    let flags = [0, PRESENT, VERIFIED, PRESENT | VERIFIED];
    for scheme in &ALL[2..] {
        let want = if scheme.is_verifying() {
            verifying
        } else {
            touch
        };
        for (flags, want) in flags.into_iter().zip(want) {
            let mut token = Token::new(*scheme, 40);
            token.flags = flags;
            assert_eq!(
                judge(&token, &token.sign(&message())),
                want,
                "{scheme:?} {flags}"
            );
        }
    }
}

#[test]
fn flags_cannot_be_added_afterwards() {
    for scheme in &ALL[2..] {
        let mut token = Token::new(*scheme, 41);
        token.flags = 0;
        let mut sig = token.sign(&message());
        // The flags stand before the counter, the last four bytes.
        let at = sig.len() - 5;
        sig[at] = PRESENT | VERIFIED;
        assert_eq!(judge(&token, &sig), Err(Flaw::Foreign));
    }
}

#[test]
fn a_token_for_another_application_is_no_key() {
    for scheme in &ALL[2..] {
        let mut token = Token::new(*scheme, 42);
        token.application = "https://example.org";
        assert_eq!(token.public().point(*scheme), None);
        assert_eq!(judge(&token, &token.sign(&message())), Err(Flaw::Foreign));
    }
}

#[test]
fn a_signature_of_another_key_is_foreign() {
    for scheme in ALL {
        let (ours, theirs) = (Token::new(scheme, 43), Token::new(scheme, 44));
        assert_eq!(judge(&ours, &theirs.sign(&message())), Err(Flaw::Foreign));
        // Their signature with our key written into it.
        let (from, to) = (theirs.blob(), ours.blob());
        let sig = theirs.sign(&message());
        let at = sig
            .windows(from.len())
            .position(|part| part == from)
            .unwrap();
        let forged = [&sig[..at], &to, &sig[at + from.len()..]].concat();
        assert_eq!(judge(&ours, &forged), Err(Flaw::Foreign));
        // Their signature under their own name.
        assert_eq!(judge(&ours, &sig), Err(Flaw::Foreign));
    }
}

#[test]
fn a_number_has_one_spelling() {
    for scheme in [Scheme::SshEcdsaP256, Scheme::SshSkEcdsaP256] {
        for seed in 1..20 {
            let mut token = Token::new(scheme, seed);
            assert_eq!(judge(&token, &token.sign(&message())), Ok(()));
            token.padded = true;
            let sig = token.sign(&message());
            assert_eq!(judge(&token, &sig), Err(Flaw::Foreign));
        }
    }
}

#[test]
fn one_secret_cannot_be_two_persons() {
    let token = Token::new(Scheme::SshSkEd25519, 45);
    let touch = Token::new(Scheme::SshSkEd25519Touch, 45);
    let mut root = root();
    root.keys
        .push(held("sec-2", "provider", Role::Security, &token));
    assert!(root_fits(&root).is_ok());
    root.keys
        .push(held("own-2", "provider", Role::Owner, &touch));
    let refusal = root_fits(&root).unwrap_err();
    assert!(refusal.has("AN-TRU-015"), "{refusal}");
    assert!(refusal.to_string().contains("occurs twice"), "{refusal}");
}

#[test]
fn words_and_files_agree() {
    let schemes = ALL.into_iter().chain([Scheme::Ed25519]);
    for scheme in schemes {
        assert_eq!(serde_json::to_value(scheme).unwrap(), scheme.word());
    }
}

#[test]
fn keys_that_are_not_taken_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for args in [["-t", "rsa"], ["-t", "ecdsa"]] {
        let bits = if args[1] == "rsa" { "2048" } else { "384" };
        let new = ["-q", args[0], args[1], "-b", bits, "-N", "", "-f", args[1]];
        keygen(folder.path(), &new, b"").unwrap();
        let line = std::fs::read_to_string(folder.path().join(format!("{}.pub", args[1])));
        assert_eq!(codes(public_line(&line.unwrap())), ["AN-TRU-044"]);
    }
    for text in [
        "",
        "-----BEGIN SSH SIGNATURE-----",
        "-----BEGIN SSH SIGNATURE-----\n!\n",
    ] {
        assert_eq!(codes(dearmor(text)), ["AN-TRU-044"]);
    }
}

// === who counts ===

fn held(name: &str, organisation: &str, role: Role, token: &Token) -> KeyRecord {
    KeyRecord {
        id: token.keyid(),
        scheme: token.scheme,
        public: token.public(),
        ..record(name, organisation, role, &signer("sec-1"))
    }
}

fn root_fits(root: &Root) -> Result<Authority, Refusal> {
    let envelope = sealed(root.to_payload(), &ROOT_SIGNERS);
    Authority::pinned(&envelope, &envelope.digest(), now())
}

/// Software keys for roots; for releases every person has the key given here. A real domain.
struct Real {
    authority: Authority,
    release: Release,
    tokens: Vec<(&'static str, Token)>,
}

fn real(schemes: [Scheme; 4], change: impl Fn(&mut Policy)) -> Real {
    let mut root = root();
    root.domain = "north".into();
    root.drill = false;
    let names = RELEASE_SIGNERS.into_iter().zip(schemes).zip(50..);
    let tokens: Vec<_> = names
        .map(|((name, scheme), seed)| (name, Token::new(scheme, seed)))
        .collect();
    for (name, token) in &tokens {
        let known = root
            .keys
            .iter()
            .find(|record| record.person.as_str() == *name);
        let known = known.unwrap().clone();
        root.keys.push(KeyRecord {
            id: token.keyid(),
            scheme: token.scheme,
            public: token.public(),
            ..known
        });
    }
    let mut authority = root_fits(&root).unwrap();
    let mut policy = policy();
    policy.domain = "north".into();
    change(&mut policy);
    let policy = sealed(policy.to_payload(), &ROOT_SIGNERS);
    authority.adopt_policy(&policy, now()).unwrap();
    let mut release = release();
    release.domain = "north".into();
    release.policy = policy.digest();
    Real {
        authority,
        release,
        tokens,
    }
}

impl Real {
    fn judge(&self, change: impl Fn(&mut Message)) -> Result<(), Refusal> {
        let mut envelope = Envelope::unsigned(self.release.to_payload());
        let mut message = Message::of(&envelope, TYPE_RELEASE, "north");
        change(&mut message);
        let signatures = self
            .tokens
            .iter()
            .map(|(_, token)| token.signature(&message));
        envelope.signatures = signatures.collect();
        let judged = self.authority.check_release(&envelope, &facts, now());
        judged.map(|_| ())
    }
}

const MIXED: [Scheme; 4] = [
    Scheme::SshEd25519,
    Scheme::SshEcdsaP256,
    Scheme::SshSkEd25519,
    Scheme::SshSkEcdsaP256,
];

#[test]
fn a_quorum_of_keys_people_have_opens_the_highest_class() {
    real(MIXED, |_| {}).judge(|_| {}).unwrap();
}

#[test]
fn a_quorum_for_another_kind_of_statement_does_not() {
    let found = real(MIXED, |_| {}).judge(|message| message.namespace = "root.v1@north".into());
    assert!(codes(found).ends_with(&["AN-TRU-033"; 4]));
}

#[test]
fn an_untouched_token_is_missing_and_told() {
    let mut real = real(MIXED, |_| {});
    real.tokens[2].1.flags = 0;
    let refusal = real.judge(|_| {}).unwrap_err();
    assert!(
        refusal.has("AN-TRU-030") && refusal.has("AN-TRU-038"),
        "{refusal}"
    );
    real.tokens[2].1.flags = PRESENT;
    let refusal = real.judge(|_| {}).unwrap_err();
    assert!(
        refusal.has("AN-TRU-030") && refusal.has("AN-TRU-039"),
        "{refusal}"
    );
}

#[test]
fn software_keys_open_nothing_of_the_highest_class_outside_a_rehearsal() {
    let real = real(MIXED, |_| {});
    let envelope = sealed(real.release.to_payload(), &RELEASE_SIGNERS);
    let refusal = real
        .authority
        .check_release(&envelope, &facts, now())
        .unwrap_err();
    assert!(
        refusal.has("AN-TRU-030") && refusal.has("AN-TRU-042"),
        "{refusal}"
    );
    // A lower class opens with them, and closing always works.
    let mut lower = real.release.clone();
    lower.cells[0].cell = crate::cast::cell("bkk-amsel/web");
    lower.stage = Stage::Full;
    let envelope = sealed(lower.to_payload(), &["sec-1", "amsel-1"]);
    real.authority
        .check_release(&envelope, &facts, now())
        .unwrap();
    let mut close = crate::cast::close(anlauf_trust::Scope::Everything);
    close.domain = "north".into();
    let envelope = sealed(close.to_payload(), &["auto-1"]);
    real.authority
        .check_close(&envelope, &facts, now())
        .unwrap();
}

#[test]
fn distinct_origins_are_counted_one_per_person() {
    let asks = |count| {
        move |policy: &mut Policy| {
            for rule in &mut policy.rules {
                rule.origins_min = if rule.class == Class::A { count } else { 0 };
            }
        }
    };
    real(MIXED, asks(2)).judge(|_| {}).unwrap();
    let three = real(MIXED, asks(3)).judge(|_| {});
    assert_eq!(codes(three), ["AN-TRU-043"]);
    let same = real([Scheme::SshSkEd25519; 4], asks(2)).judge(|_| {});
    assert_eq!(codes(same), ["AN-TRU-043"]);
    // A second device of one person is no second origin beside the same of the others.
    let mut spare = real([Scheme::SshSkEd25519; 4], asks(2));
    spare.tokens.truncate(4);
    let refusal = spare.judge(|_| {}).unwrap_err();
    assert!(refusal.has("AN-TRU-043"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// No byte of a signature may be another one, none may be missing or more.
    #[test]
    fn any_change_breaks_a_signature(scheme in 0..6usize, at in 0..700usize, bit in 0..8u32) {
        let token = Token::new(ALL[scheme], 46);
        let whole = token.sign(&message());
        let mut changed = whole.clone();
        let at = at % whole.len();
        changed[at] ^= 1 << bit;
        prop_assert!(judge(&token, &changed).is_err());
        prop_assert!(judge(&token, &whole[..at]).is_err());
        let longer = [&whole[..], &[0]].concat();
        prop_assert!(judge(&token, &longer).is_err());
    }

    /// Whatever comes as a key or signature: an answer, never a panic.
    #[test]
    fn any_bytes_are_answered(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        n in 0..6usize,
    ) {
        let token = Token::new(ALL[n], 47);
        prop_assert!(judge(&token, &bytes).is_err());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let public = PublicKey(text);
        prop_assert_eq!(public.point(ALL[n]), None);
        let headed = [b"SSHSIG\0\0\0\x01", &bytes[..]].concat();
        prop_assert!(judge(&token, &headed).is_err());
    }
}

#[test]
fn an_id_says_scheme_and_key() {
    let token = Token::new(Scheme::SshSkEd25519, 48);
    let touch = KeyId::of(Scheme::SshSkEd25519Touch, &token.public());
    assert_ne!(token.keyid(), touch);
    let message = message();
    let sig: Signature = token.signature(&message);
    assert_eq!(sig.keyid, token.keyid());
}
