//! Pictures of plans: data in, SVG text out.
//!
//! In:    rows, times and counts that somebody has read off a state or a ledger, and a language.
//! Out:   one `<svg>` each, with title and description; its legend.
//! Never: reads a state; a colour that says something no form says; a script; an inline style.
//! See:   `style/picture.css`, which the console and the drill's report both carry.
//!
//! Lengths across are shares of the width, so that a telephone gets the same picture with letters
//! of the same size. What would be bent by that (dots, arrows, letters) is not drawn as a shape.

mod axis;
mod change;
mod course;
mod legend;
mod load;
mod plan;
mod sheet;

pub use axis::Axis;
pub use change::{Change, Move, change};
pub use course::{Course, course};
pub use load::{Load, TeamLoad, load};
pub use plan::{Band, Plan, Row, plan};

/// The style of the pictures and the values it uses, for a document that stands alone.
pub const STYLE: &str = concat!(
    include_str!("style/token.css"),
    include_str!("style/picture.css")
);

#[cfg(test)]
mod tests;
