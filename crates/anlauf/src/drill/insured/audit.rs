//! Whether everything that was accepted is there at the end: read back by those who sent it.
//!
//! In:    receipts. Out: what is lost, and what is there twice, in the book.
//! Never: believes a list: each photo and document is fetched and hashed, each letter read.

use std::collections::BTreeMap;

use anlauf_model::{Digest, TenantId};
use serde_json::Value;
use tokio::task::JoinSet;

use super::book::{Kind, Receipt};
use super::line::Question;
use super::visit::{IDENTIFIER, Visit, application};
use super::{Insured, Round, WIDTH, mail};

/// Longest list that is read. Entries; nobody sends as many in a drill.
const LIST_MAX: &str = "100";

impl Insured {
    /// Has everyone who sent something look whether it is there, and clerks whether all is as they
    /// decided, through the gates.
    pub async fn audit(&self) {
        let round = Round::default();
        let receipts = self.book().receipts.clone();
        let mut owners: BTreeMap<(TenantId, usize), Vec<(Kind, Receipt)>> = BTreeMap::new();
        for ((tenant, kind), all) in receipts {
            for receipt in all {
                let owner = (tenant.clone(), receipt.person);
                owners.entry(owner).or_default().push((kind, receipt));
            }
        }
        let mut running = JoinSet::new();
        for ((tenant, person), own) in owners {
            if running.len() >= WIDTH {
                running.join_next().await;
            }
            let (outside, round) = (self.outside.clone(), round.clone());
            running.spawn(async move {
                if let Some(visit) = Visit::new(&outside, &tenant, (person, &round)) {
                    look(&visit, &own).await;
                }
            });
        }
        while running.join_next().await.is_some() {}
        self.audit_desks(&round).await;
        self.book().is_audited = true;
    }
}

/// One person looks for what they sent.
async fn look(visit: &Visit<'_>, own: &[(Kind, Receipt)]) {
    let token = visit.login().await.ok();
    let documents = match &token {
        Some(token) => documents(visit, token).await,
        None => Vec::new(),
    };
    let has = |wanted: Kind| own.iter().any(|(kind, _)| *kind == wanted);
    let letters = match visit.reader() {
        Some(reader) if has(Kind::Mail) => visit.read_mail(&reader).await.unwrap_or_default(),
        _ => Vec::new(),
    };
    let page = match has(Kind::Branch) {
        true => visit.applications().await.unwrap_or_default(),
        false => String::new(),
    };
    for (kind, receipt) in own {
        let (tenant, _) = visit.place(*kind);
        let count = match (&token, kind) {
            (_, Kind::Mail) => mail::count(visit.outside, (&tenant, receipt), &letters),
            (_, Kind::Branch) => page.matches(&application(receipt.number)).count() as u64,
            (None, _) => 0,
            (Some(token), Kind::Photo) => u64::from(photo(visit, token, receipt).await),
            (Some(token), _) => document(visit, token, (&documents, receipt)).await,
        };
        let place = visit.place(*kind);
        let mut book = visit.outside.book();
        let counts = book.at(&place);
        match count {
            0 => counts.lost += 1,
            1 => {}
            _ => counts.twice += 1,
        }
    }
}

/// Whether a photo is there, bit by bit.
async fn photo(visit: &Visit<'_>, token: &str, receipt: &Receipt) -> bool {
    let path = format!("/lichtbild/api/photos/{}/image", receipt.id);
    let image = visit.ask(Question::get(&path).bearer(token)).await;
    image.is_ok_and(|image| Digest::of(&image.body).to_string() == receipt.digest)
}

/// Every reference in a person's record.
async fn documents(visit: &Visit<'_>, token: &str) -> Vec<Value> {
    let path = format!("/epa/DocumentReference?_count={LIST_MAX}");
    match visit.ask(Question::get(&path).bearer(token)).await {
        Ok(found) => found.json()["entry"]
            .as_array()
            .cloned()
            .unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

/// How often a document is there, bit by bit.
async fn document(
    visit: &Visit<'_>,
    token: &str,
    (documents, receipt): (&[Value], &Receipt),
) -> u64 {
    let number = receipt.number.to_string();
    let is_it = |resource: &&Value| {
        let identifier = &resource["identifier"][0];
        identifier["system"] == IDENTIFIER && identifier["value"] == number.as_str()
    };
    let (mut count, mut is_ours) = (0, false);
    for resource in documents
        .iter()
        .map(|entry| &entry["resource"])
        .filter(is_it)
    {
        let Some(path) = visit.binary_path(resource) else {
            continue;
        };
        let question = Question::get(&path)
            .with("accept", "text/plain")
            .bearer(token);
        let content = visit.ask(question).await;
        let is_whole = content.is_ok_and(|c| Digest::of(&c.body).to_string() == receipt.digest);
        count += u64::from(is_whole);
        is_ours |= is_whole && resource["id"] == receipt.id.as_str();
    }
    if is_ours { count } else { 0 }
}
