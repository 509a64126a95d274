//! Signatures under proposed releases.

use anlauf_model::Timestamp;
use anlauf_trust::Signature;

use crate::command::{Actor, SignatureDraft};
use crate::event::Event;
use crate::incident::no_root;
use crate::refusal::{Reason, Refusal};
use crate::release::open_case;
use crate::rights::foreign_cells;
use crate::state::State;

pub(crate) fn add(
    state: &State,
    at: Timestamp,
    actor: &Actor,
    drafts: &[SignatureDraft],
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = Vec::new();
    if drafts.is_empty() {
        reasons.push(Reason::new(
            "AN-REC-006",
            "no signature is given",
            "give at least one",
        ));
    }
    for draft in drafts {
        reasons.extend(may_add(state, at, actor, draft)?);
    }
    Refusal::unless_empty(reasons)?;
    let events = drafts.iter().map(|draft| Event::SignatureAdded {
        release: draft.release,
        keyid: draft.keyid.clone(),
        sig: draft.sig.clone(),
    });
    Ok(events.collect())
}

fn may_add(
    state: &State,
    at: Timestamp,
    actor: &Actor,
    draft: &SignatureDraft,
) -> Result<Vec<Reason>, Refusal> {
    let authority = state.authority.as_ref().ok_or_else(no_root)?;
    let case = match open_case(state, &draft.release) {
        Ok(case) => case,
        Err(reason) => return Ok(vec![reason]),
    };
    let mut reasons = Vec::new();
    reasons.extend(foreign_cells(
        actor,
        case.release.cells.iter().map(|c| &c.cell),
    ));
    if case.signed.contains_key(&actor.person) {
        let message = format!("`{}` has already signed this release", actor.person);
        reasons.push(Reason::new(
            "AN-REC-090",
            message,
            "another person has to sign",
        ));
    }
    let Ok(sig) = hex::decode(&draft.sig) else {
        let message = "the signature is not hex";
        reasons.push(Reason::new(
            "AN-REC-091",
            message,
            "send the bytes as hex digits",
        ));
        return Ok(reasons);
    };
    let signature = Signature {
        keyid: draft.keyid.clone(),
        sig,
    };
    match authority.check_signature(&case.envelope, &signature, at) {
        Err(refusal) => reasons.extend(Refusal::from(refusal).reasons),
        Ok(record) if record.person != actor.person => {
            let message = format!("key `{}` is not `{}`'s", draft.keyid, actor.person);
            reasons.push(Reason::new("AN-REC-092", message, "sign with your own key"));
        }
        Ok(_) => {}
    }
    Ok(reasons)
}
