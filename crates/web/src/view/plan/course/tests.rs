//! When a course is at its end.

use anlauf_model::Timestamp;
use anlauf_recovery::query::HitRate;

use super::{Course, Way};
use crate::view::plan::Span;

/// A course of `total` services, of which `back` are released one after another.
fn course(total: u32, back: u32) -> Course {
    let at = |step: u32| Timestamp(i64::from(step));
    Course {
        span: Span {
            from: at(0),
            to: at(total),
        },
        total,
        released: (0..=back).map(|step| (at(step), step)).collect(),
        planned: Vec::new(),
        fan: Default::default(),
        hits: HitRate::default(),
        way: Way::default(),
    }
}

#[test]
fn it_is_at_its_end_once_every_service_is_back() {
    assert!(!course(3, 0).is_all_back());
    assert!(!course(3, 2).is_all_back());
    assert!(course(3, 3).is_all_back());
}

#[test]
fn without_services_nothing_is_back() {
    assert!(!course(0, 0).is_all_back());
}
