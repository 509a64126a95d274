//! Plans a landscape's files, without a control plane.
//!
//! In:    a folder, a moment, a seed, steps. Out: the same plan on every run and machine.

use std::collections::BTreeMap;
use std::path::Path;

use anlauf_planner::{Search, Situation, forecast, plan};
use serde_json::{Value, json};

use super::{Args, rows};
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
    let at = args.at.unwrap_or_else(now);
    let situation = Situation {
        landscape: &landscape,
        now: at,
        began: at,
        progress: BTreeMap::new(),
        slots: BTreeMap::new(),
        wishes: BTreeMap::new(),
        holds: BTreeMap::new(),
        lanes: BTreeMap::new(),
    };
    let search = Search {
        seed: args.seed,
        steps: args.steps,
    };
    let plan = plan(&situation, None, search).map_err(|contradiction| {
        Failure::refused(vec![Reason {
            code: "AN-PLN-001".to_owned(),
            message: contradiction.why,
            remedy: "change the landscape's files".to_owned(),
        }])
    })?;
    let ranges = match args.samples {
        0 => Value::Null,
        samples => json!(forecast(&situation, &plan, samples, args.seed).cells),
    };
    let head = json!({
        "plan": plan.id,
        "made_at": plan.made_at,
        "objective": plan.objective,
        "bound": plan.bound,
        "gap_per_mille": plan.gap_per_mille(),
    });
    let rows: Vec<Value> = plan.rows.iter().map(|row| json!(row)).collect();
    rows::show(&head, &rows, &ranges, (args.format, output))
}
