//! The desk for texts: what people were told, in both languages, and when they hear more.

use anlauf_model::{Minutes, Text, Timestamp};
use anlauf_recovery::Order;
use maud::{Markup, html};

use super::form::{Act, Fields};
use super::part;
use super::screen::{Miss, Screen};
use super::visit::Visit;
use crate::text::{Say, fill};
use crate::view::desk::{DeskView, NoticeView};

/// How far ahead the next word is set when a form opens.
const NEXT_WORD: Minutes = Minutes::hours(4);

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let w = visit.say.w;
    let view = DeskView::of(&visit.state(), visit.now());
    let late = html! {
        section id="desk-late" { @if view.is_late { p.alarm role="status" { (w.word_is_late) } } }
    };
    let list = html! {
        section id="desk-list" {
            @if view.notices.is_empty() { (part::nothing(w.no_notices)) }
            @for notice in &view.notices { (card(visit, notice)) }
        }
    };
    let main = html! {
        h1 { (w.nav_desk) }
        (late)
        @if visit.may("publish_notice") { (publish_form(visit, &view)) }
        h2 { (w.notices) }
        (list)
    };
    let parts = vec![
        ("desk-late".to_owned(), late),
        ("desk-list".to_owned(), list),
    ];
    Ok(Screen::new(w.nav_desk, "/console/desk", main).with_parts(parts))
}

fn publish_form(visit: &Visit<'_>, view: &DeskView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        details.action open[view.notices.is_empty()] {
            summary { (w.write) }
            form.stack.texts method="post" action="/console/desk/publish" {
                (texts("new", say, "", ""))
                div.fields {
                    (next_word_field("new", say))
                    div.field {
                        label for="reader" { (w.readers) }
                        select id="reader" name="tenant" {
                            option value="" { (w.scope_everyone_public) }
                            @for (id, name) in &view.tenants { option value=(id) { (name) } }
                        }
                    }
                }
                (part::reason(say, "publish", w.reason_publish))
                button.primary type="submit" { (w.publish) }
            }
        }
    }
}

/// A text in both languages: neither can be left out.
fn texts(id: &str, say: &Say, de: &str, en: &str) -> Markup {
    let w = say.w;
    html! {
        div.two {
            div.field {
                label for={ "de-" (id) } { (w.text_de) }
                textarea id={ "de-" (id) } name="de" rows="6" required maxlength="8000" lang="de" {
                    (de) }
            }
            div.field {
                label for={ "en-" (id) } { (w.text_en) }
                textarea id={ "en-" (id) } name="en" rows="6" required maxlength="8000" lang="en" {
                    (en) }
            }
        }
    }
}

fn next_word_field(id: &str, say: &Say) -> Markup {
    html! {
        div.field {
            label for={ "next-" (id) } { (say.w.next_word_at) }
            input type="datetime-local" id={ "next-" (id) } name="next" required
                value=(say.field(say.now + NEXT_WORD));
        }
    }
}

fn card(visit: &Visit<'_>, view: &NoticeView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let number = view.notice.number;
    let Some(last) = view.notice.versions.last() else {
        return html! {};
    };
    let id = number.to_string();
    html! {
        article.card.notice id={ "notice-" (number) } {
            header.card-head {
                h3 { (fill(w.notice_number, &[&number])) }
                span.card-id {
                    (view.reader.as_deref().unwrap_or(w.scope_everyone_public)) " · "
                    (part::when(say, last.at))
                    @if view.notice.versions.len() > 1 {
                        " · " (fill(w.revised_times, &[&(view.notice.versions.len() - 1)])) }
                }
            }
            div.two {
                div lang="de" { p.text { (last.text.de) } }
                div lang="en" { p.text { (last.text.en) } }
            }
            p.quiet { (w.next_word) " " (part::when(say, last.next_word_at)) " · " (w.reason) ": "
                (last.reason) }
            (history(say, view))
            @if visit.may("revise_notice") {
                details.action {
                    summary { (w.revise) }
                    form.stack.texts method="post" action="/console/desk/revise" {
                        input type="hidden" name="notice" value=(number);
                        (texts(&id, say, &last.text.de, &last.text.en))
                        div.fields { (next_word_field(&id, say)) }
                        (part::reason(say, &format!("revise-{number}"), w.reason_revise))
                        button.primary type="submit" { (w.revise) }
                    }
                }
            }
        }
    }
}

/// Earlier versions stay visible.
pub(crate) fn history(say: &Say, view: &NoticeView) -> Markup {
    let earlier = view.notice.versions.iter().rev().skip(1);
    html! {
        @if view.notice.versions.len() > 1 {
            details.history {
                summary { (say.w.earlier) }
                ol.plain { @for version in earlier {
                    li {
                        p.quiet { (part::when(say, version.at)) }
                        p.text { (say.text(&version.text)) }
                    }
                } }
            }
        }
    }
}

/// A notice for everyone or one tenant.
pub(crate) fn publish(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let (text, next_word_at) = told(visit, fields)?;
    let tenant = match fields.get("tenant") {
        Some(tenant) => Some(
            tenant
                .parse()
                .map_err(|_| Miss::Unclear(visit.say.w.unclear_choice))?,
        ),
        None => None,
    };
    let order = Order::PublishNotice {
        text,
        next_word_at,
        tenant,
    };
    Ok(Act::order(order, "/console/desk"))
}

/// A notice, corrected.
pub(crate) fn revise(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let (text, next_word_at) = told(visit, fields)?;
    let notice = fields
        .parsed("notice")
        .ok_or(Miss::Unclear(visit.say.w.unclear_choice))?;
    let order = Order::ReviseNotice {
        notice,
        text,
        next_word_at,
    };
    Ok(Act::order(order, "/console/desk"))
}

fn told(visit: &Visit<'_>, fields: &Fields) -> Result<(Text, Timestamp), Miss> {
    let next = fields
        .get("next")
        .and_then(|text| visit.say.read_field(text));
    let next = next.ok_or(Miss::Unclear(visit.say.w.unclear_time))?;
    let text = |name: &str| fields.get(name).unwrap_or_default().replace("\r\n", "\n");
    let text = Text {
        de: text("de"),
        en: text("en"),
    };
    Ok((text, next))
}
