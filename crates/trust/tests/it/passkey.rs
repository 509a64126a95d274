//! Passkeys: an authenticator and a browser in software, and everything that must not hold.
//!
//! It writes client data, authenticator data and DER by itself (WebAuthn Level 2 §5.8.1, §6.1,
//! §6.5.5) and shares no code with what is tested.
//!
//! Broken by hand, each found here: the challenge not compared; the origin not compared; the
//! relying party not compared; flags not looked at; `type` not looked at; cross-origin taken.

use anlauf_model::{Role, Stage};
use anlauf_trust::statement::TYPE_RELEASE;
use anlauf_trust::webauthn::{assertion_bytes, passkey_text, relying_party};
use anlauf_trust::{
    Authority, Envelope, Flaw, KeyId, KeyRecord, Message, Origin, PublicKey, Refusal, Release,
    Scheme, Signature,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer as _;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::cast::{DOMAIN, codes, facts, now, policy, record, release, root, sealed, signer};
use crate::token::{PRESENT, VERIFIED, string};

const ALL: [Scheme; 4] = [
    Scheme::WebauthnEs256,
    Scheme::WebauthnEd25519,
    Scheme::WebauthnEs256Touch,
    Scheme::WebauthnEd25519Touch,
];

const PARTY: &str = "sign.provider.example";
const PAGE: &str = "https://sign.provider.example";

enum Secret {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

/// What an authenticator and the browser in front of it say.
struct Passkey {
    scheme: Scheme,
    secret: Secret,
    party: String,
    flags: u8,
    counter: u32,
    /// Behind the counter.
    extension: Vec<u8>,
    kind: String,
    origin: String,
    /// The rest of the client data, behind the origin.
    rest: String,
    /// Writes numbers with a zero too many.
    padded: bool,
}

fn message_of(release: &Release) -> Message {
    let envelope = Envelope::unsigned(release.to_payload());
    Message::of(&envelope, TYPE_RELEASE, DOMAIN)
}

fn message() -> Message {
    message_of(&release())
}

fn der(parts: &[&[u8]], padded: bool) -> Vec<u8> {
    let mut inner = Vec::new();
    for part in parts {
        let rest = &part[part.iter().take_while(|digit| **digit == 0).count()..];
        let zeros = usize::from(rest.first().is_some_and(|digit| digit & 0x80 != 0));
        let number = [&[0u8; 2][..zeros + usize::from(padded)], rest].concat();
        inner.extend([0x02, u8::try_from(number.len()).unwrap()]);
        inner.extend(number);
    }
    [&[0x30, u8::try_from(inner.len()).unwrap()][..], &inner].concat()
}

impl Passkey {
    fn new(scheme: Scheme, seed: u8) -> Self {
        let is_p256 = matches!(scheme, Scheme::WebauthnEs256 | Scheme::WebauthnEs256Touch);
        let secret = match is_p256 {
            true => Secret::P256(p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()),
            false => Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[seed; 32])),
        };
        Self {
            scheme,
            secret,
            party: PARTY.into(),
            flags: PRESENT | VERIFIED,
            counter: 7,
            extension: Vec::new(),
            kind: "webauthn.get".into(),
            origin: PAGE.into(),
            rest: ",\"crossOrigin\":false".into(),
            padded: false,
        }
    }

    fn point(&self) -> Vec<u8> {
        match &self.secret {
            Secret::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
            Secret::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    fn public(&self) -> PublicKey {
        PublicKey(format!("{} {PARTY} {PAGE}", hex::encode(self.point())))
    }

    fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Ed25519(key) => key.sign(bytes).to_bytes().to_vec(),
            Secret::P256(key) => {
                let sig: p256::ecdsa::Signature = key.sign(bytes);
                let (r, s) = sig.split_bytes();
                der(&[&r, &s], self.padded)
            }
        }
    }

    fn client_data(&self, message: &Message) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&message.bytes));
        let (kind, origin, rest) = (&self.kind, &self.origin, &self.rest);
        format!(
            "{{\"type\":\"{kind}\",\"challenge\":\"{challenge}\",\"origin\":\"{origin}\"{rest}}}"
        )
    }

    fn assert(&self, client: &str) -> Vec<u8> {
        let mut data = Sha256::digest(self.party.as_bytes()).to_vec();
        data.push(self.flags);
        data.extend(self.counter.to_be_bytes());
        data.extend(&self.extension);
        let signed = [&data[..], &Sha256::digest(client.as_bytes())].concat();
        let mut out = b"anlauf-webauthn/1\0".to_vec();
        for part in [&data[..], client.as_bytes(), &self.raw(&signed)] {
            string(&mut out, part);
        }
        out
    }

    fn sign(&self, message: &Message) -> Vec<u8> {
        self.assert(&self.client_data(message))
    }

    fn judged(&self) -> Result<(), Flaw> {
        let sig = self.sign(&message());
        self.scheme.verify(&self.public(), &message(), &sig)
    }
}

fn changed(scheme: Scheme, change: impl FnOnce(&mut Passkey)) -> Result<(), Flaw> {
    let mut key = Passkey::new(scheme, 3);
    change(&mut key);
    key.judged()
}

#[test]
fn a_passkey_signs_a_statement() {
    for scheme in ALL {
        assert_eq!(changed(scheme, |_| ()), Ok(()), "{}", scheme.word());
        assert_eq!(scheme.origin(), Origin::Web);
        let key = Passkey::new(scheme, 3);
        let text = passkey_text(&key.point(), PARTY, &[PAGE]);
        assert_eq!(text, key.public());
        assert_eq!(relying_party(scheme, &text), Some(PARTY));
        assert_eq!(text.point(scheme), Some(key.point()));
        // The counter says nothing, and what is kept on several devices says so.
        assert_eq!(changed(scheme, |key| key.counter = 0), Ok(()));
        assert_eq!(changed(scheme, |key| key.flags |= 0x18), Ok(()));
    }
}

#[test]
fn browsers_may_say_more_and_in_another_order() {
    let key = Passkey::new(Scheme::WebauthnEs256, 3);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&message().bytes));
    let judge = |client: &str| {
        key.scheme
            .verify(&key.public(), &message(), &key.assert(client))
    };
    let turned = format!(
        "{{\"crossOrigin\":false,\"origin\":\"{PAGE}\",\"challenge\":\"{challenge}\",\
         \"other_keys_can_be_added_here\":\"do not compare\",\"type\":\"webauthn.get\"}}"
    );
    assert_eq!(judge(&turned), Ok(()));
    let spaced = key.client_data(&message()).replace(',', " ,\n ");
    assert_eq!(judge(&spaced), Ok(()));
    // But never twice, in whatever spelling, and never without what is asked.
    let twice = key
        .client_data(&message())
        .replace('}', &format!(",\"origin\":\"{PAGE}\"}}"));
    let escaped = twice.replace(",\"origin\":\"https", ",\"or\\u0069gin\":\"https");
    for wrong in [twice, escaped, String::new(), "[]".into(), "{}".into()] {
        assert_eq!(judge(&wrong), Err(Flaw::Foreign), "{wrong}");
    }
    let long = key
        .client_data(&message())
        .replace('}', &format!(",\"x\":\"{}\"}}", "y".repeat(2_048)));
    assert_eq!(judge(&long), Err(Flaw::Foreign));
}

#[test]
fn another_page_party_or_purpose_does_not_count() {
    type Wrong = (&'static str, fn(&mut Passkey));
    let wrong: [Wrong; 14] = [
        ("origin", |key| key.origin = "https://evil.example".into()),
        ("scheme", |key| {
            key.origin = "http://sign.provider.example".into()
        }),
        ("port", |key| key.origin = format!("{PAGE}:8443")),
        ("case", |key| {
            key.origin = "https://Sign.provider.example".into()
        }),
        ("slash", |key| key.origin = format!("{PAGE}/")),
        ("party", |key| key.party = "provider.example".into()),
        ("enrolment", |key| key.kind = "webauthn.create".into()),
        ("payment", |key| key.kind = "payment.get".into()),
        ("framed", |key| key.rest = ",\"crossOrigin\":true".into()),
        ("not said", |key| key.rest = String::new()),
        ("below", |key| {
            key.rest = format!(",\"crossOrigin\":false,\"topOrigin\":\"{PAGE}\"")
        }),
        ("number", |key| key.rest = ",\"crossOrigin\":0".into()),
        ("extension", |key| {
            key.flags |= 0x80;
            key.extension = vec![0xa0];
        }),
        ("attested", |key| key.flags |= 0x40),
    ];
    for scheme in ALL {
        for (name, change) in wrong {
            assert_eq!(changed(scheme, change), Err(Flaw::Foreign), "{name}");
        }
    }
}

#[test]
fn another_statement_does_not_count() {
    let mut other = release();
    other.stage = Stage::Basic;
    for scheme in ALL {
        let key = Passkey::new(scheme, 3);
        let sig = key.sign(&message_of(&other));
        assert_eq!(
            scheme.verify(&key.public(), &message(), &sig),
            Err(Flaw::Foreign)
        );
    }
}

#[test]
fn flags_are_demanded_by_the_class_of_the_passkey() {
    for scheme in ALL {
        let touched = match scheme.is_verifying() {
            true => Err(Flaw::Unverified),
            false => Ok(()),
        };
        assert_eq!(changed(scheme, |key| key.flags = 0), Err(Flaw::Untouched));
        assert_eq!(
            changed(scheme, |key| key.flags = VERIFIED),
            Err(Flaw::Untouched)
        );
        assert_eq!(changed(scheme, |key| key.flags = PRESENT), touched);
        // Flags that are put on afterwards are not what was signed.
        let mut key = Passkey::new(scheme, 3);
        key.flags = 0;
        let mut sig = key.sign(&message());
        sig[18 + 4 + 32] = PRESENT | VERIFIED;
        assert_eq!(
            scheme.verify(&key.public(), &message(), &sig),
            Err(Flaw::Foreign)
        );
    }
}

#[test]
fn the_record_says_the_algorithm() {
    for (own, other) in [
        (Scheme::WebauthnEs256, Scheme::WebauthnEd25519),
        (Scheme::WebauthnEd25519, Scheme::WebauthnEs256),
        (Scheme::WebauthnEs256, Scheme::SshSkEcdsaP256),
        (Scheme::WebauthnEd25519, Scheme::Ed25519),
    ] {
        let key = Passkey::new(own, 3);
        let sig = key.sign(&message());
        assert_eq!(
            other.verify(&key.public(), &message(), &sig),
            Err(Flaw::Foreign)
        );
        assert_eq!(key.public().point(other), None);
    }
    // A record of another algorithm's key does not take the signature either.
    let (one, two) = (Passkey::new(ALL[0], 3), Passkey::new(ALL[1], 3));
    let sig = two.sign(&message());
    assert_eq!(
        ALL[0].verify(&one.public(), &message(), &sig),
        Err(Flaw::Foreign)
    );
    assert_eq!(
        ALL[1].verify(&one.public(), &message(), &sig),
        Err(Flaw::Foreign)
    );
}

/// Of 32 signatures some have both numbers with room for a zero too many.
#[test]
fn a_number_has_one_spelling_in_der_too() {
    for seed in 1..=32 {
        let mut key = Passkey::new(Scheme::WebauthnEs256, seed);
        assert_eq!(key.judged(), Ok(()));
        key.padded = true;
        assert_eq!(key.judged(), Err(Flaw::Foreign), "{seed}");
    }
}

#[test]
fn only_sound_passkeys_stand_in_a_root() {
    let key = Passkey::new(Scheme::WebauthnEs256, 3);
    let point = hex::encode(key.point());
    let is_sound = |text: &str| {
        PublicKey(text.into())
            .point(Scheme::WebauthnEs256)
            .is_some()
    };
    for text in [
        format!("{point} {PARTY} {PAGE}"),
        format!("{point} provider.example {PAGE}"),
        format!("{point} {PARTY} {PAGE} {PAGE}:8443"),
        format!("{point} localhost http://localhost:8440"),
    ] {
        assert!(is_sound(&text), "{text}");
    }
    for text in [
        String::new(),
        point.clone(),
        format!("{point} {PARTY}"),
        format!("{point}  {PARTY} {PAGE}"),
        format!("{point} {PARTY} {PAGE} "),
        format!("{} {PARTY} {PAGE}", point.to_uppercase()),
        format!("{} {PARTY} {PAGE}", &point[..128]),
        format!("{point} {PARTY} http://sign.provider.example"),
        format!("{point} {PARTY} https://evil.example"),
        format!("{point} {PARTY} https://evilsign.provider.example"),
        format!("{point} {PARTY} {PAGE}/sign"),
        format!("{point} {PARTY} {PAGE}:0443"),
        format!("{point} {PARTY} {PAGE} {PAGE}"),
        format!("{point} {PARTY} {PAGE}:8443 {PAGE}"),
        format!("{point} SIGN.provider.example https://SIGN.provider.example"),
        format!("{point} 127.0.0.1 http://127.0.0.1:8440"),
    ] {
        assert!(!is_sound(&text), "{text}");
    }
}

/// Passkeys of everyone in a root that is no rehearsal.
fn judge_real(keys: &[(&str, &Passkey)], change: impl Fn(&mut Release)) -> Result<(), Refusal> {
    let mut real = root();
    real.domain = "north".into();
    real.drill = false;
    real.keys
        .retain(|key| keys.iter().all(|(name, _)| key.person.to_string() != *name));
    for (name, key) in keys {
        let (organisation, role) = match *name {
            "amsel-1" => ("bkk-amsel", Role::Tenant),
            "own-1" => ("provider", Role::Owner),
            _ => ("provider", Role::Security),
        };
        real.keys.push(KeyRecord {
            id: KeyId::of(key.scheme, &key.public()),
            scheme: key.scheme,
            public: key.public(),
            ..record(name, organisation, role, &signer("op-1"))
        });
    }
    real.root_keys = ["sec-2", "own-2", "for-1"]
        .map(|name| signer(name).keyid())
        .to_vec();
    let signed = sealed(real.to_payload(), &["sec-2", "own-2", "for-1"]);
    let mut authority = Authority::pinned(&signed, &signed.digest(), now())?;
    let mut rules = policy();
    rules.domain = "north".into();
    let rules = sealed(rules.to_payload(), &["sec-2", "own-2", "for-1"]);
    authority.adopt_policy(&rules, now())?;
    let mut release = release();
    (release.domain, release.policy) = ("north".into(), rules.digest());
    change(&mut release);
    let mut envelope = Envelope::unsigned(release.to_payload());
    let message = Message::of(&envelope, release.predicate_type(), "north");
    for (_, key) in keys {
        envelope.signatures.push(Signature {
            keyid: KeyId::of(key.scheme, &key.public()),
            sig: key.sign(&message),
        });
    }
    authority.check_release(&envelope, &facts, now()).map(drop)
}

#[test]
fn a_quorum_of_passkeys_opens_the_highest_class_and_break_glass() {
    let sec = Passkey::new(Scheme::WebauthnEs256, 41);
    let own = Passkey::new(Scheme::WebauthnEd25519, 42);
    let amsel = Passkey::new(Scheme::WebauthnEs256, 43);
    let late = Passkey::new(Scheme::WebauthnEs256, 44);
    let mut careless = Passkey::new(Scheme::WebauthnEs256, 44);
    careless.flags = PRESENT;
    let others = [("sec-1", &sec), ("own-1", &own), ("amsel-1", &amsel)];
    let with = |key| [&others[..], &[("sec-3", key)]].concat();
    judge_real(&with(&late), |_| ()).unwrap();
    let glass = |release: &mut Release| {
        release.break_glass = true;
        release.not_after = release.not_before + anlauf_model::Minutes(60);
        release.cells[0].evidence.clear();
    };
    judge_real(&[("sec-1", &sec), ("amsel-1", &amsel)], glass).unwrap();
    // One whose holder was not asked for is told apart, and missing.
    let found = codes(judge_real(&with(&careless), |_| ()));
    assert_eq!(found, ["AN-TRU-030", "AN-TRU-039"]);
}

#[test]
fn what_is_written_for_an_envelope_is_what_is_read() {
    let key = Passkey::new(Scheme::WebauthnEs256, 3);
    let client = key.client_data(&message());
    let sig = key.assert(&client);
    let data = &sig[18 + 4..18 + 4 + 37];
    let raw = &sig[18 + 4 + 37 + 4 + client.len() + 4..];
    assert_eq!(assertion_bytes(data, client.as_bytes(), raw), sig);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// One byte form: whatever is changed, added or taken away, nothing holds any longer.
    #[test]
    fn any_change_breaks_an_assertion(
        which in 0usize..4,
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
        cut in any::<bool>(),
    ) {
        let key = Passkey::new(ALL[which], 3);
        let mut sig = key.sign(&message());
        let at = at.index(sig.len());
        if cut { sig.truncate(at) } else { sig[at] ^= 1 << bit }
        prop_assert!(key.scheme.verify(&key.public(), &message(), &sig).is_err());
    }
}
