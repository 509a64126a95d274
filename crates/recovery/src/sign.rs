//! Signatures under proposed releases.

use std::collections::BTreeSet;

use anlauf_model::Timestamp;
use anlauf_model::limits::SIGNATURE_COUNT_MAX;
use anlauf_trust::Signature;

use crate::command::{Actor, SignatureDraft};
use crate::event::Event;
use crate::incident::no_root;
use crate::refusal::{Reason, Refusal};
use crate::release::{open_case, unknown_release};
use crate::rights::is_foreign;
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
    let mut seen = BTreeSet::new();
    for draft in drafts {
        reasons.extend(may_add(state, at, actor, draft)?);
        if !seen.insert(draft.release) {
            let message = format!("release `{}` is named twice", draft.release.short());
            reasons.push(Reason::new("AN-REC-006", message, "sign each release once"));
        }
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
    let Some(case) = state.releases.get(&draft.release) else {
        return Ok(vec![unknown_release(&draft.release)]);
    };
    // Whether another tenant has such a release is not this one's to know.
    if is_foreign(actor, case.release.cells.iter().map(|c| &c.cell)) {
        return Ok(vec![unknown_release(&draft.release)]);
    }
    let mut reasons = Vec::new();
    if let Err(reason) = open_case(state, &draft.release) {
        return Ok(vec![reason]);
    }
    if case.signed.contains_key(&actor.person) {
        let message = format!("`{}` has already signed this release", actor.person);
        reasons.push(Reason::new(
            "AN-REC-090",
            message,
            "another person has to sign",
        ));
    }
    if case.envelope.signatures.len() >= SIGNATURE_COUNT_MAX {
        let message = "the release has as many signatures as a gate reads";
        let remedy = "carry it out, or draw it up again";
        reasons.push(Reason::new("AN-REC-093", message, remedy));
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
