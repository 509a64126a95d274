//! The time axis of a picture.

use anlauf_model::Timestamp;

/// From when to when a picture goes, and what is written below it.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    /// Left end.
    pub from: Timestamp,
    /// Right end.
    pub to: Timestamp,
    /// Where the present is marked; none in a report of what is over.
    pub now: Option<Timestamp>,
    /// Days with their names, in order.
    pub days: Vec<(Timestamp, String)>,
}

/// Labels of days at most; more stand so close that they run into each other.
const DAY_LABEL_MAX: usize = 12;

/// Where the last label begins at most, wide and on a telephone. Thousandths of the width.
const LABEL_FROM_MAX: f64 = 920.0;
const LABEL_FROM_MAX_NARROW: f64 = 680.0;

/// One label of the axis.
pub(crate) struct Label<'a> {
    /// Where it begins. Thousandths of the width.
    pub(crate) at: f64,
    pub(crate) text: &'a str,
    /// Which labels stay when the axis gets narrow: every second, then every fourth.
    pub(crate) class: &'static str,
}

impl Axis {
    /// Where a point lies. Thousandths of the width, cut at both ends.
    pub(crate) fn at(&self, at: Timestamp) -> f64 {
        let whole = (self.to.0.saturating_sub(self.from.0)).max(1) as f64;
        (((at.0.saturating_sub(self.from.0)) as f64) / whole).clamp(0.0, 1.0) * 1000.0
    }

    /// Days that are marked: all, or every second, third, … when there are too many.
    fn marked(&self) -> impl Iterator<Item = &(Timestamp, String)> {
        let every = self.days.len().div_ceil(DAY_LABEL_MAX).max(1);
        self.days.iter().step_by(every)
    }

    /// The marked days as one path from `top` to `bottom`.
    pub(crate) fn grid(&self, top: f64, bottom: f64) -> String {
        let line = |(day, _): &(Timestamp, String)| {
            format!("M{} {}V{}", short(self.at(*day)), short(top), short(bottom))
        };
        self.marked().map(line).collect()
    }

    /// The labels that fit.
    pub(crate) fn labels(&self) -> Vec<Label<'_>> {
        let mut labels = Vec::new();
        for (index, (day, text)) in self.marked().enumerate() {
            let at = self.at(*day);
            let class = match index % 4 {
                0 if at < LABEL_FROM_MAX_NARROW => "day every-4",
                0 | 2 => "day every-2",
                _ => "day",
            };
            labels.push(Label { at, text, class });
        }
        labels.retain(|label| label.at < LABEL_FROM_MAX);
        labels
    }
}

/// A length in as few digits as the eye can see.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// A place across as SVG takes it outside of the stretched part.
pub(crate) fn across(at: f64) -> String {
    format!("{}%", (at * 10.0).round() / 100.0)
}

/// Places on the axis, each once, in halves of a thousandth: eighty openings in one hour are one
/// line to the eye.
pub(crate) fn places(axis: &Axis, points: &[Timestamp]) -> Vec<f64> {
    let mut places: Vec<i64> = points
        .iter()
        .map(|at| (axis.at(*at) * 2.0).round() as i64)
        .collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|at| at as f64 / 2.0).collect()
}
