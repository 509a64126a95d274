//! `anlauf genesis`: drafts the first root and the two policies for signature.
//!
//! In:    a landscape, public key files, the data folder of the control plane.
//! Out:   `root.json`, `policy-normal.json`, `policy.json`: unsigned, read before they are signed.
//! Never: signs anything; adds a key of a person the landscape does not name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anlauf_model::landscape::policy::normal_rules;
use anlauf_model::{Landscape, Minutes, OrganisationId, PersonId, Role, Timestamp};
use anlauf_trust::{Envelope, KeyRecord, Policy, Root};
use anlauf_words::fingerprint;
use anyhow::Context;
use serde_json::json;

use super::key::Public;
use super::now;
use crate::exit::{Done, Failure};
use crate::landscape;
use crate::output::Output;
use crate::serve::keys::ControlKeys;

/// The signed root.
pub const FILE_ROOT: &str = "root.json";
/// The signed policy for opening cells before any incident: version 1.
pub const FILE_POLICY_NORMAL: &str = "policy-normal.json";
/// The signed policy for recovery: version 2.
pub const FILE_POLICY: &str = "policy.json";

/// Roles whose persons sign roots and policies unless others are named.
const ROLES_ROOT: [Role; 3] = [Role::Operator, Role::Security, Role::Forensics];

/// Most persons without a key that are named; the rest is counted.
const NAMED_MAX: usize = 12;

/// A domain of a rehearsal begins like this, and no other does.
const DRILL: &str = anlauf_trust::authority::DOMAIN_DRILL;

/// Draft the first root and policies from everyone's public keys, for signature
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the landscape
    #[arg(long, value_name = "DIR")]
    landscape: PathBuf,
    /// Folder with everyone's public key files (`*.pub`)
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Data folder of the control plane: its closing key is made if missing, and added
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Name of the domain everything is signed for; of a rehearsal it begins with `drill-`
    #[arg(long)]
    domain: String,
    /// Folder the documents go to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A person who signs roots and policies [default: operators, security, forensics]
    #[arg(long = "root-signer", value_name = "ID")]
    root_signers: Vec<PersonId>,
    /// How many of them must sign
    #[arg(long, default_value_t = 2)]
    threshold: u32,
    /// How long the root holds. Days
    #[arg(long, default_value_t = 365)]
    days: i64,
}

/// Drafts the documents.
///
/// # Errors
/// A key of nobody, two keys of one file, too few signers, files that exist.
pub fn run(args: &Args, output: Output) -> Done {
    let (landscape, _) = landscape::load(&args.landscape, output.coloured())?;
    let control = ControlKeys::open(&args.data)?;
    let at = now();
    let mut keys = Vec::new();
    for public in public_keys(&args.keys)? {
        keys.push(record(&landscape, &public, at, args.days)?);
    }
    keys.push(automation(
        &landscape,
        &control.closer_public(),
        at,
        args.days,
    ));
    let root = root(args, keys, at)?;
    let table = landscape.gate_table().digest();
    let rules = landscape.declared().policy.clone();
    let policy = |version, rules| Policy {
        domain: args.domain.clone(),
        version,
        table,
        rules,
        freshness: landscape.declared().freshness.clone(),
    };
    let drafts = [
        (FILE_ROOT, root.to_payload()),
        (
            FILE_POLICY_NORMAL,
            policy(1, normal_rules(&rules)).to_payload(),
        ),
        (FILE_POLICY, policy(2, rules.clone()).to_payload()),
    ];
    let written = write(&args.out, drafts)?;
    warn_keyless(&landscape, &root, output);
    if root.root_organisations_min < 2 {
        output.talk(output.say(
            "alle Unterzeichner der Wurzel gehören zu einer Organisation: ein Angreifer dort \
             könnte alles ändern; nehmen Sie eine zweite hinzu (Forensik, ein Mandant)",
            "all signers of the root belong to one organisation: an attacker there could change \
             everything; add a second one (forensics, a tenant) with --root-signer",
        ));
    }
    tell(&root, &written, &args.out, output)
}

pub(super) fn public_keys(folder: &Path) -> Done<Vec<Public>> {
    let shown = folder.display();
    let listing =
        fs::read_dir(folder).map_err(|e| Failure::input(format!("cannot read `{shown}`: {e}")))?;
    let mut files: Vec<PathBuf> = listing
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "pub"))
        .collect();
    files.sort();
    if files.is_empty() {
        let why = format!(
            "`{shown}` holds no `*.pub` file; everyone who signs runs \
             `anlauf key enrol --person ID --ssh-key FILE --out ID.pub` (in a rehearsal \
             `anlauf key new`) and hands over the .pub file"
        );
        return Err(Failure::missing(why));
    }
    files.iter().map(|file| Public::read_proven(file)).collect()
}

pub(super) fn record(
    landscape: &Landscape,
    public: &Public,
    at: Timestamp,
    days: i64,
) -> Done<KeyRecord> {
    let Some(person) = landscape.person(&public.person) else {
        let why = format!(
            "the key `{}` is of `{}`, whom the landscape does not name; \
             add the person to people.csv, or leave the key out",
            public.id, public.person
        );
        return Err(Failure::input(why));
    };
    let tenant = match person.role {
        Role::Tenant => Some(
            person
                .organisation
                .as_str()
                .parse()
                .map_err(anyhow::Error::from)?,
        ),
        _ => None,
    };
    Ok(KeyRecord {
        role: person.role,
        tenant,
        ..bare(public, &person.organisation, at, days)
    })
}

fn automation(landscape: &Landscape, public: &Public, at: Timestamp, days: i64) -> KeyRecord {
    bare(public, &landscape.declared().provider, at, days)
}

fn bare(public: &Public, organisation: &OrganisationId, at: Timestamp, days: i64) -> KeyRecord {
    KeyRecord {
        id: public.id.clone(),
        scheme: public.scheme,
        public: public.public.clone(),
        person: public.person.clone(),
        organisation: organisation.clone(),
        role: Role::Automation,
        tenant: None,
        not_before: at,
        not_after: at + Minutes::days(days),
    }
}

fn root(args: &Args, keys: Vec<KeyRecord>, at: Timestamp) -> Done<Root> {
    let signs = |record: &&KeyRecord| match args.root_signers.is_empty() {
        true => ROLES_ROOT.contains(&record.role),
        false => args.root_signers.contains(&record.person),
    };
    let signers: Vec<&KeyRecord> = keys.iter().filter(signs).collect();
    for named in &args.root_signers {
        if !signers.iter().any(|record| record.person == *named) {
            let why = format!("there is no public key of root signer `{named}`");
            return Err(Failure::missing(why));
        }
    }
    let persons: BTreeSet<_> = signers.iter().map(|record| &record.person).collect();
    if args.threshold == 0 || persons.len() < args.threshold as usize {
        let why = format!(
            "{} of {} persons who must sign the root have handed in a key; \
             collect more .pub files, or name others with --root-signer",
            persons.len(),
            args.threshold
        );
        return Err(Failure::missing(why));
    }
    let organisations: BTreeSet<_> = signers.iter().map(|record| &record.organisation).collect();
    Ok(Root {
        domain: args.domain.clone(),
        drill: args.domain.starts_with(DRILL),
        version: 1,
        expires: at + Minutes::days(args.days),
        root_keys: signers.iter().map(|record| record.id.clone()).collect(),
        root_threshold: args.threshold,
        // One organisation alone must not change who is who, if there is another one to ask.
        root_organisations_min: u32::from(organisations.len() > 1 && args.threshold > 1) + 1,
        keys,
    })
}

fn write(out: &Path, drafts: [(&'static str, Vec<u8>); 3]) -> Done<Vec<(&'static str, Envelope)>> {
    let exists = drafts.iter().map(|(name, _)| out.join(name));
    if let Some(path) = exists.into_iter().find(|path| path.exists()) {
        let why = format!(
            "`{}` exists; signed documents are never overwritten, name another folder",
            path.display()
        );
        return Err(Failure::input(why));
    }
    fs::create_dir_all(out).with_context(|| format!("cannot create `{}`", out.display()))?;
    let mut written = Vec::new();
    for (name, payload) in drafts {
        let envelope = Envelope::unsigned(payload);
        let path = out.join(name);
        fs::write(&path, envelope.to_bytes())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        written.push((name, envelope));
    }
    Ok(written)
}

/// Persons who will be missed when something is to be signed.
fn warn_keyless(landscape: &Landscape, root: &Root, output: Output) {
    let signs = |role: Role| {
        !matches!(
            role,
            Role::Auditor | Role::Automation | Role::Gate | Role::Public
        )
    };
    let keyless: Vec<String> = landscape
        .people()
        .iter()
        .filter(|person| signs(person.role))
        .filter(|person| !root.keys.iter().any(|record| record.person == person.id))
        .map(|person| person.id.to_string())
        .collect();
    if !keyless.is_empty() {
        let why = output.say(
            "ohne Schlüssel, unterschreiben nicht",
            "without a key, cannot sign",
        );
        let more = keyless.len().saturating_sub(NAMED_MAX);
        let named = keyless[..keyless.len() - more].join(", ");
        let more = if more > 0 {
            format!(" + {more}")
        } else {
            String::new()
        };
        output.talk(&format!("{why}: {named}{more}"));
    }
}

fn tell(root: &Root, written: &[(&str, Envelope)], out: &Path, output: Output) -> Done {
    let documents: Vec<_> = written
        .iter()
        .map(|(name, envelope)| {
            let digest = envelope.digest();
            json!({ "file": out.join(name), "digest": digest, "fingerprint": fingerprint(&digest) })
        })
        .collect();
    let value = json!({
        "domain": root.domain,
        "drill": root.drill,
        "keys": root.keys.len(),
        "threshold": root.root_threshold,
        "organisations_min": root.root_organisations_min,
        "documents": documents,
    });
    output.result(&value, || {
        let mut lines: Vec<String> = written
            .iter()
            .map(|(name, envelope)| {
                let digits = fingerprint(&envelope.digest());
                format!("{}  {digits}", out.join(name).display())
            })
            .collect();
        lines.push(match output.language {
            anlauf_model::Language::De => format!(
                "als Nächstes: {} Personen aus {} Organisationen unterschreiben jede Datei mit \
                 `anlauf sign FILE --key FILE`",
                root.root_threshold, root.root_organisations_min
            ),
            anlauf_model::Language::En => format!(
                "next: {} persons from {} organisations sign each file with \
                 `anlauf sign FILE --key FILE`",
                root.root_threshold, root.root_organisations_min
            ),
        });
        lines.join("\n")
    })
}
