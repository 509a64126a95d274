//! `anlauf cell`: cells as the control plane knows them.

use anlauf_model::{CellId, ServiceId, SiteId, Stage, TenantId};
use clap::Subcommand;
use serde_json::Value;

use super::{Control, word};
use crate::exit::Done;
use crate::output::{Output, table};
use crate::words;

/// Show cells
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// One cell with all that is known of it
    Show {
        /// Which: `bkk-amsel/epa`
        #[arg(value_name = "CELL")]
        cell: CellId,
        #[command(flatten)]
        control: Control,
    },
    /// Cells with their stage
    List {
        #[command(flatten)]
        filter: Filter,
        /// Only at this stage
        #[arg(long, value_parser = word::<Stage>)]
        stage: Option<Stage>,
        #[command(flatten)]
        control: Control,
    },
}

/// Which cells.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Filter {
    /// Only cells at this site
    #[arg(long, value_name = "ID")]
    pub site: Option<SiteId>,
    /// Only this tenant's cells
    #[arg(long, value_name = "ID")]
    pub tenant: Option<TenantId>,
    /// Only cells of this service
    #[arg(long, value_name = "ID")]
    pub service: Option<ServiceId>,
}

impl Filter {
    /// As the query of the API.
    pub fn query(&self) -> String {
        let parts = [
            self.site.as_ref().map(|id| format!("site={id}")),
            self.tenant.as_ref().map(|id| format!("tenant={id}")),
            self.service.as_ref().map(|id| format!("service={id}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join("&")
    }
}

/// Shows.
///
/// # Errors
/// No answer, or there is no such cell for this login.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Show { cell, control } => {
            let whole: Value = control.client(output)?.get(&format!("/cells/{cell}"))?;
            output.result(&whole, || lines(&whole, output))
        }
        Verb::List {
            filter,
            stage,
            control,
        } => {
            let stage = stage.map(|stage| format!("&stage={stage}"));
            let query = format!("/cells?{}{}", filter.query(), stage.unwrap_or_default());
            let cells = control.client(output)?.all(&query, "cells")?;
            let cells = words::items(cells, output);
            output.fields(
                &cells,
                &[
                    (output.say("Zelle", "cell"), "id"),
                    (output.say("Stufe", "stage"), "stage"),
                    (output.say("Epoche", "epoch"), "epoch"),
                    (output.say("Klasse", "class"), "class"),
                    (output.say("Standort", "site"), "site"),
                    (output.say("offene Schritte", "open steps"), "tasks_open"),
                    (output.say("geplant", "planned"), "planned"),
                ],
            )
        }
    }
}

/// Every field of an object on a line of its own.
pub fn lines(object: &Value, output: Output) -> String {
    let fields = object.as_object().into_iter().flatten();
    table(
        &["", ""],
        fields.map(|(name, value)| {
            let text = words::value(name, value, output);
            vec![words::label(name, output), text]
        }),
    )
    .trim_start_matches('\n')
    .to_owned()
}
