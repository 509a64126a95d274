//! Host and path of cells at the gate: one request, one cell.
//!
//! In:    derived cells. Out: an error for two cells at one place, a warning for one below another.

use std::collections::BTreeMap;

use super::{Problems, Spot};
use crate::id::{CellId, ServiceId};
use crate::landscape::{Cell, Declared};

/// How often a pair of services meets, and where first.
type Meetings<'a> = BTreeMap<(&'a ServiceId, &'a ServiceId, bool), (usize, &'a str)>;

pub(super) fn check(declared: &Declared, cells: &BTreeMap<CellId, Cell>, problems: &mut Problems) {
    let mut by_host: BTreeMap<&str, Vec<(String, &Cell)>> = BTreeMap::new();
    for cell in cells.values() {
        let path = format!("{}/", cell.path.trim_end_matches('/'));
        by_host.entry(&cell.host).or_default().push((path, cell));
    }
    let mut meetings: Meetings<'_> = BTreeMap::new();
    for (host, mut places) in by_host {
        places.sort_by(|a, b| a.0.cmp(&b.0));
        meet(host, &places, &mut meetings);
    }
    for ((upper, lower, is_same), (count, host)) in meetings {
        let mut spots = vec![Spot::service(declared, lower, "path")];
        spots.extend((upper != lower).then(|| Spot::service(declared, upper, "path")));
        if is_same {
            let message = format!(
                "services `{upper}` and `{lower}` answer at the same path at {count} hosts, such \
                 as `{host}`; give one another `path`"
            );
            problems.error("AN-LAN-031", message, spots);
        } else {
            let message = format!(
                "the path of service `{lower}` lies below that of `{upper}` at {count} hosts, \
                 such as `{host}`; the longer path wins, keep them apart if you can"
            );
            problems.warn("AN-LAN-031", message, spots);
        }
    }
}

/// Walks sorted paths; the stack holds those that the present one lies below.
fn meet<'a>(host: &'a str, places: &[(String, &'a Cell)], meetings: &mut Meetings<'a>) {
    let mut above: Vec<&(String, &'a Cell)> = Vec::new();
    for place in places {
        while above
            .last()
            .is_some_and(|upper| !place.0.starts_with(&upper.0))
        {
            above.pop();
        }
        if let Some(upper) = above.last() {
            let key = (&upper.1.service, &place.1.service, upper.0 == place.0);
            meetings.entry(key).or_insert((0, host)).0 += 1;
        }
        above.push(place);
    }
}
