//! How many lanes a team has in every hour.
//!
//! In:    a week's pattern and changes to it. Out: [`Team`]: lanes by hour, its longest stretch.
//! Never: counts hours of work; the clock is the only axis.

/// Hours of the clock since the plan begins.
pub type Hour = u32;

/// Hours of a week.
pub const WEEK: usize = 168;

/// A team and its calendar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Team {
    /// Lanes in each hour of the week; hour 0 of the plan is hour 0 of the week.
    pub week: [u8; WEEK],
    /// What differs; where several overlap, the last counts.
    pub changes: Vec<Change>,
}

/// Hours in which a team has another number of lanes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// First hour.
    pub from: Hour,
    /// First hour after it.
    pub to: Hour,
    /// Lanes in these hours.
    pub lanes: u8,
}

impl Team {
    /// A team with the same lanes day and night.
    pub fn steady(lanes: u8) -> Self {
        Self {
            week: [lanes; WEEK],
            changes: Vec::new(),
        }
    }

    /// Lanes in an hour.
    pub fn lanes(&self, hour: Hour) -> u8 {
        let change = self
            .changes
            .iter()
            .rev()
            .find(|c| (c.from..c.to).contains(&hour));
        change.map_or(self.week[hour as usize % WEEK], |change| change.lanes)
    }

    /// First hour behind all changes.
    pub(super) fn changed_to(&self) -> Hour {
        self.changes
            .iter()
            .map(|change| change.to)
            .max()
            .unwrap_or(0)
    }
}

/// Hours that the team works without a break at the longest, week after week.
pub(super) fn longest_stretch(team: &Team) -> u32 {
    let (mut longest, mut length) = (0, 0);
    for hour in 0..2 * WEEK {
        length = if team.week[hour % WEEK] > 0 {
            length + 1
        } else {
            0
        };
        longest = longest.max(length);
    }
    if longest as usize == 2 * WEEK {
        u32::MAX
    } else {
        longest
    }
}
