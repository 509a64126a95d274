//! Reasons of refusals for people: the code's meaning in German, the exact words beside it.
//!
//! In:    a reason (English, exact). Out: [`Told`]. Never: hides the exact words.
//! See:   docs/errors/, one page per code.

use anlauf_recovery::Reason;

use super::{Say, capital};

/// A reason as a page shows it.
pub(crate) struct Told {
    pub(crate) code: String,
    /// What is wrong, in the reader's language.
    pub(crate) what: String,
    /// The exact words, when `what` is a translation of their meaning.
    pub(crate) detail: Option<String>,
    pub(crate) remedy: String,
}

/// German meanings and remedies by code.
const GERMAN: &[(&str, &str, &str)] = &[
    (
        "AN-PLN-001",
        "Die vereinbarten Fenster sind nicht alle zu halten.",
        "Lassen Sie eines absagen oder verlegen, dann planen Sie neu.",
    ),
    (
        "AN-REC-001",
        "Es fehlt eine Angabe.",
        "Füllen Sie das Feld aus, vor allem die Begründung.",
    ),
    (
        "AN-REC-002",
        "Dieses Formular wurde schon gesendet.",
        "Laden Sie die Seite neu und prüfen Sie, was geschehen ist.",
    ),
    (
        "AN-REC-003",
        "Ihre Rolle darf das nicht.",
        "Fragen Sie jemanden, dessen Rolle dieses Recht hat.",
    ),
    (
        "AN-REC-004",
        "Ein Mandant darf nur eigene Zellen berühren.",
        "Nennen Sie nur Zellen Ihrer eigenen Organisation.",
    ),
    (
        "AN-REC-005",
        "So etwas gibt es in der Systemlandschaft nicht.",
        "Sehen Sie im Raster nach.",
    ),
    (
        "AN-REC-006",
        "Etwas ist nicht oder doppelt genannt.",
        "Nennen Sie alles genau einmal.",
    ),
    (
        "AN-REC-007",
        "Es gibt noch weitere Gründe.",
        "Beseitigen Sie zuerst diese.",
    ),
    (
        "AN-REC-013",
        "Es gibt noch kein Wurzeldokument: Niemandes Unterschrift zählt.",
        "Halten Sie zuerst die Schlüsselzeremonie ab.",
    ),
    (
        "AN-REC-014",
        "Es gibt noch keine Systemlandschaft.",
        "Übernehmen Sie zuerst eine.",
    ),
    (
        "AN-REC-015",
        "Es läuft schon ein Vorfall.",
        "Arbeiten Sie darin, oder beenden Sie ihn zuerst.",
    ),
    (
        "AN-REC-016",
        "Die Zeit ist schon vorbei.",
        "Geben Sie eine kommende Zeit an.",
    ),
    (
        "AN-REC-017",
        "Eine Zelle ist noch nicht auf ihrer letzten Stufe.",
        "Geben Sie sie zuerst frei.",
    ),
    (
        "AN-REC-018",
        "Das Lückenfenster einer Zelle ist nicht nachgearbeitet.",
        "Arbeiten Sie es ab und melden Sie es.",
    ),
    (
        "AN-REC-019",
        "Es läuft kein Vorfall.",
        "Rufen Sie ihn zuerst aus.",
    ),
    (
        "AN-REC-020",
        "Eine Zelle hat inzwischen eine spätere Epoche.",
        "Ordnen Sie die Schließung noch einmal an.",
    ),
    (
        "AN-REC-022",
        "Der Standort ist schon länger gesperrt.",
        "Lassen Sie die Sperre durch Forensik oder Sicherheit verkürzen.",
    ),
    (
        "AN-REC-023",
        "Ein Notbetrieb ist noch offen.",
        "Schließen Sie ihn.",
    ),
    (
        "AN-REC-030",
        "Dieser Schritt läuft schon oder ist fertig.",
        "Nichts ist zu beginnen.",
    ),
    (
        "AN-REC-031",
        "Ein Schritt davor ist nicht fertig.",
        "Beenden Sie ihn zuerst.",
    ),
    (
        "AN-REC-032",
        "Eine Zelle, auf der diese aufbaut, ist noch zu.",
        "Geben Sie jene zuerst frei.",
    ),
    (
        "AN-REC-033",
        "Der Standort ist für die Forensik gesperrt.",
        "Warten Sie, oder lassen Sie die Sperre aufheben.",
    ),
    (
        "AN-REC-034",
        "Die Zelle ist noch nicht für Tester offen.",
        "Geben Sie sie zuerst auf Stufe Pilotbetrieb frei.",
    ),
    (
        "AN-REC-035",
        "Dieser Schritt läuft nicht.",
        "Beginnen Sie ihn zuerst.",
    ),
    (
        "AN-REC-036",
        "Diesen Schritt hat die Zelle nicht.",
        "Sehen Sie ihre Schritte auf der Seite der Zelle nach.",
    ),
    (
        "AN-REC-037",
        "Diesen Schritt beendet jemand anderes.",
        "Die Abnahme beendet das Wort des Mandanten, die Entscheidung die Leitung.",
    ),
    (
        "AN-REC-041",
        "Der Schritt, aus dem der Befund kommt, ist nicht fertig.",
        "Beenden Sie ihn vor dem Befund.",
    ),
    (
        "AN-REC-042",
        "Diesen Befund gibt es nicht.",
        "Sehen Sie in der Liste der Befunde nach.",
    ),
    (
        "AN-REC-043",
        "Der Befund ist schon zurückgezogen.",
        "Nichts ist zu tun.",
    ),
    (
        "AN-REC-044",
        "Ein Mensch hat diesen Befund beanstandet.",
        "Ein Mensch muss ihn ausräumen.",
    ),
    (
        "AN-REC-050",
        "Die Kennung des Plans passt nicht zu seinem Inhalt.",
        "Planen Sie neu.",
    ),
    (
        "AN-REC-051",
        "Diesen Plan hat niemand vorgeschlagen.",
        "Schlagen Sie ihn zuerst vor.",
    ),
    (
        "AN-REC-052",
        "Der Plan baut nicht auf dem geltenden Plan auf.",
        "Planen Sie neu.",
    ),
    (
        "AN-REC-053",
        "Die Vorhersage stammt nicht vom geltenden Plan.",
        "Erstellen Sie sie neu.",
    ),
    (
        "AN-REC-060",
        "Das Zeitfenster ist leer oder vorbei.",
        "Bieten Sie ein kommendes Fenster an.",
    ),
    (
        "AN-REC-061",
        "Die Zelle ist schon wieder da.",
        "Lassen Sie sie weg.",
    ),
    (
        "AN-REC-062",
        "Für die Zelle ist schon ein Fenster vereinbart.",
        "Halten Sie es, oder bitten Sie den Mandanten, es abzusagen.",
    ),
    (
        "AN-REC-063",
        "Das Zeitfenster ist vorbei.",
        "Bitten Sie um ein neues Angebot.",
    ),
    (
        "AN-REC-064",
        "Über dieses Zeitfenster ist nichts mehr zu sagen.",
        "Bitten Sie um ein Angebot.",
    ),
    (
        "AN-REC-065",
        "Das Zeitfenster endet, bevor die Zelle nach dem geltenden Plan so weit ist.",
        "Bieten Sie ein späteres Fenster an, oder planen Sie die Zelle zuerst früher.",
    ),
    (
        "AN-REC-070",
        "Es gelten noch keine Freigaberegeln.",
        "Lassen Sie die Regeln unterschreiben und übernehmen Sie sie.",
    ),
    (
        "AN-REC-071",
        "Die Freigabe endete in der Vergangenheit oder später als in 90 Tagen.",
        "Nennen Sie ein Ende in den nächsten 90 Tagen.",
    ),
    (
        "AN-REC-074",
        "Die Zelle kann nicht auf diese Stufe.",
        "Sehen Sie ihre Stufen auf der Seite der Zelle nach.",
    ),
    (
        "AN-REC-075",
        "Ein verlangter Befund liegt nicht vor.",
        "Bringen Sie den Befund bei.",
    ),
    (
        "AN-REC-076",
        "Das Wort des Mandanten fehlt.",
        "Bieten Sie ein Fenster an, oder warten Sie auf seine Antwort.",
    ),
    (
        "AN-REC-077",
        "Das Leitungsgremium hat noch nicht entschieden.",
        "Beenden Sie zuerst den Schritt Freigabeentscheidung.",
    ),
    (
        "AN-REC-078",
        "Diese Freigabe gibt es nicht.",
        "Sehen Sie unter Entscheidungen nach.",
    ),
    (
        "AN-REC-079",
        "Diese Freigabe ist schon erledigt oder verworfen.",
        "Sehen Sie auf der Seite der Zelle nach.",
    ),
    (
        "AN-REC-080",
        "Ein Befund, auf dem die Freigabe beruht, gilt nicht mehr.",
        "Bringen Sie ihn neu bei und stellen Sie die Freigabe neu aus.",
    ),
    (
        "AN-REC-081",
        "Es ist außerhalb des vereinbarten Zeitfensters.",
        "Geben Sie im Fenster frei, oder vereinbaren Sie ein anderes.",
    ),
    (
        "AN-REC-082",
        "Keine Regel lässt die Zelle auf diese Stufe.",
        "Lassen Sie Freigaberegeln unterschreiben, die davon sprechen.",
    ),
    (
        "AN-REC-083",
        "In dieser Sperrzeit öffnet nichts für Menschen.",
        "Geben Sie danach frei.",
    ),
    (
        "AN-REC-090",
        "Diese Person hat schon unterschrieben.",
        "Eine andere Person muss unterschreiben.",
    ),
    (
        "AN-REC-095",
        "Für diese Zelle ist nichts nachzuarbeiten.",
        "Lassen Sie sie weg.",
    ),
    (
        "AN-REC-098",
        "Diese Mitteilung gibt es nicht.",
        "Sehen Sie in der Liste der Mitteilungen nach.",
    ),
    (
        "AN-REC-099",
        "Die Mitteilung ist unvollständig.",
        "Schreiben Sie in beiden Sprachen und nennen Sie eine kommende Zeit.",
    ),
];

/// The reason in the reader's language.
pub(crate) fn told(say: &Say, reason: &Reason) -> Told {
    told_of(say, (reason.code, &reason.message, &reason.remedy))
}

/// The same of code, message and remedy.
pub(crate) fn told_of(say: &Say, (code, message, remedy): (&str, &str, &str)) -> Told {
    let german = GERMAN.iter().find(|(known, _, _)| *known == code);
    let exact = capital(message);
    match german.filter(|_| say.is_german()) {
        Some((_, what, remedy)) => Told {
            code: code.to_owned(),
            what: (*what).to_owned(),
            detail: Some(exact),
            remedy: (*remedy).to_owned(),
        },
        None => Told {
            code: code.to_owned(),
            what: exact,
            detail: None,
            remedy: capital(remedy),
        },
    }
}
