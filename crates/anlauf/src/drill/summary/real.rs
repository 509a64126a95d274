//! What insured people got of the real services, and what became of the data: rows and facts.
//!
//! In:    [`Real`]. Out: rows for the table, JSON for programs.
//! Never: a figure that was not counted or computed in this drill.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Group, Row, Say};
use crate::drill::insured::book::{Counts, Kind};
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
            failed,
            lost,
            leaked,
            ..
        } = counts;
        format!("{served} / {told} / {failed} / {lost} / {leaked}")
    };
    let mut rows = vec![say.row(
        "",
        "",
        say.of(
            "served / told / no word / lost / leaked",
            "bedient / Bescheid / ohne Antwort / verloren / durchgesickert",
        ),
    )];
    rows.extend(Kind::ALL.map(|kind| {
        let name = kind_name(kind, say).to_owned();
        (name, line(&book.sum(Some(kind))))
    }));
    let all = book.sum(None);
    rows.extend([
        say.row(
            "photos, documents and letters accepted",
            "angenommene Fotos, Dokumente und Briefe",
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
    vec![
        say.group("what people got", "Was die Leute bekamen", rows),
        say.group("data", "Daten", data(real, say)),
    ]
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
            "documents encrypted / altered / deleted; whole files encrypted",
            "Dokumente verschlüsselt / verändert / gelöscht; Dateien ganz verschlüsselt",
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
        "waiting": book.waiting_count(),
        "wrong": book.wrong_count,
        "data": {
            "vouched": data.vouched,
            "damage": data.damage,
            "before": data.before.as_ref().map(check),
            "named_exactly": data.misnamed.is_none(),
            "after": data.after.as_ref().map(check),
            "checks": data.checks,
        },
    })
}

fn check(check: &Check) -> Value {
    let records = check.records.as_ref().ok();
    json!({
        "whole": check.is_whole(),
        "checked": records.map(|verdict| verdict.checked_count),
        "altered": records.map(|verdict| &verdict.altered),
        "missing": records.map(|verdict| &verdict.missing),
        "house": check.house,
    })
}
