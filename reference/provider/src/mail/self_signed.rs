//! A certificate that speaks for itself: for drills and for trying it out.
//!
//! In:    names, a time. Out: certificate and key as PEM (P-256, X.509 v3, `subjectAltName`).
//! Never: a certificate that may sign others.
//! See:   RFC 5280 §4.1; RFC 5480 (keys on curves). Thirty lines of DER instead of a crate that
//!        brings a second calendar.

use anyhow::{Result, anyhow};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

/// How long it holds. Days.
const DAYS: i64 = 90;

/// How far a clock may be behind the one that made it. Seconds.
const SKEW_SECONDS: i64 = 86_400;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
/// `[0]` and `[3]` of a certificate, `[2]` of a name in it.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;

/// ecdsa-with-SHA256, ecPublicKey, prime256v1, commonName, subjectAltName.
const SIGNED_BY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const KEY_KIND: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const CURVE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE: &[u8] = &[0x55, 0x1d, 0x11];

/// Certificate and key, one PEM text, for these names (`*.bund.example` is one) from `now` on.
///
/// # Errors
/// The machine has no randomness, or the time is none.
pub fn make(names: &[&str], now: i64) -> Result<String> {
    let chance = SystemRandom::new();
    let lost = |_| anyhow!("the machine has no randomness");
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &chance);
    let key = key.map_err(lost)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &chance)
        .map_err(|error| anyhow!("{error}"))?;
    let mut serial = [0u8; 16];
    chance.fill(&mut serial).map_err(lost)?;
    // Positive, and never shorter.
    serial[0] = (serial[0] & 0x7f) | 0x40;

    let names: Vec<Vec<u8>> = names
        .iter()
        .map(|name| der(DNS_NAME, &[name.as_bytes()]))
        .collect();
    let names = der(SEQUENCE, &names);
    let alternative = der(
        SEQUENCE,
        &[der(OID, &[ALTERNATIVE]), der(OCTET_STRING, &[names])],
    );
    let algorithm = der(SEQUENCE, &[der(OID, &[SIGNED_BY])]);
    let own = der(UTF8, &[b"drill"]);
    let own = der(SEQUENCE, &[der(OID, &[COMMON_NAME]), own]);
    let own = der(SEQUENCE, &[der(SET, &[own])]);
    let valid = [moment(now - SKEW_SECONDS)?, moment(now + DAYS * 86_400)?];
    let kind = der(SEQUENCE, &[der(OID, &[KEY_KIND]), der(OID, &[CURVE])]);
    let public = der(BIT_STRING, &[&[0], pair.public_key().as_ref()]);
    let body = der(
        SEQUENCE,
        &[
            der(VERSION, &[der(INTEGER, &[[2]])]),
            der(INTEGER, &[serial]),
            algorithm.clone(),
            own.clone(),
            der(SEQUENCE, &valid),
            own,
            der(SEQUENCE, &[kind, public]),
            der(EXTENSIONS, &[der(SEQUENCE, &[alternative])]),
        ],
    );
    let signature = pair.sign(&chance, &body).map_err(lost)?;
    let signature = der(BIT_STRING, &[&[0], signature.as_ref()]);
    let certificate = der(SEQUENCE, &[body, algorithm, signature]);
    Ok(pem("CERTIFICATE", &certificate) + &pem("PRIVATE KEY", key.as_ref()))
}

/// A tag, the length, what is in it.
fn der(tag: u8, parts: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let content: Vec<u8> = parts
        .iter()
        .flat_map(|part| part.as_ref().to_vec())
        .collect();
    let mut all = vec![tag];
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match (length.len(), content.len()) {
        (_, size @ 0..128) => all.push(size as u8),
        (count, _) => {
            all.push(0x80 | count as u8);
            all.extend(length);
        }
    }
    all.extend(content);
    all
}

fn moment(seconds: i64) -> Result<Vec<u8>> {
    let time = jiff::Timestamp::from_second(seconds)?;
    let text = time.strftime("%y%m%d%H%M%SZ").to_string();
    Ok(der(UTC_TIME, &[text]))
}

fn pem(kind: &str, bytes: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(bytes);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        lines.join("\n")
    )
}
