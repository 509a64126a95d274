//! What a page is before it is bytes: a title, its content, and the parts that live by themselves.
//!
//! In:    markup of a page. Out: [`Screen`]. Never: knows a request.

use maud::Markup;

use crate::port::DeskError;

/// Stands in a form where its idempotency key goes; private-use letters, so no text looks like it.
///
/// Pages stay equal for equal state this way, and only what changed is sent to a live page.
pub(crate) const KEY_HERE: &str = "\u{e000}key\u{e000}";

/// A page.
pub(crate) struct Screen {
    pub(crate) title: String,
    /// Address of its entry in the menu.
    pub(crate) here: &'static str,
    /// Everything between head and foot, parts included.
    pub(crate) main: Markup,
    /// Elements of `main` by id, each sent again by itself when it changes.
    pub(crate) parts: Vec<(String, Markup)>,
    /// Whether it may use the whole width of a large window.
    pub(crate) is_wide: bool,
    /// Whether it is sent again when something happens.
    pub(crate) is_live: bool,
}

/// Why there is no such page.
#[derive(Debug)]
pub(crate) enum Miss {
    /// There is no such thing, or not for this login.
    NotFound,
    /// The form was not filled in so that it can be understood: in words.
    Unclear(&'static str),
    /// The desk cannot answer.
    Desk(DeskError),
}

impl From<DeskError> for Miss {
    fn from(error: DeskError) -> Self {
        Miss::Desk(error)
    }
}

impl Screen {
    /// A page that lives as one part.
    pub(crate) fn new(title: impl Into<String>, here: &'static str, main: Markup) -> Self {
        Self {
            title: title.into(),
            here,
            main,
            parts: Vec::new(),
            is_wide: false,
            is_live: true,
        }
    }

    /// The same with parts that live by themselves.
    pub(crate) fn with_parts(mut self, parts: Vec<(String, Markup)>) -> Self {
        self.parts = parts;
        self
    }

    /// The same over the whole width.
    pub(crate) fn wide(mut self) -> Self {
        self.is_wide = true;
        self
    }

    /// The same, sent once.
    pub(crate) fn still(mut self) -> Self {
        self.is_live = false;
        self
    }
}
