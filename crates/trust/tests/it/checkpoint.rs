//! Signed tree heads.

use anlauf_trust::checkpoint::verifier_key;
use anlauf_trust::merkle::root_of;
use anlauf_trust::{Checkpoint, PublicKey, Refusal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cast::{codes, signer};

const ORIGIN: &str = "anlauf/drill-test";

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.into(),
        size: 1790,
        root: root_of(&[]),
    }
}

fn note() -> String {
    checkpoint().sign(&signer("auto-1")).unwrap()
}

fn read(note: &str) -> Result<Checkpoint, Refusal> {
    Checkpoint::verify(note, ORIGIN, &signer("auto-1").public())
}

#[test]
fn a_note_is_signed_and_read_again() {
    let note = note();
    let body = "anlauf/drill-test\n1790\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    assert_eq!(checkpoint().body(), body);
    assert!(note.starts_with(&format!("{body}\n\u{2014} anlauf/drill-test ")));
    assert!(note.ends_with("=\n"));
    assert_eq!(read(&note).unwrap(), checkpoint());
}

#[test]
fn the_key_name_is_the_standards() {
    // Published example key of the signed-note format.
    let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let bytes = STANDARD.decode(text.rsplit('+').next().unwrap()).unwrap();
    let public = PublicKey(hex::encode(&bytes[1..]));
    assert_eq!(verifier_key("PeterNeumann", &public).unwrap(), text);
}

#[test]
fn cosignatures_of_others_are_left_alone() {
    let witness = format!("\u{2014} witness.example {}\n", STANDARD.encode([9u8; 76]));
    assert_eq!(read(&format!("{}{witness}", note())).unwrap(), checkpoint());
    // The log's own signature is still asked for.
    let (text, _) = note()
        .split_once("\n\n")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert_eq!(codes(read(&format!("{text}\n\n{witness}"))), ["AN-TRU-052"]);
}

#[test]
fn another_origin_key_or_body_is_refused() {
    let public = signer("auto-1").public();
    let found = codes(Checkpoint::verify(&note(), "anlauf/other", &public));
    assert_eq!(found, ["AN-TRU-051"]);
    let found = codes(Checkpoint::verify(
        &note(),
        ORIGIN,
        &signer("op-1").public(),
    ));
    assert_eq!(found, ["AN-TRU-052"]);
    assert_eq!(
        codes(read(&note().replacen("1790", "1791", 1))),
        ["AN-TRU-052"]
    );
    let found = codes(Checkpoint::verify(&note(), ORIGIN, &PublicKey("00".into())));
    assert_eq!(found, ["AN-TRU-052"]);
}

#[test]
fn malformed_notes_are_refused() {
    let note = note();
    let (body, line) = note.split_once("\n\n").unwrap();
    let cases = [
        String::new(),
        body.to_owned(),
        format!("{body}\n\n"),
        note.trim_end().to_owned(),
        format!("{note}\n"),
        note.replacen("1790", "01790", 1),
        note.replacen("1790", "-1", 1),
        note.replacen("1790\n", "1790\n\n", 1),
        note.replacen("47DE", "47D", 1),
        format!("{body}\nextension\n\n{line}"),
        note.replace('\u{2014}', "-"),
        note.replace('\n', "\r\n"),
        format!("{note}{}", "x".repeat(70_000)),
    ];
    for case in cases {
        assert_eq!(codes(read(&case)), ["AN-TRU-050"], "{case}");
    }
    let mut illegal = checkpoint();
    illegal.origin = "two words".into();
    assert_eq!(codes(illegal.sign(&signer("auto-1"))), ["AN-TRU-050"]);
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut bytes = note().into_bytes();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            bytes[place] ^= 1 << bit;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                assert!(read(text).is_err(), "bit {bit} of byte {place}");
            }
            bytes[place] ^= 1 << bit;
        }
    }
}
