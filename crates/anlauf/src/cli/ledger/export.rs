//! `anlauf ledger export`: a folder that proves a part of the ledger to whoever gets it.

use std::path::{Path, PathBuf};

use anlauf_model::TenantId;
use anlauf_store::export::check::{Believed, check};
use anlauf_store::export::{Exported, FILE_HEAD, export};
use anlauf_words::fingerprint;
use serde_json::json;

use super::Log;
use crate::cli::key::Public;
use crate::exit::Done;
use crate::output::Output;
use crate::witnesses::policy;

/// `anlauf ledger export`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Data folder of the control plane
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Only this tenant's bodies, and those of everyone
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// Folder to write, which must not be there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    log: Log,
}

/// Writes the folder and reads it back.
///
/// # Errors
/// Nothing is signed, the folder is there, or what was written does not hold.
pub fn run(args: &Args, output: Output) -> Done {
    let key = args.log.public(&args.data)?;
    let log = (args.log.origin(&args.data)?, key);
    export(
        &args.data,
        &args.out,
        args.tenant.as_ref(),
        (&log.0, &log.1),
    )?;
    let report = check(&args.out, Believed::Log(&log.0, &log.1))?;
    tell(&report, true, output)
}

/// Whether a folder is an export.
pub fn is_export(path: &Path) -> bool {
    path.join(FILE_HEAD).is_file() && path.join("tile").is_dir()
}

/// Proves an export.
///
/// # Errors
/// The first file or entry that is wrong.
pub fn verify(
    path: &Path,
    log: Option<(&str, &Path)>,
    witnesses: Option<(&Path, usize)>,
    output: Output,
) -> Done {
    let report = match (log, witnesses) {
        (_, Some((file, faulty))) => check(path, Believed::Witnessed(&policy(file, faulty)?))?,
        (Some((origin, file)), None) => {
            check(path, Believed::Log(origin, &Public::read(file)?.public))?
        }
        (None, None) => check(path, Believed::Folder)?,
    };
    tell(&report, log.is_some() || witnesses.is_some(), output)
}

fn tell(report: &Exported, is_known: bool, output: Output) -> Done {
    let Exported {
        size,
        root,
        body_count,
        erased_count,
        signature_count,
    } = report;
    let value = json!({
        "verified": true,
        "entries": size,
        "root": root,
        "bodies": body_count,
        "erased": erased_count,
        "signatures": signature_count,
        "signature_checked": is_known,
    });
    output.result(&value, || {
        let signed = match is_known {
            true => output.say("Unterschrift des Kopfs geprüft", "head's signature checked"),
            false => output.say(
                "nur gegen den Schlüssel im Ordner selbst geprüft: nennen Sie --origin und --key",
                "checked against the folder's own key only: name --origin and --key",
            ),
        };
        let digits = fingerprint(root);
        match output.language {
            anlauf_model::Language::De => format!(
                "unversehrt: {size} Einträge, davon {body_count} im Wortlaut, {erased_count} \
                 gelöscht\nWurzel: {root}\nzum Vorlesen: {digits}\n{signed}"
            ),
            anlauf_model::Language::En => format!(
                "whole: {size} entries, {body_count} with their body, {erased_count} erased\n\
                 root: {root}\nto read aloud: {digits}\n{signed}"
            ),
        }
    })
}
