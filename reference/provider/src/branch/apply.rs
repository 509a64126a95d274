//! The page of applications: the form, and what became of those sent.
//!
//! In:    a session. Out: a page. Never: another person's application.

use maud::html;

use super::application::{KINDS, own, state_words};
use super::draft;
use crate::kernel::ask::{Ask, Reply};
use crate::kernel::clock::told;
use crate::kernel::miss::Miss;
use crate::kernel::page;
use crate::login;

pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let kept = draft::of(ask, "application")?;
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Anträge", "Applications");
    let chosen = kept.get("kind").unwrap_or_default();
    let main = html! {
        h1 { (title) }
        @if ask.asked("done").is_some() {
            p.done role="status" { (say("Ihr Antrag ist eingegangen.",
                "Your application arrived.")) }
        }
        form method="post" action="/og/applications" enctype="multipart/form-data"
            data-draft="application" data-saved-at=(kept.saved_at) {
            input type="hidden" name="once" value=(login::secret(ask)?);
            label { (say("Worum geht es?", "What is it about?"))
                select name="kind" { @for (id, de, en) in KINDS {
                    option value=(id) selected[id == chosen] { (say(de, en)) }
                } } }
            label { (say("Ihre Worte dazu", "Your words"))
                textarea name="body" rows="6" required maxlength="4000" {
                    (kept.get("body").unwrap_or_default()) } }
            label { (say("Bis zu drei Dateien (PDF, JPEG, PNG; je 4 MB)",
                "Up to three files (PDF, JPEG, PNG; 4 MB each)"))
                input type="file" name="file" multiple
                    accept="application/pdf,image/jpeg,image/png"; }
            p.hint.draft-state role="status" {}
            button type="submit" { (say("Absenden", "Send")) }
        }
        @for one in own(ask)? {
            article {
                h2 { @for (id, de, en) in KINDS { @if id == one.kind { (say(de, en)) } }
                    " · " (state_words(ask.language, &one.state)) }
                p.hint { (told(ask.language, one.received_at)) " · " (say("Dateien: ", "files: "))
                    (one.file_count) }
                p { (one.body) }
                @if let Some(reason) = &one.reason { p { (reason) } }
            }
        }
    };
    Ok(page::page(ask, 200, (title, main)))
}
