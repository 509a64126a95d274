//! The real services in the story: when people come, when files are harmed, checked, brought back.
//!
//! In:    the [`Scene`], the provider, the insured people. Out: [`Real`]: what became of the data;
//!        findings computed from it.
//! Never: a finding about a real service that was not computed from its data.

use std::collections::BTreeSet;
use std::sync::Arc;

use anlauf_model::{CellId, FindingKind, Minutes, TenantId, Timestamp, Verdict};
use anlauf_recovery::command::FindingDraft;
use anyhow::{Result, bail};
use reference_provider::mail::{self, maildir::Mailbox};
use tokio::task::JoinSet;

use super::emergency::Emergencies;
use super::insured::book::Kind;
use super::insured::{Insured, Round};
use super::play::Scene;
use super::provider::Provider;
use super::provider::backup::{Backups, Check, Size};
use super::provider::damage::{self, Damage};
use super::story::{Canary, Services};

/// Letters to the insurer that is attacked, so that there is something to harm: in the backup, and
/// too late for it.
const LETTERS_BEFORE_BACKUP: u64 = 12;
const LETTERS_AFTER_BACKUP: u64 = 6;

/// The real services of a drill.
pub struct Real {
    /// What the story says of them.
    pub services: Services,
    /// The people who use them.
    pub insured: Insured,
    /// What became of the data of the insurer that was attacked.
    pub data: Data,
    /// Which services ran in emergency operation, and when.
    pub emergencies: Emergencies,
    pub(super) provider: Provider,
    backups: Backups,
    came: Option<Timestamp>,
}

/// What became of one insurer's data.
#[derive(Debug, Default)]
pub struct Data {
    /// When the backup was taken, in the story.
    pub backup_at: Option<Timestamp>,
    /// What the backup vouches for.
    pub vouched: Size,
    /// What the attacker did.
    pub damage: Option<Damage>,
    /// What the check found before the restore.
    pub before: Option<Check>,
    /// What it found wrong of that; none when it named exactly the damage.
    pub misnamed: Option<String>,
    /// When the backup was brought back.
    pub restored_at: Option<Timestamp>,
    /// What the check found after it.
    pub after: Option<Check>,
    /// Checks of all insurers whose result is a finding.
    pub checks: u64,
    /// Of these, not whole; in words.
    pub broken: Vec<String>,
}

impl Real {
    /// Nobody has come and nothing has happened yet.
    pub fn new(services: Services, provider: Provider, insured: Insured) -> Self {
        Self {
            services,
            insured,
            data: Data::default(),
            emergencies: Emergencies::default(),
            provider,
            backups: Backups::default(),
            came: None,
        }
    }

    /// What must hold at the end; each violation in words.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = self.insured.book().violations();
        let tenant = &self.services.attacked;
        let data = &self.data;
        if data.damage.is_none() || data.before.is_none() {
            violations.push(format!(
                "the files of `{tenant}` were not harmed and examined"
            ));
        }
        if let Some(names) = &data.misnamed {
            violations.push(format!(
                "the check did not name exactly the damage: {names}"
            ));
        }
        if !data.after.as_ref().is_some_and(Check::is_whole) {
            violations.push(format!(
                "the data of `{tenant}` is not whole after the restore"
            ));
        }
        violations.extend(data.broken.iter().cloned());
        violations.extend(
            self.emergencies
                .violations(&self.services, &self.insured.book()),
        );
        violations
    }

    /// Has the process and its data end.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn stop(&mut self) -> Result<()> {
        self.provider.kill()
    }

    fn is(&self, canary: Canary) -> bool {
        self.services.canary == Some(canary)
    }

    /// Brings the backup back, and says what it does not have of what was accepted.
    async fn restore(&mut self, at: Timestamp) -> Result<()> {
        let tenant = self.services.attacked.clone();
        if !self.is(Canary::SkipRestore) {
            self.backups.bring_back(&self.provider, &tenant)?;
            self.provider.let_go(tenant.as_str()).await?;
        }
        self.data.restored_at = Some(at);
        let check = self.backups.check(&self.provider, &tenant)?;
        if check.is_whole() {
            self.note_not_in_backup(&tenant)?;
        }
        self.data.after = Some(check);
        Ok(())
    }

    /// Looks in the restored data for everything that was accepted.
    fn note_not_in_backup(&self, tenant: &TenantId) -> Result<()> {
        let data = self.provider.tenant(tenant)?;
        for kind in [Kind::Photo, Kind::Branch, Kind::Record, Kind::Mail] {
            let place = (tenant.clone(), kind);
            let receipts = self.insured.book().receipts.get(&place).cloned();
            for receipt in receipts.into_iter().flatten() {
                let count: i64 = match kind {
                    Kind::Photo => data.store.with(|c| {
                        let ask = "SELECT count(*) FROM photo WHERE id = ?1 AND digest = ?2";
                        c.query_row(ask, (&receipt.id, &receipt.digest), |row| row.get(0))
                    })?,
                    Kind::Branch => data.store.with(|c| {
                        let ask = "SELECT count(*) FROM application WHERE once = ?1";
                        c.query_row(ask, [&receipt.id], |row| row.get(0))
                    })?,
                    Kind::Mail => {
                        let name = self.insured.mailbox(tenant, receipt.person);
                        let folder = data.folder.join(mail::house::FOLDER);
                        let folder = folder.join(name.unwrap_or_default());
                        let counts = Mailbox::new(folder).counts()?;
                        counts.get(&receipt.id).map_or(0, |count| *count as i64)
                    }
                    _ => data.records.with(|c| {
                        let ask = "SELECT count(*) FROM resource WHERE id = ?1";
                        c.query_row(ask, [&receipt.id], |row| row.get(0))
                    })?,
                };
                if count == 0 {
                    self.insured.book().not_in_backup(&place, receipt.number);
                }
            }
        }
        self.note_undone(tenant)
    }

    /// Looks in the restored data for everything that clerks decided: the rest is made again.
    fn note_undone(&self, tenant: &TenantId) -> Result<()> {
        let data = self.provider.tenant(tenant)?;
        for (kind, ask) in [
            (
                Kind::Photo,
                "SELECT state <> 'waiting' FROM photo WHERE id = ?1",
            ),
            (
                Kind::Branch,
                "SELECT state IN ('approved', 'rejected') FROM application WHERE id = ?1",
            ),
        ] {
            let place = (tenant.clone(), kind);
            let decided = self.insured.book().desk(&place).decided.clone();
            let mut gone = BTreeSet::new();
            for id in decided.into_keys() {
                let found: Result<bool, _> = data
                    .store
                    .with(|c| c.query_row(ask, [id], |row| row.get(0)));
                if !matches!(found, Ok(true)) {
                    gone.insert(id);
                }
            }
            let mut book = self.insured.book();
            let desk = book.desk(&place);
            desk.undone += gone.len() as u64;
            desk.decided.retain(|id, _| !gone.contains(id));
            // Their numbers are given out anew.
            desk.unheard.clear();
        }
        Ok(())
    }

    /// For the drill that must fail: a photo that was accepted is gone.
    fn lose_photo(&self) -> Result<()> {
        let place = (self.services.attacked.clone(), Kind::Photo);
        let receipts = self.insured.book().receipts.get(&place).cloned();
        let last = receipts.and_then(|receipts| receipts.last().cloned());
        if let Some(receipt) = last {
            let data = self.provider.tenant(&place.0)?;
            data.store
                .with(|c| c.execute("DELETE FROM photo WHERE id = ?1", [&receipt.id]))?;
        }
        Ok(())
    }
}

impl Scene {
    /// People of every insurer come for the first time; then the nightly backup is taken.
    ///
    /// # Errors
    /// The services do not run, or cannot be backed up.
    pub async fn people_before(&mut self) -> Result<()> {
        let (now, round) = (self.clock.get(), self.round());
        let Some(real) = &mut self.real else {
            return Ok(());
        };
        real.provider.ready().await?;
        let attacked = real.services.attacked.clone();
        real.insured.write(&attacked, 0, LETTERS_BEFORE_BACKUP);
        real.insured.come(&real.insured.tenants(), 0, &round).await;
        real.backups = tokio::task::block_in_place(|| Backups::take(&real.provider))?;
        real.data.backup_at = Some(now);
        real.data.vouched = real
            .backups
            .size(&real.services.attacked)
            .unwrap_or_default();
        Ok(())
    }

    /// People come once more before the attack: what they bring is in no backup.
    pub async fn people_after_backup(&mut self) {
        let round = self.round();
        if let Some(real) = &mut self.real {
            let attacked = real.services.attacked.clone();
            real.insured.write(&attacked, 1, LETTERS_AFTER_BACKUP);
            real.insured.come(&real.insured.tenants(), 1, &round).await;
        }
    }

    /// The attacker harms one insurer's files under the running services, then ends them.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub async fn services_are_attacked(&mut self) -> Result<()> {
        let Some(real) = &mut self.real else {
            return Ok(());
        };
        let tenant = real.services.attacked.clone();
        let harmed = damage::harm(real.provider.tenant(&tenant)?, real.services.seed)?;
        real.data.damage = Some(harmed);
        let round = Round::default();
        real.insured
            .come(std::slice::from_ref(&tenant), 0, &round)
            .await;
        real.provider.kill()
    }

    /// Everything is shut: people are told so; what was harmed is found; the services run again
    /// behind shut doors.
    ///
    /// # Errors
    /// The services do not run again, or a check cannot be made.
    pub async fn services_are_examined(&mut self) -> Result<()> {
        let mut round = self.round();
        let Some(real) = &mut self.real else {
            return Ok(());
        };
        real.insured.come(&real.insured.tenants(), 0, &round).await;
        real.provider.run()?;
        real.provider.ready().await?;
        if real.is(Canary::ServeWhileClosed) {
            round.around = Some(real.provider.address);
            let tenant = std::slice::from_ref(&real.services.attacked);
            real.insured.come(tenant, 1, &round).await;
        }
        let tenant = real.services.attacked.clone();
        let check = real.backups.check(&real.provider, &tenant)?;
        let vouched = |name: &str| real.backups.vouches(&tenant, name);
        let damage = real.data.damage.as_ref();
        real.data.misnamed = damage.and_then(|damage| damage.not_found_by(&check, vouched));
        real.data.before = Some(check);
        Ok(())
    }

    /// What is found out about the data of a real service's cell; none of another cell.
    ///
    /// # Errors
    /// The backup cannot be brought back, or a check cannot be made.
    pub async fn computed_finding(&mut self, cell: &CellId) -> Result<Option<FindingDraft>> {
        let tenant = self.landscape.cell(cell).and_then(|cell| cell.tenant());
        let is_real = self
            .landscape
            .cell(cell)
            .is_some_and(|cell| Kind::of(cell.service.as_str()).is_some());
        let (Some(tenant), Some(real), true) = (tenant.cloned(), &mut self.real, is_real) else {
            return Ok(None);
        };
        if tenant == real.services.attacked && real.data.restored_at.is_none() {
            real.restore(self.clock.get()).await?;
        }
        let check = real.backups.check(&real.provider, &tenant)?;
        real.data.checks += 1;
        let is_whole = check.is_whole();
        if !is_whole {
            let words = check.in_words();
            let line = format!("the data behind `{cell}` is not whole: {words}");
            real.data.broken.push(line);
        }
        Ok(Some(FindingDraft {
            cell: Some(cell.clone()),
            kind: FindingKind::BackupClean,
            verdict: if is_whole {
                Verdict::Pass
            } else {
                Verdict::Fail
            },
            evidence: check.evidence()?,
            note: check.in_words(),
        }))
    }

    /// A recovery does not go on upon data that is not whole.
    ///
    /// # Errors
    /// Some of it is not.
    pub fn services_are_whole(&self) -> Result<()> {
        let broken = self.real.iter().flat_map(|real| &real.data.broken);
        let broken: Vec<&str> = broken.map(String::as_str).collect();
        match broken.is_empty() {
            true => Ok(()),
            false => bail!("the drill broke what it must keep: {}", broken.join("; ")),
        }
    }

    /// People of some insurers come, when it is time.
    ///
    /// # Errors
    /// A gate is silent.
    pub async fn people_come(&mut self) -> Result<()> {
        let now = self.clock.get();
        let Some(real) = &self.real else {
            return Ok(());
        };
        let every = Minutes((real.services.round_every_days * 1440.0).round() as i64);
        if real.came.is_some_and(|came| now < came + every) {
            return Ok(());
        }
        self.gates_follow().await?;
        let round = self.round();
        if let Some(real) = &mut self.real {
            real.came = Some(now);
            let (tenants, person) = real.insured.turn(&real.services.attacked);
            real.insured.come(&tenants, person, &round).await;
        }
        Ok(())
    }

    /// People set out who will be on their way while doors shut.
    pub fn people_set_out(&mut self) -> JoinSet<()> {
        let Some(real) = &mut self.real else {
            return JoinSet::new();
        };
        let (tenants, person) = real.insured.turn(&real.services.attacked);
        real.insured.begin(&tenants, person)
    }

    /// Everything is back: everyone comes, and brings what was turned away.
    ///
    /// # Errors
    /// A gate is silent.
    pub async fn people_after(&mut self) -> Result<()> {
        self.gates_follow().await?;
        self.end_emergencies()?;
        let round = self.round();
        if let Some(real) = &mut self.real {
            for person in 0..2 {
                real.insured
                    .come(&real.insured.tenants(), person, &round)
                    .await;
            }
        }
        Ok(())
    }

    /// At the end everyone looks whether what was accepted from them is there.
    ///
    /// # Errors
    /// A canary's photo cannot be deleted.
    pub async fn people_look(&mut self) -> Result<()> {
        if let Some(real) = &self.real {
            if real.is(Canary::LosePhoto) {
                real.lose_photo()?;
            }
            real.insured.audit().await;
        }
        Ok(())
    }

    /// What is open as of now.
    fn round(&self) -> Round {
        let state = self.control.read();
        let cells = state.cells.iter();
        let open = cells.filter(|(_, known)| known.stage.is_public());
        let open: BTreeSet<CellId> = open.map(|(id, _)| id.clone()).collect();
        let real = self.real.as_ref();
        Round {
            open: Some(Arc::new(open)),
            emergency: Arc::new(
                real.map(|real| real.emergencies.cells())
                    .unwrap_or_default(),
            ),
            around: None,
        }
    }
}
