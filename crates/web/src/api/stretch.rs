//! Long lists in stretches: `limit` and `after`, and where the next one begins.
//!
//! In:    an ordered list with a name per item. Out: one stretch and the name to go on after.
//! Never: a stretch that skips or repeats an item while the list stands still.

use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::shape::{Shape, list, maybe, object};
use crate::limits::{ROW_COUNT_DEFAULT, ROW_COUNT_MAX};
use crate::problem::Problem;

/// The query of a list.
#[derive(Clone, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stretch {
    /// At most so many.
    pub(crate) limit: Option<usize>,
    /// Begin after this name.
    pub(crate) after: Option<String>,
}

/// How many items a request wants.
pub(crate) fn limit(asked: Option<usize>, default: usize, most: usize) -> Result<usize, Problem> {
    match asked {
        None => Ok(default),
        Some(count) if (1..=most).contains(&count) => Ok(count),
        Some(count) => Err(Problem::bad_request(format!(
            "`limit` is {count}; it is 1 to {most}"
        ))),
    }
}

impl Stretch {
    /// Cuts one stretch out of a list whose names ascend. A name that has left the list since is
    /// as good as one that is in it.
    pub(crate) fn of<T, K: Ord + Display + FromStr>(
        &self,
        name: &'static str,
        items: impl Iterator<Item = T>,
        (key, tell): (impl Fn(&T) -> K, impl Fn(&T) -> Value),
    ) -> Result<Value, Problem> {
        let limit = limit(self.limit, ROW_COUNT_DEFAULT, ROW_COUNT_MAX)?;
        let after = self.after.as_deref().map(|text| {
            text.parse::<K>().map_err(|_| {
                Problem::bad_request(format!(
                    "`after` is `{text}`; send the last answer's `next`"
                ))
            })
        });
        let after = after.transpose()?;
        let (mut found, mut last) = (Vec::new(), None);
        let (mut total, mut has_more) = (0usize, false);
        for item in items {
            total += 1;
            let key = key(&item);
            if after.as_ref().is_some_and(|after| key <= *after) {
                continue;
            }
            if found.len() == limit {
                has_more = true;
                continue;
            }
            found.push(tell(&item));
            last = Some(key);
        }
        let next = last.filter(|_| has_more).map(|key| key.to_string());
        Ok(json!({ name: found, "total": total, "next": next }))
    }
}

/// The form of a stretch.
pub(crate) fn shape(name: &'static str, item: Shape) -> Shape {
    object([
        (name, list(item)),
        ("total", Shape::Number("how many there are in all")),
        (
            "next",
            maybe(Shape::Text("send as `after` for the next stretch")),
        ),
    ])
}

/// What `limit` means.
pub(crate) const LIMIT: Shape = Shape::Number("at most so many, 1 to 20,000; 1,000 if not given");

/// What `after` means.
pub(crate) const AFTER: Shape = Shape::Text("begin after this one; the last answer's `next`");
