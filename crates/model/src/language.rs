//! The two languages of the product.
//!
//! In:    `Accept-Language`, flags. Out: [`Language`], [`Text`].
//! Never: a text in one language only.

use serde::{Deserialize, Serialize};

/// A language the product speaks.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// German.
    #[default]
    De,
    /// English.
    En,
}

/// A text in both languages.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// German.
    pub de: String,
    /// English.
    pub en: String,
}

impl Text {
    /// The text in one language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::De => &self.de,
            Language::En => &self.en,
        }
    }
}

impl Language {
    /// The two-letter tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Language::De => "de",
            Language::En => "en",
        }
    }

    /// Picks from an `Accept-Language` header (RFC 9110 §12.5.4); German when nothing fits.
    pub fn accept(header: &str) -> Self {
        let mut best = (Language::De, 0.0f32);
        for part in header.split(',').take(32) {
            let mut pieces = part.split(';');
            let tag = pieces.next().unwrap_or("").trim().to_ascii_lowercase();
            let quality = pieces
                .find_map(|p| {
                    p.trim()
                        .strip_prefix("q=")
                        .and_then(|q| q.trim().parse().ok())
                })
                .unwrap_or(1.0f32);
            let language = match tag.split('-').next() {
                Some("de") => Language::De,
                Some("en") => Language::En,
                _ => continue,
            };
            if quality > best.1 {
                best = (language, quality);
            }
        }
        best.0
    }
}
