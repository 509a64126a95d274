//! Names that stand twice, or nowhere.
//!
//! In:    pieces with their places. Out: errors that point at the wrong name, with the nearest one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::FILE_LANDSCAPE;
use super::error::{Errors, SourceError};
use super::sheet::Line;
use super::text::Source;
use super::tree::Tree;
use crate::landscape::{Offer, Person, Tenant};

/// A piece and where it stands.
pub(super) struct Placed<'i, T> {
    pub(super) value: T,
    pub(super) origin: Origin<'i>,
}

/// Where a piece stands.
pub(super) enum Origin<'i> {
    /// A table of a TOML file.
    Tree(Spanned<DeValue<'i>>),
    /// A line of a CSV file.
    Line(Line<'i>),
}

impl Origin<'_> {
    /// The bytes of a key's value, or of the n-th item of its list; of the id without such a key.
    pub(super) fn span(&self, key: &str, item: Option<usize>) -> Range<usize> {
        match self {
            Origin::Line(line) => line.span(key),
            Origin::Tree(whole) => {
                let value = whole.get_ref().get(key);
                let inner = item.and_then(|n| value.and_then(|v| v.get_ref().get(n)));
                let id = || whole.get_ref().get("id");
                let value = inner.or(value).or_else(id);
                value.map_or_else(|| whole.span(), Spanned::span)
            }
        }
    }

    pub(super) fn source<'s>(&'s self, tree: &'s Source<'s>) -> Source<'s> {
        match self {
            Origin::Tree(_) => Source {
                name: tree.name,
                text: tree.text,
            },
            Origin::Line(line) => Source {
                name: line.file(),
                text: line.text(),
            },
        }
    }
}

/// The nearest of the known words, when it is near enough to be meant.
pub(super) fn nearest<'k>(wrong: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let wrong: String = wrong.chars().take(80).collect();
    let distance_max = (wrong.chars().count() / 3).clamp(1, 4);
    known
        .map(|word| (strsim::damerau_levenshtein(&wrong, word), word))
        .filter(|(distance, _)| *distance <= distance_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The pieces of one list that could be read, and the ids of all.
///
/// A piece that could not be read still has a name: what refers to it is not called unknown.
pub(super) struct Listed<'i, T> {
    pub(super) items: Vec<Placed<'i, T>>,
    pub(super) ids: BTreeSet<String>,
}

impl<T> Default for Listed<'_, T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            ids: BTreeSet::new(),
        }
    }
}

/// Looks for names that stand twice or nowhere, as far as the lists could be read.
pub(super) fn check(
    tree: Option<&Tree<'_>>,
    tenants: Option<&Listed<'_, Tenant>>,
    offers: Option<&Listed<'_, Offer>>,
    errors: &mut Errors,
) {
    let text = tree.map_or("", |tree| tree.text);
    let mut checker = Checker {
        tree: Source {
            name: FILE_LANDSCAPE,
            text,
        },
        errors,
    };
    if let Some(tenants) = tenants {
        checker.unique(tenants, "tenant", "id", |t| t.id.to_string());
    }
    if let Some(offers) = offers {
        checker.unique(offers, "offer", "service", |o| {
            format!("{},{}", o.tenant, o.service)
        });
        for offer in offers.items.iter().filter(|_| tenants.is_some()) {
            let ids = tenants.map(|t| &t.ids);
            let name = offer.value.tenant.as_str();
            checker.known(
                &offer.origin,
                ("tenant", None),
                ("the offer", "tenant", name),
                ids,
            );
        }
    }
    let Some(tree) = tree else { return };
    checker.unique(&tree.sites, "site", "id", |s| s.id.to_string());
    checker.unique(&tree.organisations, "organisation", "id", |o| {
        o.id.to_string()
    });
    checker.unique(&tree.teams, "team", "id", |t| t.id.to_string());
    checker.unique(&tree.services, "service", "id", |s| s.id.to_string());
    checker.unique(&tree.people, "person", "id", |p| p.id.to_string());
    checker.unique(&tree.work, "estimate", "task", |w| {
        format!("{:?} {}", w.kind, w.task)
    });
    checker.tree_references(tree);
    for tenant in tenants.iter().flat_map(|t| &t.items) {
        let who = format!("tenant `{}`", tenant.value.id);
        let what = (who.as_str(), "site", tenant.value.site.as_str());
        checker.known(&tenant.origin, ("site", None), what, Some(&tree.sites.ids));
    }
    for offer in offers.iter().flat_map(|o| &o.items) {
        let what = ("the offer", "service", offer.value.service.as_str());
        checker.known(
            &offer.origin,
            ("service", None),
            what,
            Some(&tree.services.ids),
        );
    }
    if let Some(tenants) = tenants {
        checker.people(tree, &tree.people.items, &tenants.ids);
    }
}

struct Checker<'s, 'e> {
    tree: Source<'s>,
    errors: &'e mut Errors,
}

impl Checker<'_, '_> {
    /// Each name of a list stands once.
    fn unique<T>(
        &mut self,
        listed: &Listed<'_, T>,
        word: &str,
        key: &str,
        name: impl Fn(&T) -> String,
    ) {
        let mut first: BTreeMap<String, &Origin<'_>> = BTreeMap::new();
        for piece in &listed.items {
            let name = name(&piece.value);
            let Some(before) = first.get(&name) else {
                first.insert(name, &piece.origin);
                continue;
            };
            let tree = &self.tree;
            self.errors.push_with(|| {
                let source = before.source(tree);
                let (line, ..) = source.line_at(before.span(key, None).start);
                let help = format!(
                    "the first is at `{}`, line {line}; remove one or rename it",
                    source.name
                );
                let source = piece.origin.source(tree);
                let span = piece.origin.span(key, None);
                let message = format!("{word} `{name}` is declared twice");
                SourceError::at("AN-LAN-009", &source, span, message, Some(help))
            });
        }
    }

    /// A name that is referred to exists: `place` is key and item, `what` is who needs which kind.
    fn known(
        &mut self,
        origin: &Origin<'_>,
        place: (&str, Option<usize>),
        what: (&str, &str, &str),
        ids: Option<&BTreeSet<String>>,
    ) {
        let Some(ids) = ids.filter(|ids| !ids.contains(what.2)) else {
            return;
        };
        let tree = &self.tree;
        self.errors.push_with(|| {
            let (who, kind, name) = what;
            let message = format!("{who} names the {kind} `{name}`, which is not listed");
            let help = match nearest(name, ids.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare the {kind} `{name}` or name another"),
            };
            let span = origin.span(place.0, place.1);
            SourceError::at(
                "AN-LAN-010",
                &origin.source(tree),
                span,
                message,
                Some(help),
            )
        });
    }

    fn tree_references(&mut self, tree: &Tree<'_>) {
        for piece in &tree.services.items {
            let service = &piece.value;
            let who = format!("service `{}`", service.id);
            let team = (who.as_str(), "team", service.team.as_str());
            self.known(&piece.origin, ("team", None), team, Some(&tree.teams.ids));
            for (key, names) in [("needs", &service.needs), ("after", &service.after)] {
                for (item, name) in names.iter().enumerate() {
                    let what = (who.as_str(), "service", name.as_str());
                    self.known(
                        &piece.origin,
                        (key, Some(item)),
                        what,
                        Some(&tree.services.ids),
                    );
                }
            }
            if let Some(regular) = &service.emergency_for {
                let what = (who.as_str(), "service", regular.as_str());
                let place = ("emergency_for", None);
                self.known(&piece.origin, place, what, Some(&tree.services.ids));
            }
            if let Some(home) = &service.home {
                let what = (who.as_str(), "site", home.as_str());
                self.known(&piece.origin, ("home", None), what, Some(&tree.sites.ids));
            }
        }
        for piece in &tree.work.items {
            if let Some(team) = &piece.value.team {
                let what = ("the estimate", "team", team.as_str());
                self.known(&piece.origin, ("team", None), what, Some(&tree.teams.ids));
            }
        }
        for piece in &tree.deadlines.items {
            for (item, service) in piece.value.services.iter().enumerate() {
                let what = ("the deadline", "service", service.as_str());
                let known = Some(&tree.services.ids);
                self.known(&piece.origin, ("services", Some(item)), what, known);
            }
        }
        for piece in &tree.freezes.items {
            for (item, site) in piece.value.sites.iter().enumerate() {
                let what = ("the freeze", "site", site.as_str());
                self.known(
                    &piece.origin,
                    ("sites", Some(item)),
                    what,
                    Some(&tree.sites.ids),
                );
            }
        }
    }

    fn people(
        &mut self,
        tree: &Tree<'_>,
        people: &[Placed<'_, Person>],
        tenants: &BTreeSet<String>,
    ) {
        let mut ids: BTreeSet<String> = tenants | &tree.organisations.ids;
        ids.insert(tree.provider.to_string());
        for piece in people {
            let who = format!("person `{}`", piece.value.id);
            let what = (
                who.as_str(),
                "organisation",
                piece.value.organisation.as_str(),
            );
            self.known(&piece.origin, ("organisation", None), what, Some(&ids));
        }
    }
}
