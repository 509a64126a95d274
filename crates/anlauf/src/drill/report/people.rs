//! The report's section on insured people: what they got, when it was shut, what was caught up,
//! and what became of the data.
//!
//! In:    [`Real`], the last state. Out: markup. Never: the name or number of a person.

use anlauf_model::Timestamp;
use anlauf_recovery::State;
use maud::{Markup, html};

use super::chart::when;
use crate::drill::insured::book::{Book, Counts, Kind};
use crate::drill::provider::backup::{Check, Size};
use crate::drill::real::Real;
use crate::drill::summary::Say;
use crate::drill::summary::real::kind_name;

/// The section; nothing when no service is real.
pub(super) fn people(state: &State, real: Option<&Real>, say: Say) -> Markup {
    let Some(real) = real else {
        return html! {};
    };
    let book = real.insured.book();
    html! {
        section {
            h2 { (say.of("What people got", "Was die Leute bekamen")) }
            p {
                (say.of("Login, card photo, online branch, app, patient record and mailboxes ran \
                         as real servers behind the gates. Insured people came before, during and \
                         after, clerks decided on what they brought; what was accepted from them \
                         was read back at the end, bit by bit, letters from their mailboxes.",
                        "Anmeldung, Lichtbild, Onlinegeschäftsstelle, App, Patientenakte und \
                         Postfächer liefen als wirkliche Server hinter den Gates. Versicherte \
                         kamen vorher, währenddessen und danach, Sachbearbeitende entschieden \
                         über das, was sie brachten; was von ihnen angenommen wurde, wurde am \
                         Ende Bit für Bit zurückgelesen, Briefe aus den Postfächern."))
            }
            (sums(&book, say))
            (desks(&book, say))
            (emergencies(real, say))
            h3 { (say.of("Gap windows, by insurer", "Lücken, je Kasse")) }
            p.small {
                (say.of("Gap: from the first shutting to the last opening. To catch up: what \
                         people were turned away with, letters that waited in their sender's \
                         queue, and what was not in the backup; ✓ all of it was caught up.",
                        "Lücke: vom ersten Schließen bis zum letzten Öffnen. Nachzuholen: womit \
                         Leute abgewiesen wurden, Briefe in der Warteschlange ihres Absenders, \
                         und was nicht in der Sicherung war; ✓ alles davon ist nachgeholt."))
            }
            @for kind in Kind::ALL { (insurers(state, &book, kind, say)) }
            (data(real, &book, say))
        }
    }
}

/// One line per service.
fn sums(book: &Book, say: Say) -> Markup {
    html! {
        div.wide { table.numbers {
            thead { tr {
                th { (say.of("service", "Dienst")) }
                th { (say.of("served", "be\u{ad}dient")) }
                th { (say.of("told honestly", "ehr\u{ad}licher Be\u{ad}scheid")) }
                th { (say.of("reset", "ge\u{ad}trennt")) }
                th { (say.of("no word", "ohne Ant\u{ad}wort")) }
                th { (say.of("to catch up", "nach\u{ad}zu\u{ad}holen")) }
                th { (say.of("lost", "ver\u{ad}loren")) }
                th { (say.of("leaked", "durch\u{ad}ge\u{ad}sickert")) }
            } }
            tbody {
                @for kind in Kind::ALL {
                    (sum(&parted(kind_name(kind, say)), &book.sum(Some(kind))))
                }
                (sum(say.of("all", "alle"), &book.sum(None)))
            }
        } }
    }
}

/// What clerks decided, and what it came to.
fn desks(book: &Book, say: Say) -> Markup {
    let row = |kind: Kind| {
        let sum = book.desk_sum(kind);
        html! { tr {
            th scope="row" { (parted(kind_name(kind, say))) }
            td { (sum.approved) } td { (sum.rejected) }
            td { @if kind == Kind::Photo { (sum.orders) } @else { "–" } }
            td { (sum.waited) } td { (sum.undone) }
        } }
    };
    html! {
        h3 { (say.of("Clerks", "Sachbearbeitung")) }
        p.small {
            (say.of("Waited: in emergency operation, decided on afterwards. Decided again: the \
                     decision was later than the backup that was brought back.",
                    "Gewartet: im Notbetrieb, danach entschieden. Erneut entschieden: die \
                     Entscheidung war jünger als die zurückgespielte Sicherung."))
        }
        div.wide { table.numbers {
            thead { tr {
                th { (say.of("service", "Dienst")) }
                th { (say.of("approved", "be\u{ad}willigt")) }
                th { (say.of("rejected", "ab\u{ad}gelehnt")) }
                th { (say.of("card orders", "Karten\u{ad}auf\u{ad}träge")) }
                th { (say.of("waited", "ge\u{ad}wartet")) }
                th { (say.of("decided again", "erneut ent\u{ad}schie\u{ad}den")) }
            } }
            tbody { (row(Kind::Photo)) (row(Kind::Branch)) }
        } }
    }
}

/// Which services came back in emergency operation first, and from when to when.
fn emergencies(real: &Real, say: Say) -> Markup {
    let played = real.services.emergency.iter().filter_map(|wanted| {
        let service = wanted.service.as_str();
        let (from, to, count) = real.emergencies.of(service)?;
        Some((Kind::of(service)?, from, to, count))
    });
    let played: Vec<_> = played.collect();
    html! {
        @if !played.is_empty() {
            h3 { (say.of("Emergency operation", "Notbetrieb")) }
            table { tbody {
                @for (kind, from, to, count) in played { tr {
                    th scope="row" { (parted(kind_name(kind, say))) }
                    td.text {
                        (when(from)) " – " (to.map(when).unwrap_or_default()) ", " (count) " "
                        (say.of("insurers; back in normal operation",
                                "Kassen; zurück im Normalbetrieb"))
                    }
                } }
            } }
        }
    }
}

/// Long names, with the places where they may part on a telephone.
fn parted(name: &str) -> String {
    name.replace("geschäfts", "\u{ad}geschäfts\u{ad}")
        .replace("Patientenakte", "Patienten\u{ad}akte")
}

fn sum(name: &str, counts: &Counts) -> Markup {
    html! { tr {
        th scope="row" { (name) }
        td { (counts.served) } td { (counts.told) } td { (counts.refused) }
        td { (counts.failed) }
        td { (catch_up(counts)) } td { (counts.lost + counts.twice) }
        td { (counts.leaked) }
    } }
}

/// One service, insurer by insurer.
fn insurers(state: &State, book: &Book, kind: Kind, say: Say) -> Markup {
    let places = book.counts.iter().filter(|((_, own), _)| *own == kind);
    let rows = places.filter_map(|((tenant, _), counts)| {
        let cell = format!("{tenant}/{}", kind.service()).parse().ok()?;
        let name = state.landscape.as_ref()?.tenant(tenant)?.name.clone();
        Some((name, gap(state, &cell), counts))
    });
    html! {
        details {
            summary { (kind_name(kind, say)) }
            div.wide { table.numbers {
                thead { tr {
                    th { (say.of("insurer", "Kasse")) }
                    th.text { (say.of("gap (UTC)", "Lücke (UTC)")) }
                    th { (say.of("served", "be\u{ad}dient")) }
                    th { (say.of("told", "Be\u{ad}scheid")) }
                    th { (say.of("to catch up", "nach\u{ad}zu\u{ad}holen")) }
                    th { (say.of("lost", "ver\u{ad}loren")) }
                    th { (say.of("leaked", "durch\u{ad}ge\u{ad}sickert")) }
                } }
                tbody { @for (name, gap, counts) in rows { tr {
                    th scope="row" { (name) }
                    td.text {
                        @if let Some((from, to)) = gap {
                            span.at { (moment(from)) } " "
                            span.at { "– " (to.map(moment).unwrap_or_default()) }
                        }
                    }
                    td { (counts.served) } td { (counts.told) }
                    td { (catch_up(counts)) }
                    td { (counts.lost + counts.twice) } td { (counts.leaked) }
                } } }
            } }
        }
    }
}

/// Month, day and minute: the report's head says the year.
fn moment(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0);
    time.map_or_else(
        |_| at.to_string(),
        |time| time.strftime("%m-%d %H:%M").to_string(),
    )
}

/// How much there was to catch up, with a tick when it is done.
fn catch_up(counts: &Counts) -> String {
    let due = counts.turned_away + counts.not_in_backup;
    match due {
        0 => "0".to_owned(),
        due if counts.caught_up >= due => format!("{due} ✓"),
        due => format!("{due}, {} ✓", counts.caught_up),
    }
}

/// From the first shutting in the incident to the last opening.
fn gap(state: &State, cell: &anlauf_model::CellId) -> Option<(Timestamp, Option<Timestamp>)> {
    let began = state.incident.as_ref()?.began;
    let gaps = state.cells.get(cell)?.gaps.iter();
    let mut gaps = gaps.filter(|gap| gap.from >= began);
    let first = gaps.next()?;
    let last = gaps.next_back().unwrap_or(first);
    Some((first.from, last.to))
}

/// What became of the data of the insurer that was attacked.
fn data(real: &Real, book: &Book, say: Say) -> Markup {
    let data = &real.data;
    let own = book.counts.iter();
    let own = own.filter(|((tenant, _), _)| *tenant == real.services.attacked);
    let not_in_backup: u64 = own.map(|(_, counts)| counts.not_in_backup).sum();
    let at = |time: Option<Timestamp>| time.map(when).unwrap_or_default();
    let Size {
        records,
        rows,
        letters,
    } = data.vouched;
    let said = |check: &Option<Check>| check.as_ref().map(|one| words(one, say));
    let said = |check: &Option<Check>| said(check).unwrap_or_default();
    html! {
        h3 { (say.of("Damage and restore", "Schaden und Rückspielung")) " · "
             (real.services.attacked) }
        table { tbody {
            tr { th scope="row" { (say.of("backup taken", "Sicherung genommen")) }
                 td.text { (at(data.backup_at)) ": " (records) " "
                      (say.of("records and documents", "Akten und Dokumente")) ", " (rows) " "
                      (say.of("people, photos, messages", "Leute, Fotos, Nachrichten")) ", "
                      (letters) " " (say.of("letters", "Briefe")) } }
            @if let Some(damage) = &data.damage { tr {
                th scope="row" { (say.of("the attacker", "der Angreifer")) }
                td.text {
                    (say.of("encrypted", "verschlüsselte")) " " (damage.encrypted.len()) ", "
                    (say.of("altered", "veränderte")) " " (damage.altered.len()) ", "
                    (say.of("deleted", "löschte")) " " (damage.deleted.len()) " "
                    (say.of("documents and letters; encrypted as a whole",
                            "Dokumente und Briefe; verschlüsselte ganz"))
                    ": " (damage.files.join(", ")) " (" (damage.file_size / 1024) " KiB)"
                }
            } }
            tr { th scope="row" { (say.of("check before the restore",
                                          "Prüfung vor der Rückspielung")) }
                 td.text { (said(&data.before))
                      " " (if data.misnamed.is_none() {
                          say.of("It names exactly the damage.", "Sie nennt genau den Schaden.")
                      } else {
                          say.of("It does NOT name the damage.", "Sie nennt den Schaden NICHT.")
                      }) } }
            tr { th scope="row" { (say.of("restored", "zurückgespielt")) }
                 td.text { (at(data.restored_at)) } }
            tr { th scope="row" { (say.of("check after it", "Prüfung danach")) }
                 td.text { (said(&data.after)) } }
            tr { th scope="row" { (say.of("accepted after the backup",
                                          "nach der Sicherung angenommen")) }
                 td.text { (not_in_backup) " "
                      (say.of("photos, applications, documents and letters were not in it; their \
                               senders sent them again",
                              "Fotos, Anträge, Dokumente und Briefe waren nicht darin; wer sie \
                               sandte, sandte sie erneut")) } }
            tr { th scope="row" { (say.of("findings computed from data",
                                          "aus Daten berechnete Befunde")) }
                 td.text { (data.checks) } }
        } }
    }
}

/// A check in words of the report's language.
fn words(check: &Check, say: Say) -> String {
    let count = |english, german, count: usize| format!("{count} {}", say.of(english, german));
    let pair = |altered: usize, missing: usize| {
        let altered = count("altered", "verändert", altered);
        format!("{altered}, {}", count("missing", "fehlen", missing))
    };
    let records = match &check.records {
        Ok(verdict) => format!(
            "{}: {}",
            count(
                "records and documents",
                "Akten und Dokumente",
                verdict.checked_count
            ),
            pair(verdict.altered.len(), verdict.missing.len())
        ),
        Err(_) => say
            .of("records cannot be read", "Akten sind nicht lesbar")
            .to_owned(),
    };
    let house = match &check.house {
        Ok(found) => pair(found.altered.len(), found.missing.len()),
        Err(_) => say.of("cannot be read", "nicht lesbar").to_owned(),
    };
    let letters = match &check.letters {
        Ok(found) => pair(found.altered.len(), found.missing.len()),
        Err(_) => say.of("cannot be read", "nicht lesbar").to_owned(),
    };
    let verdict = match check.is_whole() {
        true => say.of("Whole.", "Unversehrt."),
        false => say.of("Not whole.", "Nicht unversehrt."),
    };
    format!(
        "{records}; {}: {house}; {}: {letters}. {verdict}",
        say.of("people, photos, messages", "Leute, Fotos, Nachrichten"),
        say.of("letters", "Briefe")
    )
}
