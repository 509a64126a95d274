//! Which cells a picture shows, and what its rows stand for.
//!
//! In:    the question of an address. Out: [`Filter`]. Never: a choice that is in no list.

use anlauf_model::landscape::{Cell, Landscape};
use anlauf_model::{CellId, ServiceId, SiteId, TenantId};

use crate::view::Text2;

/// What a row stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum By {
    #[default]
    Service,
    Tenant,
    Site,
}

/// Which cells are shown. What is not given is not asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) by: By,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) service: Option<ServiceId>,
    pub(crate) site: Option<SiteId>,
}

/// What can be chosen: id and name, in the landscape's order.
#[derive(Default)]
pub(crate) struct Choices {
    pub(crate) tenants: Vec<(String, Text2)>,
    pub(crate) services: Vec<(String, Text2)>,
    pub(crate) sites: Vec<(String, Text2)>,
}

impl By {
    pub(crate) const ALL: [By; 3] = [By::Service, By::Tenant, By::Site];

    /// The word in the address.
    pub(crate) fn word(self) -> &'static str {
        match self {
            By::Service => "",
            By::Tenant => "tenant",
            By::Site => "site",
        }
    }

    /// What a word asks for; services when it is not known.
    pub(crate) fn of(word: Option<&str>) -> Self {
        let asked = |by: &By| Some(by.word()) == word;
        By::ALL.into_iter().find(asked).unwrap_or_default()
    }
}

impl Filter {
    /// Whether it leaves anything out.
    pub(crate) fn is_empty(&self) -> bool {
        self.tenant.is_none() && self.service.is_none() && self.site.is_none()
    }

    /// Whether a cell is shown.
    pub(crate) fn admits(&self, cell: &Cell) -> bool {
        let tenant = self.tenant.as_ref();
        let service = self.service.as_ref();
        tenant.is_none_or(|id| cell.tenant() == Some(id))
            && service.is_none_or(|id| cell.service == *id)
            && self.site.as_ref().is_none_or(|id| cell.site == *id)
    }

    /// Whether a cell of this id is shown.
    pub(crate) fn admits_id(&self, landscape: &Landscape, id: &CellId) -> bool {
        self.is_empty() || landscape.cell(id).is_some_and(|cell| self.admits(cell))
    }
}

impl Choices {
    pub(crate) fn of(landscape: &Landscape) -> Self {
        let declared = landscape.declared();
        let tenants = declared.tenants.iter();
        let services = declared.services.iter();
        let sites = declared.sites.iter();
        Self {
            tenants: tenants
                .map(|one| (one.id.to_string(), Text2::same(&one.name)))
                .collect(),
            services: services
                .map(|one| (one.id.to_string(), Text2::from(&one.name)))
                .collect(),
            sites: sites
                .map(|one| (one.id.to_string(), Text2::from(&one.name)))
                .collect(),
        }
    }
}
