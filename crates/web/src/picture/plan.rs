//! A plan on a time axis: a row per service or tenant, with ranges, windows, the critical chain.

use anlauf_model::{Language, Range, Timestamp};
use maud::{Markup, html};

use super::axis::{Axis, places, short};
use super::legend::{Sample, legend};
use super::sheet::{Sheet, label, slab};
use crate::text::word::plan::words;

/// Height of a row, and where in it things stand. Pixels.
const ROW: f64 = 40.0;
const SLOT: f64 = 17.0;
const WORK: f64 = 20.0;
const WORK_HEIGHT: f64 = 9.0;
const CHAIN: f64 = 26.0;
const RANGE: f64 = 31.0;

/// A plan as it is drawn.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Begin of the ids in the document.
    pub id: String,
    /// What is drawn, in a few words.
    pub title: String,
    /// From when to when.
    pub axis: Axis,
    /// Times without work or release.
    pub bands: Vec<Band>,
    /// Top to bottom.
    pub rows: Vec<Row>,
}

/// A time without work or release.
#[derive(Clone, Debug)]
pub struct Band {
    /// Why.
    pub name: String,
    /// Since.
    pub from: Timestamp,
    /// Until.
    pub to: Timestamp,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What it stands for.
    pub name: String,
    /// Said at its right end: how much of it is back.
    pub note: String,
    /// From the first step to the last opening.
    pub work: Option<(Timestamp, Timestamp)>,
    /// Planned openings.
    pub planned: Vec<Timestamp>,
    /// Openings that happened.
    pub opened: Vec<Timestamp>,
    /// Agreed windows.
    pub slots: Vec<(Timestamp, Timestamp)>,
    /// When the last of it opens.
    pub last: Option<Range>,
    /// Its steps on the critical chain.
    pub chain: Vec<(Timestamp, Timestamp)>,
}

/// The picture with its legend.
pub fn plan(plan: &Plan, language: Language) -> Markup {
    let w = words(language);
    let sheet = Sheet {
        id: &plan.id,
        title: &plan.title,
        description: w.plan_about,
        axis: &plan.axis,
        height: ROW * plan.rows.len() as f64,
    };
    let shapes = html! {
        @for band in &plan.bands {
            @let (from, to) = (plan.axis.at(band.from), plan.axis.at(band.to));
            path.band d=(slab(from, to, 0.0, sheet.height)) { title { (band.name) } }
        }
        @for (index, row) in plan.rows.iter().enumerate() {
            (shapes(&plan.axis, row, ROW * index as f64))
        }
    };
    let letters = html! {
        @for (index, row) in plan.rows.iter().enumerate() {
            (label(&row.name, &row.note, ROW * index as f64))
        }
    };
    html! {
        (sheet.draw(&shapes, &letters))
        (legend(&samples(plan, language)))
    }
}

fn shapes(axis: &Axis, row: &Row, top: f64) -> Markup {
    let slabs = |spans: &[(Timestamp, Timestamp)], at: f64, height: f64| -> String {
        let slab = |(from, to): &(Timestamp, Timestamp)| {
            slab(axis.at(*from), axis.at(*to), top + at, height)
        };
        spans.iter().map(slab).collect()
    };
    let ticks: String = places(axis, &row.planned)
        .into_iter()
        .map(|x| format!("M{} {}v13", short(x), short(top + WORK - 2.0)))
        .collect();
    // A line without length and with round ends is a dot that stretching does not bend.
    let dots: String = places(axis, &row.opened)
        .into_iter()
        .map(|x| format!("M{} {}h0", short(x), short(top + WORK + WORK_HEIGHT / 2.0)))
        .collect();
    html! {
        path.row-line d={ "M0 " (short(top + ROW - 2.0)) "H1000" } {}
        @if let Some(work) = row.work { path.work d=(slabs(&[work], WORK, WORK_HEIGHT)) {} }
        @if !row.chain.is_empty() { path.chain d=(slabs(&row.chain, CHAIN, 3.0)) {} }
        @if !row.slots.is_empty() { path.slot d=(slabs(&row.slots, SLOT, 2.5)) {} }
        @if let Some(range) = &row.last {
            path.range-50 d=(slabs(&[(range.p50, range.p80)], RANGE, 4.0)) {}
            path.range-80 d=(slabs(&[(range.p80, range.p95)], RANGE + 1.0, 2.0)) {}
        }
        @if !ticks.is_empty() { path.planned d=(ticks) {} }
        @if !dots.is_empty() { path.opened d=(dots) {} }
    }
}

/// What stands in this picture, and only that.
fn samples(plan: &Plan, language: Language) -> Vec<(Sample, &'static str)> {
    let w = words(language);
    let any = |has: fn(&Row) -> bool| plan.rows.iter().any(has);
    let all = [
        (any(|row| row.work.is_some()), Sample::Work, w.legend_work),
        (
            any(|row| !row.planned.is_empty()),
            Sample::Planned,
            w.legend_planned,
        ),
        (
            any(|row| !row.opened.is_empty()),
            Sample::Opened,
            w.legend_opened,
        ),
        (any(|row| row.last.is_some()), Sample::Range, w.legend_range),
        (
            any(|row| !row.chain.is_empty()),
            Sample::Chain,
            w.legend_chain,
        ),
        (
            any(|row| !row.slots.is_empty()),
            Sample::Slot,
            w.legend_slot,
        ),
        (!plan.bands.is_empty(), Sample::Band, w.legend_band),
        (plan.axis.now.is_some(), Sample::Now, w.legend_now),
    ];
    let there = all.into_iter().filter(|(is_there, ..)| *is_there);
    there.map(|(_, sample, word)| (sample, word)).collect()
}
