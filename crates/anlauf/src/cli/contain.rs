//! `anlauf contain`: shuts everything at once, or a large scope.

use std::collections::BTreeMap;

use anlauf_model::CellId;
use anlauf_trust::Scope;
use clap::ArgGroup;
use serde_json::{Value, json};

use super::cell::Filter;
use super::{Change, Control, tell};
use crate::exit::Done;
use crate::output::Output;

mod at_gate;

use at_gate::AtGate;

/// Shut everything at once, or everything at a site, of a tenant, of a service
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("scope").args(["site", "tenant", "service", "cell"]))]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
    /// Just these cells
    #[arg(long, value_name = "CELL")]
    cell: Vec<CellId>,
    #[command(flatten)]
    at_gate: AtGate,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
    /// Do not ask for a typed yes
    #[arg(long)]
    yes: bool,
}

/// Shows what is shut, asks, and shuts.
///
/// # Errors
/// Nobody typed yes, or the control plane says no.
pub fn run(args: &Args, output: Output) -> Done {
    let ticket = args.change.ticket()?;
    if args.at_gate.gate.is_some() {
        let yes = (args.yes, output);
        return at_gate::run(&args.at_gate, scope(args), &ticket.reason, yes);
    }
    let client = args.control.client(output)?;
    let is_asked = !args.yes && !args.change.dry_run;
    if is_asked {
        let cells = client.all(&format!("/cells?{}", args.filter.query()), "cells")?;
        let named = |cell: &&Value| {
            args.cell.is_empty() || args.cell.iter().any(|id| cell["id"] == id.to_string())
        };
        let mut stages: BTreeMap<String, u64> = BTreeMap::new();
        for cell in cells.iter().filter(named) {
            *stages.entry(output.text(&cell["stage"])).or_default() += 1;
        }
        let counts: Vec<_> = stages
            .iter()
            .map(|(stage, n)| format!("{stage} {n}"))
            .collect();
        let now = output.say("heutiger Stand", "as it stands");
        output.talk(&format!("{now}: {}", counts.join(", ")));
    }
    let scope = scope(args);
    let what = serde_json::to_value(&scope).map_err(anyhow::Error::from)?;
    let ask = output.say("sofort schließen?", "shut at once?");
    output.confirm(!is_asked, &format!("{} – {ask}", output.text(&what)))?;
    let body = json!({ "scope": scope });
    if let Some((ticket, answer)) = args.change.post(&client, "/close", body, output)? {
        tell(&answer, &ticket, output)?;
        hint(&client.get("/status")?, output);
    }
    Ok(())
}

fn scope(args: &Args) -> Scope {
    let filter = &args.filter;
    if !args.cell.is_empty() {
        return Scope::Cells(args.cell.clone());
    }
    match (&filter.site, &filter.tenant, &filter.service) {
        (Some(site), _, _) => Scope::Site(site.clone()),
        (_, Some(tenant), _) => Scope::Tenant(tenant.clone()),
        (_, _, Some(service)) => Scope::Service(service.clone()),
        (None, None, None) => Scope::Everything,
    }
}

/// What comes next, if no incident runs yet.
fn hint(status: &Value, output: Output) {
    let running = status["incident"].is_object() && status["incident"]["ended"].is_null();
    if !running {
        output.talk(output.say(
            "als Nächstes: `anlauf incident declare`, und die Regeln der Wiederherstellung mit \
             `anlauf adopt policy.json` in Kraft setzen",
            "next: `anlauf incident declare`, and put the recovery policy in force with \
             `anlauf adopt policy.json`",
        ));
    }
}
