//! The card photo from the branch: a form that the browser sends to the photo service itself.
//!
//! In:    a session. Out: the form, a way to the photos sent.
//! Never: a photo, or a word about one: while the photo service's cell is shut the branch must not
//!        be a way around its gate, although both run in one process.

use maud::html;

use crate::kernel::ask::{Ask, Reply};
use crate::kernel::miss::Miss;
use crate::kernel::page;
use crate::login::UPLOAD;
use crate::photo::upload::form;

pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Foto für die Gesundheitskarte", "Photo for the health card");
    let main = html! {
        h1 { (title) }
        (form(ask))
        p { a href=(UPLOAD) { (say("Ihre gesendeten Fotos", "The photos you sent")) } }
    };
    Ok(page::page(ask, 200, (title, main)))
}
