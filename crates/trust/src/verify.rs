//! Judges releases and closings.
//!
//! In:    an envelope, the verified [`Authority`], facts about cells, `now`.
//! Out:   what was [`Verified`], or a [`Refusal`] with every reason at once.
//! Never: opens on less than the whole: a wave passes with all its cells or not at all.
//! See:   docs/formats/statement.md, docs/errors/AN-TRU-*.md.

use std::collections::BTreeSet;

use anlauf_model::landscape::{CellKind, Class, PolicyRule};
use anlauf_model::limits::{BREAK_GLASS_MINUTES_MAX, RELEASE_LIFETIME_DAYS_MAX};
use anlauf_model::{
    CellId, Digest, Epoch, Minutes, PersonId, Role, ServiceId, SiteId, Stage, TenantId, Timestamp,
};

use crate::authority::Authority;
use crate::payload::head;
use crate::quorum::{Demand, Ring, Signers, add_new, holder};
use crate::statement::{
    Close, Finding, Policy, Release, ReleaseCell, Scope, TYPE_CLOSE, TYPE_FINDING,
};
use anlauf_keys::envelope::{Envelope, Signature};
use anlauf_keys::key::{KeyRecord, Message};
pub use anlauf_keys::refusal::{Reason, Refusal};

/// How far ahead of our clock the time of a close may be: clocks differ, but not by hours.
pub const CLOSE_AHEAD_MAX: Minutes = Minutes(5);

/// What the verifier must know of a cell, from the signed gate table and its own records.
#[derive(Clone, PartialEq, Debug)]
pub struct CellFacts {
    /// Protection.
    pub class: Class,
    /// Kind.
    pub kind: CellKind,
    /// Whose, for tenant cells.
    pub tenant: Option<TenantId>,
    /// Where it runs.
    pub site: SiteId,
    /// The service type it is an instance of.
    pub service: ServiceId,
    /// Highest epoch this cell was ever opened or closed at.
    pub epoch: Epoch,
}

/// A statement whose signatures were verified. Private fields: only this crate makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct Verified<S> {
    digest: Digest,
    statement: S,
    signers: BTreeSet<PersonId>,
}

impl<S> Verified<S> {
    /// Its signatures hold and are enough: that is for the caller to have seen.
    pub(crate) fn of<'r>(
        envelope: &Envelope,
        statement: S,
        words: impl IntoIterator<Item = &'r KeyRecord>,
    ) -> Self {
        let digest = envelope.digest();
        let signers = words.into_iter().map(|record| record.person.clone());
        Self {
            digest,
            statement,
            signers: signers.collect(),
        }
    }

    /// What was said.
    pub fn statement(&self) -> &S {
        &self.statement
    }

    /// The name of the envelope.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Every person whose signature under it holds; where one word is enough, whose it is.
    pub fn signers(&self) -> &BTreeSet<PersonId> {
        &self.signers
    }
}

impl Scope {
    /// Whether a cell lies in the scope.
    pub fn covers(
        &self,
        cell: &CellId,
        tenant: Option<&TenantId>,
        site: &SiteId,
        service: &ServiceId,
    ) -> bool {
        match self {
            Scope::Everything => true,
            Scope::Site(scope) => scope == site,
            Scope::Tenant(scope) => Some(scope) == tenant,
            Scope::Service(scope) => scope == service,
            Scope::Cells(cells) => cells.contains(cell),
        }
    }
}

impl CellFacts {
    /// Whether the cell lies in a scope.
    pub fn is_in(&self, scope: &Scope, cell: &CellId) -> bool {
        scope.covers(cell, self.tenant.as_ref(), &self.site, &self.service)
    }
}

impl Policy {
    /// The rule for a cell on its way to a stage: the first from the top that speaks about it.
    pub fn rule(&self, facts: &CellFacts, stage: Stage) -> Option<&PolicyRule> {
        self.rules.iter().find(|rule| {
            rule.class == facts.class
                && (rule.kinds.is_empty() || rule.kinds.contains(&facts.kind))
                && (rule.stages.is_empty() || rule.stages.contains(&stage))
        })
    }
}

impl Authority {
    /// Judges a release or break-glass: all its cells pass, or none.
    ///
    /// # Errors
    /// Every reason why not.
    pub fn check_release(
        &self,
        envelope: &Envelope,
        facts: &dyn Fn(&CellId) -> Option<CellFacts>,
        now: Timestamp,
    ) -> Result<Verified<Release>, Refusal> {
        let release = Release::parse(&envelope.payload)?;
        // Keys mean nothing across domains: no other reason would help whoever reads it.
        Refusal::unless_empty(self.domain_foreign(&release.domain).into_iter().collect())?;

        let mut reasons = window_faults(&release, now);
        reasons.extend(self.standing_faults(&release, now));
        let signers = self.signers(envelope, release.predicate_type(), now);
        for bound in &release.cells {
            // In a wave the same signer is missing for every cell.
            let faults = self.cell_faults(&release, bound, facts(&bound.cell), &signers);
            add_new(&mut reasons, faults);
        }
        Refusal::unless_empty(reasons)?;

        let words = signers.held().iter().copied();
        Ok(Verified::of(envelope, release, words))
    }

    /// Judges a close: one valid signature of anyone who may close this scope. An expired root
    /// closes too.
    ///
    /// The caller shuts the cells in the scope whose epoch is not greater than the close's.
    ///
    /// # Errors
    /// Every reason why not.
    pub fn check_close(
        &self,
        envelope: &Envelope,
        facts: &dyn Fn(&CellId) -> Option<CellFacts>,
        now: Timestamp,
    ) -> Result<Verified<Close>, Refusal> {
        let close = Close::parse(&envelope.payload)?;
        Refusal::unless_empty(self.domain_foreign(&close.domain).into_iter().collect())?;

        let mut reasons = ahead_faults(close.at, now);
        // One known cell is enough: a table that lags behind must not keep the others open.
        if matches!(&close.scope, Scope::Cells(cells) if cells.iter().all(|c| facts(c).is_none())) {
            let message = "none of the named cells is known here; check the names";
            reasons.push(Reason::new("AN-TRU-020", message));
        }
        let signers = self.signers(envelope, TYPE_CLOSE, now);
        let word = signers.find(|record| may_close(record, &close.scope, facts));
        if word.is_none() {
            let message = "no valid signature of anyone who may close this; \
                operator, security, owner, forensics, automation or the cells' tenant may";
            reasons.push(Reason::new("AN-TRU-040", message));
            reasons.extend_from_slice(signers.failed());
        }
        Refusal::unless_empty(reasons)?;
        Ok(Verified::of(envelope, close, word))
    }

    /// Judges a finding: one valid signature of somebody whose role brings such findings. Whether
    /// it is news is the recovery's to say.
    ///
    /// # Errors
    /// Every reason why not.
    pub fn check_finding(
        &self,
        envelope: &Envelope,
        now: Timestamp,
    ) -> Result<Verified<Finding>, Refusal> {
        let finding = Finding::parse(&envelope.payload)?;
        Refusal::unless_empty(self.domain_foreign(&finding.domain).into_iter().collect())?;

        let mut reasons = ahead_faults(finding.at, now);
        let signers = self.signers(envelope, TYPE_FINDING, now);
        let word = signers.find(|record| finding.kind.is_brought_by(record.role));
        if word.is_none() {
            let message = format!("no valid signature of anyone who brings {}", finding.kind);
            reasons.push(Reason::new("AN-TRU-046", message));
            reasons.extend_from_slice(signers.failed());
        }
        Refusal::unless_empty(reasons)?;
        Ok(Verified::of(envelope, finding, word))
    }

    /// Cells of a release accepted before that its signatures do not open under this root: a key
    /// was revoked or has ended since. `policy` is the one that the signers saw.
    ///
    /// Epochs, evidence and times of the release are not looked at again: they have not changed.
    pub fn cells_lost(
        &self,
        envelope: &Envelope,
        (release, policy): (&Release, &Policy),
        facts: &dyn Fn(&CellId) -> Option<CellFacts>,
        now: Timestamp,
    ) -> Vec<CellId> {
        let signers = self.signers(envelope, release.predicate_type(), now);
        let is_held = |facts: CellFacts| {
            policy.rule(&facts, release.stage).is_some_and(|rule| {
                let demand = self.demand(release, rule, facts.tenant);
                signers.missing(&demand).is_empty()
            })
        };
        let cells = release.cells.iter().map(|bound| &bound.cell);
        let lost = cells.filter(|cell| !facts(cell).is_some_and(is_held));
        lost.cloned().collect()
    }

    /// Whose signature it is, if it holds under the envelope now. Whether it counts towards
    /// anything is `check_release`'s and `check_close`'s to say.
    ///
    /// # Errors
    /// The key is unknown or not valid now, or the signature is not over these bytes.
    pub fn check_signature(
        &self,
        envelope: &Envelope,
        signature: &Signature,
        now: Timestamp,
    ) -> Result<&KeyRecord, Refusal> {
        let claim = head(&envelope.payload).unwrap_or_default();
        let message = Message::of(envelope, &claim, &self.root.domain);
        let held = holder(&Ring::of(self), &message, signature, Some(now));
        held.map_err(Refusal::from)
    }

    /// Whose signatures under an envelope hold, of everybody whose keys count.
    fn signers(&self, envelope: &Envelope, claim: &str, now: Timestamp) -> Signers<'_> {
        Signers::of(&Ring::of(self), envelope, claim, Some(now))
    }

    /// Whether root and policy stand as the signers saw them.
    fn standing_faults(&self, release: &Release, now: Timestamp) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = self.root_expired(now).into_iter().collect();
        if release.root_version_min > self.root.version {
            let message = format!(
                "signed under root version {}, here is {}; fetch the newer root",
                release.root_version_min, self.root.version
            );
            reasons.push(Reason::new("AN-TRU-026", message));
        }
        match &self.policy {
            None => {
                let message = "no policy is adopted, so nothing may open; adopt one";
                reasons.push(Reason::new("AN-TRU-017", message));
            }
            Some((digest, _)) if *digest != release.policy => {
                let message = format!(
                    "signed under policy `{}`, in force is `{}`; draw it up again",
                    release.policy.short(),
                    digest.short()
                );
                reasons.push(Reason::new("AN-TRU-027", message));
            }
            Some(_) => {}
        }
        reasons
    }

    /// Why one cell of a wave may not open: each is bound on its own.
    fn cell_faults(
        &self,
        release: &Release,
        bound: &ReleaseCell,
        facts: Option<CellFacts>,
        signers: &Signers<'_>,
    ) -> Vec<Reason> {
        let cell = &bound.cell;
        let Some(facts) = facts else {
            let message = format!("cell `{cell}` is not known here; check the name and the table");
            return vec![Reason::new("AN-TRU-020", message)];
        };
        let mut reasons = Vec::new();
        if bound.epoch <= facts.epoch {
            let (old, now) = (bound.epoch.0, facts.epoch.0);
            let message = format!("`{cell}` is at epoch {now}, a release for {old} is burned");
            reasons.push(Reason::new("AN-TRU-023", message));
        }
        let Some((_, policy)) = &self.policy else {
            return reasons;
        };
        let Some(rule) = policy.rule(&facts, release.stage) else {
            let message = format!("no policy rule lets `{cell}` open to {}", release.stage);
            reasons.push(Reason::new("AN-TRU-028", message));
            return reasons;
        };
        // Break-glass is for when nobody can bring the findings yet.
        let demanded = rule.findings.iter().filter(|_| !release.break_glass);
        for kind in demanded {
            if !bound.evidence.iter().any(|evidence| evidence.kind == *kind) {
                let message = format!("`{cell}` lacks the finding {kind}; bring it and sign again");
                reasons.push(Reason::new("AN-TRU-029", message));
            }
        }
        reasons.extend(signers.missing(&self.demand(release, rule, facts.tenant)));
        reasons
    }

    /// Who must have signed for one cell: the only place where break-glass parts from a release.
    fn demand(&self, release: &Release, rule: &PolicyRule, tenant: Option<TenantId>) -> Demand {
        let of = match release.break_glass {
            true => Demand::of_break_glass,
            false => Demand::of_rule,
        };
        of(rule, tenant, self.root.drill)
    }
}

/// Clocks differ a little; nobody speaks from the future.
fn ahead_faults(at: Timestamp, now: Timestamp) -> Vec<Reason> {
    let message = format!("decided at {at}, but it is only {now}; check the clocks");
    let ahead = (at > now + CLOSE_AHEAD_MAX).then(|| Reason::new("AN-TRU-041", message));
    ahead.into_iter().collect()
}

/// What is wrong with stage and time, whoever signed.
fn window_faults(release: &Release, now: Timestamp) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let (from, to) = (release.not_before, release.not_after);
    if release.stage == Stage::Closed {
        let message = "a release opens; to shut cells, sign a close";
        reasons.push(Reason::new("AN-TRU-022", message));
    }
    if from >= to || to > from + Minutes::days(RELEASE_LIFETIME_DAYS_MAX) {
        let message = format!(
            "it would hold from {from} until {to}; at most {RELEASE_LIFETIME_DAYS_MAX} days"
        );
        reasons.push(Reason::new("AN-TRU-018", message));
    }
    if release.break_glass && to > from + Minutes(i64::from(BREAK_GLASS_MINUTES_MAX)) {
        let message = format!(
            "break-glass from {from} until {to}; at most {BREAK_GLASS_MINUTES_MAX} minutes, then \
             draw up the next"
        );
        reasons.push(Reason::new("AN-TRU-045", message));
    }
    if now < from {
        let message = format!("it holds from {from} on, and it is {now}; try again then");
        reasons.push(Reason::new("AN-TRU-024", message));
    }
    if now >= to {
        let message = format!("it ended at {to}, and it is {now}; sign a new release");
        reasons.push(Reason::new("AN-TRU-025", message));
    }
    reasons
}

/// Whether one signature of this key closes the scope.
fn may_close(
    record: &KeyRecord,
    scope: &Scope,
    facts: &dyn Fn(&CellId) -> Option<CellFacts>,
) -> bool {
    // One word of these closes any scope; the tenant's closes its own cells.
    if let Role::Operator | Role::Security | Role::Owner | Role::Forensics | Role::Automation =
        record.role
    {
        return true;
    }
    let (Role::Tenant, Some(tenant)) = (record.role, &record.tenant) else {
        return false;
    };
    // A cell the table does not know yet is judged by its name.
    let own = |cell: &CellId| match facts(cell) {
        Some(facts) => facts.tenant.as_ref() == Some(tenant),
        None => cell.owner() == tenant.as_str(),
    };
    match scope {
        Scope::Tenant(scope) => scope == tenant,
        Scope::Cells(cells) => cells.iter().all(own),
        Scope::Everything | Scope::Site(_) | Scope::Service(_) => false,
    }
}
