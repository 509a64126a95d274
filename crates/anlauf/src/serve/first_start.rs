//! The first start: takes over landscape, root and policy, or names each step that is missing.
//!
//! In:    signed documents. Out: a ledger that begins with them.
//! Never: begins a ledger with documents that do not hold.

use std::path::Path;

use anlauf_model::Landscape;
use anlauf_recovery::{Actor, Command, Order};
use anlauf_store::{Desk, SubmitError};
use anlauf_trust::{Authority, Envelope, Policy, Root};

use super::keys::ControlKeys;
use super::{Args, again};
use crate::cli::genesis::{FILE_POLICY, FILE_POLICY_NORMAL, FILE_ROOT};
use crate::cli::{now, read_text};
use crate::exit::{Code, Done, Failure};

/// Who adopts the first documents in the ledger.
const PERSON: &str = "first-start";

/// The signed documents of the first start, as far as they are there.
pub struct Authorities {
    root: Option<Envelope>,
    policy: Option<Envelope>,
}

impl Authorities {
    /// Reads what there is.
    ///
    /// # Errors
    /// A file is there and no envelope.
    pub fn read(folder: &Path) -> Done<Self> {
        Ok(Self {
            root: envelope(&folder.join(FILE_ROOT))?,
            policy: envelope(&folder.join(FILE_POLICY_NORMAL))?,
        })
    }

    /// The domain of the root, if there is one.
    ///
    /// # Errors
    /// The file holds something else than a root.
    pub fn domain(&self) -> Done<Option<String>> {
        let Some(root) = &self.root else {
            return Ok(None);
        };
        Ok(Some(Root::parse(&root.payload)?.domain))
    }

    /// Whether a ledger may begin with them.
    ///
    /// # Errors
    /// The step that is missing, or why a document does not hold.
    pub fn check(
        &self,
        args: &Args,
        folder: &Path,
        landscape: &Landscape,
        keys: Option<&ControlKeys>,
    ) -> Done {
        let (Some(root), Some(policy)) = (&self.root, &self.policy) else {
            return Err(self.missing(args, folder));
        };
        let unsigned = [(FILE_ROOT, root), (FILE_POLICY_NORMAL, policy)];
        for (name, envelope) in unsigned {
            if envelope.signatures.is_empty() {
                let file = folder.join(name);
                let why = format!(
                    "`{0}` is not signed yet; persons named in the root sign it with \
                     `anlauf sign {0} --key FILE`",
                    file.display()
                );
                return Err(Failure::missing(why));
            }
        }
        let mut authority = Authority::pinned(root, &root.digest(), now())
            .map_err(|refusal| unsound(FILE_ROOT, refusal))?;
        authority
            .adopt_policy(policy, now())
            .map_err(|refusal| unsound(FILE_POLICY_NORMAL, refusal))?;
        if Policy::parse(&policy.payload)?.table != landscape.gate_table().digest() {
            let why = "the policy was signed for another landscape; restore the landscape's \
                       files, or draft and sign the policy again with `anlauf genesis`";
            return Err(Failure::input(why));
        }
        let Some(keys) = keys else {
            let why = format!(
                "`{0}` holds no keys of the control plane, so the root cannot name them; draft it \
                 with `anlauf genesis --data {0}`, which makes them",
                args.data.display()
            );
            return Err(Failure::missing(why));
        };
        let closer = keys.closer_public().id;
        if !authority
            .root()
            .keys
            .iter()
            .any(|record| record.id == closer)
        {
            let why = format!(
                "the root does not name the control plane's closing key `{closer}`: no gate \
                 would close on its word; draft it with `anlauf genesis --data {}`",
                args.data.display()
            );
            return Err(Failure::input(why));
        }
        Ok(())
    }

    fn missing(&self, args: &Args, folder: &Path) -> Failure {
        let gone = match self.root {
            None => FILE_ROOT,
            Some(_) => FILE_POLICY_NORMAL,
        };
        let (landscape, data) = (args.landscape.display(), args.data.display());
        let shown = folder.display();
        Failure::missing(format!(
            "the first start needs `{shown}/{gone}`, which is missing\n\
             1. everyone who signs: anlauf key new --person ID --out ID.key\n\
             2. collect the .pub files in one folder, then draft: anlauf genesis \
             --landscape {landscape} --keys DIR --data {data} --domain NAME --out {shown}\n\
             3. enough of them sign {FILE_ROOT}, {FILE_POLICY_NORMAL} and {FILE_POLICY}: \
             anlauf sign FILE --key ID.key\n\
             4. start again: {}",
            again(args)
        ))
    }
}

fn unsound(name: &str, refusal: anlauf_trust::Refusal) -> Failure {
    let mut failure = Failure::from(refusal);
    failure.code = Code::Input;
    failure.message = format!("`{name}` does not hold; have the missing persons sign it");
    failure
}

fn envelope(path: &Path) -> Done<Option<Envelope>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = read_text(path, "signed document")?;
    let read = Envelope::parse(text.trim().as_bytes());
    Ok(Some(read.map_err(|refusal| {
        Failure::input(format!("`{}` cannot be used: {refusal}", path.display()))
    })?))
}

/// Carries into the ledger what it does not have yet. Safe to repeat after a crash in between.
///
/// # Errors
/// The landscape is another one than the ledger's, the rules say no, or the desk has stopped.
pub async fn adopt(desk: &Desk, landscape: &Landscape, signed: &Authorities) -> Done {
    let (has_landscape, has_root, has_policy) = {
        let state = desk.read();
        let authority = state.authority.as_ref();
        (
            state.landscape.is_some(),
            authority.is_some(),
            authority.is_some_and(|authority| authority.policy().is_some()),
        )
    };
    if !has_landscape {
        let declared = Box::new(landscape.declared().clone());
        let order = Order::AdoptLandscape {
            landscape: declared,
        };
        submit(desk, landscape, order).await?;
    } else {
        check_same(desk, landscape)?;
    }
    if let (false, Some(envelope)) = (has_root, signed.root.clone()) {
        submit(desk, landscape, Order::AdoptRoot { envelope }).await?;
    }
    if let (false, Some(envelope)) = (has_policy, signed.policy.clone()) {
        submit(desk, landscape, Order::AdoptPolicy { envelope }).await?;
    }
    Ok(())
}

/// Refuses the landscape of somebody else; tells when its own has changed.
fn check_same(desk: &Desk, landscape: &Landscape) -> Done {
    let state = desk.read();
    let Some(known) = state.landscape.as_ref().map(|known| known.declared()) else {
        return Ok(());
    };
    let given = landscape.declared();
    if known.id != given.id {
        let domain = state.authority.as_ref().map(|a| a.root().domain.as_str());
        let why = format!(
            "the ledger of domain `{}` belongs to landscape `{}`, not to `{}`; start with the \
             folder of landscape `{}`, or with the data folder of `{}`",
            domain.unwrap_or_default(),
            known.id,
            given.id,
            known.id,
            given.id
        );
        return Err(Failure::new(Code::Ledger, why));
    }
    if known != given {
        tracing::warn!(
            "the landscape's files differ from the ledger's landscape, which stays in force; \
             hand them over with `anlauf landscape adopt`"
        );
    }
    Ok(())
}

async fn submit(desk: &Desk, landscape: &Landscape, order: Order) -> Done {
    let verb = order.verb();
    let command = Command {
        key: format!("first-start-{verb}"),
        actor: Actor {
            person: PERSON.parse().map_err(anyhow::Error::from)?,
            organisation: landscape.declared().provider.clone(),
            role: anlauf_model::Role::Operator,
            tenant: None,
        },
        reason: "first start of the control plane".to_owned(),
        order,
    };
    match desk.submit(command).await {
        Ok(done) => {
            tracing::info!(verb, entry = done.seq, "taken over");
            Ok(())
        }
        Err(SubmitError::Refused(refusal)) => Err(refusal.into()),
        Err(error) => Err(Failure::new(Code::Ledger, error.to_string())),
    }
}
