//! Finds the lines that a problem of the whole is about.
//!
//! In:    where each piece of a landscape stands, and a [`Problem`] with its spots.
//! Out:   [`Located`]: the same problem with file, line, column and excerpt.
//! Never: looks for anything itself; `lint` has found it.

use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin as Path, Renderer, Snippet};
use serde::Serialize;

use super::error::{Excerpt, excerpt};
use super::names::Origin;
use super::text::Source;
use super::{FILE_LANDSCAPE, FILE_OFFERS, FILE_PEOPLE, FILE_POLICY, FILE_TENANTS};
use crate::landscape::lint::{List, Problem, Severity, Spot};

/// Where the pieces of a landscape stand in its files.
pub struct Places<'f> {
    pub(super) landscape: Source<'f>,
    pub(super) policy: Source<'f>,
    pub(super) top: BTreeMap<&'static str, Range<usize>>,
    pub(super) lists: BTreeMap<List, Vec<Origin<'f>>>,
}

/// A problem of the whole, with its places in the files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Located {
    /// What is wrong.
    pub problem: Problem,
    /// Where, the most important place first.
    pub places: Vec<Place>,
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// File name without folder.
    pub file: &'static str,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// Column in characters, from 1; 0 when the whole file is meant.
    pub column: usize,
    /// The line, or the part of it around the place.
    pub excerpt: Option<Excerpt>,
}

// === impl Places ===

impl Places<'_> {
    /// Finds the places of each problem.
    pub fn locate(&self, problems: Vec<Problem>) -> Vec<Located> {
        let located = |problem: Problem| Located {
            places: self.places(&problem.spots),
            problem,
        };
        problems.into_iter().map(located).collect()
    }

    fn places(&self, spots: &[Spot]) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for place in spots.iter().map(|spot| self.place(*spot)) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    fn place(&self, spot: Spot) -> Place {
        if spot.list == List::Top {
            let span = self.top.get(spot.key).cloned().unwrap_or(0..0);
            return placed(&self.landscape, span);
        }
        let origins = self.lists.get(&spot.list);
        let origin = spot.index.and_then(|n| origins.and_then(|all| all.get(n)));
        let Some(origin) = origin else {
            return Place {
                file: file(spot.list),
                line: 0,
                column: 0,
                excerpt: None,
            };
        };
        let tree = match spot.list {
            List::Rules | List::Freshness => &self.policy,
            _ => &self.landscape,
        };
        placed(&origin.source(tree), origin.span(spot.key, spot.item))
    }
}

fn placed(source: &Source<'_>, span: Range<usize>) -> Place {
    let (line, column, whole) = source.line_at(span.start);
    Place {
        file: source.name,
        line,
        column,
        excerpt: Some(excerpt(source.text, whole, span)),
    }
}

/// Where a list stands; people may stand in `landscape.toml` as well.
fn file(list: List) -> &'static str {
    match list {
        List::Tenants => FILE_TENANTS,
        List::Offers => FILE_OFFERS,
        List::People => FILE_PEOPLE,
        List::Rules | List::Freshness => FILE_POLICY,
        List::Top
        | List::Sites
        | List::Organisations
        | List::Teams
        | List::Services
        | List::Work
        | List::Freezes
        | List::Deadlines => FILE_LANDSCAPE,
    }
}

// === impl Located ===

impl Located {
    /// Several lines for a terminal: what is wrong, places with excerpt and caret, what to do.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let Problem {
            code,
            severity,
            message,
            ..
        } = &self.problem;
        let level = match severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        // A message says first what is wrong, and behind the last semicolon what to do.
        let (what, help) = match message.rsplit_once("; ") {
            Some((what, help)) => (what, Some(help)),
            None => (message.as_str(), None),
        };
        let mut group = Group::with_title(level.primary_title(what).id(*code));
        for place in &self.places {
            group = match &place.excerpt {
                Some(excerpt) => group.element(
                    Snippet::source(excerpt.text.as_str())
                        .path(place.file)
                        .line_start(place.line)
                        .annotation(AnnotationKind::Primary.span(excerpt.from..excerpt.to)),
                ),
                None => group.element(Path::path(place.file)),
            };
        }
        if let Some(help) = help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }
}

#[cfg(test)]
mod tests;
