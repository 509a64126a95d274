//! Pieces that many pages share: a stage, a time, a cell's name, a form's reason.
//!
//! In:    plain values. Out: markup. Never: a colour without sign and word.

use anlauf_model::{Digest, Stage, Timestamp};
use maud::{Markup, html};

use super::screen::KEY_HERE;
use crate::text::word::plan::words;
use crate::text::{Say, fill};
use crate::view::hold::{Held, spent, stretches};
use crate::view::inbox::Listed;
use crate::view::release::ReleaseView;
use crate::view::wait::Waiting;
use crate::view::{CellName, StageCounts, Text2};

/// The sign of a stage: the fuller the circle, the more people get through.
pub(crate) const fn sign(stage: Stage) -> &'static str {
    match stage {
        Stage::Closed => "×",
        Stage::CleanRoom => "◔",
        Stage::Pilot => "◑",
        Stage::Basic => "◕",
        Stage::Full => "●",
    }
}

/// Sign and word of a stage.
pub(crate) fn stage(say: &Say, stage: Stage) -> Markup {
    html! {
        span class={ "stage stage-" (stage.word()) } {
            span.stage-sign aria-hidden="true" { (sign(stage)) }
            (say.stage(stage))
        }
    }
}

/// A point in time; the whole of it in the title.
pub(crate) fn when(say: &Say, at: Timestamp) -> Markup {
    html! {
        time datetime=(at) title=(say.when_full(at)) { (say.when(at)) }
    }
}

/// The same for narrow columns.
pub(crate) fn when_short(say: &Say, at: Timestamp) -> Markup {
    html! {
        time datetime=(at) title=(say.when_full(at)) { (say.when_short(at)) }
    }
}

/// A text in the reader's language.
pub(crate) fn said<'a>(say: &Say, text: &'a Text2) -> &'a str {
    if say.is_german() { &text.de } else { &text.en }
}

/// A cell's service with its number.
pub(crate) fn service(say: &Say, name: &CellName) -> String {
    let service = said(say, &name.service);
    match &name.number {
        Some(number) => format!("{service} {number}"),
        None => service.to_owned(),
    }
}

/// A cell's whole name.
pub(crate) fn full_name(say: &Say, name: &CellName) -> String {
    let service = service(say, name);
    match &name.owner {
        Some(owner) => format!("{service} · {}", said(say, owner)),
        None => service,
    }
}

/// A link to a cell's page in the console.
pub(crate) fn cell(say: &Say, name: &CellName) -> Markup {
    html! {
        a.cell-link href={ "/console/cells/" (name.id) } title=(name.id) { (full_name(say, name)) }
    }
}

/// A link to a tenant's own cell.
pub(crate) fn own_cell(say: &Say, name: &CellName) -> Markup {
    html! {
        a.cell-link href={ "/tenant/cells/" (name.id.service()) } { (service(say, name)) }
    }
}

/// The key and the reason of a form.
pub(crate) fn reason(say: &Say, id: &str, example: &str) -> Markup {
    html! {
        input type="hidden" name="key" value=(KEY_HERE);
        div.field {
            label for={ "reason-" (id) } { (say.w.reason) }
            input type="text" id={ "reason-" (id) } name="reason" required maxlength="500"
                autocomplete="off" placeholder=(example);
        }
    }
}

/// A bar of one share with its number.
pub(crate) fn bar(class: &str, per_mille: u64) -> Markup {
    html! {
        svg class={ "bar " (class) } aria-hidden="true" focusable="false" {
            rect.bar-ground width="100%" height="100%" rx="4" {}
            rect.bar-filled width={ (percent(per_mille)) } height="100%" rx="4" {}
        }
    }
}

/// A per mille number as a length of SVG.
pub(crate) fn percent(per_mille: u64) -> String {
    format!("{}.{}%", per_mille / 10, per_mille % 10)
}

/// Cells by stage: one bar, and the same as words.
pub(crate) fn stages(say: &Say, counts: &StageCounts, with_words: bool) -> Markup {
    let total: u32 = counts.iter().sum();
    let mut from = 0u64;
    let pieces: Vec<_> = Stage::ALL
        .into_iter()
        .map(|stage| {
            let share = u64::from(counts[stage as usize]) * 1000 / u64::from(total.max(1));
            let piece = (stage, from, share);
            from += share;
            piece
        })
        .collect();
    html! {
        svg.stack aria-hidden="true" focusable="false" {
            @for (stage, from, share) in pieces.into_iter().filter(|(_, _, share)| *share > 0) {
                rect class={ "fill-" (stage.word()) } x=(percent(from)) width=(percent(share))
                    height="100%" {}
            }
        }
        @if with_words {
            ul.stage-counts {
                @for one in Stage::ALL {
                    li {
                        (stage(say, one)) " "
                        b.number { (say.number(counts[one as usize].into())) }
                    }
                }
            }
        } @else {
            span.hidden {
                @for one in Stage::ALL { (say.stage(one)) ": " (counts[one as usize]) ". " }
            }
        }
    }
}

/// A digest to recognise, whole in the title.
pub(crate) fn digest(digest: &Digest) -> Markup {
    html! { code.digest title=(digest) { (digest.short()) } }
}

/// How many more there are than the list shows.
pub(crate) fn more<T>(say: &Say, listed: &Listed<T>) -> Markup {
    html! {
        @if listed.more > 0 {
            p.more { (fill(say.w.and_more, &[&say.number(listed.more as u64)])) }
        }
    }
}

/// A list of cells by name, few of them.
pub(crate) fn cells(say: &Say, names: &[CellName], more: usize) -> Markup {
    html! {
        ul.cells {
            @for name in names { li { (full_name(say, name)) } }
            @if more > 0 { li.more { (fill(say.w.and_more, &[&more])) } }
        }
    }
}

/// One reason that holds a cell, as a sentence. `linked`: names lead to the console's pages.
pub(crate) fn held(say: &Say, held: &Held, linked: bool) -> Markup {
    let w = say.w;
    let name = |name: &CellName| {
        let text = full_name(say, name);
        html! { @if linked { (cell(say, name)) } @else { (text) } }
    };
    let list = |words: Vec<&str>| words.join(", ");
    html! {
        @match held {
            Held::Needs(cell, None) => { (w.held_needs) " " (name(cell)) "." }
            Held::Needs(cell, Some(until)) => {
                (w.held_needs) " " (name(cell)) ", " (w.held_planned) " " (when(say, *until)) "."
            }
            Held::After(cell, until) => {
                (w.held_after) " " (name(cell)) ", " (w.held_planned) " " (when(say, *until)) "."
            }
            Held::Tasks(tasks) => {
                (w.held_tasks) " " (list(tasks.iter().map(|t| say.task(*t)).collect())) "."
            }
            Held::Findings(kinds) => {
                (w.held_findings) " " (list(kinds.iter().map(|k| say.finding(*k)).collect())) "."
            }
            Held::Signatures(missing) => {
                (w.held_signatures) " "
                (missing.iter().map(|(r, n)| format!("{n}\u{a0}×\u{a0}{}", say.role(*r)))
                    .collect::<Vec<_>>().join(", ")) "."
            }
            Held::Word(answer) => { (w.held_word[answer.map_or(0, |answer| answer as usize + 1)]) }
            Held::Work(task, start, end) => {
                (fill(w.held_work, &[&say.task(*task), &say.when(*start), &say.when(*end)]))
            }
            Held::Team(team, task, (since, until), behind) => {
                (fill(w.held_team, &[&say.task(*task), &say.text(team), &say.when(*since),
                    &say.when(*until)]))
                @if !behind.is_empty() {
                    " " (w.held_behind) " "
                    @for (index, cell) in behind.iter().enumerate() {
                        @if index > 0 { ", " } (name(cell))
                    }
                    "."
                }
            }
            Held::TeamBusy(team, (_, until)) => {
                (fill(w.held_team_busy, &[&say.text(team), &say.when(*until)]))
            }
            Held::Acceptance(until) => { (fill(w.held_acceptance, &[&say.when(*until)])) }
            Held::Site(site, until) => {
                (fill(w.held_site, &[&say.text(site), &say.when(*until)]))
            }
            Held::Agreed(slot) => { (fill(w.held_agreed, &[&say.window(slot.from, slot.to)])) }
            Held::Calendar(until) => { (fill(w.held_calendar, &[&say.when(*until)])) }
        }
    }
}

/// What a date waits for, as the rest of a sentence.
pub(crate) fn waiting(say: &Say, wait: &Waiting) -> String {
    let p = words(say.language);
    match wait {
        Waiting::Verdict(site) => fill(p.wait_verdict, &[&say.text(site)]),
        Waiting::Plan => p.wait_plan.to_owned(),
        Waiting::Nobody(Some(team), task) => {
            fill(p.wait_nobody, &[&say.text(team), &say.task(*task)])
        }
        Waiting::Nobody(None, task) => fill(p.wait_testers, &[&say.task(*task)]),
        Waiting::Cell(name) => fill(p.wait_cell, &[&full_name(say, name)]),
    }
}

/// The plan's chain cell by cell, and what its time goes into.
pub(crate) fn chain(say: &Say, chain: &[Held], linked: bool) -> Markup {
    let p = words(say.language);
    let spent = spent(chain, say.now);
    html! {
        @if spent.work + spent.team > 0 {
            p { (fill(p.chain_spent, &[&say.span(spent.work), &say.span(spent.team)])) }
        }
        ol.why.chain {
            @for stretch in stretches(chain) {
                li {
                    @if let Some(lead) = stretch.lead { p { b { (held(say, lead, linked)) } } }
                    @if !stretch.links.is_empty() {
                        ul.links { @for link in &stretch.links { li { (held(say, link, linked)) } }
                            }
                    }
                }
            }
        }
    }
}

/// A release as a card: what it says, who signed, who is missing.
pub(crate) fn release(say: &Say, view: &ReleaseView) -> Markup {
    let w = say.w;
    let words = &view.words[say.language as usize];
    html! {
        article.card.release id={ "release-" (view.id.short()) } {
            header.card-head {
                h3 {
                    @if view.is_break_glass { strong { (w.break_glass) } " " }
                    (fill(w.release_to, &[&say.stage(view.stage)]))
                }
                span.card-id { (w.fingerprint) " " span.fingerprint { (view.fingerprint) } }
            }
            (cells(say, &view.cells, view.cells_more))
            p.quiet.release-meta {
                (fill(say.w.release_meta, &[&view.proposed.0, &say.when(view.proposed.1),
                    &say.day(view.not_after)]))
            }
            details {
                summary { (w.statement_show) }
                pre.statement { (words) }
            }
            (signers(say, view))
        }
    }
}

/// Who signed a release and who is missing.
pub(crate) fn signers(say: &Say, view: &ReleaseView) -> Markup {
    let w = say.w;
    html! {
        ul.signers {
            @for by in &view.signed {
                li.signed {
                    span.mark aria-hidden="true" { "✓" }
                    b { (by.person) }
                    " " span.quiet {
                        @if let Some(role) = by.role { (say.role(role)) ", " }
                        (by.organisation) ", " (when_short(say, by.at))
                    }
                }
            }
            @for missing in &view.missing {
                li.missing {
                    span.mark aria-hidden="true" { "○" }
                    @match missing.role {
                        Some(role) => (fill(w.signer_missing, &[&missing.count, &say.role(role)])),
                        None => (fill(w.signer_any, &[&missing.count])),
                    } " "
                    span.quiet {
                        (missing.people.iter().take(6).map(ToString::to_string)
                            .collect::<Vec<_>>().join(w.or))
                    }
                }
            }
        }
    }
}

/// How one signs: the browser never holds a key.
pub(crate) fn sign_command(say: &Say, view: &ReleaseView) -> Markup {
    html! {
        @if let Some(at) = &view.passkey_at {
            p { a.button href=(at) { (say.w.sign_here) } }
        }
        p.command-lead { (say.w.sign_how) }
        pre.command { code { "anlauf sign " (view.id.short()) " --key FILE" } }
    }
}

/// Nothing here: a designed state, not an empty table.
pub(crate) fn nothing(words: &str) -> Markup {
    html! { p.nothing { (words) } }
}

/// A sentence with the names in backticks set as code.
pub(crate) fn ticked(sentence: &str) -> Markup {
    html! {
        @for (index, piece) in sentence.split('`').enumerate() {
            @if index % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}
