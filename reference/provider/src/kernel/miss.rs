//! A no of a service, in words of both languages, before it takes a protocol's form.
//!
//! In:    what is wrong. Out: [`Miss`]. Never: internals, paths, or what a person typed.

use axum::http::StatusCode;

use super::store::StoreError;

/// Words in both languages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// German.
    pub de: String,
    /// English.
    pub en: String,
}

/// Which language a person reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// German.
    De,
    /// English.
    En,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Miss {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable word for programs: `photo-too-large`.
    pub code: &'static str,
    /// What a person reads.
    pub words: Words,
    /// Where to go instead; a page that needs a login leads there.
    pub to: Option<String>,
    /// Further reasons, each by itself.
    pub more: Vec<(&'static str, Words)>,
}

impl Words {
    /// Both languages at once.
    pub fn new(de: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            de: de.into(),
            en: en.into(),
        }
    }

    /// One of them.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::De => &self.de,
            Language::En => &self.en,
        }
    }
}

impl Language {
    /// As in `lang=`.
    pub fn tag(self) -> &'static str {
        match self {
            Language::De => "de",
            Language::En => "en",
        }
    }

    /// One of two texts.
    pub fn pick<T>(self, de: T, en: T) -> T {
        match self {
            Language::De => de,
            Language::En => en,
        }
    }
}

impl Miss {
    /// A no with its reason.
    pub fn new(status: u16, code: &'static str, de: &str, en: &str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            code,
            words: Words::new(de, en),
            to: None,
            more: Vec::new(),
        }
    }

    /// There is nothing here, or nothing of theirs: one answer for both.
    pub fn not_found() -> Self {
        Self::new(
            404,
            "not-found",
            "Hier ist nichts.",
            "There is nothing here.",
        )
    }

    /// Something in the request is wrong.
    pub fn bad(code: &'static str, de: &str, en: &str) -> Self {
        Self::new(400, code, de, en)
    }

    /// Nobody is logged in.
    pub fn login() -> Self {
        Self::new(
            401,
            "login-needed",
            "Bitte melden Sie sich an.",
            "Please log in.",
        )
    }

    /// Logged in, but not for this.
    pub fn forbidden() -> Self {
        Self::new(
            403,
            "not-allowed",
            "Dafür reicht Ihre Anmeldung nicht.",
            "Your login is not for this.",
        )
    }
}

impl From<StoreError> for Miss {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "the store does not answer");
        Self::new(
            503,
            "store",
            "Die Daten sind gerade nicht erreichbar. Es ist nichts verloren gegangen.",
            "The data cannot be reached at present. Nothing is lost.",
        )
    }
}

impl From<rusqlite::Error> for Miss {
    fn from(error: rusqlite::Error) -> Self {
        Self::from(StoreError::Sql(error))
    }
}
