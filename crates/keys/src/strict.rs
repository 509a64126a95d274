//! Reads JSON in which every key occurs once.
//!
//! In:    bytes. Out: the value, or why not in words.
//! Never: two meanings: parsers disagree about which of two equal keys counts
//!        (in-toto/specification #74), so such text is refused before it is read.
//! See:   RFC 7493 (I-JSON) §2.3.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::refusal::plain;

/// Parses strictly. The target type says which fields there are; `serde_json` bounds the depth.
///
/// # Errors
/// Not JSON, a key twice, or not of the type: why, in words.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let words = |error: serde_json::Error| plain(&error.to_string(), 200);
    serde_json::from_slice::<KeysUnique>(bytes).map_err(words)?;
    serde_json::from_slice(bytes).map_err(words)
}

/// Any JSON value without equal keys in one object; keeps nothing of it.
struct KeysUnique;

impl<'de> Deserialize<'de> for KeysUnique {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = KeysUnique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without equal keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeysUnique, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(de::Error::custom(format_args!("key `{key}` occurs twice")));
            }
            keys.insert(key);
            map.next_value::<KeysUnique>()?;
        }
        Ok(KeysUnique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<KeysUnique, A::Error> {
        while seq.next_element::<KeysUnique>()?.is_some() {}
        Ok(KeysUnique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<KeysUnique, E> {
        Ok(KeysUnique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<KeysUnique, E> {
        Ok(KeysUnique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<KeysUnique, E> {
        Ok(KeysUnique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<KeysUnique, E> {
        Ok(KeysUnique)
    }

    fn visit_str<E>(self, _: &str) -> Result<KeysUnique, E> {
        Ok(KeysUnique)
    }

    fn visit_unit<E>(self) -> Result<KeysUnique, E> {
        Ok(KeysUnique)
    }
}
