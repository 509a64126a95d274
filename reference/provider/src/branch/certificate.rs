//! The certificate of insurance, as a page and a PDF.
//!
//! In:    a session. Out: what the insurer certifies of this person today.
//! Never: another person's data.

use maud::html;

use super::{data, pdf};
use crate::kernel::ask::{Ask, Reply};
use crate::kernel::clock::{day, day_told};
use crate::kernel::miss::Miss;
use crate::kernel::page;

pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Versicherungsbescheinigung", "Certificate of insurance");
    let main = html! {
        h1 { (say("Versicherungs\u{ad}bescheinigung", "Certificate of insurance")) }
        p { (say("Die Bescheinigung zeigt, seit wann Sie bei uns versichert sind.",
            "The certificate shows since when you are insured with us.")) }
        p { a href="/og/certificate.pdf" download { (say("Als PDF laden", "Load as PDF")) } }
    };
    Ok(page::page(ask, 200, (title, main)))
}

pub(super) fn load(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let me = data::me(ask)?;
    let say = |de: &str, en: &str| ask.language.pick(de, en).to_owned();
    let title = say("Versicherungsbescheinigung", "Certificate of insurance");
    let small = |text: String| (11, text);
    let pair = |de: &str, en: &str, value: &str| (11, format!("{}: {value}", say(de, en)));
    let lines = [
        (16, ask.tenant.name.clone()),
        (20, title.clone()),
        small(String::new()),
        pair("Name", "Name", &me.name),
        pair("Versichertennummer", "Insurance number", ask.subject()?),
        pair(
            "Geburtstag",
            "Date of birth",
            &day_told(ask.language, &me.birth),
        ),
        pair("Anschrift", "Address", &me.street),
        small(format!("{} {}", me.postcode, me.city)),
        pair(
            "Versichert seit",
            "Insured since",
            &day_told(ask.language, &me.since),
        ),
        small(String::new()),
        pair(
            "Ausgestellt am",
            "Issued on",
            &day_told(ask.language, &day(ask.now).to_string()),
        ),
        small(say(
            "Referenzanbieter: alle Personen sind erfunden.",
            "Reference provider: all people are invented.",
        )),
    ];
    let reply = Reply::new(200, "application/pdf", pdf::page(&title, &lines));
    let name = "attachment; filename=\"certificate.pdf\"";
    Ok(reply.with("content-disposition", name))
}
