//! The next root: new, further or fewer keys, drafted from the signed root in force.
//!
//! In:    the root in force as a file; cards, or whom to leave out.
//! Out:   `root` of version +1, unsigned.
//! Never: changes a person's role or organisation; drafts a root that can never be signed again.
//! See:   TUF specification §5.3 (the thresholds of both), docs/guide/key-ceremony.md.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anlauf_model::{Minutes, PersonId, Timestamp};
use anlauf_trust::{Envelope, KeyId, KeyRecord, Root};
use anlauf_words::fingerprint;
use serde_json::json;

use super::write_bytes;
use crate::cli::genesis::{public_keys, record};
use crate::cli::now;
use crate::cli::sign::file::read;
use crate::exit::{Done, Failure};
use crate::landscape;
use crate::output::Output;

/// Where the root comes from and goes to.
#[derive(Debug, clap::Args)]
struct Files {
    /// The signed root in force
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// Where the draft of the next one goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How long the next root holds. Days
    #[arg(long, default_value_t = 365)]
    days: i64,
}

/// `anlauf key rotate`
#[derive(Debug, clap::Args)]
pub struct Rotate {
    #[command(flatten)]
    files: Files,
    /// Folder of the landscape: it says who is what
    #[arg(long, value_name = "DIR")]
    landscape: PathBuf,
    /// Folder with the cards (`*.pub`) of new keys
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Keep the older keys of persons who bring a new one
    #[arg(long)]
    keep: bool,
    /// A further person who signs roots and policies
    #[arg(long = "root-signer", value_name = "ID")]
    root_signers: Vec<PersonId>,
    /// How many persons must sign roots from then on [default: as before]
    #[arg(long)]
    threshold: Option<u32>,
}

/// `anlauf key revoke`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("whom").required(true).multiple(true))]
pub struct Revoke {
    #[command(flatten)]
    files: Files,
    /// A person who loses every key
    #[arg(long, value_name = "ID", group = "whom")]
    person: Vec<PersonId>,
    /// One key, by its id
    #[arg(long, value_name = "KEY", group = "whom")]
    id: Vec<KeyId>,
}

/// Drafts the next root with new keys.
///
/// # Errors
/// A card of nobody or without proof, or the root could not be signed afterwards.
pub fn rotate(args: &Rotate, output: Output) -> Done {
    let (landscape, _) = landscape::load(&args.landscape, output.coloured())?;
    let at = now();
    let old = in_force(&args.files.root)?;
    let mut fresh = Vec::new();
    for card in public_keys(&args.keys)? {
        fresh.push(record(&landscape, &card, at, args.files.days)?);
    }
    let brings = |person: &PersonId| fresh.iter().any(|record| record.person == *person);
    let mut next = Root {
        version: old.version + 1,
        expires: at + Minutes::days(args.files.days),
        root_threshold: args.threshold.unwrap_or(old.root_threshold),
        ..old.clone()
    };
    let signs: BTreeSet<PersonId> = root_persons(&old)
        .into_iter()
        .chain(args.root_signers.iter().cloned())
        .collect();
    next.keys
        .retain(|record| args.keep || !brings(&record.person));
    for record in fresh {
        if !next.keys.iter().any(|known| known.id == record.id) {
            next.keys.push(record);
        }
    }
    prolong(&mut next, at);
    name_root_keys(&mut next, &signs);
    finish(&args.files, &old, &next, output)
}

/// Drafts the next root without some keys.
///
/// # Errors
/// There is no such key, or the root could not be signed afterwards.
pub fn revoke(args: &Revoke, output: Output) -> Done {
    let old = in_force(&args.files.root)?;
    for person in &args.person {
        if !old.keys.iter().any(|record| record.person == *person) {
            return Err(Failure::input(format!("`{person}` has no key in the root")));
        }
    }
    for id in &args.id {
        if !old.keys.iter().any(|record| record.id == *id) {
            return Err(Failure::input(format!(
                "there is no key `{id}` in the root"
            )));
        }
    }
    let at = now();
    let mut next = Root {
        version: old.version + 1,
        expires: at + Minutes::days(args.files.days),
        ..old.clone()
    };
    next.keys
        .retain(|record| !args.person.contains(&record.person) && !args.id.contains(&record.id));
    prolong(&mut next, at);
    name_root_keys(&mut next, &root_persons(&old));
    finish(&args.files, &old, &next, output)
}

/// The root in a file.
///
/// # Errors
/// It is another document.
pub fn in_force(file: &Path) -> Done<Root> {
    Ok(Root::parse(&read(file)?.payload)?)
}

/// Who signs roots.
fn root_persons(root: &Root) -> BTreeSet<PersonId> {
    let signs = |record: &&KeyRecord| root.root_keys.contains(&record.id);
    let persons = root
        .keys
        .iter()
        .filter(signs)
        .map(|record| record.person.clone());
    persons.collect()
}

/// Keys that hold today hold as long as the root they stand in.
fn prolong(next: &mut Root, at: Timestamp) {
    let until = next.expires;
    for record in next.keys.iter_mut().filter(|record| record.is_valid_at(at)) {
        record.not_after = until;
    }
}

fn name_root_keys(next: &mut Root, persons: &BTreeSet<PersonId>) {
    let signs = |record: &&KeyRecord| persons.contains(&record.person);
    next.root_keys = next
        .keys
        .iter()
        .filter(signs)
        .map(|record| record.id.clone())
        .collect();
}

fn finish(files: &Files, old: &Root, next: &Root, output: Output) -> Done {
    let holders = root_persons(next);
    let signs = |record: &&KeyRecord| next.root_keys.contains(&record.id);
    let organisations: BTreeSet<_> = next
        .keys
        .iter()
        .filter(signs)
        .map(|record| &record.organisation)
        .collect();
    let is_short = |have: usize, want: u32| (have as u64) < u64::from(want);
    if is_short(holders.len(), next.root_threshold)
        || is_short(organisations.len(), next.root_organisations_min)
    {
        let why = format!(
            "{} persons of {} organisations would be left to sign roots, {} of {} must: nobody \
             could ever change it again; enrol others first with `anlauf key rotate --root-signer`",
            holders.len(),
            organisations.len(),
            next.root_threshold,
            next.root_organisations_min
        );
        return Err(Failure::input(why));
    }
    let envelope = Envelope::unsigned(next.to_payload());
    write_bytes(&files.out, 0o644, &envelope.to_bytes())?;
    let ids = |root: &Root| -> BTreeSet<KeyId> {
        root.keys.iter().map(|record| record.id.clone()).collect()
    };
    let (before, after) = (ids(old), ids(next));
    let (gone, came): (Vec<_>, Vec<_>) = (
        before.difference(&after).collect(),
        after.difference(&before).collect(),
    );
    let digits = fingerprint(&envelope.digest());
    let value = json!({
        "file": files.out,
        "version": next.version,
        "added": came,
        "removed": gone,
        "fingerprint": digits,
    });
    output.result(&value, || {
        let lead = output.say("Wurzel Version", "root version");
        let next_step = output.say(
            "als Nächstes unterschreiben so viele, wie die alte UND die neue Wurzel verlangen, \
             mit `anlauf sign FILE`; dann `anlauf adopt FILE`",
            "next: as many sign as the old AND the new root ask, with `anlauf sign FILE`; \
             then `anlauf adopt FILE`",
        );
        format!(
            "{lead} {}: +{} −{}\n{}  {digits}\n{next_step}",
            next.version,
            came.len(),
            gone.len(),
            files.out.display()
        )
    })
}
