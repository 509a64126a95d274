//! The envelope's JSON form.

use anlauf_model::limits::{ENVELOPE_SIZE_MAX, SIGNATURE_COUNT_MAX};
use anlauf_trust::envelope::pae;
use anlauf_trust::{Envelope, Scope};
use proptest::prelude::*;

use crate::cast::{
    RELEASE_SIGNERS, authority, close, codes, facts, now, release, root_envelope, sealed, signer,
};

fn text() -> String {
    String::from_utf8(root_envelope().to_bytes()).unwrap()
}

fn refused(text: &str) -> Vec<&'static str> {
    codes(Envelope::parse(text.as_bytes()))
}

#[test]
fn what_is_written_is_read_again() {
    let envelope = root_envelope();
    let bytes = envelope.to_bytes();
    assert_eq!(Envelope::parse(&bytes).unwrap(), envelope);
    assert_eq!(Envelope::parse(&bytes).unwrap().to_bytes(), bytes);
    let unsigned = Envelope::unsigned(b"{}".to_vec());
    assert_eq!(Envelope::parse(&unsigned.to_bytes()).unwrap(), unsigned);
    assert_eq!(
        unsigned.to_bytes(),
        br#"{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}"#
    );
}

#[test]
fn the_encoding_that_is_signed_is_the_standards() {
    assert_eq!(
        pae(b"hello world"),
        b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
    );
    assert_eq!(pae(b""), b"DSSEv1 28 application/vnd.in-toto+json 0 ");
}

#[test]
fn other_orders_and_spaces_are_read() {
    let text = "{ \"signatures\": [],\n \"payloadType\": \"application/vnd.in-toto+json\",\n \
        \"payload\": \"e30=\" }";
    assert_eq!(
        Envelope::parse(text.as_bytes()).unwrap(),
        Envelope::unsigned(b"{}".to_vec())
    );
}

#[test]
fn malformed_envelopes_are_refused() {
    let text = text();
    let cases = [
        String::new(),
        "null".into(),
        "[]".into(),
        text.replace("\"payload\":", "\"payLoad\":"),
        text.replacen('{', "{\"note\":1,", 1),
        text.replacen("{\"keyid\"", "{\"note\":1,\"keyid\"", 1),
        text.replacen('{', "{\"signatures\":[],", 1),
        text.replacen("{\"keyid\"", "{\"sig\":\"AA==\",\"keyid\"", 1),
        text.replacen("\"keyid\":\"", "\"keyid\":\"A", 1),
        format!("{text}x"),
        format!("{text}{text}"),
        text[..text.len() - 1].to_owned(),
        "[".repeat(100_000),
    ];
    for case in cases {
        assert_eq!(
            refused(&case),
            ["AN-TRU-002"],
            "{}",
            &case[..case.len().min(80)]
        );
    }
}

#[test]
fn only_one_form_of_base64_is_read() {
    let with = |payload: &str| {
        let kind = anlauf_trust::envelope::PAYLOAD_TYPE;
        format!(r#"{{"payload":"{payload}","payloadType":"{kind}","signatures":[]}}"#)
    };
    Envelope::parse(with("+/+/").as_bytes()).unwrap();
    for payload in ["e30", "e31=", "-_-_", "e3 0=", "e30=\\n", "e30==", "=e30"] {
        assert_eq!(refused(&with(payload)), ["AN-TRU-002"], "{payload}");
    }
}

#[test]
fn another_payload_type_is_refused() {
    for kind in ["application/json", "application/vnd.in-toto+JSON", ""] {
        let found = refused(&text().replace(anlauf_trust::envelope::PAYLOAD_TYPE, kind));
        assert_eq!(found, ["AN-TRU-003"], "{kind}");
    }
}

#[test]
fn sizes_and_counts_have_an_end() {
    let huge = vec![b' '; ENVELOPE_SIZE_MAX + 1];
    assert_eq!(codes(Envelope::parse(&huge)), ["AN-TRU-001"]);
    let mut many = root_envelope();
    let signature = signer("sec-1").signature(&many);
    many.signatures = vec![signature; SIGNATURE_COUNT_MAX];
    Envelope::parse(&many.to_bytes()).unwrap();
    many.signatures.push(many.signatures[0].clone());
    assert_eq!(codes(Envelope::parse(&many.to_bytes())), ["AN-TRU-004"]);
}

#[test]
fn an_envelope_inside_a_body_is_as_strict() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Body {
        envelope: Envelope,
    }
    let body = serde_json::to_string(&Body {
        envelope: root_envelope(),
    })
    .unwrap();
    let back: Body = serde_json::from_str(&body).unwrap();
    assert_eq!(back.envelope, root_envelope());
    for (from, to) in [
        ("{\"payload\"", "{\"note\":1,\"payload\""),
        ("{\"payload\"", "{\"payload\":\"e30=\",\"payload\""),
        ("vnd.in-toto", "vnd.in-Toto"),
    ] {
        assert!(
            serde_json::from_str::<Body>(&body.replacen(from, to, 1)).is_err(),
            "{from}"
        );
    }
}

#[test]
fn every_flipped_bit_of_a_close_is_refused() {
    let envelope = sealed(close(Scope::Everything).to_payload(), &["op-1"]);
    let authority = authority();
    let mut bytes = envelope.to_bytes();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            bytes[place] ^= 1 << bit;
            if let Ok(parsed) = Envelope::parse(&bytes) {
                let verdict = authority.check_close(&parsed, &facts, now());
                assert!(verdict.is_err(), "bit {bit} of byte {place}");
            }
            bytes[place] ^= 1 << bit;
        }
    }
    authority
        .check_close(&Envelope::parse(&bytes).unwrap(), &facts, now())
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Without a signature to spare, no single byte of a release can be another.
    #[test]
    fn every_changed_byte_of_a_release_is_refused(
        place in any::<prop::sample::Index>(), value: u8,
    ) {
        let envelope = sealed(release().to_payload(), &RELEASE_SIGNERS);
        let mut bytes = envelope.to_bytes();
        let place = place.index(bytes.len());
        let same = bytes[place] == value;
        bytes[place] = value;
        let verdict = Envelope::parse(&bytes)
            .and_then(|parsed| authority().check_release(&parsed, &facts, now()));
        prop_assert_eq!(verdict.is_ok(), same);
    }

    /// Junk is refused, and never by a panic.
    #[test]
    fn junk_is_refused(bytes: Vec<u8>) {
        prop_assert!(Envelope::parse(&bytes).is_err());
    }
}
