//! The ledger in figures, and how anyone verifies it.

use maud::{Markup, html};

use super::part;
use super::screen::{Miss, Screen};
use super::visit::Visit;
use crate::port::Witnesses;
use crate::text::{Say, fill};
use crate::view::Frame;

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let head = visit.web.desk.head()?;
    let frame = Frame::of(&visit.state(), visit.now(), None);
    let pin = visit.state().pin;
    let figures = html! {
        section id="proof-figures" {
            dl.facts.long {
                div { dt { (w.entries) } dd.number { (say.number(head.size)) } }
                div { dt { (w.on_disk) } dd.number { (say.bytes(head.bytes)) } }
                div { dt { (w.root_hash) } dd { code.digest-long { (head.root) } } }
                @if let Some(pin) = &pin {
                    div { dt { (w.pin) } dd { code.digest-long { (pin) } } }
                }
                div { dt { (w.domain) } dd { code { (frame.domain) } } }
            }
            h2 { (w.checkpoint) }
            @match &head.note {
                Some(note) => { p.hint { (w.checkpoint_hint) } pre.statement { (note) } }
                None => { (part::nothing(w.no_checkpoint)) }
            }
            h2 { (w.witnesses) }
            @match visit.web.desk.witnesses() {
                Some(all) => (witnesses(say, &all, head.size)),
                None => { (part::nothing(w.no_witnesses)) }
            }
        }
    };
    // First line of a checkpoint: the name of its log.
    let origin = head.note.as_deref().and_then(|note| note.lines().next());
    let origin = origin.unwrap_or("ORIGIN");
    let main = html! {
        h1 { (w.nav_proof) }
        p.lead { (w.proof_lead) }
        (figures)
        h2 { (w.verify_how) }
        ol.steps {
            li { (w.verify_all) pre.command { code {
                "anlauf ledger verify DIR --origin " (origin) " --key DIR/log.pub" } } }
            li { (w.verify_one) pre.command { code {
                "anlauf prove ENTRY --out FILE\n"
                "anlauf prove --check FILE --origin " (origin) " --log-key log.pub" } } }
            li { (w.verify_outside) }
        }
    };
    let parts = vec![("proof-figures".to_owned(), figures)];
    Ok(Screen::new(w.nav_proof, "/console/proof", main).with_parts(parts))
}

/// How far the outsiders are that cosign; loud when too few do.
fn witnesses(say: &Say, all: &Witnesses, entries: u64) -> Markup {
    let w = say.w;
    let (count, quorum) = (all.each.len() as u64, all.quorum as u64);
    html! {
        p.hint { (fill(w.witnesses_hint, &[&say.number(quorum), &say.number(count)])) }
        @if let Some(why) = &all.failed {
            p.alarm { (why) }
        }
        @if all.size == 0 {
            p.alarm { (w.witnesses_none_yet) }
        } @else {
            p { (fill(w.witnessed_to, &[&say.number(all.size), &say.number(entries)])) }
        }
        table {
            thead { tr { th { (w.witness) } th.number { (w.entries) } th { (w.cosigned) } } }
            tbody {
                @for one in &all.each {
                    tr {
                        td { (one.name) }
                        td.number { (say.number(one.size)) }
                        td {
                            @if let Some(at) = one.at { (part::when(say, at)) } @else { "–" }
                            @if let Some(trouble) = &one.trouble {
                                p.alarm { (trouble) }
                            }
                        }
                    }
                }
            }
        }
    }
}
