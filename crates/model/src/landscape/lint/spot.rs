//! Which piece of a landscape a problem is about: a place in the lists of [`Declared`].
//!
//! In:    a list, a position or an id, a key.
//! Out:   [`Spot`]; `source` finds the line it stands on.

use crate::id::{ServiceId, TenantId};
use crate::landscape::Declared;

/// A list of [`Declared`], or its top.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum List {
    /// The single values at the top: title, time zone, provider.
    Top,
    /// Sites.
    Sites,
    /// Organisations.
    Organisations,
    /// Teams.
    Teams,
    /// Services.
    Services,
    /// Tenants.
    Tenants,
    /// Offers.
    Offers,
    /// People.
    People,
    /// Estimates.
    Work,
    /// Freezes.
    Freezes,
    /// Deadlines.
    Deadlines,
    /// Rules of the policy.
    Rules,
    /// Rules of freshness.
    Freshness,
}

/// One value of one piece, or a piece, or a whole list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spot {
    /// Which list.
    pub list: List,
    /// Which of its pieces, from 0; none means the list as a whole.
    pub index: Option<usize>,
    /// Which value of the piece: `needs`.
    pub key: &'static str,
    /// Which item of the value, if it is a list. From 0.
    pub item: Option<usize>,
}

impl Spot {
    /// A value at the top.
    pub(super) fn top(key: &'static str) -> Self {
        Self::nth(List::Top, 0, key)
    }

    /// A list as a whole.
    pub(super) fn whole(list: List) -> Self {
        Self {
            list,
            index: None,
            key: "id",
            item: None,
        }
    }

    /// A value of the n-th piece of a list.
    pub(super) fn nth(list: List, index: usize, key: &'static str) -> Self {
        Self {
            list,
            index: Some(index),
            key,
            item: None,
        }
    }

    /// A value of the piece that is found, else the list as a whole.
    pub(super) fn found(list: List, index: Option<usize>, key: &'static str) -> Self {
        Self {
            index,
            key,
            ..Self::whole(list)
        }
    }

    /// A value of a service.
    pub(super) fn service(declared: &Declared, id: &ServiceId, key: &'static str) -> Self {
        let index = declared.services.iter().position(|s| s.id == *id);
        Self::found(List::Services, index, key)
    }

    /// A value of a tenant.
    pub(super) fn tenant(declared: &Declared, id: &TenantId, key: &'static str) -> Self {
        let index = declared.tenants.iter().position(|t| t.id == *id);
        Self::found(List::Tenants, index, key)
    }

    /// Another value of the same piece.
    pub(super) fn at(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    /// The n-th item of the value.
    pub(super) fn item(self, item: Option<usize>) -> Self {
        Self { item, ..self }
    }
}
