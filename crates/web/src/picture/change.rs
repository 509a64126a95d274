//! What moved between two plans: an arrow from the old opening to the new.

use anlauf_model::{Language, Timestamp};
use maud::{Markup, html};

use super::axis::{Axis, across, short};
use super::legend::{Sample, legend};
use super::sheet::{Sheet, label};
use crate::text::word::plan::words;

/// Height of a row, and where in it things stand. Pixels.
const ROW: f64 = 34.0;
const ARROW: f64 = 23.0;

/// Two plans as they are drawn.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Begin of the ids in the document.
    pub id: String,
    /// What is drawn, in a few words.
    pub title: String,
    /// From when to when.
    pub axis: Axis,
    /// Top to bottom.
    pub moves: Vec<Move>,
}

/// One cell or group that moved.
#[derive(Clone, Debug, Default)]
pub struct Move {
    /// What it is called.
    pub name: String,
    /// Said at its right end: by how much.
    pub note: String,
    /// Opening in the old plan; none when only the new one has it.
    pub from: Option<Timestamp>,
    /// Opening in the new plan; none when only the old one has it.
    pub to: Option<Timestamp>,
}

/// The picture with its legend.
pub fn change(change: &Change, language: Language) -> Markup {
    let w = words(language);
    let sheet = Sheet {
        id: &change.id,
        title: &change.title,
        description: w.change_about,
        axis: &change.axis,
        height: ROW * change.moves.len() as f64,
    };
    let rows = || change.moves.iter().enumerate();
    let shapes = html! {
        @for (index, _) in rows() {
            path.row-line d={ "M0 " (short(ROW * (index + 1) as f64 - 1.0)) "H1000" } {}
        }
    };
    let head = format!("{}-head", change.id);
    let letters = html! {
        defs {
            @for (name, class) in [("sooner", "sooner"), ("later", "later")] {
                marker id={ (head) "-" (name) } class=(class) viewBox="0 0 10 10" refX="9" refY="5"
                    markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto" {
                    path d="M0 0L10 5L0 10z" {}
                }
            }
        }
        @for (index, one) in rows() {
            @let top = ROW * index as f64;
            (label(&one.name, &one.note, top))
            (arrow(&change.axis, one, short(top + ARROW), &head))
        }
    };
    html! {
        (sheet.draw(&shapes, &letters))
        (legend(&[(Sample::Before, w.legend_before), (Sample::After, w.legend_after)]))
    }
}

fn arrow(axis: &Axis, one: &Move, y: String, head: &str) -> Markup {
    let x = |at: Timestamp| across(axis.at(at));
    html! {
        @match (one.from, one.to) {
            (Some(from), Some(to)) => {
                @let way = if to < from { "sooner" } else { "later" };
                line.move.(way) x1=(x(from)) x2=(x(to)) y1=(y) y2=(y)
                    marker-end={ "url(#" (head) "-" (way) ")" } {}
                circle.before cx=(x(from)) cy=(y) r="3.5" {}
            }
            (Some(from), None) => { circle.before cx=(x(from)) cy=(y) r="3.5" {} }
            (None, Some(to)) => { circle.added cx=(x(to)) cy=(y) r="3.5" {} }
            (None, None) => {}
        }
    }
}
