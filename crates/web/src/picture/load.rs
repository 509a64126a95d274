//! The load of the teams over time, against the lanes they have.

use anlauf_model::Language;
use maud::{Markup, html};

use super::axis::{Axis, short};
use super::legend::{Sample, legend};
use super::sheet::{Sheet, label, slab};
use crate::text::word::plan::words;

/// Height of a row, and where in it things stand. Pixels.
const ROW: f64 = 54.0;
const TOP: f64 = 18.0;
const TALL: f64 = 30.0;

/// Most lanes that are drawn one by one.
const LANE_DRAWN_MAX: u32 = 10;

/// Teams as they are drawn.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Begin of the ids in the document.
    pub id: String,
    /// What is drawn, in a few words.
    pub title: String,
    /// From when to when.
    pub axis: Axis,
    /// Top to bottom.
    pub teams: Vec<TeamLoad>,
}

/// One team.
#[derive(Clone, Debug, Default)]
pub struct TeamLoad {
    /// What it is called, with its lanes.
    pub name: String,
    /// Said at its right end: its hours of work.
    pub note: String,
    /// How much it can do side by side.
    pub lanes: u32,
    /// How busy it is, in columns of equal length over the axis. Per mille of its lanes.
    pub load: Vec<u32>,
}

/// How full a column is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Low,
    High,
    Full,
}

impl Level {
    const ALL: [(Level, &'static str); 3] = [
        (Level::Low, "load-low"),
        (Level::High, "load-high"),
        (Level::Full, "load-full"),
    ];

    fn of(load: u32) -> Self {
        match load {
            0..600 => Level::Low,
            600..950 => Level::High,
            _ => Level::Full,
        }
    }
}

/// The picture with its legend.
pub fn load(load: &Load, language: Language) -> Markup {
    let w = words(language);
    let sheet = Sheet {
        id: &load.id,
        title: &load.title,
        description: w.load_about,
        axis: &load.axis,
        height: ROW * load.teams.len() as f64,
    };
    let shapes = html! {
        @for (index, team) in load.teams.iter().enumerate() {
            (columns(team, ROW * index as f64 + TOP))
        }
    };
    let letters = html! {
        @for (index, team) in load.teams.iter().enumerate() {
            (label(&team.name, &team.note, ROW * index as f64))
        }
    };
    let mut samples = vec![
        (Sample::LoadLow, w.legend_load_low),
        (Sample::LoadHigh, w.legend_load_high),
        (Sample::LoadFull, w.legend_load_full),
    ];
    if load.axis.now.is_some() {
        samples.push((Sample::Now, w.legend_now));
    }
    html! {
        (sheet.draw(&shapes, &letters))
        (legend(&samples))
    }
}

fn columns(team: &TeamLoad, top: f64) -> Markup {
    let step = 1000.0 / team.load.len().max(1) as f64;
    let path = |level: Level| -> String {
        let columns = team.load.iter().enumerate();
        let columns = columns.filter(|(_, load)| **load > 0 && Level::of(**load) == level);
        let column = |(index, load): (usize, &u32)| {
            let tall = TALL * f64::from((*load).min(1000)) / 1000.0;
            let from = step * index as f64;
            slab(from, from + step, top + TALL - tall, tall)
        };
        columns.map(column).collect()
    };
    let lanes = team.lanes.clamp(1, LANE_DRAWN_MAX);
    let lane = |number: u32| {
        let y = top + TALL * f64::from(number) / f64::from(lanes);
        format!("M0 {}H1000", short(y))
    };
    html! {
        @for (level, class) in Level::ALL {
            @let path = path(level);
            @if !path.is_empty() { path class=(class) d=(path) {} }
        }
        @if team.lanes <= LANE_DRAWN_MAX {
            path.lane-line d=((1..lanes).map(lane).collect::<String>()) {}
        }
        path.lanes d={ (lane(0)) (lane(lanes)) } {}
    }
}
