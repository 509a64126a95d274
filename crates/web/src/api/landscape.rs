//! What is run, for whom.
//!
//! In:    a login. Out: the whole landscape as declared, or a tenant's own part of it.
//! Never: backends, teams or estimates to a tenant; anything of another tenant.

use std::collections::BTreeSet;
use std::sync::Arc;

use anlauf_model::landscape::{Declared, Service};
use anlauf_model::{Landscape, ServiceId, SiteId, TenantId};
use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Value, json};

use super::ask::Reader;
use super::route::Route;
use super::shape::{Shape, list, object};
use super::status::text_shape;
use crate::Web;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let any = |says| list(Shape::Any(says));
    vec![
        Route::get(
            "/landscape",
            "The landscape as declared; a tenant's own part.",
            landscape,
        )
        .answer(
            object([
                ("id", Shape::Text("short name")),
                ("title", text_shape()),
                ("time_zone", Shape::Text("IANA time zone of working hours")),
                ("provider", Shape::Text("the provider as an organisation")),
                ("sites", any("a data centre")),
                ("services", any("a service type")),
                ("tenants", any("a customer")),
                ("offers", any("a tenant has a service")),
                ("people", any("a person with a role")),
            ])
            .or([
                (
                    "organisations",
                    any("an outside organisation; provider only"),
                ),
                ("teams", any("a team; provider only")),
                ("work", any("an estimate; provider only")),
                ("freezes", any("a time without releases; provider only")),
                ("policy", any("a rule as declared; provider only")),
            ]),
        )
        .problem(404, "no landscape is adopted"),
    ]
}

async fn landscape(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
) -> Result<Json<Value>, Problem> {
    let landscape = web.desk.state().landscape.clone();
    let landscape = landscape.ok_or_else(|| Problem::not_found("landscape"))?;
    let told = match who.tenant() {
        Some(tenant) => own_part(&landscape, tenant),
        None => serde_json::to_value(landscape.declared()).expect("it has only string keys"),
    };
    Ok(Json(told))
}

fn own_part(landscape: &Landscape, tenant: &TenantId) -> Value {
    let declared: &Declared = landscape.declared();
    let ids = landscape.cells_of_tenant(tenant);
    let cells = ids.iter().filter_map(|id| landscape.cell(id));
    let (mut services, mut sites) = (BTreeSet::<&ServiceId>::new(), BTreeSet::<&SiteId>::new());
    for cell in cells {
        services.insert(&cell.service);
        sites.insert(&cell.site);
    }
    let own = declared.tenants.iter().filter(|one| one.id == *tenant);
    let offers = declared
        .offers
        .iter()
        .filter(|offer| offer.tenant == *tenant);
    let people = landscape.people().iter();
    let people = people.filter(|one| one.organisation.as_str() == tenant.as_str());
    let of_own = declared
        .services
        .iter()
        .filter(|service| services.contains(&service.id));
    let at = declared
        .sites
        .iter()
        .filter(|site| sites.contains(&site.id));
    json!({
        "id": declared.id,
        "title": declared.title,
        "time_zone": declared.time_zone,
        "provider": declared.provider,
        "sites": at.map(|site| json!({ "id": site.id, "name": site.name })).collect::<Vec<_>>(),
        "services": of_own.map(service).collect::<Vec<_>>(),
        "tenants": own.collect::<Vec<_>>(),
        "offers": offers.collect::<Vec<_>>(),
        "people": people.collect::<Vec<_>>(),
    })
}

fn service(service: &Service) -> Value {
    json!({
        "id": service.id,
        "name": service.name,
        "scope": service.scope,
        "custom": service.custom,
        "confidentiality": service.confidentiality,
        "integrity": service.integrity,
        "availability": service.availability,
        "mta_hours": service.mta_hours,
        "rto_hours": service.rto_hours,
        "stages": service.stages,
    })
}
