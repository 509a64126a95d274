//! What insured people got of the real services, and what became of the data: rows and facts.
//!
//! In:    [`Real`]. Out: rows for the table, JSON for programs.
//! Never: a figure that was not counted or computed in this drill.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Group, Row, Say};
use crate::drill::insured::book::{Book, Counts, Kind};
use crate::drill::insured::desk::Sum;
use crate::drill::provider::backup::Check;
use crate::drill::real::{Data, Real};

/// What an act is called, English and German.
pub fn kind_name(kind: Kind, say: Say) -> &'static str {
    match kind {
        Kind::Login => say.of("login", "Anmeldung"),
        Kind::Photo => say.of("card photo", "Lichtbild"),
        Kind::Branch => say.of("online branch", "Onlinegeschäftsstelle"),
        Kind::App => say.of("app", "App"),
        Kind::Record => say.of("patient record", "Patientenakte"),
        Kind::Mail => say.of("e-mail", "E-Mail"),
    }
}

/// The rows of the table.
pub(super) fn groups(real: &Real, say: Say) -> Vec<Group> {
    let book = real.insured.book();
    let line = |counts: &Counts| {
        let Counts {
            served,
            told,
            refused,
            failed,
            lost,
            leaked,
            ..
        } = counts;
        format!("{served} / {told} / {refused} / {failed} / {lost} / {leaked}")
    };
    let mut rows = vec![say.row(
        "",
        "",
        say.of(
            "served / told / reset / no word / lost / leaked",
            "bedient / Bescheid / getrennt / ohne Antwort / verloren / durchgesickert",
        ),
    )];
    rows.extend(Kind::ALL.map(|kind| {
        let name = kind_name(kind, say).to_owned();
        (name, line(&book.sum(Some(kind))))
    }));
    let all = book.sum(None);
    rows.extend([
        say.row(
            "photos, applications, documents and letters accepted",
            "angenommene Fotos, Anträge, Dokumente und Briefe",
            all.accepted,
        ),
        say.row(
            "turned away or queued / not in the backup / caught up",
            "abgewiesen oder gewartet / nicht in der Sicherung / nachgeholt",
            format!(
                "{} / {} / {}",
                all.turned_away, all.not_in_backup, all.caught_up
            ),
        ),
    ]);
    rows.extend([Kind::Photo, Kind::Branch].map(|kind| desk(&book, kind, say)));
    rows.extend(emergencies(real, say));
    vec![
        say.group("what people got", "Was die Leute bekamen", rows),
        say.group("data", "Daten", data(real, say)),
    ]
}

/// What clerks decided at a service.
fn desk(book: &Book, kind: Kind, say: Say) -> Row {
    let Sum {
        approved,
        rejected,
        orders,
        waited,
        undone,
        ..
    } = book.desk_sum(kind);
    let name = match kind {
        Kind::Photo => say.of(
            "photos: approved / rejected / card orders / waited / decided again",
            "Fotos: freigegeben / abgelehnt / Kartenaufträge / gewartet / erneut entschieden",
        ),
        _ => say.of(
            "applications: approved / rejected / – / waited / decided again",
            "Anträge: bewilligt / abgelehnt / – / gewartet / erneut entschieden",
        ),
    };
    let orders = match kind {
        Kind::Photo => orders.to_string(),
        _ => "–".to_owned(),
    };
    let line = format!("{approved} / {rejected} / {orders} / {waited} / {undone}");
    (name.to_owned(), line)
}

/// Services that came back in emergency operation first.
fn emergencies(real: &Real, say: Say) -> Vec<Row> {
    let wanted = real.services.emergency.iter();
    let played = wanted.filter_map(|wanted| {
        let (from, to, count) = real.emergencies.of(wanted.service.as_str())?;
        let kind = Kind::of(wanted.service.as_str())?;
        let name = say.of("emergency operation", "Notbetrieb");
        let to = to.map(|to| to.to_string()).unwrap_or_default();
        let insurers = say.of("insurers", "Kassen");
        Some((
            format!("{name}: {}", kind_name(kind, say)),
            format!("{count} {insurers}, {from} – {to}"),
        ))
    });
    played.collect()
}

fn data(real: &Real, say: Say) -> Vec<Row> {
    let Data {
        damage,
        before,
        after,
        checks,
        ..
    } = &real.data;
    let harmed = damage.as_ref().map_or_else(String::new, |damage| {
        format!(
            "{} / {} / {}; {}",
            damage.encrypted.len(),
            damage.altered.len(),
            damage.deleted.len(),
            damage.files.join(", ")
        )
    });
    let words = |check: &Option<Check>| check.as_ref().map_or_else(String::new, Check::in_words);
    vec![
        say.row("attacked", "angegriffen", &real.services.attacked),
        say.row(
            "documents and letters encrypted / altered / deleted; whole files encrypted",
            "Dokumente und Briefe verschlüsselt / verändert / gelöscht; Dateien ganz verschlüsselt",
            harmed,
        ),
        say.row(
            "check before the restore",
            "Prüfung vor der Rückspielung",
            words(before),
        ),
        say.row("check after it", "Prüfung danach", words(after)),
        say.row(
            "findings computed from data",
            "aus Daten berechnete Befunde",
            checks,
        ),
    ]
}

/// The facts for programs.
pub(super) fn facts(real: &Real) -> Value {
    let book = real.insured.book();
    let sums = Kind::ALL.map(|kind| (kind.service(), book.sum(Some(kind))));
    let mut insurers: BTreeMap<String, BTreeMap<&str, &Counts>> = BTreeMap::new();
    for ((tenant, kind), counts) in &book.counts {
        let own = insurers.entry(tenant.to_string()).or_default();
        own.insert(kind.service(), counts);
    }
    let data = &real.data;
    json!({
        "attacked": real.services.attacked,
        "by_service": BTreeMap::from(sums),
        "all": book.sum(None),
        "by_insurer": insurers,
        "desks": {
            "lichtbild": book.desk_sum(Kind::Photo),
            "og": book.desk_sum(Kind::Branch),
        },
        "emergencies": emergency_facts(real),
        "waiting": book.waiting_count(),
        "wrong": book.wrong_count,
        "data": {
            "vouched": (data.vouched.records, data.vouched.rows, data.vouched.letters),
            "damage": data.damage,
            "before": data.before.as_ref().map(check),
            "named_exactly": data.misnamed.is_none(),
            "after": data.after.as_ref().map(check),
            "checks": data.checks,
        },
    })
}

fn emergency_facts(real: &Real) -> Value {
    let own = real.emergencies.0.iter();
    let all = own.map(|(cell, (from, to))| {
        let times = json!({ "from": from.to_string(), "to": to.map(|to| to.to_string()) });
        (cell.to_string(), times)
    });
    all.collect::<serde_json::Map<_, _>>().into()
}

fn check(check: &Check) -> Value {
    let (altered, missing) = check.harmed();
    json!({
        "whole": check.is_whole(),
        "checked": check.records.as_ref().ok().map(|verdict| verdict.checked_count),
        "altered": altered,
        "missing": missing,
        "house": check.house,
        "letters": check.letters,
    })
}
