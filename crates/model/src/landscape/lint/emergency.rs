//! Emergency operation: a second way to reach a service, and back from it.
//!
//! In:    the service types that name the service whose emergency operation they are.
//! Out:   errors for ways that lead nowhere.
//! See:   docs/formats/landscape.md, "Emergency operation"; BSI 200-4 for the words.

use std::collections::{BTreeMap, BTreeSet};

use super::{Problems, Spot, graph};
use crate::id::ServiceId;
use crate::landscape::{CellKind, Declared, Service, ServiceScope, word_of};
use crate::task::TaskKind;

const CODE: &str = "AN-LAN-046";

pub(super) fn check(declared: &Declared, problems: &mut Problems) {
    let services: BTreeMap<&ServiceId, &Service> =
        declared.services.iter().map(|s| (&s.id, s)).collect();
    let mut taken: BTreeMap<&ServiceId, &ServiceId> = BTreeMap::new();
    for service in &declared.services {
        leaning(declared, &services, service, problems);
        let Some(regular) = &service.emergency_for else {
            continue;
        };
        let here = [Spot::service(declared, &service.id, "emergency_for")];
        let what = format!(
            "service `{}` is the emergency operation of `{regular}`",
            service.id
        );
        if let Some(other) = taken.insert(regular, &service.id) {
            let message = format!("{what}, and so is `{other}`; a service has one at most");
            problems.error(CODE, message, here);
        }
        let Some(regular) = services.get(regular) else {
            continue;
        };
        for wrong in wrong(declared, service, regular) {
            problems.error(CODE, format!("{what}, {wrong}"), here);
        }
    }
}

/// Everything that keeps one service from being the emergency operation of another.
fn wrong(declared: &Declared, service: &Service, regular: &Service) -> Vec<String> {
    let mut wrong = Vec::new();
    if service.custom || regular.custom {
        wrong.push("but non-standard services have none; remove `custom`".to_owned());
    }
    if regular.emergency_for.is_some() {
        wrong.push("which is one itself; name the regular service".to_owned());
    }
    let tenants = |s: &Service| matches!(s.scope, ServiceScope::Shared | ServiceScope::Tenant);
    let fits = match regular.scope {
        ServiceScope::Foundation | ServiceScope::Site => service.scope == regular.scope,
        ServiceScope::Shared | ServiceScope::Tenant => tenants(service),
    };
    if !fits {
        wrong.push("but nobody who has the one has the other; give both the same scope".to_owned());
    }
    if graph::leans_on(declared, &service.id, &regular.id) {
        wrong.push("but waits for it itself; remove that from `needs` and `after`".to_owned());
    }
    let estimated: BTreeSet<CellKind> = declared
        .work
        .iter()
        .filter(|line| line.task == TaskKind::Return)
        .map(|line| line.kind)
        .collect();
    for kind in kinds(regular) {
        if !estimated.contains(kind) {
            let kind = word_of(kind);
            wrong.push(format!(
                "but no [[work]] says how long the way back takes: add task `return` for kind \
                 `{kind}`"
            ));
        }
    }
    wrong
}

/// Kinds of the cells of a service.
fn kinds(service: &Service) -> &'static [CellKind] {
    match service.scope {
        ServiceScope::Foundation | ServiceScope::Site => &[CellKind::Foundation],
        ServiceScope::Shared => &[CellKind::Shared, CellKind::Switch],
        ServiceScope::Tenant => &[CellKind::Tenant],
    }
}

/// A regular service that waits for what the plan may do without.
fn leaning(
    declared: &Declared,
    services: &BTreeMap<&ServiceId, &Service>,
    service: &Service,
    problems: &mut Problems,
) {
    if service.emergency_for.is_some() {
        return;
    }
    for (key, names) in [("needs", &service.needs), ("after", &service.after)] {
        for (item, name) in names.iter().enumerate() {
            let is_emergency = |s: &&Service| s.emergency_for.is_some();
            if services.get(name).copied().filter(is_emergency).is_some() {
                let message = format!(
                    "service `{}` waits for `{name}`, which is an emergency operation and may \
                     never be opened; name the regular service",
                    service.id
                );
                let here = Spot::service(declared, &service.id, key).item(Some(item));
                problems.error(CODE, message, [here]);
            }
        }
    }
}
