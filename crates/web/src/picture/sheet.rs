//! What every picture stands on: title, description, days, the present.

use maud::{Markup, html};

use super::axis::{Axis, across, short};

/// Room for the labels of days above the shapes. Pixels.
const TOP: f64 = 20.0;

/// A picture before its shapes.
pub(crate) struct Sheet<'a> {
    /// Begin of the ids of its title and description.
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    /// What the picture shows, in sentences.
    pub(crate) description: &'a str,
    pub(crate) axis: &'a Axis,
    /// Height of the shapes. Pixels.
    pub(crate) height: f64,
}

impl Sheet<'_> {
    /// The picture. `shapes` lie in 1,000 × height and are stretched across; `letters` lie in
    /// shares of the width × pixels and are not.
    pub(crate) fn draw(&self, shapes: &Markup, letters: &Markup) -> Markup {
        let (id, height) = (self.id, self.height);
        let box_of = format!("0 0 1000 {}", short(height));
        let now = self.axis.now.map(|now| short(self.axis.at(now)));
        html! {
            svg.picture xmlns="http://www.w3.org/2000/svg" role="img" width="100%"
                height=(short(height + TOP))
                aria-labelledby={ (id) "-title " (id) "-about" } {
                title id={ (id) "-title" } { (self.title) }
                desc id={ (id) "-about" } { (self.description) }
                @for label in self.axis.labels() {
                    text class=(label.class) x=(across(label.at)) dx="3" y="13" { (label.text) }
                }
                svg viewBox=(box_of) preserveAspectRatio="none" width="100%" y=(short(TOP))
                    height=(short(height)) {
                    path.day-line d=(self.axis.grid(0.0, height)) {}
                    (shapes)
                    @if let Some(now) = now { path.now d={ "M" (now) " 0V" (short(height)) } {} }
                }
                svg y=(short(TOP)) width="100%" height=(short(height)) { (letters) }
            }
        }
    }
}

/// A filled box as a piece of a path.
pub(crate) fn slab(from: f64, to: f64, top: f64, height: f64) -> String {
    // Never thinner than a thousandth: what is there is seen.
    let width = (to - from).max(1.0);
    let (height, width) = (short(height), short(width));
    format!("M{} {}h{width}v{height}h-{width}z", short(from), short(top))
}

/// Name and note of a row that begins at `top`. A name that is too long for a telephone ends
/// before the note begins.
pub(crate) fn label(name: &str, note: &str, top: f64) -> Markup {
    html! {
        svg y=(short(top)) width="68%" height="17" { text.name y="13" { (name) } }
        text.note x="100%" y=(short(top + 13.0)) text-anchor="end" { (note) }
    }
}
