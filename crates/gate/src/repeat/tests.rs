//! A trouble is said once.

use super::{Past, Repeat};

#[test]
fn the_same_trouble_is_said_once_and_counted() {
    let mut repeat = Repeat::default();
    assert!(repeat.is_news("no root"));
    assert!(!repeat.is_news("no root"));
    assert!(!repeat.is_news("no root"));
    let cause = "no root".to_owned();
    assert_eq!(repeat.over(), Some(Past { cause, again: 2 }));
    assert_eq!(repeat.over(), None);
    assert!(repeat.is_news("no root"), "after it was over it is news");
}

#[test]
fn another_trouble_is_news() {
    let mut repeat = Repeat::default();
    assert!(repeat.is_news("no root"));
    assert!(repeat.is_news("no table"));
    assert!(!repeat.is_news("no table"));
}
