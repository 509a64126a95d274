//! Keys and their names.

use anlauf_trust::{KeyId, PublicKey, Scheme, Signer};

use crate::cast::{release, sealed, signer};

fn seed(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn the_key_that_grows_from_a_seed_is_the_standards() {
    // RFC 8032 §7.1, test 1.
    let secret = seed("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let signer = Signer::from_seed(secret);
    assert_eq!(signer.public(), PublicKey(public.into()));
    assert_eq!(hex::encode(signer.public().bytes().unwrap()), public);
    assert_eq!(
        signer.keyid(),
        KeyId::of(Scheme::Ed25519, &PublicKey(public.into()))
    );
    assert_eq!(signer.keyid().0.len(), 32);
}

#[test]
fn unsound_public_keys_are_none() {
    let identity = "01".to_owned() + &"00".repeat(31);
    let upper = signer("sec-1").public().0.to_uppercase();
    for text in [
        "",
        "zz",
        &identity,
        &upper,
        &"00".repeat(32),
        &"ff".repeat(32),
    ] {
        assert_eq!(PublicKey(text.into()).bytes(), None, "{text}");
    }
}

#[test]
fn signing_is_deterministic_and_adds_once() {
    let once = sealed(release().to_payload(), &["sec-1"]);
    let twice = sealed(release().to_payload(), &["sec-1", "sec-1"]);
    assert_eq!(once, twice);
    assert_eq!(once.signatures[0].sig.len(), 64);
}

#[test]
fn a_signer_shows_its_name_only() {
    let signer = signer("sec-1");
    assert_eq!(format!("{signer:?}"), format!("Signer({})", signer.keyid()));
}
