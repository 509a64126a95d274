//! One visit to one page: who comes, from where, with which question.
//!
//! In:    request, login, language. Out: [`Visit`]. Never: outlives its request.

use anlauf_model::{Language, Timestamp};
use anlauf_recovery::{Actor, rights};

use crate::Web;
use crate::memory::Memory;
use crate::port::Present;
use crate::text::Say;

/// One visit to one page.
pub(crate) struct Visit<'a> {
    pub(crate) web: &'a Web,
    pub(crate) actor: Option<&'a Actor>,
    pub(crate) say: Say,
    /// Path without the question.
    pub(crate) path: &'a str,
    /// The question, decoded, in the order it was asked.
    pub(crate) query: Vec<(String, String)>,
    /// What stands in the gaps of the route.
    pub(crate) gaps: Vec<&'a str>,
    /// What the control plane knows besides its ledger.
    pub(crate) memory: Option<&'a Memory>,
}

impl<'a> Visit<'a> {
    /// A visit to `path?query`.
    pub(crate) fn new(
        web: &'a Web,
        actor: Option<&'a Actor>,
        language: Language,
        (path, query): (&'a str, &str),
    ) -> Self {
        let now = web.desk.now();
        let say = {
            let state = web.desk.state();
            let zone = state
                .landscape
                .as_ref()
                .map(|l| l.declared().time_zone.as_str());
            Say::new(language, zone.unwrap_or("UTC"), now.max(state.at))
        };
        Self {
            web,
            actor,
            say,
            path,
            query: pairs(query),
            gaps: Vec::new(),
            memory: None,
        }
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.say.now
    }

    /// The first answer to a question of this name that is not empty.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        let found = self
            .query
            .iter()
            .find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A piece of the path, parsed.
    pub(crate) fn gap<T: std::str::FromStr>(&self, index: usize) -> Option<T> {
        self.gaps.get(index)?.parse().ok()
    }

    /// Whether whoever comes may use a verb.
    pub(crate) fn may(&self, verb: &str) -> bool {
        self.actor
            .is_some_and(|actor| rights::may(actor.role, verb))
    }

    /// The state as this moment finds it, shortly. Build the view, then let go.
    pub(crate) fn state(&self) -> Present<'a> {
        self.web.present()
    }

    /// This address again with other answers to its question; an empty answer leaves it out.
    pub(crate) fn address_with(&self, changed: &[(&str, &str)]) -> String {
        let kept = self
            .query
            .iter()
            .filter(|(key, value)| !value.is_empty() && key != "done")
            .filter(|(key, _)| changed.iter().all(|(name, _)| name != key))
            .map(|(key, value)| (key.as_str(), value.as_str()));
        let fresh = changed
            .iter()
            .copied()
            .filter(|(_, value)| !value.is_empty());
        address(self.path, kept.chain(fresh))
    }
}

/// A path with a question.
pub(crate) fn address<'q>(
    path: &str,
    query: impl IntoIterator<Item = (&'q str, &'q str)>,
) -> String {
    let mut out = path.to_owned();
    for (index, (key, value)) in query.into_iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        out.push_str(&encoded(key));
        out.push('=');
        out.push_str(&encoded(value));
    }
    out
}

/// Percent-encoded for a question (RFC 3986 §2.3 leaves the rest as it is).
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The pairs of a question or of a form (application/x-www-form-urlencoded).
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    const PAIR_COUNT_MAX: usize = 20_000;
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .take(PAIR_COUNT_MAX)
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => match tail
                .first_chunk::<2>()
                .and_then(|digits| hex::decode(digits).ok())
            {
                Some(byte) => {
                    bytes.extend(byte);
                    rest = &tail[2..];
                }
                None => bytes.push(b'%'),
            },
            other => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
