//! Stops the writer at the points where a disk may fail, and lets a test say how it went on.
//!
//! In:    points the writer reaches. Out: what the test decides there.
//! Never: goes on before the test has decided.

use std::sync::mpsc::{Receiver, Sender, channel};

use crate::error::Cause;

/// Where the writer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Point {
    /// The rows are in the transaction, the disk does not have them.
    Written,
    /// The disk has them, nobody was told.
    Committed,
}

/// How it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Then {
    /// All is well.
    Go,
    /// The disk says no.
    Fail,
    /// The program has a fault.
    Panic,
}

/// The writer's side.
#[derive(Debug)]
pub(crate) struct Fault {
    reached: Sender<Point>,
    decided: Receiver<Then>,
}

/// The test's side. When it is dropped, the writer goes on as if it had never been there.
pub(crate) struct Hand {
    reached: Receiver<Point>,
    decided: Sender<Then>,
}

/// Both sides.
pub(crate) fn pair() -> (Fault, Hand) {
    let (reached, reached_there) = channel();
    let (decided, decided_there) = channel();
    let fault = Fault {
        reached,
        decided: decided_there,
    };
    (
        fault,
        Hand {
            reached: reached_there,
            decided,
        },
    )
}

impl Hand {
    /// Waits for the writer to reach a point; none when it has ended.
    pub(crate) fn reached(&self) -> Option<Point> {
        self.reached.recv().ok()
    }

    /// Lets it go on.
    pub(crate) fn decide(&self, then: Then) {
        self.decided.send(then).expect("the writer waits");
    }
}

/// Called by the writer.
pub(crate) fn strike(fault: &Option<Fault>, point: Point) -> Result<(), Cause> {
    let Some(fault) = fault else { return Ok(()) };
    if fault.reached.send(point).is_err() {
        return Ok(());
    }
    match fault.decided.recv().unwrap_or(Then::Go) {
        Then::Go => Ok(()),
        Then::Fail => Err(Cause::File(std::io::Error::other("injected"))),
        Then::Panic => panic!("injected"),
    }
}
