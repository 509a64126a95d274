//! How fresh each gate is, as far as the control plane can know: a gate that is not heard ages.

use anlauf_model::Timestamp;
use anlauf_model::feed::Standing;
use anlauf_model::landscape::{Class, Stale};
use anlauf_recovery::State;

use crate::memory::Heard;

/// One class at one gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FreshView {
    pub(crate) class: Class,
    pub(crate) standing: Standing,
    /// Age of the last fresh word. Minutes; none if the gate has said of none.
    pub(crate) age_minutes: Option<i64>,
}

impl FreshView {
    /// Whether somebody should look.
    pub(crate) fn is_alarm(self) -> bool {
        self.standing != Standing::Fresh
    }

    /// Each class that the policy in force asks it of.
    pub(crate) fn of(state: &State, now: Timestamp, heard: Option<&Heard>) -> Vec<Self> {
        let policy = state.authority.as_ref().and_then(|known| known.policy());
        let rules = policy.map(|(_, policy)| policy.freshness.as_slice());
        let one = |rule: &anlauf_model::landscape::FreshnessRule| {
            let class = rule.class;
            let said = heard.and_then(|heard| {
                let own = heard.freshness.iter().find(|one| one.class == class)?;
                let since = now.0.saturating_sub(heard.at.0).div_euclid(1_000).max(0);
                let age = i64::try_from(own.age_seconds?).unwrap_or(i64::MAX);
                Some(age.saturating_add(since))
            });
            let limit = i64::from(rule.minutes_max) * 60;
            let standing = match (said, rule.stale) {
                (None, _) => Standing::Unproven,
                (Some(age), _) if age <= limit => Standing::Fresh,
                (Some(_), Stale::Close) => Standing::Stale,
                (Some(_), Stale::Hold) => Standing::Held,
            };
            Self {
                class,
                standing,
                age_minutes: said.map(|age| age / 60),
            }
        };
        rules.unwrap_or_default().iter().map(one).collect()
    }
}
