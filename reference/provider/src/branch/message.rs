//! The two-way mailbox of a person and the insurer.
//!
//! In:    subject and text. Out: the messages, the latest first. Never: the same form twice.

use maud::html;
use serde_json::json;

use super::draft;
use crate::kernel::ask::{Ask, Reply, field};
use crate::kernel::clock::{self, rfc3339};
use crate::kernel::miss::Miss;
use crate::kernel::page;
use crate::login;

/// Longest text. Characters.
const TEXT_LENGTH_MAX: usize = 10_000;

/// From the insured person, subject, text, seconds since 1970.
type Line = (bool, String, String, i64);

fn all(ask: &Ask<'_>) -> Result<Vec<Line>, Miss> {
    let kvnr = ask.subject()?;
    Ok(ask.tenant.store.with(|c| {
        let mut statement = c.prepare(
            "SELECT from_insured, subject, body, at FROM message
             WHERE kvnr = ?1 ORDER BY id DESC LIMIT 100",
        )?;
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        statement.query_map([kvnr], read)?.collect()
    })?)
}

pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let kept = draft::of(ask, "message")?;
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Nachrichten", "Messages");
    let main = html! {
        h1 { (title) }
        @if ask.asked("done").is_some() {
            p.done role="status" {
                (say("Ihre Nachricht ist angekommen.", "Your message arrived."))
            }
        }
        form method="post" action="/og/messages" data-draft="message"
            data-saved-at=(kept.saved_at) {
            input type="hidden" name="once" value=(login::secret(ask)?);
            label { (say("Betreff", "Subject"))
                input name="subject" required maxlength="200"
                    value=(kept.get("subject").unwrap_or_default()); }
            label { (say("Nachricht", "Message"))
                textarea name="body" rows="6" required { (kept.get("body").unwrap_or_default()) } }
            p.hint.draft-state role="status" {}
            button type="submit" { (say("Absenden", "Send")) }
        }
        @for (own, subject, body, at) in all(ask)? {
            article {
                h2 { (subject) }
                p.hint { (if own { say("von Ihnen", "from you") } else { say("an Sie", "to you") })
                    " · " (clock::told(ask.language, at)) }
                p { (body) }
            }
        }
    };
    Ok(page::page(ask, 200, (title, main)))
}

pub(super) fn send(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let fields = ask.form()?;
    let [subject, body, once] = ["subject", "body", "once"].map(|name| field(&fields, name));
    let fits = |text: &str| !text.is_empty() && text.chars().count() <= TEXT_LENGTH_MAX;
    if !fits(subject) || !fits(body) || once.len() < 16 {
        return Err(Miss::new(
            422,
            "message-incomplete",
            "Bitte geben Sie Betreff und Nachricht an.",
            "Please give a subject and a message.",
        ));
    }
    let kvnr = ask.subject()?;
    ask.tenant.store.with(|c| {
        let change = c.transaction()?;
        change.execute(
            "INSERT OR IGNORE INTO message (kvnr, from_insured, subject, body, at, once)
             VALUES (?1, 1, ?2, ?3, ?4, ?5)",
            (kvnr, subject, body, ask.now, once),
        )?;
        change.execute(
            "DELETE FROM draft WHERE kvnr = ?1 AND form = 'message'",
            [kvnr],
        )?;
        change.commit()
    })?;
    Ok(Reply::see("/og/messages?done=1"))
}

/// `GET /og/api/messages`: the same for the app.
pub(super) fn told(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let lines = all(ask)?.into_iter();
    let lines = lines.map(|(own, subject, text, at)| {
        json!({ "from_insured": own, "subject": subject, "text": text, "at": rfc3339(at) })
    });
    let value = json!({ "messages": lines.collect::<Vec<_>>() });
    Ok(Reply::json(200, &value))
}
