//! A recovery with everything in it, for two tenants at once, told over HTTP.
//!
//! In:    a [`Stand`]. Out: the same with a rich history. Never: a step that is not accepted.

use anlauf_model::{CellId, Minutes, Stage, TaskKind};
use serde_json::{Value, json};

use super::{Stand, signer};
use crate::Desk;

/// The tenant whose eyes the tests look through.
pub(crate) const OWN: &str = "town-alder";
/// Its representative.
pub(crate) const OWN_PERSON: &str = "town-alder.approver-1";
/// A tenant that must stay unseen.
pub(crate) const OTHER: &str = "town-birch";
/// Its representative.
pub(crate) const OTHER_PERSON: &str = "town-birch.approver-1";

impl Stand {
    /// A stand with landscape, root and policy.
    pub(crate) async fn founded() -> Self {
        let stand = Self::new();
        let declared = stand.landscape.declared().clone();
        stand
            .must(
                "operator-1",
                json!({ "verb": "adopt_landscape", "landscape": declared }),
            )
            .await;
        let root = stand.cast.root(stand.desk.now());
        stand
            .must(
                "operator-1",
                json!({ "verb": "adopt_root", "envelope": root }),
            )
            .await;
        let policy = stand.cast.policy(&stand.landscape, 1);
        stand
            .must(
                "operator-1",
                json!({ "verb": "adopt_policy", "envelope": policy }),
            )
            .await;
        stand
    }

    /// A stand in an incident with everything shut.
    pub(crate) async fn contained() -> Self {
        let stand = Self::founded().await;
        let title = json!({ "de": "Angriff", "en": "attack" });
        stand
            .must(
                "operator-1",
                json!({ "verb": "declare_incident", "title": title }),
            )
            .await;
        stand.close_must("operator-1", json!("everything")).await;
        stand
    }

    /// Shuts a scope.
    pub(crate) async fn close_must(&self, who: &str, scope: Value) -> Value {
        let body = json!({ "reason": "as the story says", "scope": scope });
        let answer = self.post(who, "/close", body).await;
        assert_eq!(answer.status, 200, "close as {who}: {}", answer.text);
        answer.json()
    }

    /// A stand after two weeks of recovery: every kind of event, for two tenants.
    pub(crate) async fn rich() -> Self {
        let stand = Self::contained().await;
        stand.foundation().await;
        stand.plan().await;
        for tenant in [OWN, OTHER] {
            stand.tenant(tenant).await;
        }
        stand.gates().await;
        stand.told().await;
        for tenant in [OWN, OTHER] {
            stand.left_open(tenant).await;
        }
        stand.plan().await;
        stand.desk.checkpoint().await.expect("memory does not fail");
        stand
    }

    async fn foundation(&self) {
        let hold = (self.desk.now() + Minutes::hours(1)).to_string();
        let order = json!({ "verb": "hold_site", "site": "site-west", "until": hold });
        self.must("security-1", order).await;
        self.desk.pass(Minutes::hours(2));
        let order = json!({ "verb": "narrow_incident", "sites": ["site-east"] });
        self.must("operator-1", order).await;
        let wide = json!([{ "cell": null, "kind": "entry_path_closed", "verdict": "pass",
            "evidence": evidence("entry path"), "note": "the way in is shut" }]);
        self.must(
            "forensics-1",
            json!({ "verb": "add_findings", "findings": wide }),
        )
        .await;
        for cell in [
            "site-east/network",
            "site-west/network",
            "foundation/identity",
            "shared/mail",
        ] {
            self.recover(cell, Stage::Full, "forensics-1").await;
        }
    }

    /// Makes a plan, puts it in force, publishes ranges.
    pub(crate) async fn plan(&self) {
        let body = json!({ "reason": "as the story says", "steps": 0, "seed": 7 });
        let answer = self.post("operator-1", "/plan/proposals", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let plan = answer.json()["plan"].clone();
        self.must("operator-1", json!({ "verb": "adopt_plan", "plan": plan }))
            .await;
        let body = json!({ "reason": "as the story says", "samples": 8, "seed": 7 });
        let answer = self.post("operator-1", "/forecast", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// One tenant's mail opens; its portal is agreed, tested and accepted.
    async fn tenant(&self, tenant: &str) {
        let approver = format!("{tenant}.approver-1");
        let (mail, portal) = (format!("{tenant}/mail"), format!("{tenant}/portal"));
        let wish = json!({ "verb": "state_wish", "tenant": tenant, "order": [portal, mail] });
        self.must(&approver, wish).await;
        self.offer(&[&mail, &portal]).await;
        self.must(
            &approver,
            json!({ "verb": "decline_slots", "cells": [portal] }),
        )
        .await;
        self.offer(&[&portal]).await;
        self.must(
            &approver,
            json!({ "verb": "agree_slots", "cells": [mail, portal] }),
        )
        .await;
        self.recover(&mail, Stage::Full, &approver).await;
        self.close_must("security-1", json!({ "cells": [mail] }))
            .await;
        self.offer(&[&mail]).await;
        self.must(&approver, json!({ "verb": "agree_slots", "cells": [mail] }))
            .await;
        self.recover(&mail, Stage::Full, &approver).await;
        self.must(&approver, json!({ "verb": "catch_up", "cells": [mail] }))
            .await;
        self.recover(&portal, Stage::Pilot, &approver).await;
        let tasks = json!([{ "cell": portal, "task": "acceptance" }]);
        self.must(
            "operator-1",
            json!({ "verb": "start_tasks", "tasks": tasks }),
        )
        .await;
        let order = json!({ "verb": "accept_cells", "cells": [portal], "passed": true });
        self.must(&approver, order).await;
        self.must(
            "operator-1",
            json!({ "verb": "start_tasks", "tasks": decision(&portal) }),
        )
        .await;
        self.must(
            "operator-1",
            json!({ "verb": "finish_tasks", "tasks": decision(&portal) }),
        )
        .await;
    }

    async fn offer(&self, cells: &[&str]) {
        let from = self.desk.now().to_string();
        let to = (self.desk.now() + Minutes::days(20)).to_string();
        let slot = json!({ "from": from, "to": to });
        let slots = cells
            .iter()
            .map(|cell| json!({ "cell": cell, "slot": slot }));
        let slots: Vec<Value> = slots.collect();
        self.must(
            "operator-1",
            json!({ "verb": "offer_slots", "slots": slots }),
        )
        .await;
    }

    /// Does a cell's work, brings its findings, has its release signed and carries it out.
    pub(crate) async fn recover(&self, cell: &str, stage: Stage, second: &str) {
        self.work(cell).await;
        let release = self.propose(cell, stage).await;
        for signing in ["security-1", second] {
            self.sign(signing, &release).await;
        }
        self.must(
            "operator-1",
            json!({ "verb": "release", "releases": [release] }),
        )
        .await;
        self.desk.pass(Minutes::hours(1));
    }

    /// Does a cell's work and brings its findings.
    pub(crate) async fn work(&self, cell: &str) {
        let id: CellId = cell.parse().expect("a cell");
        let declared = self
            .landscape
            .cell(&id)
            .expect("it is in the example")
            .clone();
        let pilots = declared.stages.contains(&Stage::Pilot);
        let later = |task: &TaskKind| {
            *task == TaskKind::Acceptance || (pilots && *task == TaskKind::Decision)
        };
        for task in declared.tasks.keys().filter(|task| !later(task)) {
            let tasks = json!([{ "cell": cell, "task": task }]);
            self.must(
                "operator-1",
                json!({ "verb": "start_tasks", "tasks": tasks }),
            )
            .await;
            self.desk.pass(Minutes::hours(1));
            self.must(
                "operator-1",
                json!({ "verb": "finish_tasks", "tasks": tasks }),
            )
            .await;
            if let Some(kind) = task.finding() {
                let findings = json!([{ "cell": cell, "kind": kind, "verdict": "pass",
                    "evidence": evidence(cell), "note": format!("looked at {cell}") }]);
                self.must(
                    "security-1",
                    json!({ "verb": "add_findings", "findings": findings }),
                )
                .await;
            }
        }
    }

    /// Draws up a release; gives its name.
    pub(crate) async fn propose(&self, cell: &str, stage: Stage) -> Value {
        let not_after = (self.desk.now() + Minutes::days(60)).to_string();
        let waves = json!([{ "cells": [cell], "stage": stage }]);
        let order = json!({ "verb": "propose_releases", "waves": waves, "not_after": not_after });
        let done = self.must("operator-1", order).await;
        let entries = done["entries"].as_array().expect("entries");
        entries.last().expect("one entry")["release"].clone()
    }

    /// Signs a release with the person's own key.
    pub(crate) async fn sign(&self, who: &str, release: &Value) {
        let draft = self.signature(who, release);
        self.must(
            who,
            json!({ "verb": "add_signatures", "signatures": [draft] }),
        )
        .await;
    }

    /// A person's signature under a release.
    pub(crate) fn signature(&self, who: &str, release: &Value) -> Value {
        let digest = release.as_str().expect("a name").parse().expect("a digest");
        let envelope = self.desk.state().releases[&digest].envelope.clone();
        let signature = signer(who).signature(&envelope);
        json!({
            "release": release,
            "keyid": signature.keyid.to_string(),
            "sig": hex::encode(signature.sig),
        })
    }

    /// Two gates report; one refused something.
    async fn gates(&self) {
        let last = self.desk.state().feed.last().expect("a feed").seq;
        for gate in ["gate-1", "gate-2"] {
            let report = self.report(gate, last);
            let answer = self.ask(
                Some(gate),
                axum::http::Method::POST,
                "/gate/report",
                Some(&report),
            );
            let answer = answer.await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }

    /// A gate's report that everything up to `applied` is in force, and one item was refused.
    pub(crate) fn report(&self, gate: &str, applied: u64) -> Value {
        let state = self.desk.state();
        let changed = state
            .cells
            .iter()
            .map(|(cell, now)| json!({ "cell": cell, "stage": now.stage, "epoch": now.epoch }));
        json!({
            "gate": gate,
            "applied": applied,
            "table": self.landscape.gate_table().digest(),
            "root_version": 1,
            "changed": changed.collect::<Vec<_>>(),
            "decisions": [{ "seq": applied, "accepted": false,
                "reasons": [format!("`{OTHER}/portal` is burned")] }],
            "counts": { "passed": 1, "refused": 2, "unknown": 3, "cut": 4, "failed": 5 },
        })
    }

    /// Everyone, and each tenant, is told something; one text is corrected.
    async fn told(&self) {
        let next = (self.desk.now() + Minutes::days(1)).to_string();
        for tenant in [Value::Null, json!(OWN), json!(OTHER)] {
            let word = tenant.as_str().unwrap_or("everyone").to_owned();
            let text = json!({ "de": format!("Stand für {word}"), "en": format!("to {word}") });
            let order = json!({ "verb": "publish_notice", "text": text,
                "next_word_at": next, "tenant": tenant });
            self.must("operator-1", order).await;
        }
        let text = json!({ "de": "berichtigt", "en": "revised" });
        let order =
            json!({ "verb": "revise_notice", "notice": 1, "text": text, "next_word_at": next });
        self.must("operator-1", order).await;
    }

    /// What is still under way at the end: a release half signed, a window without an answer, a
    /// close of the tenant's own, work done twice, a finding withdrawn.
    async fn left_open(&self, tenant: &str) {
        let approver = format!("{tenant}.approver-1");
        let (mail, portal) = (format!("{tenant}/mail"), format!("{tenant}/portal"));
        let release = self.propose(&portal, Stage::Full).await;
        self.sign("security-1", &release).await;
        self.close_must(&approver, json!({ "cells": [mail] })).await;
        let tasks = json!([{ "cell": mail, "task": "rebuild" }]);
        self.must(
            "operator-1",
            json!({ "verb": "start_tasks", "tasks": tasks }),
        )
        .await;
        self.must(
            "operator-1",
            json!({ "verb": "fail_tasks", "tasks": tasks }),
        )
        .await;
        self.offer(&[&mail]).await;
        let findings = json!([{ "cell": mail, "kind": "scan_clean", "verdict": "fail",
            "evidence": evidence(&mail), "note": format!("traces at {mail}") }]);
        let order = json!({ "verb": "add_findings", "findings": findings });
        let done = self.must("security-1", order).await;
        let number = done["entries"][0]["findings"][0]["number"].clone();
        let order = json!({ "verb": "withdraw_finding", "finding": number });
        self.must("security-1", order).await;
    }

    /// Digest of an open release of a tenant.
    pub(crate) fn open_release(&self, tenant: &str) -> String {
        let state = self.desk.state();
        let open = state.releases.iter().find(|(_, case)| {
            case.end == anlauf_recovery::state::ReleaseEnd::Open
                && case.release.cells[0].cell.owner() == tenant
        });
        open.expect("the story leaves one open").0.to_string()
    }
}

/// Digest of some evidence.
fn evidence(of: &str) -> String {
    anlauf_model::Digest::of(of.as_bytes()).to_string()
}

fn decision(cell: &str) -> Value {
    json!([{ "cell": cell, "task": "decision" }])
}
