//! When a cell may open: inside its agreed window, outside every freeze.
//!
//! In:    a cell's window and freezes, the hours of who does its last task.
//! Out:   whether a place is frozen, and the first place that is not.
//! Never: looks at lanes; those are the profile's.

use anlauf_model::TaskKind;

use crate::calendar::{Calendar, Minute, Work};
use crate::network::{Node, Span};

/// Whether a decision touches a freeze, or the end of another last task falls into it.
pub(crate) fn is_frozen(kind: TaskKind, begin: Minute, end: Minute, freeze: &Span) -> bool {
    match kind {
        TaskKind::Decision => begin < freeze.to && end >= freeze.from,
        _ => end >= freeze.from && end < freeze.to,
    }
}

/// Work done before a last task begins that respects `at`: a decision begins no earlier, another
/// task ends no earlier.
pub(crate) fn begin_after(kind: TaskKind, calendar: &Calendar, work: Work, at: Minute) -> Work {
    match kind {
        TaskKind::Decision => calendar.worked(at),
        _ => calendar.begin_to_end_at(work, at),
    }
}

/// When a cell opens whose work is done at `ready`: not before its window, not in a freeze.
pub(crate) fn opening(node: &Node<'_>, ready: Minute) -> Minute {
    let mut open = node.slot.map_or(ready, |slot| ready.max(slot.from));
    for _ in 0..node.freezes.len() {
        for freeze in &node.freezes {
            if freeze.from <= open && open < freeze.to {
                open = freeze.to;
            }
        }
    }
    open
}
