//! A tenant's own list of keys, drafted by the tenant: the first, or the next one.
//!
//! In:    the signed root in force, cards of the tenant's people; the list in force, if any.
//! Out:   the list of version +1, unsigned.
//! Never: takes a card of somebody else; drafts a list that its own people could not continue.
//! See:   docs/guide/key-ceremony.md, ADR 024.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anlauf_model::{Minutes, TenantId, Timestamp};
use anlauf_trust::{Delegation, Envelope, KeyId, KeyRecord};
use anlauf_words::fingerprint;
use serde_json::json;

use super::next::in_force;
use super::write_bytes;
use crate::cli::genesis::{public_keys, record};
use crate::cli::now;
use crate::cli::sign::file::read;
use crate::exit::{Done, Failure};
use crate::landscape;
use crate::output::Output;

/// `anlauf key delegate`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose list
    #[arg(long, value_name = "ID")]
    tenant: TenantId,
    /// The signed root in force
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// The tenant's signed list in force, if there is one
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Folder of the landscape: it says who is what
    #[arg(long, value_name = "DIR")]
    landscape: PathBuf,
    /// Folder with the cards (`*.pub`) of the tenant's people
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// A key to leave out, by its id
    #[arg(long, value_name = "KEY")]
    without: Vec<KeyId>,
    /// How many persons must sign the next list [default: as before; of the first: 2, or 1 if
    /// there is one]
    #[arg(long, value_name = "N")]
    threshold: Option<u32>,
    /// How long its keys hold. Days
    #[arg(long, default_value_t = 365)]
    days: i64,
    /// Where the draft goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Drafts the list.
///
/// # Errors
/// A card of somebody else or without proof, or too few persons to ever continue the list.
pub fn run(args: &Args, output: Output) -> Done {
    let at = now();
    let root = in_force(&args.root)?;
    let before = match &args.list {
        Some(file) => Some(Delegation::parse(&read(file)?.payload)?),
        None => None,
    };
    let tenant = &args.tenant;
    if let Some(list) = before.as_ref().filter(|list| list.tenant != *tenant) {
        return Err(Failure::input(format!(
            "the list is of `{}`, not of `{tenant}`",
            list.tenant
        )));
    }
    let known = before
        .as_ref()
        .map_or_else(Vec::new, |list| list.keys.clone());
    let mut keys = prolonged(known, at, args.days);
    add_cards(&mut keys, args, at, output)?;
    leave_out(&mut keys, &args.without)?;
    let living: Vec<_> = keys.iter().filter(|key| key.is_valid_at(at)).collect();
    let threshold = threshold(args, before.as_ref(), &living, output)?;
    let list = Delegation {
        domain: root.domain,
        tenant: tenant.clone(),
        version: before.map_or(0, |list| list.version) + 1,
        keys,
        threshold,
    };
    tell(args, &list, output)
}

/// Keys that have ended stay ended.
fn prolonged(mut keys: Vec<KeyRecord>, at: Timestamp, days: i64) -> Vec<KeyRecord> {
    for key in keys.iter_mut().filter(|key| key.is_valid_at(at)) {
        key.not_after = at + Minutes::days(days);
    }
    keys
}

fn add_cards(
    keys: &mut Vec<KeyRecord>,
    args: &Args,
    at: Timestamp,
    output: Output,
) -> Result<(), Failure> {
    let (landscape, _) = landscape::load(&args.landscape, output.coloured())?;
    let cards = match &args.keys {
        Some(folder) => public_keys(folder)?,
        None => Vec::new(),
    };
    for card in cards {
        let fresh = record(&landscape, &card, at, args.days)?;
        if fresh.tenant.as_ref() != Some(&args.tenant) {
            return Err(Failure::input(format!(
                "`{}` is not of `{}`; take that card out of the folder",
                fresh.person, args.tenant
            )));
        }
        if !keys.iter().any(|known| known.id == fresh.id) {
            keys.push(fresh);
        }
    }
    Ok(())
}

fn leave_out(keys: &mut Vec<KeyRecord>, without: &[KeyId]) -> Result<(), Failure> {
    for id in without {
        if !keys.iter().any(|key| key.id == *id) {
            return Err(Failure::input(format!(
                "there is no key `{id}` in the list"
            )));
        }
    }
    keys.retain(|key| !without.contains(&key.id));
    Ok(())
}

/// How many must sign the next list; never more than could.
fn threshold(
    args: &Args,
    before: Option<&Delegation>,
    living: &[&KeyRecord],
    output: Output,
) -> Result<u32, Failure> {
    let persons: BTreeSet<_> = living.iter().map(|key| &key.person).collect();
    let have = u32::try_from(persons.len()).unwrap_or(u32::MAX);
    let threshold = args
        .threshold
        .or_else(|| before.map(|list| list.threshold))
        .unwrap_or(have.min(2));
    if threshold == 0 || threshold > have {
        return Err(Failure::input(format!(
            "{have} persons would be left, {threshold} must sign the next list: nobody could ever \
             change it again; add a card or choose --threshold"
        )));
    }
    if have == threshold {
        output.talk(output.say(
            "so viele Personen, wie unterschreiben müssen: geht ein Schlüssel verloren oder \
             läuft ab, kann niemand mehr die Liste ändern; nehmt eine Person mehr auf",
            "as many persons as must sign: if one key is lost or ends, nobody can change the \
             list any more; add one person more",
        ));
    }
    Ok(threshold)
}

fn tell(args: &Args, list: &Delegation, output: Output) -> Done {
    let envelope = Envelope::unsigned(list.to_payload());
    write_bytes(&args.out, 0o644, &envelope.to_bytes())?;
    let digits = fingerprint(&envelope.digest());
    let (version, count) = (list.version, list.keys.len());
    let value = json!({ "file": args.out, "tenant": list.tenant, "version": version,
        "keys": count, "threshold": list.threshold, "fingerprint": digits });
    output.result(&value, || {
        let lead = output.say("Schlüsselliste Version", "list of keys version");
        let next_step = output.say(
            "als Nächstes unterschreiben so viele, wie die alte UND die neue Liste verlangen, mit \
             `anlauf sign FILE`; dann `anlauf adopt FILE`",
            "next: as many sign as the old AND the new list ask, with `anlauf sign FILE`; then \
             `anlauf adopt FILE`",
        );
        format!(
            "{lead} {version}: {count}\n{}  {digits}\n{next_step}",
            args.out.display()
        )
    })
}
