//! The frame of every page: banner, menu, as of, next word, language, foot.
//!
//! In:    a visit, a screen. Out: the whole document. Never: a page without its language and its
//!        time.

use anlauf_model::{Language, Role};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Route;
use super::part;
use super::screen::Screen;
use super::visit::{Visit, address, encoded};
use crate::text::fill;
use crate::view::Frame;
use crate::view::glass::GlassLine;

/// Where someone begins.
pub(crate) fn start(visit: &Visit<'_>) -> &'static str {
    match visit.actor.map(|actor| actor.role) {
        None | Some(Role::Public | Role::Gate) => "/",
        Some(Role::Tenant) => "/tenant",
        Some(_) => "/console",
    }
}

/// The whole document.
pub(crate) fn page(visit: &Visit<'_>, screen: &Screen) -> Markup {
    let frame = frame(visit);
    let say = &visit.say;
    let live = screen.is_live.then(|| live_address(visit, &frame));
    let provider = frame
        .provider
        .as_ref()
        .map(|text| say.text(text))
        .unwrap_or("Anlauf");
    html! {
        (DOCTYPE)
        html lang=(say.language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (screen.title) " · " (provider) }
                link rel="stylesheet" href={ "/assets/anlauf.css?" (super::asset::css_mark()) };
                link rel="icon" type="image/svg+xml" href="/assets/anlauf.svg";
                link rel="alternate" type="application/atom+xml" href="/status.atom"
                    title=(say.w.atom_title);
                script src={ "/assets/anlauf.js?" (super::asset::js_mark()) } defer {}
            }
            body.wide[screen.is_wide] data-live=[live] data-lost=(say.w.lost)
                data-asof=(say.w.lost_as_of) {
                a.skip href="#main" { (say.w.skip) }
                (drill(visit, &frame))
                (glass(visit, &frame))
                (head(visit, &frame, screen.here))
                (done(visit))
                main id="main" tabindex="-1" { (screen.main) }
                (foot(visit, &frame))
            }
        }
    }
}

/// What the frame says for this visit.
pub(crate) fn frame(visit: &Visit<'_>) -> Frame {
    Frame::of(&visit.state(), visit.now(), visit.actor)
}

fn live_address(visit: &Visit<'_>, frame: &Frame) -> String {
    let query = visit.query.iter().filter(|(key, _)| key != "done");
    let query = query.map(|(key, value)| (key.as_str(), value.as_str()));
    let at = address(visit.path, query);
    format!("/live?seq={}&at={}", frame.seq, encoded(&at))
}

fn drill(visit: &Visit<'_>, frame: &Frame) -> Markup {
    let w = visit.say.w;
    html! {
        @if frame.is_drill {
            p.drill role="note" {
                strong { (w.drill) } " " span { (w.drill_more) " " code { (frame.domain) } }
            }
        }
    }
}

/// Break-glass on every screen, for as long as it is open or nobody has answered for it.
pub(crate) fn glass(visit: &Visit<'_>, frame: &Frame) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        div.glass id="glass" role="status" hidden[frame.glass.is_empty()] {
            @for line in &frame.glass {
                p.owed[line.is_owed] {
                    strong {
                        @if line.is_owed { (fill(w.glass_over, &[&say.when(line.until)])) }
                        @else { (fill(w.glass_open, &[&say.when(line.until)])) }
                    } " "
                    @if line.cells.is_empty() { (w.glass_public) }
                    @else { (glass_more(visit, line)) }
                }
            }
        }
    }
}

fn glass_more(visit: &Visit<'_>, line: &GlassLine) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        (part::cells(say, &line.cells, line.cells_more)) " "
        span.quiet {
            (say.stage(line.stage)) " · " q { (line.reason) } " · "
            (line.signers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        @if line.is_owed && visit.may("review_break_glass") {
            " " a href="/console/inbox#inbox-glass" { (w.glass_review) }
        }
    }
}

fn head(visit: &Visit<'_>, frame: &Frame, here: &str) -> Markup {
    let say = &visit.say;
    let start = start(visit);
    html! {
        header.top {
            a.brand href=(start) {
                (PreEscaped(super::asset::MARK)) span { "Anlauf" }
            }
            (clock(visit, frame))
            (menu(visit, frame, here))
            div.who {
                (languages(visit))
                @match visit.actor {
                    Some(actor) => {
                        form.leave method="post" action="/logout" {
                            span.person title=(say.role(actor.role)) { (actor.person) }
                            button.link type="submit" { (say.w.leave) }
                        }
                    }
                    None => { a href="/login" { (say.w.enter) } }
                }
            }
        }
    }
}

/// As of, next word: on every page, and alive.
pub(crate) fn clock(visit: &Visit<'_>, frame: &Frame) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let late = frame.next_word_at.is_some_and(|at| at <= visit.now());
    html! {
        p.clock id="clock" {
            span { (w.as_of) " " b.number { (part::when_short(say, visit.now())) } }
            @if frame.is_running || frame.next_word_at.is_some_and(|at| at > visit.now()) {
                span.next-word.late[late] {
                    (w.next_word) " "
                    @match frame.next_word_at {
                        Some(at) => {
                            b.number { (part::when_short(say, at)) }
                            @if late { " " em { (w.overdue) } }
                        }
                        None => { em { (w.not_said_yet) } }
                    }
                }
            }
        }
    }
}

fn menu(visit: &Visit<'_>, frame: &Frame, here: &str) -> Markup {
    let w = visit.say.w;
    let console = [
        ("/console", w.nav_situation),
        ("/console/grid", w.nav_grid),
        ("/console/plan", w.nav_plan),
        ("/console/inbox", w.nav_inbox),
        ("/console/events", w.nav_events),
        ("/console/gates", w.nav_gates),
        ("/console/evidence", w.nav_evidence),
        ("/console/desk", w.nav_desk),
        ("/console/proof", w.nav_proof),
        ("/", w.nav_status),
    ];
    let portal = [("/tenant", w.nav_portal), ("/", w.nav_status)];
    let entries: &[(&str, &str)] = match visit.actor.map(|actor| actor.role) {
        None | Some(Role::Public | Role::Gate) => return html! {},
        Some(Role::Tenant) => &portal,
        Some(_) => &console,
    };
    html! {
        nav.menu aria-label=(w.menu) {
            ul {
                @for (to, name) in entries {
                    li {
                        a href=(to) aria-current=[(*to == here).then_some("page")] {
                            (name)
                            @if *to == "/console/inbox" || *to == "/tenant" { (badge(visit, frame))
                                }
                        }
                    }
                }
            }
        }
    }
}

/// How much waits, in the menu.
pub(crate) fn badge(visit: &Visit<'_>, frame: &Frame) -> Markup {
    let w = visit.say.w;
    html! {
        span.badge id="badge" hidden[frame.due_count == 0] {
            span.hidden { " (" } (visit.say.number(frame.due_count as u64))
            span.hidden { " " (w.waiting) ")" }
        }
    }
}

fn languages(visit: &Visit<'_>) -> Markup {
    // A form's answer has no address of its own to come back to.
    let shows = Route::find(visit.path, |route| route.show.is_some()).is_some();
    let back = if shows {
        visit.address_with(&[])
    } else {
        start(visit).to_owned()
    };
    let to = |language: Language| {
        address(
            "/language",
            [("to", language.tag()), ("back", back.as_str())],
        )
    };
    let here = visit.say.language;
    html! {
        span.languages role="group" aria-label=(visit.say.w.language) {
            @for (language, name) in [(Language::De, "Deutsch"), (Language::En, "English")] {
                @if language == here {
                    span.language lang=(language.tag()) aria-current="true" { (name) }
                } @else {
                    a.language lang=(language.tag()) hreflang=(language.tag()) rel="nofollow"
                        href=(to(language)) { (name) }
                }
            }
        }
    }
}

/// What became of the form that led here.
fn done(visit: &Visit<'_>) -> Markup {
    let seq = visit.asked("done").and_then(|seq| seq.parse::<u64>().ok());
    html! {
        @if let Some(seq) = seq {
            p.done role="status" {
                (fill(visit.say.w.done, &[&visit.say.number(seq)]))
            }
        }
    }
}

fn foot(visit: &Visit<'_>, frame: &Frame) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        footer.foot {
            p {
                @if let Some(provider) = &frame.provider { (say.text(provider)) " · " }
                @if visit.actor.is_some() {
                    (fill(w.foot_ledger, &[&say.number(frame.seq)])) " · "
                }
                a href="/status.atom" { (w.atom) }
            }
        }
    }
}
