//! A wait is over after so many looks, and not before.

use std::task::{Context, Waker};

use super::*;

#[test]
fn a_wait_ends_at_a_look_after_its_time() {
    let looks = Looks::default();
    let until = looks.after(PATIENCE_LOOK_EVERY * 3);
    let mut wait = pin!(within(until, std::future::pending::<()>()));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..4 {
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        looks.look();
    }
    assert_eq!(wait.as_mut().poll(&mut cx), Poll::Ready(None));
}

#[test]
fn what_is_ready_is_never_late() {
    let looks = Looks::default();
    let until = looks.after(PATIENCE_LOOK_EVERY);
    looks.look();
    looks.look();
    let mut wait = pin!(within(until, std::future::ready(7)));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(wait.as_mut().poll(&mut cx), Poll::Ready(Some(7)));
}
