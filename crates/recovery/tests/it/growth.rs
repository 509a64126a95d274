//! What grows: the landscape, the plans nobody decides on, the reasons of a refusal.

use anlauf_model::{CellId, Digest, Epoch, Minutes, Plan};
use anlauf_recovery::{Order, State};
use anlauf_trust::{Close, Scope};

use crate::cast;
use crate::story::House;

/// A house whose ledger begins with a landscape that lacks one cell.
fn smaller(gone: &str) -> House {
    let mut house = House::empty();
    let mut landscape = Box::new(cast::declared());
    landscape
        .offers
        .retain(|offer| format!("{}/{}", offer.tenant, offer.service) != gone);
    house
        .send("op", Order::AdoptLandscape { landscape })
        .unwrap();
    house
        .send(
            "op",
            Order::AdoptRoot {
                envelope: cast::root(1),
            },
        )
        .unwrap();
    house
}

fn epoch(state: &State, cell: &str) -> Epoch {
    state.cells[&cell.parse::<CellId>().unwrap()].epoch
}

/// The gates burn wide scopes for cells that are still to come; so does the ledger.
#[test]
fn new_cells_begin_above_what_was_burned() {
    let mut house = smaller("birch/web");
    for (scope, epoch) in [
        (Scope::Service("web".parse().unwrap()), Epoch(5)),
        (Scope::Tenant("birch".parse().unwrap()), Epoch(3)),
        (Scope::Site("east".parse().unwrap()), Epoch(9)),
    ] {
        let (domain, at) = ("drill-house".to_owned(), house.now);
        let close = Close {
            domain,
            scope,
            epoch,
            at,
            reason: "first signs".into(),
        };
        let envelope = cast::sealed(close.to_payload(), &["op"]);
        house.send("op", Order::Close { envelope }).unwrap();
    }
    // A policy for a table that is not adopted is refused; the larger landscape is not.
    let policy = Order::AdoptPolicy {
        envelope: cast::policy(1, cast::rules_normal()),
    };
    let refusal = house.send("op", policy.clone()).unwrap_err();
    assert_eq!(refusal.reasons[0].code, "AN-REC-012");
    house
        .send(
            "op",
            Order::AdoptLandscape {
                landscape: Box::new(cast::declared()),
            },
        )
        .unwrap();
    house.send("op", policy).unwrap();
    assert_eq!(epoch(&house.state, "birch/web"), Epoch(5));
    assert_eq!(epoch(&house.state, "birch/record"), Epoch(3));
    assert_eq!(epoch(&house.state, "alder/web"), Epoch(9));
    assert_eq!(epoch(&house.state, "west/net"), Epoch(0));
}

#[test]
fn a_cell_never_vanishes() {
    let mut house = House::new();
    let mut landscape = Box::new(cast::declared());
    landscape.offers.pop();
    let refusal = house
        .send("op", Order::AdoptLandscape { landscape })
        .unwrap_err();
    assert_eq!(refusal.reasons[0].code, "AN-REC-011");
}

/// An automation that proposes without end fills no memory; the newest plans stay.
#[test]
fn plans_nobody_decides_on_give_way() {
    let mut house = House::new();
    let mut last = Digest([0; 32]);
    for _ in 0..40 {
        house.now = house.now + Minutes(1);
        let (id, made_at) = (Digest([0; 32]), house.now);
        let rows = Vec::new();
        let plan = Plan {
            id,
            parent: None,
            made_at,
            rows,
            objective: 0,
            bound: 0,
        }
        .sealed();
        last = plan.id;
        house
            .send(
                "auto",
                Order::ProposePlan {
                    plan: Box::new(plan),
                },
            )
            .unwrap();
    }
    assert_eq!(house.state.proposed.len(), 32);
    house.send("op", Order::AdoptPlan { plan: last }).unwrap();
    assert!(house.state.proposed.is_empty());
}

/// Every reason at once, but no more than a person can read.
#[test]
fn a_refusal_counts_what_it_does_not_list() {
    let mut house = House::new();
    let unknown = |number: u32| format!("moon-{number}/web").parse::<CellId>().unwrap();
    let cells = (0..500).map(unknown).collect();
    let refusal = house.send("op", Order::CatchUp { cells }).unwrap_err();
    assert_eq!(refusal.reasons.len(), 201);
    assert_eq!(refusal.reasons[200].message, "and 300 more reasons");
    let many = (0..20_001).map(unknown).collect();
    let refusal = house
        .send("op", Order::CatchUp { cells: many })
        .unwrap_err();
    assert_eq!(
        refusal.reasons[0].message,
        "the order names more than 20,000 items"
    );
}
