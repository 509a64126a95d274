//! Whoever owns the control plane: hands gates what it likes, and holds one person's two keys.
//!
//! In:    everything the control plane ever saw. Out: forged feed items.
//! Never: has a second person's key: with a quorum of keys there is nothing left to promise.

use anlauf_model::feed::{FeedItem, FeedKind};
use anlauf_model::{CellId, Digest, Epoch, Minutes, PersonId, Stage, Timestamp};
use anlauf_recovery::state::{ReleaseCase, ReleaseEnd, State};
use anlauf_trust::{Envelope, Policy, Release, ReleaseCell, Root, Signature, Statement};

use crate::cast::Cast;
use crate::chance::Chance;
use crate::check::Truth;

/// Whose key was stolen: may sign releases, roots and closings.
pub const STOLEN: &str = "sec-1";

/// What the adversary saw pass by and the control plane did not keep: signatures it refused.
pub type Strays = Vec<(Digest, Signature)>;

/// One forgery, or none when there is nothing to forge from yet.
pub fn forge(
    chance: &mut Chance,
    (state, strays): (&State, &Strays),
    (cast, truth): (&Cast, &mut Truth),
    now: Timestamp,
) -> Option<(FeedKind, String)> {
    match chance.below(11) {
        0 | 1 => replayed(chance, state),
        2 => stripped(chance, state),
        3 => doubled(chance, state),
        4 => bent(chance, state),
        5 | 6 => own_release(chance, state, (cast, truth), now),
        7 | 8 => half_signed(chance, (state, strays), (cast, truth)),
        9 => broken(chance, state),
        _ => own_document(chance, state, (cast, truth), now),
    }
}

fn text(envelope: &Envelope) -> String {
    String::from_utf8_lossy(&envelope.to_bytes()).into_owned()
}

fn any(chance: &mut Chance, state: &State, kind: Option<FeedKind>) -> Option<FeedItem> {
    let fits = |item: &&std::sync::Arc<FeedItem>| kind.is_none_or(|kind| item.kind == kind);
    let items: Vec<_> = state.feed.iter().filter(fits).collect();
    let item = items.get(chance.below(items.len()))?;
    Some((***item).clone())
}

fn any_release(chance: &mut Chance, state: &State) -> Option<Envelope> {
    let item = any(chance, state, Some(FeedKind::Release))?;
    Envelope::parse(item.envelope.as_bytes()).ok()
}

/// Something old again: a release that was burned, a policy or root of before, a close; now and
/// then under another name.
fn replayed(chance: &mut Chance, state: &State) -> Option<(FeedKind, String)> {
    let kinds = [
        None,
        Some(FeedKind::Release),
        Some(FeedKind::Release),
        Some(FeedKind::Policy),
    ];
    let kind = kinds[chance.below(kinds.len())];
    let item = any(chance, state, kind)?;
    let other = [
        FeedKind::Root,
        FeedKind::Policy,
        FeedKind::Release,
        FeedKind::Close,
    ];
    let kind = if chance.percent(10) {
        other[chance.below(4)]
    } else {
        item.kind
    };
    Some((kind, item.envelope))
}

/// A release with signatures taken away.
fn stripped(chance: &mut Chance, state: &State) -> Option<(FeedKind, String)> {
    let mut envelope = any_release(chance, state)?;
    let keep = chance.below(envelope.signatures.len());
    envelope.signatures.truncate(keep);
    Some((FeedKind::Release, text(&envelope)))
}

/// One person's signature four times over.
fn doubled(chance: &mut Chance, state: &State) -> Option<(FeedKind, String)> {
    let open: Vec<_> = state
        .releases
        .values()
        .filter(|case| !case.signed.is_empty())
        .collect();
    let case = open.get(chance.below(open.len()))?;
    let mut envelope = case.envelope.clone();
    let one = envelope
        .signatures
        .get(chance.below(envelope.signatures.len()))?
        .clone();
    envelope.signatures = vec![one; 4];
    Some((FeedKind::Release, text(&envelope)))
}

/// The signatures of one release under another statement: other cell, later epoch, wider stage,
/// later end.
fn bent(chance: &mut Chance, state: &State) -> Option<(FeedKind, String)> {
    let mut envelope = any_release(chance, state)?;
    let Ok(mut release) = Release::parse(&envelope.payload) else {
        return None;
    };
    let which = chance.below(release.cells.len());
    match chance.below(4) {
        0 => release.cells[which].cell = any_cell(chance, state)?,
        1 => release.cells[which].epoch = beyond(state, &release.cells[which].cell),
        2 => release.stage = Stage::Full,
        _ => release.not_after = release.not_after + Minutes::days(30),
    }
    envelope.payload = release.to_payload();
    Some((FeedKind::Release, text(&envelope)))
}

fn any_cell(chance: &mut Chance, state: &State) -> Option<CellId> {
    state
        .cells
        .keys()
        .nth(chance.below(state.cells.len()))
        .cloned()
}

/// An epoch above everything this cell has seen.
fn beyond(state: &State, cell: &CellId) -> Epoch {
    let seen = state
        .cells
        .get(cell)
        .map(|known| known.epoch.max(known.epoch_proposed));
    Epoch(seen.unwrap_or_default().0 + 3)
}

/// A release of its own making: as the policy wants it, signed by the stolen key, often enough.
fn own_release(
    chance: &mut Chance,
    state: &State,
    (cast, truth): (&Cast, &mut Truth),
    now: Timestamp,
) -> Option<(FeedKind, String)> {
    let mut sample = any_release(chance, state).and_then(|e| Release::parse(&e.payload).ok())?;
    let (policy, _) = state.authority.as_ref()?.policy()?;
    let cell = any_cell(chance, state)?;
    let evidence = sample.cells.pop()?.evidence;
    sample.cells = vec![ReleaseCell {
        epoch: beyond(state, &cell),
        cell,
        evidence,
    }];
    (sample.policy, sample.not_before, sample.not_after) = (*policy, now, now + Minutes::days(5));
    sample.stage = Stage::Full;
    let mut envelope = Envelope::unsigned(sample.to_payload());
    truth.note(&envelope.payload, &stolen());
    let signature = cast.signer(STOLEN).signature(&envelope);
    envelope.signatures = vec![signature; 1 + chance.below(5)];
    Some((FeedKind::Release, text(&envelope)))
}

/// What people have begun to sign, before they are done, and what they gave up; with every
/// signature that someone should not have given, and now and then with the stolen key's.
fn half_signed(
    chance: &mut Chance,
    (state, strays): (&State, &Strays),
    (cast, truth): (&Cast, &mut Truth),
) -> Option<(FeedKind, String)> {
    let waits = |case: &ReleaseCase| !matches!(case.end, ReleaseEnd::Released(_));
    let stray = |id: &Digest| strays.iter().any(|(release, _)| release == id);
    let cases = state.releases.iter().filter(|(_, case)| waits(case));
    let signed = cases.filter(|(id, case)| !case.signed.is_empty() || stray(id));
    let (mut odd, plain): (Vec<_>, Vec<_>) = signed.partition(|(id, _)| stray(id));
    // The newest first: the older ones are burned by now.
    odd.sort_by_key(|(_, case)| std::cmp::Reverse(case.proposed.1));
    odd.truncate(3);
    let cases = if chance.percent(70) && !odd.is_empty() {
        odd
    } else {
        plain
    };
    let (id, case) = cases.get(chance.below(cases.len()))?;
    let mut envelope = case.envelope.clone();
    let added = strays.iter().filter(|(release, _)| release == *id);
    envelope
        .signatures
        .extend(added.map(|(_, signature)| signature.clone()));
    envelope.signatures.truncate(64);
    if chance.percent(50) {
        truth.note(&envelope.payload, &stolen());
        cast.signer(STOLEN).sign(&mut envelope);
        cast.spare().sign(&mut envelope);
    }
    Some((FeedKind::Release, text(&envelope)))
}

/// A bit flipped somewhere in the text.
fn broken(chance: &mut Chance, state: &State) -> Option<(FeedKind, String)> {
    let item = any(chance, state, None)?;
    let mut bytes = item.envelope.into_bytes();
    let index = chance.below(bytes.len());
    bytes[index] ^= 1 << chance.below(7);
    Some((item.kind, String::from_utf8_lossy(&bytes).into_owned()))
}

/// The next policy, asking only for whom it has; or the next root, with only its own key.
fn own_document(
    chance: &mut Chance,
    state: &State,
    (cast, truth): (&Cast, &mut Truth),
    now: Timestamp,
) -> Option<(FeedKind, String)> {
    let authority = state.authority.as_ref()?;
    let (kind, payload) = if chance.percent(50) {
        let (_, policy) = authority.policy()?;
        let mut policy: Policy = policy.clone();
        policy.version += 1;
        for rule in &mut policy.rules {
            rule.signers
                .retain(|signer| signer.role == anlauf_model::Role::Security);
            rule.organisations_min = 1;
        }
        policy.rules.retain(|rule| !rule.signers.is_empty());
        (FeedKind::Policy, policy.to_payload())
    } else {
        let mut root: Root = authority.root().clone();
        root.version += 1;
        root.keys.retain(|key| key.person == stolen());
        root.root_keys = root.keys.iter().map(|key| key.id.clone()).collect();
        (root.root_threshold, root.root_organisations_min) = (1, 1);
        root.expires = now + Minutes::days(300);
        (FeedKind::Root, root.to_payload())
    };
    let mut envelope = Envelope::unsigned(payload);
    if matches!(Statement::parse(&envelope.payload), Ok(Statement::Root(_))) {
        truth.note(&envelope.payload, &stolen());
    }
    let signature = cast.signer(STOLEN).signature(&envelope);
    envelope.signatures = vec![signature; 3];
    Some((kind, text(&envelope)))
}

fn stolen() -> PersonId {
    STOLEN.parse().expect("the stolen key's id is legal")
}
