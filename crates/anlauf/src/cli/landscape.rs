//! `anlauf landscape`: looks at a landscape's files; hands a changed one to the control plane.

use std::path::PathBuf;

use anlauf_model::landscape::lint::Severity;
use anlauf_model::landscape::source::{self, Excerpt, Located, Place, SourceError};
use anlauf_recovery::Order;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{Change, Control};
use crate::exit::{Code, Done, Failure};
use crate::landscape;
use crate::output::{Output, table};

/// Check, show or adopt a landscape
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Find what is wrong: file, line, column, suggestion; then cycles, times, roles, single points
    Lint {
        /// Folder of the landscape
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Fail on warnings too
        #[arg(long)]
        strict: bool,
    },
    /// Show every cell that follows from the files
    Show {
        /// Folder of the landscape
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Print the JSON Schema of the files, for editors
    Schema,
    /// Hand a changed landscape to the control plane; between incidents only
    Adopt {
        /// Folder of the landscape
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
}

/// Looks at a landscape.
///
/// # Errors
/// Errors in the files, or the control plane says no.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Lint { folder, strict } => check(folder, *strict, output),
        Verb::Show { folder } => show(folder, output),
        Verb::Schema => {
            let schema = source::schema();
            output.result(&schema, || format!("{schema:#}"))
        }
        Verb::Adopt {
            folder,
            control,
            change,
        } => {
            let (landscape, _) = landscape::load(folder, output.coloured())?;
            let landscape = Box::new(landscape.declared().clone());
            change.send(control, &Order::AdoptLandscape { landscape }, output)
        }
    }
}

fn check(folder: &std::path::Path, strict: bool, output: Output) -> Done {
    let files = landscape::files(folder)?;
    let problems = match landscape::look(&files) {
        Ok(looked) => looked.problems,
        Err(errors) if output.json => {
            output.result(&errors.iter().map(in_file).collect::<Vec<_>>(), String::new)?;
            let count = counted(errors.len(), "error");
            let why = format!(
                "cannot read the landscape in `{}`: {count}",
                folder.display()
            );
            return Err(Failure::new(Code::Input, why));
        }
        Err(errors) => return Err(landscape::unreadable(folder, &errors, output.coloured())),
    };
    let errors = problems
        .iter()
        .filter(|located| located.problem.severity == Severity::Error)
        .count();
    let warnings = problems.len() - errors;
    let sum = [counted(errors, "error"), counted(warnings, "warning")].join(", ");
    let found: Vec<Value> = problems.iter().map(of_the_whole).collect();
    output.result(&found, || {
        let texts = problems
            .iter()
            .map(|located| located.render(output.coloured()));
        texts.chain([sum.clone()]).collect::<Vec<_>>().join("\n\n")
    })?;
    if errors > 0 || (strict && warnings > 0) {
        let why = format!("`{}` has {sum}", folder.display());
        return Err(Failure::new(Code::Input, why));
    }
    Ok(())
}

/// `1 error`, `2 errors`.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// An error with its place, as programs read it; beside the problems of the whole.
fn in_file(error: &SourceError) -> Value {
    json!({
        "code": error.code,
        "severity": Severity::Error,
        "file": error.file,
        "line": error.line,
        "column": error.column,
        "message": error.message,
        "suggestion": error.suggestion,
        "excerpt": error.excerpt().map(in_words),
    })
}

/// A problem of the whole, with its places, as programs read it: the first place is the place.
fn of_the_whole(located: &Located) -> Value {
    let problem = &located.problem;
    let first = located.places.first();
    let places: Vec<Value> = located.places.iter().map(place).collect();
    json!({
        "code": problem.code,
        "severity": problem.severity,
        "file": first.map(|place| place.file),
        "line": first.map(|place| place.line),
        "column": first.map(|place| place.column),
        "message": problem.message,
        "excerpt": first.and_then(|place| place.excerpt.as_ref()).map(in_words),
        "places": places,
    })
}

fn place(place: &Place) -> Value {
    json!({
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "excerpt": place.excerpt.as_ref().map(in_words),
    })
}

fn in_words(excerpt: &Excerpt) -> &str {
    &excerpt.text
}

fn show(folder: &std::path::Path, output: Output) -> Done {
    let (landscape, warnings) = landscape::load(folder, output.coloured())?;
    for warning in warnings {
        output.talk(&warning.render(output.coloured()));
    }
    let declared = landscape.declared();
    let cells: Vec<_> = landscape.cells().values().collect();
    let result = json!({
        "id": declared.id,
        "sites": declared.sites.len(),
        "tenants": declared.tenants.len(),
        "services": declared.services.len(),
        "insured": landscape.insured(),
        "table": landscape.gate_table().digest(),
        "cells": cells,
    });
    output.result(&result, || {
        let rows = cells.iter().map(|cell| {
            let stages: Vec<_> = cell.stages.iter().map(|stage| stage.word()).collect();
            let needs: Vec<_> = cell.needs.iter().map(ToString::to_string).collect();
            vec![
                cell.id.to_string(),
                format!("{:?}", cell.class),
                cell.site.to_string(),
                format!("{}{}", cell.host, cell.path),
                stages.join(" "),
                needs.join(" "),
            ]
        });
        let head = [
            output.say("Zelle", "cell"),
            output.say("Klasse", "class"),
            output.say("Standort", "site"),
            output.say("Adresse", "address"),
            output.say("Stufen", "stages"),
            output.say("braucht", "needs"),
        ];
        let count = format!(
            "{}: {} sites, {} tenants, {} services, {} cells",
            declared.id,
            declared.sites.len(),
            declared.tenants.len(),
            declared.services.len(),
            cells.len()
        );
        format!("{}\n{count}", table(&head, rows))
    })
}
