//! How much work was done between two points of the past.
//!
//! In:    when the incident began, hours of crews.
//! Out:   [`Past`]: minutes of work between two points in time.
//! Never: counts nights; work before the incident counts from its beginning.

use std::collections::BTreeMap;

use anlauf_model::landscape::Team;
use anlauf_model::{TeamId, Timestamp};

use crate::calendar::{Calendar, Hours, Origin, Work};
use crate::situation::Situation;

/// A tenant's testers in a crisis: 7 to 20 o'clock on every day.
const ACCEPTANCE_HOURS: Hours = Hours {
    from: 7,
    to: 20,
    days: Vec::new(),
};

/// Calendars from the beginning of the incident on, one per kind of hours.
pub(crate) struct Past<'a> {
    origin: Origin,
    teams: BTreeMap<&'a TeamId, &'a Team>,
    calendars: BTreeMap<Hours, Calendar>,
}

impl<'a> Past<'a> {
    /// Nothing is computed before it is asked for.
    pub fn new(situation: &Situation<'a>) -> Self {
        let declared = situation.landscape.declared();
        let began = situation.began.min(situation.now);
        Self {
            origin: Origin::new(began, &declared.time_zone),
            teams: declared.teams.iter().map(|team| (&team.id, team)).collect(),
            calendars: BTreeMap::new(),
        }
    }

    /// One team.
    pub fn team(&self, id: &TeamId) -> Option<&'a Team> {
        self.teams.get(id).copied()
    }

    /// A team's hours; without a team, those of a tenant's testers.
    pub fn hours(&self, team: Option<&TeamId>) -> Hours {
        let team = team.and_then(|id| self.teams.get(id));
        team.map_or(ACCEPTANCE_HOURS, |team| Hours {
            from: team.hour_from.min(23),
            to: team.hour_to.clamp(1, 24),
            days: team.days.clone(),
        })
    }

    /// Minutes of work of a crew between two points in time.
    pub fn elapsed(&mut self, team: Option<&TeamId>, from: Timestamp, to: Timestamp) -> Work {
        let hours = self.hours(team);
        let origin = &self.origin;
        let calendar = self
            .calendars
            .entry(hours)
            .or_insert_with_key(|hours| Calendar::new(origin, hours));
        let until = |at: Timestamp| calendar.worked(origin.minute_before(at).max(0));
        (until(to) - until(from)).max(0)
    }
}
