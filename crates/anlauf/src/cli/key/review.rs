//! Who can sign what, and where one lost key would be one too many.
//!
//! In:    a root, and a policy if there is one, as files. Out: a table, and what to look at.
//! Never: judges signatures; a file that is not signed yet can be reviewed too.
//! See:   BSI C5 IDM-05 (regular review of access rights).

use std::collections::BTreeSet;
use std::path::PathBuf;

use anlauf_model::{Minutes, Role, TenantId, Timestamp};
use anlauf_trust::quorum::ROLES_RELEASING;
use anlauf_trust::{Delegation, KeyRecord, Origin, Policy, Root};
use serde::Serialize;
use serde_json::json;

use super::next::in_force;
use crate::cli::now;
use crate::cli::sign::file::read;
use crate::exit::Done;
use crate::output::{Output, plain, table};

/// A root or key that ends sooner is named. Days.
const ENDING_DAYS: i64 = 90;

/// `anlauf key review`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The root
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// The policy: how many of each role it asks
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A tenant's own list, which stands in the place of what the root says of the tenant
    #[arg(long, value_name = "FILE")]
    list: Vec<PathBuf>,
}

/// One key and what it can do.
#[derive(Serialize)]
struct Line {
    person: String,
    role: String,
    organisation: String,
    tenant: Option<TenantId>,
    scheme: &'static str,
    origin: Origin,
    key: String,
    not_after: Timestamp,
    signs: Vec<&'static str>,
}

/// Shows it.
///
/// # Errors
/// A file is another document.
pub fn run(args: &Args, output: Output) -> Done {
    let mut root = in_force(&args.root)?;
    let mut lists = Vec::new();
    for file in &args.list {
        let list = Delegation::parse(&read(file)?.payload)?;
        root.keys
            .retain(|key| key.role != Role::Tenant || key.tenant.as_ref() != Some(&list.tenant));
        root.keys.extend(list.keys);
        lists.push((list.tenant, list.threshold));
    }
    let policy = match &args.policy {
        Some(file) => Some(Policy::parse(&read(file)?.payload)?),
        None => None,
    };
    let lines: Vec<Line> = root.keys.iter().map(|record| line(&root, record)).collect();
    let notes = notes(&root, &lists, policy.as_ref(), output);
    let value = json!({ "version": root.version, "domain": root.domain, "keys": lines,
        "notes": notes });
    output.result(&value, || {
        let head = [
            output.say("Person", "person"),
            output.say("Rolle", "role"),
            output.say("Organisation", "organisation"),
            output.say("Art", "kind"),
            output.say("Schlüssel", "key"),
            output.say("gilt bis", "until"),
            output.say("unterschreibt", "signs"),
        ];
        let rows = lines.iter().map(|line| {
            vec![
                plain(&line.person),
                line.role.clone(),
                plain(&line.organisation),
                line.scheme.to_owned(),
                line.key[..12].to_owned(),
                line.not_after.to_string(),
                line.signs.join(", "),
            ]
        });
        let mut text = table(&head, rows);
        for note in &notes {
            text.push_str("\n! ");
            text.push_str(note);
        }
        text
    })
}

fn line(root: &Root, record: &KeyRecord) -> Line {
    let mut signs = Vec::new();
    if root.root_keys.contains(&record.id) {
        signs.extend(["root", "policy"]);
    }
    if ROLES_RELEASING.contains(&record.role) {
        let low = !root.drill && record.scheme.origin() == Origin::Software;
        signs.push(if low { "release (B, C)" } else { "release" });
    }
    if !matches!(record.role, Role::Auditor | Role::Gate | Role::Public) {
        signs.push(if record.role == Role::Tenant {
            "close (own)"
        } else {
            "close"
        });
    }
    Line {
        person: record.person.to_string(),
        role: record.role.to_string(),
        organisation: record.organisation.to_string(),
        tenant: record.tenant.clone(),
        scheme: record.scheme.word(),
        origin: record.scheme.origin(),
        key: record.id.to_string(),
        not_after: record.not_after,
        signs,
    }
}

/// What somebody should look at.
fn notes(
    root: &Root,
    lists: &[(TenantId, u32)],
    policy: Option<&Policy>,
    output: Output,
) -> Vec<String> {
    let at = now();
    let mut notes = Vec::new();
    let soon = at + Minutes::days(ENDING_DAYS);
    if root.expires < soon {
        let lead = output.say("die Wurzel endet", "the root ends");
        notes.push(format!("{lead} {}", root.expires));
    }
    let living: Vec<&KeyRecord> = root.keys.iter().filter(|key| key.is_valid_at(at)).collect();
    let holders: BTreeSet<_> = living
        .iter()
        .filter(|record| root.root_keys.contains(&record.id))
        .map(|record| &record.person)
        .collect();
    let spare = |count: usize, want: u32, who: &str, output: Output| {
        let near = (count as u64) < u64::from(want) + 1;
        near.then(|| {
            let why = output.say(
                "eine Person weniger, und es geht nicht mehr",
                "one person fewer, and it cannot be done",
            );
            format!("{who}: {count} ≤ {want}; {why}")
        })
    };
    notes.extend(spare(holders.len(), root.root_threshold, "root", output));
    for (tenant, want) in lists {
        let own = |record: &&&KeyRecord| record.tenant.as_ref() == Some(tenant);
        let persons: BTreeSet<_> = living.iter().filter(own).map(|one| &one.person).collect();
        notes.extend(spare(
            persons.len(),
            *want,
            &format!("tenant/{tenant}"),
            output,
        ));
    }
    for record in root.keys.iter().filter(|record| record.not_after < soon) {
        let lead = output.say("endet", "ends");
        notes.push(format!("{} {lead} {}", record.person, record.not_after));
    }
    for (role, tenant, want) in asked(root, policy) {
        let of = |record: &&&KeyRecord| record.role == role && record.tenant == tenant;
        let persons: BTreeSet<_> = living.iter().filter(of).map(|one| &one.person).collect();
        let who = match &tenant {
            Some(tenant) => format!("{role} {tenant}"),
            None => role.to_string(),
        };
        notes.extend(spare(persons.len(), want, &who, output));
    }
    notes
}

/// The most persons of each role that one rule asks; tenants one by one.
fn asked(root: &Root, policy: Option<&Policy>) -> Vec<(Role, Option<TenantId>, u32)> {
    let rules = policy
        .map(|policy| policy.rules.as_slice())
        .unwrap_or_default();
    let most = |role: Role| {
        let signers = rules.iter().flat_map(|rule| &rule.signers);
        signers
            .filter(|signer| signer.role == role)
            .map(|signer| signer.count)
            .max()
    };
    let tenants: BTreeSet<_> = root
        .keys
        .iter()
        .filter_map(|key| key.tenant.clone())
        .collect();
    let mut asked = Vec::new();
    for role in ROLES_RELEASING {
        let Some(count) = most(role) else { continue };
        match role {
            Role::Tenant => {
                asked.extend(
                    tenants
                        .iter()
                        .map(|tenant| (role, Some(tenant.clone()), count)),
                );
            }
            _ => asked.push((role, None, count)),
        }
    }
    asked
}
