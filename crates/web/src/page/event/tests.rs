//! Looking back finds a tenant's entries however many of others lie above them, or says it did not.

use anlauf_model::Role;
use anlauf_recovery::event::Scope;
use anlauf_recovery::{Entry, query};

use super::{Found, Limit, OWN_LINE_COUNT, OWN_LOOK_COUNT_MAX, look_back};
use crate::Desk;
use crate::stand::Stand;
use crate::stand::story::OWN;
use crate::view::event::EventLine;

/// A ledger whose entries below 20 are the tenant's, and all others the provider's.
fn own_of(sample: &Entry, last: u64) -> Found {
    let tenant = OWN.parse().expect("a tenant");
    let read = |from: u64, count: usize| {
        let made = (from..=last).take(count).map(|seq| Entry {
            seq,
            scope: match seq {
                0..20 => Scope::Tenant(OWN.parse().expect("a tenant")),
                _ => Scope::Provider,
            },
            ..sample.clone()
        });
        Ok(made.collect())
    };
    let limit = Limit {
        line_count: OWN_LINE_COUNT,
        look_count: OWN_LOOK_COUNT_MAX,
    };
    look_back(last, limit, read, |entry| {
        let may = query::may_read(entry, Role::Tenant, Some(&tenant));
        may.then(|| EventLine::of(entry, None))
    })
    .expect("it reads")
}

#[tokio::test]
async fn entries_below_many_of_others_are_found() {
    let stand = Stand::founded().await;
    let sample = stand.desk.entries(1, 1).expect("it reads").remove(0);
    let found = own_of(&sample, 30_000);
    assert_eq!(found.lines.len(), OWN_LINE_COUNT);
    assert!(!found.is_cut());
    assert_eq!(found.lines[0].seq, 19, "the newest comes first");
}

#[tokio::test]
async fn a_look_that_ends_too_early_says_so() {
    let stand = Stand::founded().await;
    let sample = stand.desk.entries(1, 1).expect("it reads").remove(0);
    let found = own_of(&sample, OWN_LOOK_COUNT_MAX + 20);
    assert!(found.lines.is_empty() && found.is_cut());
    let found = own_of(&sample, 12);
    assert!(found.lines.len() == 12 && !found.is_cut());
}
