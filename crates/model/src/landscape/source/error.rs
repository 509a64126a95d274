//! One thing wrong in one file, with its place.
//!
//! In:    a place in a text, words.
//! Out:   [`SourceError`], rendered with an excerpt and a caret.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::text::Source;
use crate::limits::SOURCE_ERROR_COUNT_MAX;

/// Most bytes of a line that an excerpt shows; longer lines are cut around the caret.
const EXCERPT_SIZE_MAX: usize = 160;

/// Something wrong in a file of a landscape.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, thiserror::Error)]
pub struct SourceError {
    /// Code with a page under `docs/errors/`: `AN-LAN-010`.
    pub code: &'static str,
    /// File name without folder.
    pub file: String,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// Column in characters, from 1; 0 when the whole file is meant.
    pub column: usize,
    /// What is wrong, one line, lower case, outside input in backticks.
    pub message: String,
    /// What to do: `did you mean ...`.
    pub suggestion: Option<String>,
    excerpt: Option<Box<Excerpt>>,
}

/// The line that is wrong, or the part of it around the place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Excerpt {
    /// What stands there.
    pub text: String,
    /// Where the place begins in it. Bytes, from 0.
    pub from: usize,
    /// Where the place ends in it. Bytes, from 0.
    pub to: usize,
}

impl SourceError {
    /// An error at a place in a file.
    pub(super) fn at(
        code: &'static str,
        source: &Source<'_>,
        span: Range<usize>,
        message: String,
        suggestion: Option<String>,
    ) -> Self {
        let (line, column, whole) = source.line_at(span.start);
        Self {
            code,
            file: source.name.to_owned(),
            line,
            column,
            message: one_line(&message),
            suggestion: suggestion.map(|s| one_line(&s)),
            excerpt: Some(Box::new(excerpt(source.text, whole, span))),
        }
    }

    /// An error about a file as a whole.
    pub(super) fn of_file(code: &'static str, file: &str, message: String, help: &str) -> Self {
        Self {
            code,
            file: file.chars().take(120).collect(),
            line: 0,
            column: 0,
            message: one_line(&message),
            suggestion: Some(one_line(help)),
            excerpt: None,
        }
    }

    /// The line that is wrong, or the part of it around the place; none for a whole file.
    pub fn excerpt(&self) -> Option<&Excerpt> {
        self.excerpt.as_deref()
    }

    /// Several lines for a terminal: message, place, excerpt with caret, suggestion.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut group: Group<'_> = match &self.excerpt {
            Some(excerpt) => {
                let caret = AnnotationKind::Primary.span(excerpt.from..excerpt.to);
                let snippet = Snippet::source(excerpt.text.as_str())
                    .path(self.file.as_str())
                    .line_start(self.line)
                    .annotation(caret);
                self.title().element(snippet)
            }
            None => self.title().element(Origin::path(self.file.as_str())),
        };
        if let Some(suggestion) = &self.suggestion {
            let text = annotate_snippets::normalize_untrusted_str(suggestion);
            group = group.element(Level::HELP.message(text));
        }
        renderer.render(&[group])
    }

    fn title(&self) -> annotate_snippets::Title<'_> {
        Level::ERROR
            .primary_title(self.message.as_str())
            .id(self.code)
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read `{}`", self.file)?;
        if self.line > 0 {
            write!(f, " at line {}, column {}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; {suggestion}")?;
        }
        write!(f, " ({})", self.code)
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(600)
        .collect()
}

pub(super) fn excerpt(text: &str, line: Range<usize>, span: Range<usize>) -> Excerpt {
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start.min(line.end));
    let end = floor(span.end.clamp(start, line.end));
    let (mut from, mut to) = (line.start, line.end);
    if to - from > EXCERPT_SIZE_MAX {
        from = floor(start.saturating_sub(EXCERPT_SIZE_MAX / 4).max(line.start));
        to = floor((from + EXCERPT_SIZE_MAX).min(line.end));
    }
    let end = end.min(to);
    Excerpt {
        text: text[from..to].to_owned(),
        from: start - from,
        to: end.max(start) - from,
    }
}

/// Collects errors up to a limit and counts the rest.
#[derive(Default)]
pub(super) struct Errors {
    list: Vec<SourceError>,
    dropped: usize,
}

impl Errors {
    pub(super) fn push(&mut self, error: SourceError) {
        self.push_with(|| error);
    }

    /// Builds the error only while there is room: a suggestion may be costly to find.
    pub(super) fn push_with(&mut self, error: impl FnOnce() -> SourceError) {
        if self.list.len() < SOURCE_ERROR_COUNT_MAX {
            self.list.push(error());
        } else {
            self.dropped += 1;
        }
    }

    pub(super) fn into_list(mut self) -> Vec<SourceError> {
        if let (1.., Some(last)) = (self.dropped, self.list.last()) {
            let message = format!("{} more errors are not shown", self.dropped);
            let help = "mend the errors above and read again";
            let more = SourceError::of_file("AN-LAN-013", &last.file.clone(), message, help);
            self.list.push(more);
        }
        self.list
    }
}
