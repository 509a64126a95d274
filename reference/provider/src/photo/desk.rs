//! The clerk's desk as pages: look at a photo, say yes, or no with a reason.
//!
//! In:    a clerk's session. Out: pages, 303 after each decision.
//! Never: a photo without its person.

use maud::html;
use serde_json::Value;

use super::job;
use crate::kernel::ask::{Ask, Reply, field, problem};
use crate::kernel::clock::told;
use crate::kernel::miss::{Language, Miss};
use crate::kernel::page;

pub(super) fn queue(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let jobs = job::waiting(ask)?;
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Fotos prüfen", "Review photos");
    let emergency = ask.house.is_emergency(ask.tenant, "lichtbild")?;
    let main = html! {
        h1 { (title) }
        @if emergency {
            p.fault role="note" { (say("Notbetrieb: Fotos werden angenommen, Freigaben warten.",
                "Emergency operation: photos are taken in, approvals wait.")) }
        }
        p { (say("Es warten: ", "Waiting: ")) b { (jobs.len()) } }
        @for job in &jobs {
            article {
                h2 { (job.name) " · " (job.kvnr) }
                p.hint {
                    (say("eingegangen ", "received ")) (told(ask.language, job.received_at))
                    " · " (by(ask.language, &job.by))
                }
                img.photo src={ "/lichtbild/photos/" (job.id) "/image" }
                    alt={ (say("Foto von ", "Photo of ")) (job.name) };
                form method="post" action={ "/lichtbild/photos/" (job.id) "/approve" } {
                    button type="submit" {
                        (say("Freigeben und Karte bestellen", "Approve and order card"))
                    }
                }
                form method="post" action={ "/lichtbild/photos/" (job.id) "/reject" } {
                    label { (say("Grund der Ablehnung (liest die versicherte Person)",
                        "Reason for the rejection (the insured person reads it)"))
                        input name="reason" required maxlength="500"; }
                    button.second type="submit" { (say("Ablehnen", "Reject")) }
                }
            }
        }
    };
    Ok(page::page(ask, 200, (title, main)))
}

pub(super) fn orders(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let title = ask.language.pick("Kartenaufträge", "Card orders");
    let orders = job::orders(ask)?;
    let main = html! {
        h1 { (title) }
        table {
            thead { tr {
                th { (ask.language.pick("Nr.", "No.")) } th { "KVNR" }
                th { (ask.language.pick("bestellt", "ordered")) }
            } }
            tbody { @for order in &orders { tr {
                td { (order["id"]) }
                td { (order["kvnr"].as_str().unwrap_or_default()) }
                td { (ordered(ask.language, order)) }
            } } }
        }
        @if orders.is_empty() {
            p { (ask.language.pick("Noch keine Karte bestellt.", "No card ordered yet.")) }
        }
    };
    Ok(page::page(ask, 200, (title, main)))
}

/// Who sent a photo, in words.
fn by(language: Language, by: &str) -> &str {
    match by {
        "insured" => language.pick("von der versicherten Person", "from the insured person"),
        clerk => clerk,
    }
}

/// When a card was ordered.
fn ordered(language: Language, order: &Value) -> String {
    let at = order["ordered_at"].as_str().unwrap_or_default();
    let seconds = at.parse().map(|at: jiff::Timestamp| at.as_second());
    seconds.map_or_else(|_| at.to_owned(), |seconds| told(language, seconds))
}

pub(super) fn approve(ask: &Ask<'_>) -> Result<Reply, Miss> {
    job::approve(ask, ask.number(0)?)?;
    Ok(Reply::see("/lichtbild/"))
}

pub(super) fn reject(ask: &Ask<'_>) -> Result<Reply, Miss> {
    job::reject(ask, ask.number(0)?, field(&ask.form()?, "reason"))?;
    Ok(Reply::see("/lichtbild/"))
}

/// Problem JSON for programs, a page for a clerk.
pub(super) fn miss(ask: &Ask<'_>, miss: &Miss) -> Reply {
    let is_person = ask
        .header("accept")
        .is_some_and(|accept| accept.contains("text/html"));
    match is_person {
        true => page::miss(ask, miss),
        false => problem(ask, miss),
    }
}
