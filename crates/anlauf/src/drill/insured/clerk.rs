//! Clerks of the insurers: look at what waits, say yes, or no with a reason.
//!
//! In:    photos and applications that wait. Out: decisions in the book of desks; what had to wait.
//! Never: decides on a photo that was not looked at; goes in without a login of their own.
//! See:   docs/guide/reference.md (photos, applications, emergency operation).

use anlauf_model::{Digest, TenantId};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::book::{Kind, Outcome, Place};
use super::desk::Decision;
use super::line::Question;
use super::visit::{Act, Visit, wrong};
use super::{Insured, Outside, Round, WIDTH};

/// Who decides.
const CLERK: &str = "clerk-1";

/// The client of the login at the desk, and where it is sent back to.
const DESK: (&str, &str) = ("desk", "/lichtbild/callback");

/// Of each so many one is rejected.
const REJECTED_EVERY: i64 = 4;

/// One clerk's turn at an insurer.
pub(super) async fn work(outside: &Outside, tenant: &TenantId, round: &Round) -> Option<()> {
    let visit = Visit::new(outside, tenant, (0, round))?;
    if !visit.has(Kind::Photo) && !visit.has(Kind::Branch) {
        return None;
    }
    let token = visit.login_as(DESK, CLERK).await;
    visit.note(Kind::Login, &[Kind::Login], &token);
    let token = token.ok()?;
    if visit.has(Kind::Photo) {
        visit.photos(&token).await;
    }
    if visit.has(Kind::Branch) {
        visit.branch_desk(&token).await;
    }
    Some(())
}

fn decision(id: i64) -> Decision {
    match id % REJECTED_EVERY {
        0 => Decision::Rejected,
        _ => Decision::Approved,
    }
}

impl Visit<'_> {
    /// A list of the desk, by name.
    async fn desk_list(&self, token: &str, (path, name): (&str, &str)) -> Act<Vec<Value>> {
        let told = self.ask(Question::get(path).bearer(token)).await?.json();
        let list = told[name].as_array().cloned();
        list.ok_or_else(|| wrong("no list at the desk"))
    }

    async fn photos(&self, token: &str) {
        let needs = [Kind::Login, Kind::Photo];
        let list = ("/lichtbild/api/queue", "photos");
        let waiting = self.desk_list(token, list).await;
        self.note(Kind::Photo, &needs, &waiting);
        for photo in waiting.into_iter().flatten() {
            let Some(id) = photo["id"].as_i64() else {
                continue;
            };
            let decided = self.decide_photo(token, (id, &photo)).await;
            match decision(id) {
                // A no goes on in emergency operation, an order for a card does not.
                Decision::Rejected => self.note(Kind::Photo, &needs, &decided),
                Decision::Approved => self.note_normal(Kind::Photo, &needs, &decided),
            }
            self.write_down(Kind::Photo, id, &decided);
        }
    }

    async fn decide_photo(&self, token: &str, (id, photo): (i64, &Value)) -> Act<()> {
        let path = format!("/lichtbild/api/photos/{id}");
        let image = format!("{path}/image");
        let image = self.ask(Question::get(&image).bearer(token)).await?;
        if photo["sha256"] != Digest::of(&image.body).to_string().as_str() {
            return Err(wrong("another image than its mark says"));
        }
        let (path, body) = match decision(id) {
            Decision::Approved => (format!("{path}/approve"), json!({})),
            Decision::Rejected => {
                let reason = "Das Gesicht ist zu klein im Bild.";
                (format!("{path}/reject"), json!({ "reason": reason }))
            }
        };
        self.post(token, &path, &body).await
    }

    async fn post(&self, token: &str, path: &str, body: &Value) -> Act<()> {
        let question = Question::post(path, "application/json", body.to_string());
        self.ask(question.bearer(token)).await.map(drop)
    }

    async fn branch_desk(&self, token: &str) {
        let needs = [Kind::Login, Kind::Branch];
        for state in ["taken", "received"] {
            let path = format!("/og/api/applications?state={state}");
            let waiting = self.desk_list(token, (&path, "applications")).await;
            self.note(Kind::Branch, &needs, &waiting);
            for one in waiting.into_iter().flatten() {
                let Some(id) = one["id"].as_i64() else {
                    continue;
                };
                let decided = self.decide_application(token, (id, state)).await;
                self.note_normal(Kind::Branch, &needs, &decided);
                self.write_down(Kind::Branch, id, &decided);
            }
        }
    }

    async fn decide_application(&self, token: &str, (id, state): (i64, &str)) -> Act<()> {
        let path = format!("/og/api/applications/{id}");
        if state == "received" {
            self.post(token, &path, &json!({ "state": "taken" }))
                .await?;
        }
        let body = match decision(id) {
            Decision::Approved => json!({ "state": "approved" }),
            Decision::Rejected => json!({ "state": "rejected", "reason": "Verordnung fehlt." }),
        };
        self.post(token, &path, &body).await
    }

    fn write_down(&self, kind: Kind, id: i64, decided: &Act<()>) {
        let is_emergency = self.is_emergency(kind);
        let mut book = self.outside.book();
        let desk = book.desk(&self.place(kind));
        match decided {
            Ok(()) => {
                desk.unheard.remove(&id);
                desk.decided.insert(id, decision(id));
            }
            Err(stop) if stop.outcome() == Outcome::Told && is_emergency => {
                // An application that is there waits for nobody who sent it.
                if kind == Kind::Photo {
                    desk.waited.insert(id);
                }
            }
            Err(_) => {
                desk.unheard.insert(id);
            }
        }
    }
}

// === impl Insured: the end ===

impl Insured {
    /// A clerk of every insurer looks whether all is as it was decided, and nothing waits.
    pub(super) async fn audit_desks(&self, round: &Round) {
        let mut running = JoinSet::new();
        for tenant in self.tenants() {
            if running.len() >= WIDTH {
                running.join_next().await;
            }
            let (outside, round) = (self.outside.clone(), round.clone());
            running.spawn(async move { look(&outside, &tenant, &round).await });
        }
        while running.join_next().await.is_some() {}
    }
}

async fn look(outside: &Outside, tenant: &TenantId, round: &Round) -> Option<()> {
    let visit = Visit::new(outside, tenant, (0, round))?;
    let token = visit.login_as(DESK, CLERK).await.ok();
    let token = token.unwrap_or_default();
    if visit.has(Kind::Photo) {
        visit.look_at_orders(&token).await;
    }
    if visit.has(Kind::Branch) {
        visit.look_at_applications(&token).await;
    }
    Some(())
}

impl Visit<'_> {
    /// Each approval is one order for a card, each order an approval; each no is a no.
    async fn look_at_orders(&self, token: &str) {
        let place = self.place(Kind::Photo);
        let left = self
            .desk_list(token, ("/lichtbild/api/queue", "photos"))
            .await;
        let orders = self
            .desk_list(token, ("/lichtbild/api/orders", "orders"))
            .await;
        let orders: Vec<i64> = orders
            .into_iter()
            .flatten()
            .filter_map(|order| order["photo"].as_i64())
            .collect();
        let desk = self.outside.book().desk(&place).clone();
        let mut wrong = 0;
        for (id, decision) in &desk.decided {
            let count = orders.iter().filter(|photo| *photo == id).count();
            let path = format!("/lichtbild/api/photos/{id}");
            let is_right = match decision {
                Decision::Approved => count == 1,
                Decision::Rejected => {
                    let told = self.ask(Question::get(&path).bearer(token)).await;
                    count == 0 && told.is_ok_and(|told| told.json()["state"] == "rejected")
                }
            };
            wrong += u64::from(!is_right);
        }
        let by_nobody = orders.iter().filter(|photo| {
            let approved = desk.decided.get(photo) == Some(&Decision::Approved);
            !approved && !desk.unheard.contains(photo)
        });
        wrong += by_nobody.count() as u64;
        self.found(
            &place,
            (
                orders.len() as u64,
                left.map_or(1, |left| left.len()),
                wrong,
            ),
        );
    }

    async fn look_at_applications(&self, token: &str) {
        let place = self.place(Kind::Branch);
        let mut left = 0;
        let mut found: [Vec<i64>; 2] = Default::default();
        for (place, state) in ["received", "taken", "approved", "rejected"]
            .iter()
            .enumerate()
        {
            let path = format!("/og/api/applications?state={state}");
            match self.desk_list(token, (&path, "applications")).await {
                Ok(list) if place < 2 => left += list.len(),
                Ok(list) => {
                    let ids = list.iter().filter_map(|one| one["id"].as_i64());
                    found[place - 2].extend(ids);
                }
                Err(_) => left += 1,
            }
        }
        let desk = self.outside.book().desk(&place).clone();
        let wrong = desk.decided.iter().filter(|(id, decision)| {
            let place = usize::from(**decision == Decision::Rejected);
            found[place].iter().filter(|one| one == id).count() != 1
        });
        let wrong = wrong.count() as u64;
        self.found(&place, (0, left, wrong));
    }

    fn found(&self, place: &Place, (orders, left, wrong): (u64, usize, u64)) {
        let mut book = self.outside.book();
        let desk = book.desk(place);
        desk.orders = orders;
        desk.left = left as u64;
        desk.wrong = wrong;
    }
}
