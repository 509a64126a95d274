//! Signing with a passkey, and enrolling one: the statement in words, then one press.
//!
//! In:    a release that waits for whoever looks; an assertion of their passkey.
//! Out:   the page to read; the same command that `anlauf sign` sends.
//! Never: holds a key; takes a signature that the verifier does not.
//! See:   `style/passkey.js`, ADR 023: what one sees here is what this server shows.

use anlauf_model::Digest;
use anlauf_recovery::command::SignatureDraft;
use anlauf_recovery::state::{ReleaseCase, ReleaseEnd};
use anlauf_recovery::{Actor, Order, State};
use anlauf_trust::envelope::pae;
use anlauf_trust::webauthn::{challenge, relying_party};
use anlauf_trust::{KeyRecord, Signature};
use anlauf_words::fingerprint;
use maud::{Markup, html};

use super::form::{Act, Fields};
use super::part;
use super::screen::{Miss, Screen};
use super::visit::Visit;
use crate::view::release::passkeys;

/// One statement to read and sign.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let state = visit.state();
    let (id, case) = case(visit, &state, actor)?;
    let words = anlauf_words::release(&case.release, say.language);
    let is_open = case.end == ReleaseEnd::Open && !case.signed.contains_key(&actor.person);
    let key = passkeys(&state, actor, visit.now()).into_iter().next();
    let main = html! {
        p.kicker { a href=(home(visit)) { (w.nav_inbox) } }
        h1 { (w.sign_title) }
        p.lead { (w.sign_lead) }
        pre.statement id="statement" { (words) }
        p { (w.fingerprint) " " b.fingerprint { (fingerprint(&id)) } }
        @match (is_open, key) {
            (false, _) => (part::nothing(w.sign_not_open)),
            (true, None) => {
                p {
                    (w.sign_no_passkey) " "
                    a href={ (home(visit)) "/passkey" } { (w.passkey_title) }
                }
            }
            (true, Some(key)) => (sign_form(visit, case, key)),
        }
    };
    Ok(Screen::new(w.sign_title, here(visit), main).still())
}

fn sign_form(visit: &Visit<'_>, case: &ReleaseCase, key: &KeyRecord) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let asked = challenge(&pae(&case.envelope.payload));
    let verification = match key.scheme.is_verifying() {
        true => "required",
        false => "discouraged",
    };
    html! {
        form.stack method="post" action=(visit.path) data-passkey="sign" data-challenge=(asked)
            data-party=[relying_party(key.scheme, &key.public)] data-verification=(verification)
            data-failed=(w.passkey_failed) {
            input type="hidden" name="sig" value="";
            (part::reason(say, "sign", w.reason_sign))
            button.primary type="submit" { (w.sign_do) }
            p.passkey-error role="alert" hidden {}
        }
        (script())
    }
}

fn script() -> Markup {
    html! {
        noscript { p { "JavaScript: navigator.credentials" } }
        script src={ "/assets/passkey.js?" (super::asset::passkey_mark()) } defer {}
    }
}

/// The signature, in the name of the passkey that made it.
pub(crate) fn sign(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let state = visit.state();
    let (release, case) = case(visit, &state, actor)?;
    let hex = fields.get("sig").unwrap_or_default().to_owned();
    let sig = hex::decode(&hex).unwrap_or_default();
    let authority = state.authority.as_ref().ok_or(Miss::NotFound)?;
    let keys = passkeys(&state, actor, visit.now());
    let made = |key: &&&KeyRecord| {
        let (keyid, sig) = (key.id.clone(), sig.clone());
        let signature = Signature { keyid, sig };
        authority
            .check_signature(&case.envelope, &signature, visit.now())
            .is_ok()
    };
    // When none made it the first is refused, with the verifier's reason.
    let key = keys.iter().find(made).or(keys.first());
    let key = key.ok_or(Miss::Unclear(visit.say.w.sign_no_passkey))?;
    let draft = SignatureDraft {
        release,
        keyid: key.id.clone(),
        sig: hex,
    };
    let order = Order::AddSignatures {
        signatures: vec![draft],
    };
    Ok(Act::order(order, home(visit)))
}

/// Makes a passkey and its card for the ceremony.
pub(crate) fn enrolment(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let w = visit.say.w;
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let main = html! {
        h1 { (w.passkey_title) }
        p.lead { (w.passkey_lead) }
        form.stack method="post" action=(visit.path) data-passkey="enrol"
            data-person=(actor.person) data-failed=(w.passkey_failed) {
            button.primary type="submit" { (w.passkey_make) }
            p.passkey-error role="alert" hidden {}
        }
        section id="card-made" hidden {
            h2 { (w.passkey_card) }
            p { (w.fingerprint) " " b.fingerprint id="card-digits" {} }
            pre.statement id="card" {}
            p.hint { (w.passkey_next) }
            pre.command { code {
                "anlauf key enrol --person " (actor.person) " --card FILE --out cards/"
                (actor.person) "-passkey.pub"
            } }
        }
        (script())
    };
    Ok(Screen::new(w.passkey_title, here(visit), main).still())
}

/// The release that the address names, if whoever looks may see it.
fn case<'s>(
    visit: &Visit<'_>,
    state: &'s State,
    actor: &Actor,
) -> Result<(Digest, &'s ReleaseCase), Miss> {
    let id: Digest = visit.gap(0).ok_or(Miss::NotFound)?;
    let case = state.releases.get(&id).ok_or(Miss::NotFound)?;
    let tenant = actor.tenant.as_ref().map(|tenant| tenant.as_str());
    let is_seen = match tenant {
        Some(own) => case.release.cells.iter().all(|one| one.cell.owner() == own),
        None => true,
    };
    is_seen.then_some((id, case)).ok_or(Miss::NotFound)
}

fn home(visit: &Visit<'_>) -> &'static str {
    match visit.path.starts_with("/tenant") {
        true => "/tenant",
        false => "/console",
    }
}

fn here(visit: &Visit<'_>) -> &'static str {
    match visit.path.starts_with("/tenant") {
        true => "/tenant",
        false => "/console/inbox",
    }
}
