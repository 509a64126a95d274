//! Findings: what was found, by whom, and exactly which open cells rest on each.

use anlauf_model::{FindingKind, Verdict};
use anlauf_recovery::Order;
use maud::{Markup, html};

use super::form::{Act, Fields};
use super::part;
use super::screen::{Miss, Screen};
use super::visit::Visit;
use crate::text::{Say, fill};
use crate::view::evidence::{EvidenceFilter, EvidenceView, FindingPage, FindingView};

/// Cells of a list that stands open; a longer one is opened by hand.
const LIST_SHOWN_MAX: usize = 40;

/// The list.
pub(crate) fn list(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let filter = EvidenceFilter {
        kind: visit
            .asked("kind")
            .and_then(|word| FindingKind::ALL.into_iter().find(|k| k.word() == word)),
        verdict: match visit.asked("verdict") {
            Some("pass") => Some(Verdict::Pass),
            Some("fail") => Some(Verdict::Fail),
            _ => None,
        },
        text: visit.asked("cell").map(|text| text.trim().to_lowercase()),
        withdrawn: visit.asked("withdrawn") == Some("yes"),
        before: visit.asked("before").and_then(|text| text.parse().ok()),
    };
    let view = EvidenceView::of(&visit.state(), &filter);
    let parts = vec![
        (
            "evidence-wide".to_owned(),
            html! { section id="evidence-wide" { (wide(say, &view)) } },
        ),
        (
            "evidence-list".to_owned(),
            html! { section id="evidence-list" { (table(visit, &view)) } },
        ),
    ];
    let main = html! {
        h1 { (w.nav_evidence) }
        (parts[0].1)
        h2 { (w.findings_of_cells) }
        (filters(visit, &filter))
        (parts[1].1)
    };
    Ok(Screen::new(w.nav_evidence, "/console/evidence", main).with_parts(parts))
}

fn wide(say: &Say, view: &EvidenceView) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.findings_wide) }
        p.hint { (w.findings_wide_hint) }
        ul.findings {
            @for kind in &view.wide_missing {
                li {
                    span.mark.open aria-hidden="true" { "○" }
                    span { (say.finding(*kind)) " · " b { (w.finding_missing) } }
                }
            }
            @for finding in view.wide.iter().take(12) { li { (line(say, finding)) } }
        }
        @if view.wide.is_empty() && view.wide_missing.is_empty() { (part::nothing(w.no_findings)) }
    }
}

fn line(say: &Say, view: &FindingView) -> Markup {
    let (w, finding) = (say.w, &view.finding);
    let pass = finding.verdict == Verdict::Pass;
    html! {
        span.mark.good[pass && view.stands].bad[!pass] aria-hidden="true" {
            (if pass { "✓" } else { "!" }) }
        span {
            a href={ "/console/evidence/" (finding.number) } {
                (w.finding_word) " " (finding.number) ": " (say.finding(finding.kind)) }
            " · " (say.verdict(finding.verdict))
            span.quiet { " · " (part::when_short(say, finding.at)) " · " (finding.by)
                @if finding.withdrawn.is_some() { " · " (w.withdrawn) }
                @else if !view.stands { " · " (w.overtaken) }
            }
        }
    }
}

fn filters(visit: &Visit<'_>, filter: &EvidenceFilter) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let verdicts = [("pass", Verdict::Pass), ("fail", Verdict::Fail)];
    html! {
        form.filters method="get" action="/console/evidence" role="search" aria-label=(w.filter) {
            div.field {
                label for="kind" { (w.kind) }
                select id="kind" name="kind" {
                    option value="" { (w.all) }
                    @for kind in FindingKind::ALL.into_iter().filter(|kind|
                        !kind.is_incident_wide()) {
                        option value=(kind.word()) selected[filter.kind == Some(kind)] {
                            (say.finding(kind)) }
                    }
                }
            }
            div.field {
                label for="verdict" { (w.verdict) }
                select id="verdict" name="verdict" {
                    option value="" { (w.all) }
                    @for (word, verdict) in verdicts {
                        option value=(word) selected[filter.verdict == Some(verdict)] {
                            (say.verdict(verdict)) }
                    }
                }
            }
            div.field {
                label for="cell" { (w.cell) }
                input type="search" id="cell" name="cell" autocomplete="off" spellcheck="false"
                    value=(filter.text.clone().unwrap_or_default());
            }
            p.check {
                input type="checkbox" id="withdrawn" name="withdrawn" value="yes"
                    checked[filter.withdrawn];
                label for="withdrawn" { (w.only_withdrawn) }
            }
            button type="submit" { (w.show) }
        }
    }
}

fn table(visit: &Visit<'_>, view: &EvidenceView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        p.quiet { (say.count(view.count as u64, w.finding_word, w.findings)) }
        @if view.findings.is_empty() { (part::nothing(w.no_findings)) }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(w.findings_of_cells) {
                table.list.stacked {
                thead { tr {
                    th.right scope="col" { (w.number) } th scope="col" { (w.cell) }
                    th scope="col" { (w.kind) } th scope="col" { (w.verdict) }
                    th scope="col" { (w.at) } th scope="col" { (w.by) }
                } }
                tbody { @for view in &view.findings { (row(say, view)) } }
            } }
        }
        nav.paging aria-label=(w.paging) {
            @if visit.asked("before").is_some() {
                a.button href=(visit.address_with(&[("before", "")])) { (w.newest_first) } }
            @if let Some(older) = view.older {
                a.button href=(visit.address_with(&[("before", &older.to_string())])) { (w.older) }
            }
        }
    }
}

fn row(say: &Say, view: &FindingView) -> Markup {
    let finding = &view.finding;
    let pass = finding.verdict == Verdict::Pass;
    html! {
        tr {
            th.right.number scope="row" {
                a href={ "/console/evidence/" (finding.number) } { (say.number(finding.number)) } }
            td { @if let Some(name) = &view.name { (part::cell(say, name)) } }
            td { (say.finding(finding.kind)) }
            td {
                span.mark.good[pass && view.stands].bad[!pass] aria-hidden="true" {
                    (if pass { "✓" } else { "!" }) }
                (say.verdict(finding.verdict))
                @if finding.withdrawn.is_some() { " · " (say.w.withdrawn) }
                @else if !view.stands { span.quiet { " · " (say.w.overtaken) } }
            }
            td data-label=(say.w.at) { (part::when_short(say, finding.at)) }
            td data-label=(say.w.by) { (finding.by) }
        }
    }
}

/// One finding.
pub(crate) fn one(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let number: u64 = visit.gap(0).ok_or(Miss::NotFound)?;
    let page = FindingPage::of(&visit.state(), visit.now(), number).ok_or(Miss::NotFound)?;
    let finding = &page.view.finding;
    let title = format!("{} {number}: {}", w.finding_word, say.finding(finding.kind));
    let main = html! {
        p.kicker { a href="/console/evidence" { (w.nav_evidence) } }
        h1 { (title) }
        dl.facts {
            div { dt { (w.cell) } dd {
                @match &page.view.name {
                    Some(name) => { (part::cell(say, name)) }
                    None => { (w.whole_incident) }
                }
            } }
            div { dt { (w.verdict) } dd { b { (say.verdict(finding.verdict)) } } }
            div { dt { (w.at) } dd { (part::when(say, finding.at)) } }
            div { dt { (w.by) } dd { (finding.by) } }
            div { dt { (w.state_label) } dd {
                @match &finding.withdrawn {
                    Some((at, why)) => { (w.withdrawn) " " (part::when(say, *at)) ": " (why) }
                    None if page.view.stands => { (w.stands) }
                    None => { (w.overtaken) }
                }
            } }
        }
        @if !finding.note.is_empty() { blockquote.reason-text { (finding.note) } }
        dl.facts.long { div { dt { (w.evidence_digest) } dd { code.digest-long { (finding.evidence)
            } } } }
        (rests(say, &page))
        (forms(visit, &page))
    };
    Ok(Screen::new(title, "/console/evidence", main))
}

fn rests(say: &Say, page: &FindingPage) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.rests) " " span.count.number { (page.rests.len()) } }
        @if page.rests.is_empty() { (part::nothing(w.rests_nothing)) }
        @else {
            p.hint { (w.rests_hint) }
            details.list-box open[page.rests.len() <= LIST_SHOWN_MAX] {
                summary { (w.close_list) }
                ul.cells.columns-list {
                    @for (name, stage) in &page.rests {
                        li { (part::cell(say, name)) " " (part::stage(say, *stage)) }
                    }
                }
            }
        }
    }
}

fn forms(visit: &Visit<'_>, page: &FindingPage) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let finding = &page.view.finding;
    let open = page
        .rests
        .iter()
        .filter(|(_, stage)| *stage > anlauf_model::Stage::Closed)
        .count();
    html! {
        section.danger-zone {
            @if finding.withdrawn.is_none() && visit.may("withdraw_finding") {
                h2 { (w.withdraw) }
                p.hint { (fill(w.withdraw_hint, &[&page.rests.len()])) }
                form.stack method="post" action={ "/console/evidence/" (finding.number) "/withdraw"
                    } {
                    (part::reason(say, "withdraw", w.reason_withdraw))
                    button.danger type="submit" { (w.withdraw) }
                }
            }
            @if open > 0 && visit.may("close") {
                h2 { (w.close_rests) }
                form.stack method="post" action="/console/close/order" {
                    input type="hidden" name="scope" value={ "finding/" (finding.number) };
                    (part::reason(say, "close", w.reason_close))
                    button.danger type="submit" { (fill(w.close_now,
                        &[&say.count(open as u64, w.cell_word, w.cells_word)])) }
                }
            }
        }
    }
}

/// A finding does not hold any longer.
pub(crate) fn withdraw(visit: &Visit<'_>, _: &Fields) -> Result<Act, Miss> {
    let finding: u64 = visit.gap(0).ok_or(Miss::NotFound)?;
    let to = format!("/console/evidence/{finding}");
    Ok(Act::order(Order::WithdrawFinding { finding }, to))
}
