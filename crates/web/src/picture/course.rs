//! Burn-up with a fan: how many services are released, and how many by when.

use anlauf_model::{Language, Timestamp};
use maud::{Markup, html};

use super::axis::{Axis, across, short};
use super::legend::{Sample, legend};
use super::sheet::Sheet;
use crate::text::word::plan::words;

/// Height of the picture. Pixels.
const TALL: f64 = 260.0;

/// Rules across.
const RULES: [u32; 5] = [0, 250, 500, 750, 1000];

/// A course as it is drawn. Every line is a list of points in time with the count from then on.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Begin of the ids in the document.
    pub id: String,
    /// What is drawn, in a few words.
    pub title: String,
    /// From when to when.
    pub axis: Axis,
    /// How many there are in all.
    pub total: u32,
    /// What happened.
    pub released: Vec<(Timestamp, u32)>,
    /// What the plan wants.
    pub planned: Vec<(Timestamp, u32)>,
    /// What the forecast expects: with 50, 80, 95 of 100 so many are back by then.
    pub fan: [Vec<(Timestamp, u32)>; 3],
}

/// The picture with its legend.
pub fn course(course: &Course, language: Language) -> Markup {
    let w = words(language);
    let sheet = Sheet {
        id: &course.id,
        title: &course.title,
        description: w.course_about,
        axis: &course.axis,
        height: TALL,
    };
    let y = |per_mille: u32| TALL - TALL * f64::from(per_mille) / 1000.0;
    let has_fan = course.fan.iter().any(|line| line.len() > 1);
    let [half, most, nearly] = &course.fan;
    let stairs = |line: &[(Timestamp, u32)]| path(&points(course, line));
    let shapes = html! {
        path.rule d=(RULES.map(|rule| format!("M0 {}H1000", short(y(rule)))).concat()) {}
        @if has_fan {
            path.fan-95 d=(between(&points(course, most), &points(course, nearly))) {}
            path.fan-80 d=(between(&points(course, half), &points(course, most))) {}
            path.course-50 d=(stairs(half)) {}
        }
        @if course.planned.len() > 1 { path.course-wanted d=(stairs(&course.planned)) {} }
        path.course-released d=(stairs(&course.released)) {}
    };
    let letters = html! {
        @for rule in RULES {
            @let count = u64::from(course.total) * u64::from(rule) / 1000;
            text.note x=(across(1000.0)) y=(short((y(rule) - 4.0).max(11.0))) text-anchor="end" {
                (count)
            }
        }
    };
    let mut samples = vec![(Sample::Released, w.legend_released)];
    if has_fan {
        samples.extend([
            (Sample::Expected, w.legend_expected),
            (Sample::FanInner, w.legend_fan_80),
            (Sample::FanOuter, w.legend_fan_95),
        ]);
    }
    if course.planned.len() > 1 {
        samples.push((Sample::Wanted, w.legend_wanted));
    }
    if course.axis.now.is_some() {
        samples.push((Sample::Now, w.legend_now));
    }
    html! {
        (sheet.draw(&shapes, &letters))
        (legend(&samples))
    }
}

/// The corners of a stair, as few as the eye can tell apart.
fn points(course: &Course, line: &[(Timestamp, u32)]) -> Vec<(f64, f64)> {
    let y = |count: u32| TALL - TALL * f64::from(count) / f64::from(course.total.max(1));
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for (at, count) in line {
        let (x, y) = (course.axis.at(*at).round(), y(*count));
        let is_first = corners.len() == 1;
        match corners.last_mut() {
            // One place, many steps: the last of them is where it goes on.
            Some(last) if last.0 == x && !is_first => last.1 = y,
            Some(last) if (last.1 - y).abs() < 0.05 && line.last() != Some(&(*at, *count)) => {}
            _ => corners.push((x, y)),
        }
    }
    corners
}

/// The stair through these corners: level to the next, then up.
fn path(corners: &[(f64, f64)]) -> String {
    let mut out = String::new();
    for (index, (x, y)) in corners.iter().enumerate() {
        if index == 0 {
            out.push_str(&format!("M{} {}", short(*x), short(*y)));
        } else {
            out.push_str(&format!("H{}V{}", short(*x), short(*y)));
        }
    }
    out
}

/// The area between two stairs that begin at the same point.
fn between(upper: &[(f64, f64)], lower: &[(f64, f64)]) -> String {
    let mut out = path(upper);
    let Some(last) = lower.last() else {
        return String::new();
    };
    out.push_str(&format!("H{}V{}", short(last.0), short(last.1)));
    // Backwards along the lower stair: down, then level.
    for (x, y) in lower.iter().rev().skip(1) {
        out.push_str(&format!("V{}H{}", short(*y), short(*x)));
    }
    out.push('z');
    out
}
