//! Emergency operation in the state machine: the way back is a step while it is open, only then.

use std::sync::Arc;

use anlauf_model::landscape::Offer;
use anlauf_model::{Landscape, Stage, TaskKind};
use anlauf_recovery::query;

use crate::cast;
use crate::story::House;
use crate::verb::cell;

/// A house in an incident, in which each tenant's web service has an emergency operation.
fn house() -> House {
    let mut declared = cast::declared();
    let web = declared.services.iter().find(|s| s.id.as_str() == "web");
    let mut small = web.unwrap().clone();
    small.emergency_for = Some(small.id.clone());
    small.id = "small".parse().unwrap();
    small.path = Some("/small".into());
    let has = |offer: &&Offer| offer.service.as_str() == "web";
    let offers: Vec<Offer> = declared.offers.iter().filter(has).cloned().collect();
    declared
        .offers
        .extend(offers.into_iter().map(|offer| Offer {
            service: small.id.clone(),
            ..offer
        }));
    declared.services.push(small);
    let kind = cast::LANDSCAPE.cell(&cell("alder/web")).unwrap().kind;
    let mut back = declared.work[0].clone();
    (back.kind, back.task) = (kind, TaskKind::Return);
    declared.work.push(back);

    let mut house = House::new();
    house.play("op commission");
    house.play("op contain");
    let landscape = Landscape::new(declared).unwrap();
    for id in landscape.cells().keys() {
        house.state.cells.entry(id.clone()).or_default();
    }
    house.state.landscape = Some(Arc::new(landscape));
    house
}

fn open(house: &mut House, id: &str, stage: Stage) {
    house.state.cells.get_mut(&cell(id)).unwrap().stage = stage;
}

fn steps(house: &House) -> Vec<TaskKind> {
    let landscape = house.state.landscape.clone().unwrap();
    let web = landscape.cell(&cell("alder/web")).unwrap();
    query::steps(&house.state, web)
        .map(|(task, _)| task)
        .collect()
}

#[test]
fn the_way_back_is_a_step_only_while_the_emergency_operation_is_open() {
    let mut house = house();
    let own = steps(&house);
    assert!(!own.contains(&TaskKind::Return));
    assert_eq!(
        house.play("op start return alder/web"),
        "refused: cell `alder/web` has no task return (AN-REC-036)"
    );
    open(&mut house, "alder/small", Stage::Pilot);
    assert_eq!(steps(&house), own, "testers are not people");

    open(&mut house, "alder/small", Stage::Full);
    let with = steps(&house);
    let back = with
        .iter()
        .position(|task| *task == TaskKind::Return)
        .unwrap();
    assert_eq!(with[back + 1..], [TaskKind::Decision]);
    let held = query::holding_short(&house.state, &cell("alder/web")).unwrap();
    assert!(held.tasks_open.contains(&TaskKind::Return));
    let refused = house.play("op start decision alder/web");
    let words = "return of `alder/web` comes before decision and is not done (AN-REC-031)";
    assert!(refused.contains(words), "{refused}");
    // Another tenant's emergency operation is not this one's.
    let other = house.play("op start decision birch/web");
    assert!(!other.contains("return"), "{other}");
}

#[test]
fn an_incident_ends_without_the_makeshift_and_not_before_it_is_closed() {
    let mut house = house();
    let ids: Vec<String> = house.state.cells.keys().map(ToString::to_string).collect();
    let done = |house: &House| query::progress(&house.state).systems_restored_per_mille;
    for id in ids.iter().filter(|id| !id.ends_with("/small")) {
        open(&mut house, id, Stage::Full);
    }
    assert_eq!(done(&house), 1000, "nobody waits for a makeshift");
    assert_eq!(house.state.unrestored().count(), 0);
    open(&mut house, "birch/small", Stage::Full);
    let refused = house.play("op end");
    let words = "emergency operation `birch/small` is still open (AN-REC-023)";
    assert!(refused.contains(words), "{refused}");
    open(&mut house, "birch/small", Stage::Closed);
    let later = house.play("op end");
    assert!(!later.contains("AN-REC-023"), "{later}");
    let situation = query::situation(&house.state, house.now).unwrap();
    assert!(situation.progress.contains_key(&cell("birch/small")));
}
