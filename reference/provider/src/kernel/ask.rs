//! What a handler is asked, and what it replies.
//!
//! In:    a request whose insurer, route and person are known. Out: [`Reply`].
//! Never: a person of another insurer in `person`.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::house::House;
use super::miss::{Language, Miss};
use super::tenant::Tenant;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// KVNR of an insured person, name of a clerk.
    pub subject: String,
    /// What they are.
    pub role: Role,
}

/// What someone is to the insurer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Insured.
    Insured,
    /// Works there.
    Clerk,
}

impl Role {
    /// As in tokens and on disk.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Insured => "insured",
            Role::Clerk => "clerk",
        }
    }

    /// From a token or the disk.
    pub fn parse(text: &str) -> Option<Self> {
        [Role::Insured, Role::Clerk]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// One request, ready to be answered.
pub struct Ask<'a> {
    /// Everything shared.
    pub house: &'a House,
    /// The insurer asked.
    pub tenant: &'a Tenant,
    /// Who asks; none on public routes.
    pub person: Option<Person>,
    /// What they read.
    pub language: Language,
    /// `GET`.
    pub method: &'a str,
    /// Path without the query.
    pub path: &'a str,
    /// What stands in the gaps of the route.
    pub gaps: Vec<String>,
    /// The query, in order, decoded.
    pub query: Vec<(String, String)>,
    /// Header lines.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// Seconds since 1970.
    pub now: i64,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Header lines.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Ask<'_> {
    /// Who asks; the guard has seen to it that somebody does.
    ///
    /// # Errors
    /// On a public route without a login.
    pub fn subject(&self) -> Result<&str, Miss> {
        let person = self.person.as_ref().ok_or_else(Miss::login)?;
        Ok(&person.subject)
    }

    /// A value of the query.
    pub fn asked(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// A header line, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What stands in a gap.
    pub fn gap(&self, place: usize) -> &str {
        self.gaps.get(place).map_or("", String::as_str)
    }

    /// A number in a gap; anything else is not there.
    ///
    /// # Errors
    /// It is no number.
    pub fn number(&self, place: usize) -> Result<i64, Miss> {
        self.gap(place).parse().map_err(|_| Miss::not_found())
    }

    /// The media type of the body, without parameters, in lower case.
    pub fn media(&self) -> String {
        let line = self.header("content-type").unwrap_or_default();
        let media = line.split(';').next().unwrap_or_default();
        media.trim().to_ascii_lowercase()
    }

    /// The fields of a plain form.
    ///
    /// # Errors
    /// The body is no form.
    pub fn form(&self) -> Result<Vec<(String, String)>, Miss> {
        if self.media() != "application/x-www-form-urlencoded" {
            return Err(Miss::new(
                415,
                "no-form",
                "Das ist kein Formular.",
                "This is no form.",
            ));
        }
        Ok(decode_form(&self.body))
    }

    /// A cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all("cookie").iter();
        let mut pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

impl Reply {
    /// An answer with a body.
    pub fn new(status: u16, media: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
            headers: vec![("content-type", media.to_owned())],
            body: body.into(),
        }
    }

    /// JSON.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// Look there.
    pub fn see(to: &str) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            headers: vec![("location", to.to_owned())],
            body: Vec::new(),
        }
    }

    /// The same with one more header line.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The error form of plain APIs (RFC 9457).
pub fn problem(ask: &Ask<'_>, miss: &Miss) -> Reply {
    let reasons: Vec<Value> = miss
        .more
        .iter()
        .map(|(code, words)| json!({ "code": code, "de": words.de, "en": words.en }))
        .collect();
    let value = json!({
        "type": format!("urn:reference-provider:{}", miss.code),
        "title": miss.words.get(ask.language),
        "status": miss.status.as_u16(),
        "code": miss.code,
        "de": miss.words.de,
        "en": miss.words.en,
        "reasons": reasons,
    });
    let mut reply = Reply::new(
        miss.status.as_u16(),
        "application/problem+json",
        value.to_string(),
    );
    if miss.status == StatusCode::UNAUTHORIZED {
        reply = reply.with("www-authenticate", "Bearer error=\"invalid_token\"");
    }
    reply
}

/// Fields of `a=b&c=d`, decoded.
pub fn decode_form(bytes: &[u8]) -> Vec<(String, String)> {
    bytes
        .split(|b| *b == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (key, value) = pair.split_at(at);
            (decode(key), decode(value.get(1..).unwrap_or_default()))
        })
        .collect()
}

fn decode(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high * 16 + low);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            (other, _) => out.push(*other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

/// Text as it stands in a query or a path segment.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The value of a form's field, without blanks around it.
pub fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let mut found = fields.iter().filter(|(key, _)| key == name);
    found.next().map_or("", |(_, value)| value.trim())
}
