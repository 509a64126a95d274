//! A release on its way: what it says, who signed, who is missing.

use std::collections::BTreeMap;

use anlauf_model::{Digest, PersonId, Role, Stage, TenantId, Timestamp};
use anlauf_recovery::state::{ReleaseCase, ReleaseEnd};
use anlauf_recovery::{Actor, State, words_missing};
use anlauf_trust::{KeyRecord, Origin};
use anlauf_words::fingerprint;

use super::{CellName, cell_name};

/// Cells a card names; the rest is counted.
const CELL_SHOWN_MAX: usize = 12;

/// A release on its way.
#[derive(Clone, Debug)]
pub(crate) struct ReleaseView {
    pub(crate) id: Digest,
    pub(crate) fingerprint: String,
    /// The statement in words, German and English: what one signs.
    pub(crate) words: [String; 2],
    pub(crate) stage: Stage,
    pub(crate) is_break_glass: bool,
    pub(crate) cells: Vec<CellName>,
    pub(crate) cells_more: usize,
    pub(crate) not_after: Timestamp,
    pub(crate) proposed: (PersonId, Timestamp),
    pub(crate) signed: Vec<SignedBy>,
    pub(crate) missing: Vec<MissingSigner>,
    /// Whether whoever looks is among the missing.
    pub(crate) is_mine: bool,
    /// Where whoever looks signs with a passkey, if they have one.
    pub(crate) passkey_at: Option<String>,
    pub(crate) end: ReleaseEnd,
}

/// Who signed.
#[derive(Clone, Debug)]
pub(crate) struct SignedBy {
    pub(crate) person: PersonId,
    pub(crate) role: Option<Role>,
    pub(crate) organisation: String,
    pub(crate) at: Timestamp,
}

/// Who has still to sign.
#[derive(Clone, Debug)]
pub(crate) struct MissingSigner {
    /// None: any whose word opens, of another organisation than those who signed.
    pub(crate) role: Option<Role>,
    pub(crate) count: u32,
    /// Everyone whose signature would count.
    pub(crate) people: Vec<PersonId>,
}

impl ReleaseView {
    pub(crate) fn of(state: &State, id: &Digest, case: &ReleaseCase, actor: &Actor) -> Self {
        let missing = missing(state, case);
        let names = case
            .release
            .cells
            .iter()
            .take(CELL_SHOWN_MAX)
            .filter_map(|bound| Some(cell_name(state.landscape.as_deref()?, &bound.cell)));
        Self {
            id: *id,
            fingerprint: fingerprint(id),
            words: [anlauf_model::Language::De, anlauf_model::Language::En]
                .map(|language| anlauf_words::release(&case.release, language)),
            stage: case.release.stage,
            is_break_glass: case.release.break_glass,
            cells: names.collect(),
            cells_more: case.release.cells.len().saturating_sub(CELL_SHOWN_MAX),
            not_after: case.release.not_after,
            proposed: case.proposed.clone(),
            signed: signed(state, case),
            is_mine: is_mine(case, actor, &missing),
            passkey_at: passkey_at(state, id, actor),
            missing,
            end: case.end.clone(),
        }
    }

    /// Whether everyone signed that has to.
    pub(crate) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

fn passkey_at(state: &State, id: &Digest, actor: &Actor) -> Option<String> {
    let area = match actor.role {
        Role::Tenant => "tenant",
        _ => "console",
    };
    let has = !passkeys(state, actor, state.at).is_empty();
    has.then(|| format!("/{area}/sign/{id}"))
}

/// The passkeys of a person that are valid.
pub(crate) fn passkeys<'s>(state: &'s State, actor: &Actor, now: Timestamp) -> Vec<&'s KeyRecord> {
    let authority = state.authority.as_ref();
    let keys = authority.into_iter().flat_map(|a| a.keys());
    let own = keys.filter(|key| key.person == actor.person && key.is_valid_at(now));
    own.filter(|key| key.scheme.origin() == Origin::Web)
        .collect()
}

/// Whether this person's signature is waited for.
pub(crate) fn is_mine(case: &ReleaseCase, actor: &Actor, missing: &[MissingSigner]) -> bool {
    case.end == ReleaseEnd::Open
        && missing
            .iter()
            .any(|signer| signer.people.contains(&actor.person))
}

fn signed(state: &State, case: &ReleaseCase) -> Vec<SignedBy> {
    let authority = state.authority.as_ref();
    let of = |(person, at): (&PersonId, &Timestamp)| {
        let record = authority.and_then(|a| a.keys().find(|key| key.person == *person));
        SignedBy {
            person: person.clone(),
            role: record.map(|record| record.role),
            organisation: record
                .map(|r| r.organisation.to_string())
                .unwrap_or_default(),
            at: *at,
        }
    };
    case.signed.iter().map(of).collect()
}

/// Who has still to sign, over all cells of the release.
pub(crate) fn missing(state: &State, case: &ReleaseCase) -> Vec<MissingSigner> {
    if case.release.break_glass {
        let (count, people) = words_missing(state, case);
        let role = None;
        let missing = MissingSigner {
            role,
            count,
            people,
        };
        return Some(missing).filter(|_| count > 0).into_iter().collect();
    }
    let (Some(landscape), Some(authority)) = (&state.landscape, &state.authority) else {
        return Vec::new();
    };
    let Some((_, policy)) = authority.policy() else {
        return Vec::new();
    };
    let mut demanded: BTreeMap<Role, u32> = BTreeMap::new();
    let mut tenant: Option<&TenantId> = None;
    for bound in &case.release.cells {
        let Some(cell) = landscape.cell(&bound.cell) else {
            continue;
        };
        tenant = tenant.or(cell.tenant());
        let stage = case.release.stage;
        let rule = policy
            .rules
            .iter()
            .find(|rule| rule.matches(cell.class, cell.kind, stage));
        for signer in rule.map(|rule| rule.signers.as_slice()).unwrap_or_default() {
            let count = demanded.entry(signer.role).or_default();
            *count = (*count).max(signer.count);
        }
    }
    let mut missing = Vec::new();
    for (role, count) in demanded {
        let counts = |key: &&anlauf_trust::KeyRecord| {
            key.role == role && (role != Role::Tenant || key.tenant.as_ref() == tenant)
        };
        let mut people: Vec<PersonId> = authority
            .keys()
            .filter(counts)
            .map(|key| key.person.clone())
            .collect();
        people.sort();
        people.dedup();
        let have = people
            .iter()
            .filter(|person| case.signed.contains_key(person))
            .count();
        people.retain(|person| !case.signed.contains_key(person));
        let left = count.saturating_sub(u32::try_from(have).unwrap_or(u32::MAX));
        if left > 0 {
            missing.push(MissingSigner {
                role: Some(role),
                count: left,
                people,
            });
        }
    }
    missing
}
