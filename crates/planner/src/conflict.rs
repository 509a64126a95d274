//! Finds the fewest cells whose windows cannot hold, and says why.
//!
//! In:    a [`Network`] whose windows do not all hold.
//! Out:   a [`Contradiction`].
//! Never: searches without end: the number of trial schedules is limited.

use crate::calendar::{Minute, Work};
use crate::network::{Network, Span};
use crate::order;
use crate::schedule::Contradiction;
use crate::serial::{self, Lanes};
use crate::slots::{self, Taste};

/// Most trial schedules for one answer. 300 windows with 2 in contradiction take about 30.
const TRIALS_MAX: u32 = 150;

/// Most cells named in a sentence.
const NAMES_MAX: usize = 5;

/// Tries subsets of the windows.
struct Trial<'n, 'a> {
    /// A copy whose windows are set for each trial.
    network: Network<'a>,
    windows: Vec<Option<Span>>,
    taste: &'n [usize],
    works: &'n [Work],
    left: u32,
}

/// Cells that wait for each other.
pub(crate) fn circle(network: &Network<'_>, cells: &[usize]) -> Contradiction {
    let names = names(network, cells);
    Contradiction {
        cells: ids(network, cells),
        why: format!("{names} wait for each other in a circle; remove one `needs` or `after`"),
    }
}

/// The first cell of each crew that has work and nobody to do it; none when all have somebody.
pub(crate) fn nobody(network: &Network<'_>) -> Option<Contradiction> {
    let has_nobody = |task: &&crate::network::Task| {
        let crew = &network.crews[task.crew];
        let calendar = &network.calendars[crew.calendar];
        calendar.is_empty() || (crew.lanes == 0 && task.running.is_none())
    };
    let task = network.tasks.iter().find(has_nobody)?;
    let crew = &network.crews[task.crew];
    let who = crew
        .team
        .map_or_else(|| "the tenant".to_owned(), |team| format!("team `{team}`"));
    let waiting = network.tasks.iter().filter(|t| t.crew == task.crew).count();
    let cell = &network.nodes[task.node].cell.id;
    let what = match waiting {
        1 => "1 task waits".to_owned(),
        many => format!("{many} tasks wait"),
    };
    let why = match crew.lanes {
        0 => format!("{who} has no lane, but {what} for it; give it at least one"),
        _ => format!("{who} never works, but {what} for it; give it hours and days"),
    };
    Some(Contradiction {
        cells: vec![cell.clone()],
        why,
    })
}

/// Why the windows do not hold: those that are impossible alone, else the fewest in contradiction.
pub(crate) fn windows(network: &Network<'_>, taste: &[usize], works: &[Work]) -> Contradiction {
    let slotted = slots::slotted(network);
    let mut trial = Trial {
        network: network.clone(),
        windows: network.nodes.iter().map(|node| node.slot).collect(),
        taste,
        works,
        left: TRIALS_MAX,
    };
    trial.keep_only(&[]);
    let order = order::placeable(network, taste, &[]);
    let earliest = serial::schedule(&trial.network, &order, works, Lanes::Unlimited).open;
    let is_late = |at: &usize| {
        network.nodes[*at]
            .slot
            .is_some_and(|s| earliest[*at] > s.to)
    };
    let alone: Vec<usize> = slotted.iter().copied().filter(is_late).collect();
    if !alone.is_empty() {
        return too_early(network, &alone, &earliest);
    }
    let mut cells = trial.fewest(&[], false, &slotted);
    cells.sort_unstable();
    let names = names(network, &cells);
    let why = match cells.len() {
        1 => format!(
            "the agreed window of {names} cannot be kept: {}",
            window(network, cells[0])
        ),
        _ => format!(
            "the agreed windows of {names} cannot be kept together; agree a later one for one of \
             them"
        ),
    };
    Contradiction {
        cells: ids(network, &cells),
        why,
    }
}

fn too_early(network: &Network<'_>, alone: &[usize], earliest: &[Minute]) -> Contradiction {
    let line = |at: &usize| {
        let open = network.origin.time(earliest[*at]);
        let id = &network.nodes[*at].cell.id;
        format!(
            "`{id}` cannot be open before {open}, but {}",
            window(network, *at)
        )
    };
    let lines: Vec<String> = alone.iter().take(NAMES_MAX).map(line).collect();
    let more = match alone.len().saturating_sub(NAMES_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Contradiction {
        cells: ids(network, alone),
        why: format!("{}{more}", lines.join("; ")),
    }
}

fn window(network: &Network<'_>, at: usize) -> String {
    network.nodes[at].slot.map_or_else(String::new, |slot| {
        let (from, to) = (network.origin.time(slot.from), network.origin.time(slot.to));
        format!("its window is from {from} to {to}")
    })
}

fn names(network: &Network<'_>, cells: &[usize]) -> String {
    let named = cells.iter().take(NAMES_MAX);
    let named: Vec<_> = named
        .map(|at| format!("`{}`", network.nodes[*at].cell.id))
        .collect();
    match cells.len().saturating_sub(NAMES_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn ids(network: &Network<'_>, cells: &[usize]) -> Vec<anlauf_model::CellId> {
    let mut ids: Vec<_> = cells
        .iter()
        .map(|at| network.nodes[*at].cell.id.clone())
        .collect();
    ids.sort();
    ids
}

impl Trial<'_, '_> {
    /// Forgets the windows of all other cells.
    fn keep_only(&mut self, cells: &[usize]) {
        for node in &mut self.network.nodes {
            node.slot = None;
        }
        for at in cells {
            self.network.nodes[*at].slot = self.windows[*at];
        }
    }

    fn holds(&mut self, cells: &[usize]) -> bool {
        let Some(left) = self.left.checked_sub(1) else {
            return true;
        };
        self.left = left;
        self.keep_only(cells);
        slots::keep(&self.network, Taste::Cells(self.taste), &[], self.works).is_ok()
    }

    /// A smallest part of `cells` that does not hold beside `kept` (QuickXplain, Junker 2004).
    fn fewest(&mut self, kept: &[usize], grown: bool, cells: &[usize]) -> Vec<usize> {
        if grown && !self.holds(kept) {
            return Vec::new();
        }
        if cells.len() <= 1 {
            return cells.to_vec();
        }
        let (early, late) = cells.split_at(cells.len() / 2);
        let with_early = [kept, early].concat();
        let mut found = self.fewest(&with_early, true, late);
        let with_found = [kept, &found[..]].concat();
        let more = self.fewest(&with_found, !found.is_empty(), early);
        found.extend(more);
        found
    }
}
