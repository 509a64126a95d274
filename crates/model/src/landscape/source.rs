//! Reads a landscape from texts: TOML for the tree, CSV for the long lists.
//!
//! In:    file names and bytes; the shell reads the disk.
//! Out:   a [`Declared`] landscape, or every error with file, line, column and excerpt.
//! Never: a half-read landscape.
//! See:   docs/formats/landscape.md.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lint::List;
use super::{
    Deadline, Declared, Freeze, FreshnessRule, Objective, Offer, Organisation, Person, PolicyRule,
    Service, Site, Team, Tenant, Work,
};
use crate::id::OrganisationId;
use crate::language::Text;
use crate::limits::{LANDSCAPE_FILE_COUNT_MAX, LANDSCAPE_FILE_SIZE_MAX};

mod error;
mod names;
mod place;
mod sheet;
mod text;
mod tree;

pub use error::{Excerpt, SourceError};
pub use place::{Located, Place, Places};

use error::Errors;
use names::{Listed, Origin};
use text::Source;

/// The tree: what the provider is.
pub const FILE_LANDSCAPE: &str = "landscape.toml";
/// What must be known and who must sign.
pub const FILE_POLICY: &str = "policy.toml";
/// The customers.
pub const FILE_TENANTS: &str = "tenants.csv";
/// Which tenant has which service.
pub const FILE_OFFERS: &str = "offers.csv";
/// People with a role; may be missing.
pub const FILE_PEOPLE: &str = "people.csv";

/// Files that a landscape folder must have.
const FILES_REQUIRED: [&str; 4] = [FILE_LANDSCAPE, FILE_POLICY, FILE_TENANTS, FILE_OFFERS];

/// Files that may lie beside them and are not read here.
const FILES_BESIDE: [&str; 2] = ["story.toml", "README.md"];

/// Content of `landscape.toml`; only the shape, for the schema.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LandscapeFile {
    /// Short name: `krankenkassen`. Part of every host name.
    id: OrganisationId,
    /// Name for people.
    title: Text,
    /// IANA time zone: `Europe/Berlin`.
    time_zone: String,
    /// The provider as an organisation that persons belong to.
    provider: OrganisationId,
    /// Data centres.
    sites: Vec<Site>,
    /// Organisations that are neither the provider nor a tenant.
    #[serde(default)]
    organisations: Vec<Organisation>,
    /// Teams with their lanes and hours.
    teams: Vec<Team>,
    /// Service types.
    services: Vec<Service>,
    /// Estimates of work per kind of cell and step.
    work: Vec<Work>,
    /// Times in which no release may happen.
    #[serde(default)]
    freezes: Vec<Freeze>,
    /// Days of the month by which services must be open again.
    #[serde(default)]
    deadlines: Vec<Deadline>,
    /// What the plan weighs.
    #[serde(default)]
    objective: Objective,
    /// People with a role, if not in `people.csv`.
    #[serde(default)]
    people: Vec<Person>,
}

/// Content of `policy.toml`; only the shape, for the schema.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    /// The first rule that matches class, kind and stage decides.
    rules: Vec<PolicyRule>,
    /// How long gates may go without fresh word, per class.
    #[serde(default)]
    freshness: Vec<FreshnessRule>,
}

/// JSON Schema of the files, one entry per file; of the CSV files the schema of one line.
pub fn schema() -> serde_json::Value {
    serde_json::json!({
        FILE_LANDSCAPE: schemars::schema_for!(LandscapeFile),
        FILE_POLICY: schemars::schema_for!(PolicyFile),
        FILE_TENANTS: schemars::schema_for!(Tenant),
        FILE_OFFERS: schemars::schema_for!(Offer),
        FILE_PEOPLE: schemars::schema_for!(Person),
    })
}

/// Whether a file of this size may be read at all; ask before reading it.
///
/// # Errors
/// The file is larger than [`LANDSCAPE_FILE_SIZE_MAX`].
pub fn check_size(name: &str, len: u64) -> Result<(), SourceError> {
    if len <= LANDSCAPE_FILE_SIZE_MAX {
        return Ok(());
    }
    let message = format!(
        "the file has {len} bytes, more than the {LANDSCAPE_FILE_SIZE_MAX} a landscape file may \
         have"
    );
    Err(SourceError::of_file(
        "AN-LAN-002",
        name,
        message,
        "split the landscape or shorten the file",
    ))
}

/// Reads a landscape from its files: file name without folder, and bytes.
///
/// Names that start with a dot, `story.toml` and `README.md` are left alone.
///
/// # Errors
/// Every error found, up to [`crate::limits::SOURCE_ERROR_COUNT_MAX`]. Files are read as far as
/// they make sense: a syntax error hides what follows it in the same file, not the other files.
pub fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Declared, Vec<SourceError>> {
    read_placed(files).map(|(declared, _)| declared)
}

/// Reads a landscape as [`read`] does, and keeps where each piece stands.
///
/// # Errors
/// As [`read`].
pub fn read_placed(
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<(Declared, Places<'_>), Vec<SourceError>> {
    let mut errors = Errors::default();
    check_folder(files, &mut errors);
    let open = |name: &'static str, errors: &mut Errors| match files.get(name) {
        Some(bytes) => Source::open(name, bytes, errors),
        None => None,
    };
    let landscape = open(FILE_LANDSCAPE, &mut errors);
    let policy = open(FILE_POLICY, &mut errors);
    let tenants = open(FILE_TENANTS, &mut errors);
    let offers = open(FILE_OFFERS, &mut errors);
    let people = open(FILE_PEOPLE, &mut errors);

    let mut tree = landscape
        .as_ref()
        .and_then(|source| tree::landscape(source, &mut errors));
    let rules = policy
        .as_ref()
        .and_then(|source| tree::policy(source, &mut errors));
    let tenants = tenants
        .as_ref()
        .and_then(|source| sheet::tenants(source, &mut errors));
    let offers = offers
        .as_ref()
        .and_then(|source| sheet::offers(source, &mut errors));
    let listed = people
        .as_ref()
        .and_then(|source| sheet::people(source, &mut errors));
    if let (Some(tree), Some(listed)) = (&mut tree, listed) {
        tree.people.items.extend(listed.items);
        tree.people.ids.extend(listed.ids);
    }
    names::check(
        tree.as_ref(),
        tenants.as_ref(),
        offers.as_ref(),
        &mut errors,
    );

    let errors = errors.into_list();
    match (tree, rules, tenants, offers) {
        (Some(tree), Some(rules), Some(tenants), Some(offers)) if errors.is_empty() => {
            let text = policy.map_or("", |source| source.text);
            Ok(declared(tree, (rules, text), tenants, offers))
        }
        _ => Err(errors),
    }
}

fn declared<'f>(
    tree: tree::Tree<'f>,
    (signed, policy): (tree::Signed<'f>, &'f str),
    tenants: Listed<'f, Tenant>,
    offers: Listed<'f, Offer>,
) -> (Declared, Places<'f>) {
    let mut lists: BTreeMap<List, Vec<Origin<'f>>> = BTreeMap::new();
    let declared = Declared {
        id: tree.id,
        title: tree.title,
        time_zone: tree.time_zone,
        provider: tree.provider,
        sites: bare(tree.sites, List::Sites, &mut lists),
        organisations: bare(tree.organisations, List::Organisations, &mut lists),
        teams: bare(tree.teams, List::Teams, &mut lists),
        services: bare(tree.services, List::Services, &mut lists),
        tenants: bare(tenants, List::Tenants, &mut lists),
        offers: bare(offers, List::Offers, &mut lists),
        people: bare(tree.people, List::People, &mut lists),
        work: bare(tree.work, List::Work, &mut lists),
        freezes: bare(tree.freezes, List::Freezes, &mut lists),
        deadlines: bare(tree.deadlines, List::Deadlines, &mut lists),
        objective: tree.objective,
        policy: bare(signed.rules, List::Rules, &mut lists),
        freshness: bare(signed.freshness, List::Freshness, &mut lists),
    };
    let places = Places {
        landscape: Source {
            name: FILE_LANDSCAPE,
            text: tree.text,
        },
        policy: Source {
            name: FILE_POLICY,
            text: policy,
        },
        top: tree.top,
        lists,
    };
    (declared, places)
}

/// The values of a list; where they stand is put aside.
fn bare<'f, T>(
    listed: Listed<'f, T>,
    list: List,
    lists: &mut BTreeMap<List, Vec<Origin<'f>>>,
) -> Vec<T> {
    let pieces = listed
        .items
        .into_iter()
        .map(|piece| (piece.value, piece.origin));
    let (values, origins) = pieces.unzip();
    lists.insert(list, origins);
    values
}

/// Missing, unknown and too many files.
fn check_folder(files: &BTreeMap<String, Vec<u8>>, errors: &mut Errors) {
    if files.len() > LANDSCAPE_FILE_COUNT_MAX {
        let message = format!(
            "the folder has {} files, more than the {LANDSCAPE_FILE_COUNT_MAX} a landscape may \
             have",
            files.len()
        );
        errors.push(SourceError::of_file(
            "AN-LAN-002",
            ".",
            message,
            "keep only the landscape's own files in its folder",
        ));
        return;
    }
    let known: Vec<&str> = FILES_REQUIRED
        .into_iter()
        .chain([FILE_PEOPLE])
        .chain(FILES_BESIDE)
        .collect();
    for name in files.keys().map(String::as_str) {
        if known.contains(&name) || name.starts_with('.') {
            continue;
        }
        let missing = known.iter().copied().filter(|k| !files.contains_key(*k));
        let help = match names::nearest(name, missing) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "a landscape has {}; move it elsewhere",
                FILES_REQUIRED.join(", ")
            ),
        };
        let message = "the file is not part of a landscape".to_owned();
        errors.push(SourceError::of_file("AN-LAN-003", name, message, &help));
    }
    for name in FILES_REQUIRED {
        if !files.contains_key(name) {
            let message = "the file is missing; a landscape cannot be read without it".to_owned();
            let help = "write it, or let `anlauf init` write an example to start from";
            errors.push(SourceError::of_file("AN-LAN-001", name, message, help));
        }
    }
}

#[cfg(test)]
mod tests;
