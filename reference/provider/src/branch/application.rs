//! Applications with upload: kind, words, files; received, taken, approved or rejected.
//!
//! In:    a form with files; a clerk's decision. Out: rows, a message to the person for each step.
//! Never: the same form twice; a file that is not what it says; a step backwards.

use rusqlite::{OptionalExtension, Row, Transaction};
use serde_json::{Value, json};

use crate::kernel::ask::{Ask, Reply};
use crate::kernel::clock::rfc3339;
use crate::kernel::miss::{Language, Miss};
use crate::kernel::multipart::{self, Part};

/// What can be applied for: id, German, English.
pub(super) const KINDS: [(&str, &str, &str); 4] = [
    ("sick-pay", "Krankengeld", "Sickness benefit"),
    ("rehabilitation", "Kur oder Reha", "Rehabilitation"),
    ("aid", "Hilfsmittel", "Medical aid"),
    ("refund", "Kostenerstattung", "Refund of costs"),
];

/// Largest file, most files, largest form. Bytes.
const FILE_SIZE_MAX: usize = 4 * 1024 * 1024;
const FILE_COUNT_MAX: usize = 3;
pub(super) const BODY_SIZE_MAX: usize = FILE_COUNT_MAX * FILE_SIZE_MAX + 64 * 1024;

/// Longest text. Characters.
const TEXT_LENGTH_MAX: usize = 4_000;

/// One application without its files.
pub(super) struct Application {
    pub(super) id: i64,
    pub(super) kvnr: String,
    pub(super) kind: String,
    pub(super) body: String,
    pub(super) state: String,
    pub(super) received_at: i64,
    pub(super) reason: Option<String>,
    pub(super) file_count: i64,
}

const COLUMNS: &str = "a.id, a.kvnr, a.kind, a.body, a.state, a.received_at, a.reason,
    (SELECT count(*) FROM application_file f WHERE f.application = a.id) FROM application a";

impl Application {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kvnr: row.get(1)?,
            kind: row.get(2)?,
            body: row.get(3)?,
            state: row.get(4)?,
            received_at: row.get(5)?,
            reason: row.get(6)?,
            file_count: row.get(7)?,
        })
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id, "kvnr": self.kvnr, "kind": self.kind, "text": self.body,
            "state": self.state, "received_at": rfc3339(self.received_at),
            "reason": self.reason, "files": self.file_count,
        })
    }
}

/// A form that fits.
struct Form<'a> {
    kind: &'a str,
    body: &'a str,
    once: &'a str,
    files: Vec<(&'static str, &'a [u8])>,
}

/// `POST /og/applications`.
pub(super) fn send(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let media = ask.header("content-type").unwrap_or_default();
    let parts = multipart::parts(media, &ask.body).ok_or_else(multipart::no_form)?;
    let form = read(&parts)?;
    let kvnr = ask.subject()?;
    ask.tenant.store.with(|c| {
        let change = c.transaction()?;
        keep(&change, (kvnr, ask.now), &form)?;
        change.execute(
            "DELETE FROM draft WHERE kvnr = ?1 AND form = 'application'",
            [kvnr],
        )?;
        change.commit()
    })?;
    Ok(Reply::see("/og/applications?done=1"))
}

fn keep(
    change: &Transaction<'_>,
    (kvnr, now): (&str, i64),
    form: &Form<'_>,
) -> rusqlite::Result<()> {
    let count = change.execute(
        "INSERT OR IGNORE INTO application (kvnr, kind, body, state, received_at, once)
         VALUES (?1, ?2, ?3, 'received', ?4, ?5)",
        (kvnr, form.kind, form.body, now, form.once),
    )?;
    if count == 0 {
        return Ok(());
    }
    let id = change.last_insert_rowid();
    for (place, (media, bytes)) in form.files.iter().enumerate() {
        change.execute(
            "INSERT INTO application_file VALUES (?1, ?2, ?3, ?4)",
            (id, place as i64, media, bytes),
        )?;
    }
    Ok(())
}

fn read<'a>(parts: &'a [Part<'a>]) -> Result<Form<'a>, Miss> {
    let text = |name: &str| {
        let part = parts.iter().find(|part| part.name == name);
        let bytes = part.map_or(&b""[..], |part| part.bytes);
        std::str::from_utf8(bytes)
            .map(str::trim)
            .unwrap_or_default()
    };
    let (kind, body, once) = (text("kind"), text("body"), text("once"));
    let is_kind = KINDS.iter().any(|(known, ..)| *known == kind);
    let is_body = !body.is_empty() && body.chars().count() <= TEXT_LENGTH_MAX;
    if !is_kind || !is_body || !(16..=128).contains(&once.len()) {
        return Err(Miss::new(
            422,
            "application-incomplete",
            "Bitte wählen Sie, worum es geht, und schreiben Sie einige Worte dazu.",
            "Please choose what it is about, and write some words.",
        ));
    }
    let sent = parts.iter().filter(|part| part.file.is_some());
    // A browser sends an empty part where no file was chosen.
    let sent: Vec<&Part<'_>> = sent.filter(|part| !part.bytes.is_empty()).collect();
    if sent.len() > FILE_COUNT_MAX || sent.iter().any(|part| part.bytes.len() > FILE_SIZE_MAX) {
        return Err(Miss::new(
            413,
            "files-too-large",
            "Höchstens drei Dateien mit je 4 MB.",
            "Three files of 4 MB each at most.",
        ));
    }
    let known = sent
        .iter()
        .map(|part| Some((kind_of(part.bytes)?, part.bytes)));
    let files = known.collect::<Option<Vec<_>>>().ok_or_else(|| {
        Miss::new(
            415,
            "file-kind",
            "Bitte nur PDF, JPEG oder PNG.",
            "PDF, JPEG or PNG only, please.",
        )
    })?;
    Ok(Form {
        kind,
        body,
        once,
        files,
    })
}

/// By what is in it, not by its name.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let starts: [(&[u8], &str); 3] = [
        (b"%PDF-", "application/pdf"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
    ];
    let found = starts.iter().find(|(start, _)| bytes.starts_with(start));
    found.map(|(_, media)| *media)
}

/// A person's applications, the latest first.
pub(super) fn own(ask: &Ask<'_>) -> Result<Vec<Application>, Miss> {
    let more = "WHERE a.kvnr = ?1 ORDER BY a.id DESC LIMIT 50";
    list(ask, more, ask.subject()?)
}

/// Those of a state at the clerk's desk, the oldest first.
pub(super) fn waiting(ask: &Ask<'_>, state: &str) -> Result<Vec<Application>, Miss> {
    list(ask, "WHERE a.state = ?1 ORDER BY a.id LIMIT 100", state)
}

/// One of them.
pub(super) fn one(ask: &Ask<'_>, id: i64) -> Result<Application, Miss> {
    let found = list(ask, "WHERE a.id = ?1", &id.to_string())?;
    found.into_iter().next().ok_or_else(Miss::not_found)
}

fn list(ask: &Ask<'_>, more: &str, value: &str) -> Result<Vec<Application>, Miss> {
    let question = format!("SELECT {COLUMNS} {more}");
    Ok(ask.tenant.store.with(|c| {
        let mut statement = c.prepare(&question)?;
        statement.query_map([value], Application::read)?.collect()
    })?)
}

/// `GET /og/api/applications?state=received`: the clerk's desk, the oldest first.
pub(super) fn desk(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let state = ask.asked("state").unwrap_or("received");
    let all = waiting(ask, state)?;
    let all: Vec<Value> = all.iter().map(Application::json).collect();
    Ok(Reply::json(200, &json!({ "applications": all })))
}

/// `GET /og/api/applications/{id}/files/{place}`.
pub(super) fn file(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let wanted = (ask.number(0)?, ask.number(1)?);
    let found: Option<(String, Vec<u8>)> = ask.tenant.store.with(|c| {
        c.query_row(
            "SELECT media, bytes FROM application_file WHERE application = ?1 AND place = ?2",
            wanted,
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
    })?;
    let (media, bytes) = found.ok_or_else(Miss::not_found)?;
    Ok(Reply::new(200, &media, bytes).with("content-disposition", "attachment"))
}

/// `POST /og/api/applications/{id}` with `state` and, for a no, `reason`.
pub(super) fn decide(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let told: Value = serde_json::from_slice(&ask.body)
        .map_err(|_| Miss::bad("json-broken", "Das ist kein JSON.", "This is no JSON."))?;
    let state = told["state"].as_str().unwrap_or_default();
    let reason = told["reason"].as_str().unwrap_or_default().trim();
    let id = ask.number(0)?;
    decided(ask, id, (state, reason))?;
    Ok(Reply::json(200, &json!({ "id": id, "state": state })))
}

/// Takes an application to its next state, and tells the person.
///
/// # Errors
/// No such state, a no without its reason, or not from where the application is.
pub(super) fn decided(ask: &Ask<'_>, id: i64, (state, reason): (&str, &str)) -> Result<(), Miss> {
    let from: &[&str] = match state {
        "taken" => &["received"],
        "approved" | "rejected" => &["taken"],
        _ => &[],
    };
    let needs_reason = state == "rejected" && reason.is_empty();
    if from.is_empty() || needs_reason || reason.chars().count() > TEXT_LENGTH_MAX {
        return Err(Miss::new(
            422,
            "decision",
            "Bitte annehmen, bewilligen (approved) oder mit Grund ablehnen (rejected).",
            "Please say taken, approved, or rejected with a reason.",
        ));
    }
    let clerk = ask.subject()?;
    let count = ask.tenant.store.with(|c| {
        let change = c.transaction()?;
        let count = change.execute(
            "UPDATE application SET state = ?2, by = ?3, reason = nullif(?4, '')
             WHERE id = ?1 AND state = ?5",
            (id, state, clerk, reason, from[0]),
        )?;
        if count == 1 {
            let words = format!("{}. {reason}", state_words(Language::De, state));
            change.execute(
                "INSERT INTO message (kvnr, from_insured, subject, body, at)
                 SELECT kvnr, 0, 'Ihr Antrag', ?2, ?3 FROM application WHERE id = ?1",
                (id, words.trim_end(), ask.now),
            )?;
        }
        change.commit()?;
        Ok(count)
    })?;
    match count {
        1 => Ok(()),
        _ => Err(not_now(ask, id)),
    }
}

fn not_now(ask: &Ask<'_>, id: i64) -> Miss {
    match one(ask, id) {
        Err(miss) => miss,
        Ok(_) => Miss::new(
            409,
            "application-state",
            "In diesem Stand geht das nicht.",
            "This cannot be done in this state.",
        ),
    }
}

/// What a state says to the person.
pub(super) fn state_words(language: Language, state: &str) -> &'static str {
    match state {
        "taken" => language.pick("in Bearbeitung", "being worked on"),
        "approved" => language.pick("bewilligt", "approved"),
        "rejected" => language.pick("abgelehnt", "rejected"),
        _ => language.pick("eingegangen", "received"),
    }
}
