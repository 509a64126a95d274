//! What counts as shut at a filter, and what does not.

use std::collections::BTreeMap;

use anlauf_model::CellId;

use super::Account;

fn cell(id: &str) -> CellId {
    id.parse().unwrap()
}

fn there(cells: &[(&str, bool)]) -> BTreeMap<CellId, bool> {
    cells.iter().map(|(id, open)| (cell(id), *open)).collect()
}

#[test]
fn a_filter_that_was_not_heard_may_let_everything_pass() {
    let account = Account::unheard();
    assert!(account.may_pass(&cell("a/mail")));
    assert_eq!(account.guarded_count(), None);
}

/// Somebody may be inside whose session began before this gate did.
#[test]
fn what_is_heard_of_first_counts_as_open_whatever_the_filter_says() {
    let mut account = Account::unheard();
    account.heard(&there(&[("a/mail", false), ("b/mail", true)]));
    assert!(account.may_pass(&cell("a/mail")));
    assert!(account.may_pass(&cell("b/mail")));
    // What it does not guard does not pass there.
    assert!(!account.may_pass(&cell("c/mail")));
}

#[test]
fn what_was_confirmed_is_shut_until_the_filter_says_otherwise() {
    let mut account = Account::unheard();
    account.heard(&there(&[("a/mail", true)]));
    account.open.clear();
    account.heard(&there(&[("a/mail", false)]));
    assert!(!account.may_pass(&cell("a/mail")));
    account.heard(&there(&[("a/mail", true)]));
    assert!(account.may_pass(&cell("a/mail")));
    // A line that somebody took out says nothing about who is inside.
    account.heard(&there(&[]));
    assert!(account.may_pass(&cell("a/mail")));
}
