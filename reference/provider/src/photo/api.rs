//! Photos for programs: the app, the branch, a clerk's tools.
//!
//! In:    JPEG bodies, decisions. Out: JSON, images. Never: another person's photo to an insured.

use serde_json::{Value, json};

use super::job::{self, Job};
use crate::kernel::ask::{Ask, Reply, Role, field};
use crate::kernel::kvnr::Kvnr;
use crate::kernel::miss::Miss;

pub(super) fn send(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let kvnr = ask.subject()?;
    take(ask, kvnr, "insured")
}

/// In emergency operation photos come by post: a clerk scans them in.
pub(super) fn by_post(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let kvnr: Kvnr = ask.gap(0).parse().map_err(|()| Miss::not_found())?;
    let clerk = ask.subject()?;
    take(ask, kvnr.as_str(), clerk)
}

fn take(ask: &Ask<'_>, kvnr: &str, by: &str) -> Result<Reply, Miss> {
    if ask.media() != "image/jpeg" {
        return Err(Miss::new(
            415,
            "photo-no-jpeg",
            "Bitte senden Sie ein JPEG-Bild (image/jpeg).",
            "Please send a JPEG image (image/jpeg).",
        ));
    }
    let job = job::receive(ask, kvnr, by, &ask.body)?;
    let to = format!("/lichtbild/api/photos/{}", job.id);
    Ok(Reply::json(201, &job.json()).with("location", to))
}

pub(super) fn own(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let jobs = job::of_person(ask, ask.subject()?)?;
    Ok(Reply::json(200, &list(&jobs)))
}

pub(super) fn queue(ask: &Ask<'_>) -> Result<Reply, Miss> {
    Ok(Reply::json(200, &list(&job::waiting(ask)?)))
}

fn list(jobs: &[Job]) -> Value {
    json!({ "photos": jobs.iter().map(Job::json).collect::<Vec<_>>() })
}

/// The photo of a route, if it is the person's or the person is a clerk.
fn visible(ask: &Ask<'_>) -> Result<Job, Miss> {
    let person = ask.person.as_ref().ok_or_else(Miss::login)?;
    let job = job::job(ask, ask.number(0)?)?;
    let is_theirs = |job: &Job| person.role == Role::Clerk || job.kvnr == person.subject;
    job.filter(is_theirs).ok_or_else(Miss::not_found)
}

pub(super) fn one(ask: &Ask<'_>) -> Result<Reply, Miss> {
    Ok(Reply::json(200, &visible(ask)?.json()))
}

pub(super) fn image(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let job = visible(ask)?;
    Ok(Reply::new(200, "image/jpeg", job::image(ask, job.id)?))
}

pub(super) fn approve(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let order = job::approve(ask, ask.number(0)?)?;
    Ok(Reply::json(
        200,
        &json!({ "state": "approved", "order": order }),
    ))
}

pub(super) fn reject(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let reason = match ask.media().as_str() {
        "application/json" => {
            let told: Value = serde_json::from_slice(&ask.body)
                .map_err(|_| Miss::bad("json-broken", "Das ist kein JSON.", "This is no JSON."))?;
            told["reason"].as_str().unwrap_or_default().to_owned()
        }
        _ => field(&ask.form()?, "reason").to_owned(),
    };
    job::reject(ask, ask.number(0)?, &reason)?;
    Ok(Reply::json(200, &json!({ "state": "rejected" })))
}

pub(super) fn orders(ask: &Ask<'_>) -> Result<Reply, Miss> {
    Ok(Reply::json(200, &json!({ "orders": job::orders(ask)? })))
}
