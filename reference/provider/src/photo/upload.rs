//! The pages of the photo service for insured people: the form of the branch, what became of it.
//!
//! In:    a form with one file. Out: a waiting photo, or every reason against it on the page.
//! Never: a check of its own; a photo for somebody else.

use maud::{Markup, html};

use super::job;
use crate::kernel::ask::{Ask, Reply};
use crate::kernel::clock::told;
use crate::kernel::miss::Miss;
use crate::kernel::{multipart, page};
use crate::login::UPLOAD;

/// `GET /lichtbild/upload`.
pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    page_of(ask, 200, None)
}

/// `POST /lichtbild/upload`.
pub(super) fn send(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let media = ask.header("content-type").unwrap_or_default();
    let parts = multipart::parts(media, &ask.body).ok_or_else(multipart::no_form)?;
    let file = parts.iter().find(|part| part.name == "photo");
    let bytes = file.map_or(&b""[..], |file| file.bytes);
    match job::receive(ask, ask.subject()?, "insured", bytes) {
        Ok(_) => Ok(Reply::see(&format!("{UPLOAD}?done=1"))),
        Err(miss) if miss.status.is_client_error() && miss.status != 404 => {
            page_of(ask, miss.status.as_u16(), Some(&miss))
        }
        Err(miss) => Err(miss),
    }
}

/// The form, wherever it stands: it always goes to the photo service.
pub(crate) fn form(ask: &Ask<'_>) -> Markup {
    let say = |de, en| ask.language.pick(de, en);
    html! {
        form method="post" action=(UPLOAD) enctype="multipart/form-data" data-draft="photo"
            data-saved-at="0" {
            label { (say("JPEG-Bild, 35 × 45 mm, höchstens 5 MB",
                "JPEG image, 35 × 45 mm, 5 MB at most"))
                input type="file" name="photo" accept="image/jpeg" required; }
            p.hint.draft-state role="status" {}
            button type="submit" { (say("Absenden", "Send")) }
        }
    }
}

fn page_of(ask: &Ask<'_>, status: u16, miss: Option<&Miss>) -> Result<Reply, Miss> {
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Foto für die Gesundheitskarte", "Photo for the health card");
    let photos = job::of_person(ask, ask.subject()?)?;
    let main = html! {
        h1 { (title) }
        @if ask.asked("done").is_some() {
            p.done role="status" { (say("Ihr Foto ist angekommen und wird geprüft.",
                "Your photo arrived and is reviewed.")) }
        }
        @if let Some(miss) = miss {
            div.fault role="alert" {
                p { (miss.words.get(ask.language)) }
                @if !miss.more.is_empty() {
                    ul { @for (code, words) in &miss.more {
                        li data-code=(code) { (words.get(ask.language)) }
                    } }
                }
            }
        }
        (form(ask))
        @for photo in &photos {
            article {
                h2 { (state(ask, &photo.state)) }
                p.hint { (told(ask.language, photo.received_at)) }
                @if let Some(reason) = &photo.reason { p { (reason) } }
            }
        }
    };
    Ok(page::page(ask, status, (title, main)))
}

fn state(ask: &Ask<'_>, state: &str) -> &'static str {
    match state {
        "waiting" => ask.language.pick("wird geprüft", "is reviewed"),
        "approved" => ask
            .language
            .pick("freigegeben, Karte bestellt", "approved, card ordered"),
        "rejected" => ask.language.pick("abgelehnt", "rejected"),
        _ => ask.language.pick("ersetzt", "replaced"),
    }
}
