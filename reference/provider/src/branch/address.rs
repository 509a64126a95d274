//! Change of address.
//!
//! In:    street, postcode, town. Out: the new address, and the change as a row.
//! Never: an address that a letter does not reach for its form.

use maud::html;

use super::{data, draft};
use crate::kernel::ask::{Ask, Reply, field};
use crate::kernel::miss::Miss;
use crate::kernel::page;

/// Longest line. Characters.
const LINE_LENGTH_MAX: usize = 80;

pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let me = data::me(ask)?;
    let kept = draft::of(ask, "address")?;
    let value = |name: &str, now: String| kept.get(name).map_or(now, str::to_owned);
    let lines = [
        value("street", me.street),
        value("postcode", me.postcode),
        value("city", me.city),
    ];
    Ok(form(ask, 200, &lines, (kept.saved_at, "")))
}

fn form(ask: &Ask<'_>, status: u16, lines: &[String; 3], (saved_at, fault): (i64, &str)) -> Reply {
    let say = |de, en| ask.language.pick(de, en);
    let title = say("Adresse ändern", "Change address");
    let [street, postcode, city] = lines;
    let main = html! {
        h1 { (title) }
        @if ask.asked("done").is_some() {
            p.done role="status" { (say("Ihre neue Adresse ist eingetragen.",
                "Your new address is entered.")) }
        }
        @if !fault.is_empty() { p.fault role="alert" { (fault) } }
        form method="post" action="/og/address" data-draft="address" data-saved-at=(saved_at) {
            label { (say("Straße und Hausnummer", "Street and number"))
                input name="street" required autocomplete="street-address" value=(street); }
            label { (say("Postleitzahl", "Postcode"))
                input name="postcode" required inputmode="numeric" autocomplete="postal-code"
                    value=(postcode); }
            label { (say("Ort", "Town"))
                input name="city" required autocomplete="address-level2" value=(city); }
            p.hint.draft-state role="status" {}
            button type="submit" { (say("Absenden", "Send")) }
        }
    };
    page::page(ask, status, (title, main))
}

pub(super) fn change(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let fields = ask.form()?;
    let lines = ["street", "postcode", "city"].map(|name| field(&fields, name).to_owned());
    let [street, postcode, city] = &lines;
    let is_line = |text: &str| !text.is_empty() && text.chars().count() <= LINE_LENGTH_MAX;
    let is_postcode = postcode.len() == 5 && postcode.bytes().all(|b| b.is_ascii_digit());
    if !is_line(street) || !is_line(city) || !is_postcode {
        let fault = ask.language.pick(
            "Bitte Straße und Ort angeben und fünf Ziffern als Postleitzahl.",
            "Please give street and town, and five digits as postcode.",
        );
        return Ok(form(ask, 422, &lines, (0, fault)));
    }
    let kvnr = ask.subject()?;
    ask.tenant.store.with(|c| {
        let change = c.transaction()?;
        change.execute(
            "INSERT INTO address_change (kvnr, street, postcode, city, received_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            (kvnr, street, postcode, city, ask.now),
        )?;
        change.execute(
            "UPDATE insured SET street = ?2, postcode = ?3, city = ?4 WHERE kvnr = ?1",
            (kvnr, street, postcode, city),
        )?;
        change.execute(
            "DELETE FROM draft WHERE kvnr = ?1 AND form = 'address'",
            [kvnr],
        )?;
        change.commit()
    })?;
    Ok(Reply::see("/og/address?done=1"))
}
