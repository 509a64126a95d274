//! A public key file: whose key it is, with the proof that the person holds it.
//!
//! In:    a key at hand and a person's id, or a file. Out: the other.
//! Never: a card whose proof was made for another person, scheme or key.

use std::path::Path;

use anlauf_model::{Digest, PersonId};
use anlauf_trust::{KeyId, Message, PublicKey, Scheme};
use anlauf_words::fingerprint;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::hand::Hand;
use crate::cli::read_text;
use crate::exit::{Done, Failure};

/// First field of a public file.
const KIND_PUBLIC: &str = "anlauf-public-key/1";

/// What signatures of OpenSSH under a card are bound to.
const NAMESPACE: &str = "enrol.v1@anlauf";

/// A public file: what is handed to whoever drafts the root.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    kind: String,
    /// Whose.
    pub person: PersonId,
    /// How it signs.
    pub scheme: Scheme,
    /// The key.
    pub public: PublicKey,
    /// Its name.
    pub id: KeyId,
    /// Base64 of the key's own signature over all of this: whoever copies somebody's key cannot
    /// make it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<String>,
}

impl Public {
    /// The card of a key at hand.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn of(hand: &Hand, person: &PersonId) -> Done<Self> {
        let card = Self::bare(person, hand.scheme(), hand.public());
        let sig = hand.sign_bytes(&card.message())?;
        Ok(card.proven(&sig))
    }

    /// A card without proof.
    pub fn bare(person: &PersonId, scheme: Scheme, public: PublicKey) -> Self {
        Self {
            kind: KIND_PUBLIC.to_owned(),
            person: person.clone(),
            scheme,
            id: KeyId::of(scheme, &public),
            public,
            proof: None,
        }
    }

    /// The card with its proof.
    pub fn proven(self, sig: &[u8]) -> Self {
        let proof = Some(STANDARD.encode(sig));
        Self { proof, ..self }
    }

    /// Reads a public file; a proof that is there must hold.
    ///
    /// # Errors
    /// It is none, or its parts do not fit together.
    pub fn read(path: &Path) -> Done<Self> {
        let text = read_text(path, "public key")?;
        let shown = path.display();
        let wrong = |why: &str| Failure::input(format!("`{shown}` is no public key: {why}"));
        let public: Self =
            serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        if public.kind != KIND_PUBLIC {
            return Err(wrong(&format!("its kind is not `{KIND_PUBLIC}`")));
        }
        let is_sound = public.public.point(public.scheme).is_some();
        if !is_sound || public.id != KeyId::of(public.scheme, &public.public) {
            return Err(wrong("its id is not the one of its key"));
        }
        if public.proof.is_some() && !public.is_proven() {
            return Err(wrong(
                "its proof of possession is not of this key and person",
            ));
        }
        Ok(public)
    }

    /// Reads a file whose holder proves to have the secret half.
    ///
    /// # Errors
    /// As [`Public::read`], or the proof is missing.
    pub fn read_proven(path: &Path) -> Done<Self> {
        let public = Self::read(path)?;
        if public.is_proven() {
            return Ok(public);
        }
        let why = format!(
            "`{}` lacks the proof of possession; its holder makes it again with `anlauf key enrol`",
            path.display()
        );
        Err(Failure::input(why))
    }

    /// Sixteen digits to read to one another.
    pub fn digits(&self) -> String {
        fingerprint(&Digest::of(self.public.0.as_bytes()))
    }

    fn is_proven(&self) -> bool {
        let sig = self
            .proof
            .as_ref()
            .and_then(|text| STANDARD.decode(text).ok());
        sig.is_some_and(|sig| {
            self.scheme
                .verify(&self.public, &self.message(), &sig)
                .is_ok()
        })
    }

    /// What the proof is over. Its beginning is that of nothing else that is signed.
    pub fn message(&self) -> Message {
        let (person, scheme, public) = (&self.person, self.scheme.word(), &self.public.0);
        Message {
            bytes: format!("anlauf-enrol/1\n{person}\n{scheme}\n{public}\n").into_bytes(),
            namespace: NAMESPACE.to_owned(),
        }
    }
}
