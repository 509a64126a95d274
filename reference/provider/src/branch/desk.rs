//! The clerk's desk for applications: what came in, what was sent with it, a yes or a no.
//!
//! In:    a clerk's session. Out: pages, 303 after each decision.
//! Never: a file shown inside a page (it is handed out to be saved); a no without its reason.

use maud::{Markup, html};

use super::application::{Application, KINDS, decided, one, state_words, waiting};
use crate::kernel::ask::{Ask, Reply, field};
use crate::kernel::clock::told;
use crate::kernel::miss::{Language, Miss};
use crate::kernel::page;

/// States at the desk, in their order.
const STATES: [&str; 4] = ["received", "taken", "approved", "rejected"];

/// `GET /og/desk/?state=taken`.
pub(super) fn list(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let wanted = ask.asked("state").unwrap_or(STATES[0]);
    let state = STATES.into_iter().find(|state| *state == wanted);
    let state = state.ok_or_else(Miss::not_found)?;
    let all = waiting(ask, state)?;
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Anträge bearbeiten", "Handle applications");
    let main = html! {
        h1 { (title) }
        ul { @for each in STATES {
            li { a href={ "/og/desk/?state=" (each) }
                aria-current=[(each == state).then_some("true")] {
                (state_words(ask.language, each)) } }
        } }
        p { (state_words(ask.language, state)) ": " b { (all.len()) }
            @if all.len() == 100 { (say(" (die ältesten)", " (the oldest)")) } }
        @for one in &all {
            article {
                h2 { a href={ "/og/desk/" (one.id) } {
                    (kind_words(ask.language, &one.kind)) " · " (one.kvnr) } }
                p.hint { (facts(ask, one)) }
            }
        }
    };
    Ok(page::page(ask, 200, (title, main)))
}

/// `GET /og/desk/{id}`.
pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    page_of(ask, &one(ask, ask.number(0)?)?, None)
}

/// `POST /og/desk/{id}`.
pub(super) fn decide(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let fields = ask.form()?;
    let id = ask.number(0)?;
    let wanted = (field(&fields, "state"), field(&fields, "reason"));
    match decided(ask, id, wanted) {
        Ok(()) => Ok(Reply::see(&format!("/og/desk/{id}"))),
        Err(miss) if matches!(miss.status.as_u16(), 409 | 422) => {
            page_of(ask, &one(ask, id)?, Some(&miss))
        }
        Err(miss) => Err(miss),
    }
}

fn page_of(ask: &Ask<'_>, one: &Application, miss: Option<&Miss>) -> Result<Reply, Miss> {
    let say = |de, en| ask.language.pick(de, en);
    let title = kind_words(ask.language, &one.kind);
    let main = html! {
        h1 { (title) " · " (one.kvnr) }
        @if let Some(miss) = miss {
            p.fault role="alert" { (miss.words.get(ask.language)) }
        }
        p { span.state { (state_words(ask.language, &one.state)) } }
        p.hint { (facts(ask, one)) }
        p { (one.body) }
        @if one.file_count > 0 {
            h2 { (say("Unterlagen", "Documents")) }
            ul { @for place in 0..one.file_count {
                li { a href={ "/og/desk/" (one.id) "/files/" (place) } {
                    (say("Datei ", "File ")) (place + 1) } }
            } }
        }
        @if let Some(reason) = &one.reason { p { (say("Grund: ", "Reason: ")) (reason) } }
        (steps(ask, one))
        p { a href="/og/desk/" { (say("Zu allen Anträgen", "To all applications")) } }
    };
    let status = miss.map_or(200, |miss| miss.status.as_u16());
    Ok(page::page(ask, status, (title, main)))
}

/// What can be done in the state it is in.
fn steps(ask: &Ask<'_>, one: &Application) -> Markup {
    let say = |de, en| ask.language.pick(de, en);
    let to = format!("/og/desk/{}", one.id);
    html! {
        @if one.state == "received" {
            form method="post" action=(to) {
                input type="hidden" name="state" value="taken";
                button type="submit" { (say("In Bearbeitung nehmen", "Take it on")) }
            }
        }
        @if one.state == "taken" {
            form method="post" action=(to) {
                input type="hidden" name="state" value="approved";
                label { (say("Anmerkung (freiwillig)", "Remark (optional)"))
                    input name="reason" maxlength="4000"; }
                button type="submit" { (say("Bewilligen", "Approve")) }
            }
            form method="post" action=(to) {
                input type="hidden" name="state" value="rejected";
                label { (say("Grund der Ablehnung (liest die versicherte Person)",
                    "Reason for the rejection (the insured person reads it)"))
                    input name="reason" required maxlength="4000"; }
                button.second type="submit" { (say("Ablehnen", "Reject")) }
            }
        }
    }
}

fn facts(ask: &Ask<'_>, one: &Application) -> String {
    let say = |de, en| ask.language.pick(de, en);
    let (came, files) = (say("eingegangen", "received"), say("Dateien", "files"));
    format!(
        "{came} {} · {files}: {}",
        told(ask.language, one.received_at),
        one.file_count
    )
}

fn kind_words(language: Language, kind: &str) -> &'static str {
    let found = KINDS.iter().find(|(id, ..)| *id == kind);
    found.map_or("", |(_, de, en)| language.pick(*de, *en))
}
