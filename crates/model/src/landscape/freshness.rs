//! How long a gate may go without fresh word before cells of a class shut.
//!
//! In:    rules as declared or signed. Out: the rule for a class; what is wrong with the rules.
//! Never: says how freshness is proven; that is the trust crate's and the gate's.
//! See:   docs/adr/020-fresh-word-for-a-beacon.md.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Class, word_of};
use crate::limits::{FRESHNESS_MINUTES_MAX, FRESHNESS_MINUTES_MIN};

/// Cells of a class open after a start of their gate only on fresh word, and need it again and
/// again. A class without such a rule opens on what the gate remembers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreshnessRule {
    /// Which cells by protection.
    pub class: Class,
    /// How old the last fresh word may be. Minutes.
    pub minutes_max: u32,
    /// What happens when it is older.
    pub stale: Stale,
}

/// What becomes of open cells when fresh word is overdue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stale {
    /// They shut, and open again by themselves with the next fresh word.
    Close,
    /// They stay open, and the alarm is raised.
    Hold,
}

/// The rule for a class, if it has one.
pub fn freshness(rules: &[FreshnessRule], class: Class) -> Option<&FreshnessRule> {
    rules.iter().find(|rule| rule.class == class)
}

/// What is wrong with each rule: its index and why.
pub fn freshness_faults(rules: &[FreshnessRule]) -> Vec<(usize, String)> {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let class = word_of(&rule.class);
        if !seen.insert(rule.class) {
            faults.push((index, format!("class `{class}` has a rule already")));
        }
        if !(FRESHNESS_MINUTES_MIN..=FRESHNESS_MINUTES_MAX).contains(&rule.minutes_max) {
            let why = format!(
                "{} minutes for class `{class}`; it must be {FRESHNESS_MINUTES_MIN} to \
                 {FRESHNESS_MINUTES_MAX}",
                rule.minutes_max
            );
            faults.push((index, why));
        }
    }
    faults
}
