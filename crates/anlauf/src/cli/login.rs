//! `anlauf login`: who may log in to the control plane, in its data folder.

use std::path::{Path, PathBuf};

use anlauf_model::{OrganisationId, PersonId, Role, TenantId};
use anlauf_recovery::Actor;
use anyhow::Context;
use clap::Subcommand;
use serde_json::json;

use super::word;
use crate::exit::{Done, Failure};
use crate::files::write_secret;
use crate::landscape;
use crate::logins::Book;
use crate::output::Output;

/// Give and take logins of the control plane on this machine
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Give a person, an automation or a gate a fresh token; it is shown once
    Add(Box<Add>),
    /// Take every token of a person away; takes effect at once
    Remove {
        /// Whose
        #[arg(value_name = "ID")]
        person: PersonId,
        /// Data folder of the control plane
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// List who may log in
    List {
        /// Data folder of the control plane
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// A login to give.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Who, as in the landscape; of a gate its id
    #[arg(value_name = "ID")]
    person: PersonId,
    /// Data folder of the control plane
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of the landscape, to look role and organisation up
    #[arg(long, value_name = "DIR", required_unless_present = "role")]
    landscape: Option<PathBuf>,
    /// Role of someone the landscape does not name: `gate`, `auditor`
    #[arg(long, value_parser = word::<Role>, requires = "organisation")]
    #[arg(conflicts_with = "landscape")]
    role: Option<Role>,
    /// Organisation of someone the landscape does not name
    #[arg(long, value_name = "ID")]
    organisation: Option<OrganisationId>,
    /// For role `tenant`: whose cells
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// Write the token to this new file (0600) instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Gives, takes or lists.
///
/// # Errors
/// The landscape does not name the person, or the book cannot be written.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Add(add) => give(add, output),
        Verb::Remove { person, data } => {
            let gone = open(data)?.remove(person)?;
            if gone == 0 {
                return Err(Failure::input(format!("`{person}` has no login")));
            }
            output.result(&json!({ "person": person, "removed": gone }), || {
                format!(
                    "{person}: {gone} {}",
                    output.say("Token entzogen", "tokens taken away")
                )
            })
        }
        Verb::List { data } => {
            let head = [
                output.say("Person", "person"),
                output.say("Rolle", "role"),
                output.say("Organisation", "organisation"),
                output.say("Mandant", "tenant"),
            ];
            output.list(&open(data)?.actors(), &head, |actor| {
                let tenant = actor.tenant.as_ref().map(ToString::to_string);
                vec![
                    actor.person.to_string(),
                    actor.role.to_string(),
                    actor.organisation.to_string(),
                    tenant.unwrap_or_default(),
                ]
            })
        }
    }
}

fn open(data: &Path) -> Done<Book> {
    if !data.is_dir() {
        let why = format!(
            "there is no data folder `{}`; start the control plane once, or run `anlauf genesis`",
            data.display()
        );
        return Err(Failure::missing(why));
    }
    Ok(Book::open(data)?)
}

fn give(add: &Add, output: Output) -> Done {
    let actor = actor(add, output)?;
    if let Some(file) = &add.out {
        prepare(file)?;
    }
    let token = open(&add.data)?.add(actor.clone())?;
    let Some(file) = &add.out else {
        return output.result(&json!({ "actor": actor, "token": token }), || token.clone());
    };
    write_secret(file, format!("{token}\n").as_bytes())
        .with_context(|| format!("cannot write `{}`", file.display()))?;
    output.result(&json!({ "actor": actor, "file": file }), || {
        format!("{}  {}  {}", actor.person, actor.role, file.display())
    })
}

/// Makes the folder of a token file, which must not exist: its token would be lost.
fn prepare(file: &Path) -> Done {
    use std::os::unix::fs::DirBuilderExt;
    if file.exists() {
        let why = format!(
            "`{}` exists; a token is never overwritten, name another file or remove this one",
            file.display()
        );
        return Err(Failure::input(why));
    }
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot create the folder `{}`", folder.display()))?;
    }
    Ok(())
}

fn actor(add: &Add, output: Output) -> Done<Actor> {
    let person = add.person.clone();
    if let (Some(role), Some(organisation)) = (add.role, &add.organisation) {
        if (role == Role::Tenant) != add.tenant.is_some() {
            let why = "role `tenant` names its --tenant, other roles name none";
            return Err(Failure::usage(why));
        }
        return Ok(Actor {
            person,
            organisation: organisation.clone(),
            role,
            tenant: add.tenant.clone(),
        });
    }
    let Some(folder) = &add.landscape else {
        return Err(Failure::usage(
            "give --landscape, or --role and --organisation",
        ));
    };
    let (landscape, _) = landscape::load(folder, output.coloured())?;
    let Some(known) = landscape.person(&person) else {
        let why = format!(
            "the landscape does not name `{person}`; add it to people.csv, \
             or give --role and --organisation"
        );
        return Err(Failure::input(why));
    };
    let tenant = match known.role {
        Role::Tenant => Some(
            known
                .organisation
                .as_str()
                .parse()
                .map_err(anyhow::Error::from)?,
        ),
        _ => None,
    };
    Ok(Actor {
        person,
        organisation: known.organisation.clone(),
        role: known.role,
        tenant,
    })
}
