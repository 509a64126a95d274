//! Reads the TOML files piece by piece, so that one wrong piece does not hide the next.
//!
//! In:    a [`Source`]. Out: a [`Tree`] whose pieces know where they stand.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::{Errors, SourceError};
use super::names::{Listed, Origin, Placed, nearest};
use super::text::Source;
use crate::id::OrganisationId;
use crate::landscape::{
    Deadline, Freeze, FreshnessRule, Objective, Organisation, Person, PolicyRule, Service, Site,
    Team, Work,
};
use crate::language::Text;

/// Content of `landscape.toml`, each piece with its place.
pub(super) struct Tree<'i> {
    pub(super) text: &'i str,
    /// Where the single values at the top stand.
    pub(super) top: BTreeMap<&'static str, Range<usize>>,
    pub(super) id: OrganisationId,
    pub(super) title: Text,
    pub(super) time_zone: String,
    pub(super) provider: OrganisationId,
    pub(super) sites: Listed<'i, Site>,
    pub(super) organisations: Listed<'i, Organisation>,
    pub(super) teams: Listed<'i, Team>,
    pub(super) services: Listed<'i, Service>,
    pub(super) work: Listed<'i, Work>,
    pub(super) freezes: Listed<'i, Freeze>,
    pub(super) deadlines: Listed<'i, Deadline>,
    pub(super) objective: Objective,
    pub(super) people: Listed<'i, Person>,
}

/// Keys at the top of `landscape.toml`.
const LANDSCAPE_KEYS: [&str; 13] = [
    "id",
    "title",
    "time_zone",
    "provider",
    "sites",
    "organisations",
    "teams",
    "services",
    "work",
    "freezes",
    "deadlines",
    "objective",
    "people",
];

pub(super) fn landscape<'i>(source: &Source<'i>, errors: &mut Errors) -> Option<Tree<'i>> {
    let mut top = Top::open(source, &LANDSCAPE_KEYS, errors)?;
    let id = top.one("id");
    let title = top.one("title");
    let time_zone = top.one("time_zone");
    let provider = top.one("provider");
    let text = source.text;
    let tree = Tree {
        text,
        top: std::mem::take(&mut top.places),
        sites: top.list("sites", true),
        organisations: top.list("organisations", false),
        teams: top.list("teams", true),
        services: top.list("services", true),
        work: top.list("work", true),
        freezes: top.list("freezes", false),
        deadlines: top.list("deadlines", false),
        objective: top.maybe("objective").unwrap_or_default(),
        people: top.list("people", false),
        id: id?,
        title: title?,
        time_zone: time_zone?,
        provider: provider?,
    };
    Some(tree)
}

/// Content of `policy.toml`.
pub(super) struct Signed<'i> {
    pub(super) rules: Listed<'i, PolicyRule>,
    pub(super) freshness: Listed<'i, FreshnessRule>,
}

pub(super) fn policy<'i>(source: &Source<'i>, errors: &mut Errors) -> Option<Signed<'i>> {
    let mut top = Top::open(source, &["rules", "freshness"], errors)?;
    Some(Signed {
        rules: top.list("rules", true),
        freshness: top.list("freshness", false),
    })
}

/// The top table of a file while it is taken apart.
struct Top<'s, 'i, 'e> {
    source: &'s Source<'i>,
    table: DeTable<'i>,
    places: BTreeMap<&'static str, Range<usize>>,
    errors: &'e mut Errors,
}

impl<'s, 'i, 'e> Top<'s, 'i, 'e> {
    fn open(source: &'s Source<'i>, keys: &[&str], errors: &'e mut Errors) -> Option<Self> {
        let (table, wrong) = DeTable::parse_recoverable(source.text);
        for error in &wrong {
            let span = error.span().unwrap_or(0..0);
            let message = format!("this is not TOML: {}", error.message());
            errors.push_with(|| SourceError::at("AN-LAN-005", source, span, message, None));
        }
        if !wrong.is_empty() {
            return None;
        }
        let table = table.into_inner();
        for key in table
            .keys()
            .filter(|key| !keys.contains(&key.get_ref().as_ref()))
        {
            let name = key.get_ref().as_ref();
            errors.push_with(|| {
                let message = format!("`{name}` is no key of this file");
                let help = suggestion(name, keys.iter().copied());
                SourceError::at("AN-LAN-006", source, key.span(), message, Some(help))
            });
        }
        Some(Self {
            source,
            table,
            places: BTreeMap::new(),
            errors,
        })
    }

    fn one<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        let Some(value) = self.table.remove(key) else {
            self.missing(key, format!("{key} = ..."));
            return None;
        };
        self.places.insert(key, value.span());
        read(self.source, value, self.errors)
    }

    fn maybe<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        self.table.contains_key(key).then(|| self.one(key))?
    }

    fn list<T: DeserializeOwned>(&mut self, key: &str, required: bool) -> Listed<'i, T> {
        let mut listed = Listed::default();
        let Some(value) = self.table.remove(key) else {
            if required {
                self.missing(key, format!("[[{key}]]"));
            }
            return listed;
        };
        let span = value.span();
        let DeValue::Array(pieces) = value.into_inner() else {
            let message = format!("`{key}` must be a list of tables");
            let help = Some(format!("write each as `[[{key}]]`"));
            let error = SourceError::at("AN-LAN-008", self.source, span, message, help);
            self.errors.push(error);
            return listed;
        };
        for piece in pieces.iter() {
            let id = piece
                .get_ref()
                .get("id")
                .and_then(|id| id.get_ref().as_str());
            listed.ids.extend(id.map(str::to_owned));
            if let Some(value) = read(self.source, piece.clone(), self.errors) {
                listed.items.push(Placed {
                    value,
                    origin: Origin::Tree(piece.clone()),
                });
            }
        }
        listed
    }

    fn missing(&mut self, key: &str, form: String) {
        let message = format!("the file must have `{key}`, which is missing");
        let help = Some(format!("add `{form}`"));
        // Shown at the first line: that is where the top keys of TOML must stand.
        let error = SourceError::at("AN-LAN-007", self.source, 0..0, message, help);
        self.errors.push(error);
    }
}

fn read<T: DeserializeOwned>(
    source: &Source<'_>,
    value: Spanned<DeValue<'_>>,
    errors: &mut Errors,
) -> Option<T> {
    let whole = value.span();
    match T::deserialize(ValueDeserializer::from(value)) {
        Ok(value) => Some(value),
        Err(error) => {
            let span = error.span().unwrap_or(whole);
            let (code, message, help) = explain(error.message());
            errors.push_with(|| SourceError::at(code, source, span, message, help));
            None
        }
    }
}

/// Words in backticks, in their order.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Code, message and suggestion for what serde says.
pub(super) fn explain(said: &str) -> (&'static str, String, Option<String>) {
    let words = quoted(said);
    let first = words.first().copied().unwrap_or("");
    let known = words.iter().copied().skip(1);
    if said.starts_with("unknown field") {
        let help = suggestion(first, known);
        return (
            "AN-LAN-006",
            format!("`{first}` is no key of this table"),
            Some(help),
        );
    }
    if said.starts_with("missing field") {
        let message = format!("this table must have `{first}`, which is missing");
        return ("AN-LAN-007", message, Some(format!("add `{first} = ...`")));
    }
    if said.starts_with("unknown variant") {
        let help = suggestion(first, known);
        return (
            "AN-LAN-008",
            format!("`{first}` is none of the words allowed here"),
            Some(help),
        );
    }
    if let Some((got, expected)) = said
        .strip_prefix("invalid type: ")
        .or_else(|| said.strip_prefix("invalid value: "))
        .and_then(|rest| rest.split_once(", expected "))
    {
        let message = format!(
            "expected {}, got {}",
            plain(expected),
            got.replace('"', "`")
        );
        return ("AN-LAN-008", message, None);
    }
    let help = first_legal(said, first);
    ("AN-LAN-008", said.to_owned(), help)
}

/// A legal id near an illegal one.
fn first_legal(said: &str, text: &str) -> Option<String> {
    if !said.contains("is not a legal") {
        return None;
    }
    let mut id = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'ä' => id.push_str("ae"),
            'ö' => id.push_str("oe"),
            'ü' => id.push_str("ue"),
            'ß' => id.push_str("ss"),
            'a'..='z' | '0'..='9' => id.push(c),
            _ if !id.is_empty() && !id.ends_with('-') => id.push('-'),
            _ => {}
        }
    }
    let id: String = id.chars().take(crate::limits::ID_SIZE_MAX).collect();
    let id = id.trim_matches('-');
    (!id.is_empty()).then(|| format!("write it as `{id}`"))
}

/// What a type is called outside of programs.
fn plain(expected: &str) -> String {
    match expected {
        "u8" => format!("a whole number from 0 to {}", u8::MAX),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => "a whole number from 0 on".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a string" | "string" => "a text in quotes".to_owned(),
        "struct Text" => "a text in both languages: { de = \"...\", en = \"...\" }".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other if other.contains("enum") || other.contains("variant") => "a word".to_owned(),
        other => other.to_owned(),
    }
}

fn suggestion<'k>(wrong: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    match nearest(wrong, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let all: Vec<String> = known.map(|k| format!("`{k}`")).collect();
            format!("allowed are {}", all.join(", "))
        }
    }
}
