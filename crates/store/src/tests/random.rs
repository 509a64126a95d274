//! Any orders in any batches with any restarts: the same state and root as without a disk.

use std::sync::Arc;

use anlauf_model::landscape::{example::example, source};
use anlauf_recovery::{Command, Order, State};
use proptest::prelude::*;

use super::cast::{clock, command, decided, desk_config, ledger, notice, revise, root_again};
use crate::{Desk, Reader, SubmitError, verify};

/// What happens next at the desk.
#[derive(Clone, Debug)]
enum Step {
    Order(Box<Command>),
    Checkpoint,
    Restart,
}

fn adopt(key: &str) -> Command {
    let files = example()
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.into_bytes()));
    let declared = source::read(&files.collect()).expect("the example is sound");
    command(
        key,
        Order::AdoptLandscape {
            landscape: Box::new(declared),
        },
    )
}

fn declare(key: &str) -> Command {
    let Order::PublishNotice { text, .. } = notice(key).order else {
        unreachable!()
    };
    command(key, Order::DeclareIncident { title: text })
}

/// Few keys, so that they are used again: for the same order, and for another one.
fn order() -> impl Strategy<Value = Command> {
    let key = (0..12u8).prop_map(|number| format!("k{number}"));
    (key, 0..10u8, 1..6u64).prop_map(|(key, kind, number)| match kind {
        0 => adopt(&key),
        1 => declare(&key),
        2 => command(&key, Order::EndIncident),
        3..6 => revise(&key, number),
        _ => notice(&key),
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => order().prop_map(|command| Step::Order(Box::new(command))),
        1 => Just(Step::Checkpoint),
        2 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_desk_is_its_commands(steps in prop::collection::vec(step(), 0..40)) {
        let folder = tempfile::tempdir().unwrap();
        let (on_disk, in_memory) = (clock(), clock());
        let mut state = State::default();
        let mut desk = Desk::open(desk_config(folder.path(), Arc::clone(&on_disk))).unwrap();
        for step in steps {
            match step {
                Step::Order(command) => {
                    let meant = decided(&mut state, &*in_memory, std::slice::from_ref(&*command));
                    match desk.submit_blocking(*command) {
                        Ok(accepted) if accepted.replayed => prop_assert!(meant.is_empty()),
                        Ok(accepted) => prop_assert_eq!(accepted.entries, meant),
                        Err(SubmitError::Refused(_)) => prop_assert!(meant.is_empty()),
                        Err(error) => panic!("{error}"),
                    }
                }
                Step::Checkpoint => drop(desk.checkpoint_blocking().unwrap()),
                Step::Restart => {
                    desk.close();
                    desk = Desk::open(desk_config(folder.path(), Arc::clone(&on_disk))).unwrap();
                }
            }
            prop_assert!(*desk.read() == state);
        }
        drop(desk);
        let (kept, rebuilt) = ledger(folder.path()).unwrap();
        prop_assert!(rebuilt == state);
        prop_assert!(kept.rebuild().unwrap() == state);
        let report = verify(folder.path()).unwrap();
        prop_assert_eq!(report.root, kept.head().root);
        prop_assert_eq!(report.checkpoint_size, state.seq, "an orderly end is signed");
    }

    #[test]
    fn batches_do_not_matter(sizes in prop::collection::vec((0..9usize, any::<bool>()), 1..12)) {
        let folder = tempfile::tempdir().unwrap();
        let total: usize = sizes.iter().map(|(size, _)| size).sum();
        let mut entries = super::cast::notices(total);
        let all = entries.clone();
        let mut open = ledger(folder.path()).unwrap().0;
        for (size, restart) in sizes {
            let rest = entries.split_off(size);
            open.append(&entries).unwrap();
            entries = rest;
            if restart {
                let head = open.head();
                drop(open);
                open = ledger(folder.path()).unwrap().0;
                prop_assert_eq!(open.head(), head);
            }
        }
        prop_assert_eq!(&open.entries(1, total).unwrap(), &all);
        let reader = Reader::open(folder.path()).unwrap();
        let records: Vec<_> =
            (1..=total as u64).map(|seq| reader.record(seq).unwrap().unwrap()).collect();
        prop_assert_eq!(root_again(&records), open.head().root);
    }
}
