//! Plans a landscape's files, without a control plane.
//!
//! In:    a folder, perhaps a situation, a moment, a seed, steps.
//! Out:   the same plan on every run and machine; or what moved; or what would be if.
//! Never: a plan that misses an agreed window; an answer without a bound beside it.

use std::collections::BTreeMap;
use std::path::Path;

use anlauf_model::{CellId, Forecast, Landscape, Plan, Slot};
use anlauf_planner::{Contradiction, Search, Situation, deadlines_missed, forecast, plan};
use serde_json::{Value, json};

use super::ical::{Calendar, Opening};
use super::situation::SituationFile;
use super::{Args, Format, earlier, rows, whatif};
use crate::cli::now;
use crate::exit::{Done, Failure, Reason};
use crate::landscape;
use crate::output::Output;

/// Plans and prints.
///
/// # Errors
/// The files cannot be used, or no plan can be made of them.
pub fn run(args: &Args, folder: &Path, output: Output) -> Done {
    let (landscape, _) = landscape::load(folder, output.coloured())?;
    let file = match &args.situation {
        Some(path) => SituationFile::read(path)?,
        None => SituationFile::default(),
    };
    let situation = file.on(&landscape, args.at, now())?;
    let old = args.diff.as_deref().map(earlier::read).transpose()?;
    let search = Search {
        seed: args.seed,
        steps: args.steps,
    };
    let parent = old.as_ref().map(|old| old.id);
    let made = plan(&situation, parent, search).map_err(no_plan)?;
    if !args.what_if.is_empty() {
        return whatif::run(args, &situation, &made, output);
    }
    if let Some(old) = &old {
        return earlier::run(args, &situation, (old, &made), output);
    }
    let ranges = match args.samples {
        0 => None,
        samples => Some(forecast(&situation, &made, samples, args.seed)),
    };
    if args.format == Format::Ical && !output.json {
        return calendar(&situation, &made, ranges.as_ref(), output);
    }
    let rows: Vec<Value> = made.rows.iter().map(|row| json!(row)).collect();
    let cells = ranges.map_or(Value::Null, |ranges| json!(ranges.cells));
    let head = head(args, &situation, &made);
    rows::show(&head, &rows, &cells, (args.format, output))
}

/// What stands beside every plan.
pub fn head(args: &Args, situation: &Situation<'_>, made: &Plan) -> Value {
    json!({
        "plan": made.id,
        "parent": made.parent,
        "made_at": made.made_at,
        "objective": made.objective,
        "bound": made.bound,
        "gap_per_mille": made.gap_per_mille(),
        "deadlines_missed": deadlines_missed(situation.landscape, made),
        "seed": args.seed,
        "steps": args.steps,
    })
}

/// Why there is no plan. The message names the parts, windows the fewest that contradict.
pub fn no_plan(contradiction: Contradiction) -> Failure {
    Failure::refused(vec![Reason {
        code: "AN-PLN-001".to_owned(),
        message: contradiction.why,
        remedy: "change the landscape's files or the situation".to_owned(),
    }])
}

fn calendar(
    situation: &Situation<'_>,
    made: &Plan,
    ranges: Option<&Forecast>,
    output: Output,
) -> Done {
    let landscape = situation.landscape;
    let declared = landscape.declared();
    let calendar = Calendar {
        landscape: declared.id.as_str(),
        title: declared.title.get(output.language),
        made_at: made.made_at,
        language: output.language,
    };
    let openings = openings(landscape, &situation.slots, (made, ranges), output);
    output.raw(&calendar.text(&openings))
}

/// Every opening of a plan, the first first.
fn openings(
    landscape: &Landscape,
    slots: &BTreeMap<CellId, Slot>,
    (made, ranges): (&Plan, Option<&Forecast>),
    output: Output,
) -> Vec<Opening> {
    let opening = |(id, at): (&CellId, anlauf_model::Timestamp)| {
        let site = landscape
            .cell(id)
            .and_then(|cell| landscape.site(&cell.site));
        Opening {
            cell: id.to_string(),
            name: name(landscape, id, output),
            place: site.map_or_else(String::new, |site| {
                site.name.get(output.language).to_owned()
            }),
            at,
            slot: slots.get(id).copied(),
            range: ranges.and_then(|ranges| ranges.cells.get(id).copied()),
        }
    };
    let mut openings: Vec<Opening> = made.releases().into_iter().map(opening).collect();
    openings.sort_by(|a, b| (a.at, &a.cell).cmp(&(b.at, &b.cell)));
    openings
}

/// Service and owner, as people say them.
fn name(landscape: &Landscape, id: &CellId, output: Output) -> String {
    let Some(cell) = landscape.cell(id) else {
        return id.to_string();
    };
    let service = landscape.service(&cell.service);
    let service = service.map_or_else(|| id.service(), |one| one.name.get(output.language));
    match cell.tenant().and_then(|tenant| landscape.tenant(tenant)) {
        Some(tenant) => format!("{service} · {}", tenant.name),
        None => format!("{service} · {}", id.owner()),
    }
}
