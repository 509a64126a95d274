//! The start page, and what the insurer knows of a person.
//!
//! In:    a session. Out: pages. Never: another person's row.

use maud::html;
use rusqlite::OptionalExtension;
use serde_json::json;

use crate::kernel::ask::{Ask, Reply};
use crate::kernel::clock::day_told;
use crate::kernel::miss::Miss;
use crate::kernel::page;

/// One person as the branch shows them.
pub(super) struct Me {
    pub(super) name: String,
    pub(super) birth: String,
    pub(super) street: String,
    pub(super) postcode: String,
    pub(super) city: String,
    pub(super) since: String,
}

pub(super) fn me(ask: &Ask<'_>) -> Result<Me, Miss> {
    let kvnr = ask.subject()?;
    let found = ask.tenant.store.with(|c| {
        c.query_row(
            "SELECT given || ' ' || family, birth, street, postcode, city, since
             FROM insured WHERE kvnr = ?1",
            [kvnr],
            |row| {
                Ok(Me {
                    name: row.get(0)?,
                    birth: row.get(1)?,
                    street: row.get(2)?,
                    postcode: row.get(3)?,
                    city: row.get(4)?,
                    since: row.get(5)?,
                })
            },
        )
        .optional()
    })?;
    found.ok_or_else(Miss::not_found)
}

pub(super) fn start(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let me = me(ask)?;
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Onlinegeschäftsstelle", "Online branch");
    let main = html! {
        h1 { (title) }
        p { (say("Guten Tag, ", "Welcome, ")) (me.name) "." }
        @if ask.house.is_emergency(ask.tenant, "og")? {
            p.fault role="note" { (say("Notbetrieb: Sie können alles lesen, aber nichts absenden.",
                "Emergency operation: you can read everything, but send nothing.")) }
        }
        ul {
            li { a href="/og/data" { (say("Meine Daten", "My data")) } }
            li { a href="/og/address" { (say("Adresse ändern", "Change address")) } }
            li { a href="/og/applications" { (say("Anträge", "Applications")) } }
            li { a href="/og/certificate" { (say("Bescheinigung", "Certificate")) } }
            li { a href="/og/photo" { (say("Foto für die Karte", "Photo for the card")) } }
            li { a href="/og/messages" { (say("Nachrichten", "Messages")) } }
        }
    };
    Ok(page::page(ask, 200, (title, main)))
}

pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let me = me(ask)?;
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Meine Daten", "My data");
    let main = html! {
        h1 { (title) }
        dl {
            dt { "Name" } dd { (me.name) }
            dt { (say("Versichertennummer", "Insurance number")) } dd { (ask.subject()?) }
            dt { (say("Geburtstag", "Date of birth")) }
            dd { (day_told(ask.language, &me.birth)) }
            dt { (say("Anschrift", "Address")) }
            dd { (me.street) ", " (me.postcode) " " (me.city) }
            dt { (say("Versichert seit", "Insured since")) }
            dd { (day_told(ask.language, &me.since)) }
        }
    };
    Ok(page::page(ask, 200, (title, main)))
}

/// `GET /og/api/me`: the same for the app.
pub(super) fn told(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let me = me(ask)?;
    let value = json!({
        "name": me.name, "kvnr": ask.subject()?, "birth": me.birth, "street": me.street,
        "postcode": me.postcode, "city": me.city, "since": me.since,
    });
    Ok(Reply::json(200, &value))
}
