//! Small problems of every kind.

use proptest::prelude::*;

use super::super::{Activity, Change, Draft, Problem, Team, WEEK};

/// What a problem is made from.
#[derive(Clone, Debug)]
pub struct Sample {
    teams: Vec<(u8, u8, bool)>,
    activities: Vec<(u32, usize, u32, u32)>,
    /// For each activity: whether it begins a job, and two distances to what it waits for.
    links: Vec<(bool, usize, usize)>,
}

/// Problems with up to so many activities.
pub fn samples(most: usize) -> impl Strategy<Value = Sample> {
    let team = (1..4_u8, 0..3_u8, any::<bool>());
    let activity = (1..7_u32, 0..3_usize, 0..30_u32, 0..10_u32);
    let link = (any::<bool>(), 0..8_usize, 0..12_usize);
    (
        prop::collection::vec(team, 1..4),
        prop::collection::vec((activity, link), 1..=most),
    )
        .prop_map(|(teams, both)| {
            let (activities, links) = both.into_iter().unzip();
            Sample {
                teams,
                activities,
                links,
            }
        })
}

/// A sample whose lanes suffice at some prices: the prices once ran away there, to 10^22.
pub fn roomy() -> Sample {
    let hours = [5, 4, 5, 1, 1, 3, 1, 5, 5, 2, 1];
    let release = [16, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let weight = [0, 5, 0, 3, 8, 0, 4, 9, 5, 9, 0];
    let waits = [
        (0, 0),
        (2, 2),
        (2, 2),
        (1, 0),
        (2, 1),
        (5, 1),
        (1, 2),
        (0, 4),
        (4, 5),
        (0, 2),
        (0, 0),
    ];
    Sample {
        teams: vec![(3, 1, false)],
        activities: (0..11)
            .map(|at| (hours[at], 0, release[at], weight[at]))
            .collect(),
        links: (0..11)
            .map(|at| (at == 2 || at == 4, waits[at].0, waits[at].1))
            .collect(),
    }
}

impl Sample {
    /// The draft, with nothing agreed.
    pub fn draft(&self) -> Draft {
        let mut draft = Draft::default();
        for (day, night, is_frozen) in &self.teams {
            draft.add_team(team(*day, *night, *is_frozen));
        }
        for (at, (numbers, link)) in (0..).zip(self.activities.iter().zip(&self.links)) {
            let (hours, team, release, weight) = *numbers;
            if link.0 {
                draft.begin_job();
            }
            let team = (team % self.teams.len()) as u32;
            draft.add(Activity {
                hours,
                team,
                release,
                weight,
            });
            for distance in [link.1, link.2] {
                if (1..=at).contains(&distance) {
                    draft.add_edge((at - distance) as u32, at as u32);
                }
            }
        }
        draft
    }

    /// The problem.
    pub fn problem(&self) -> Problem {
        self.draft().finish().expect("samples are in order")
    }
}

/// Day from 6 to 20; perhaps a weekend without work and a day with other lanes.
fn team(day: u8, night: u8, is_frozen: bool) -> Team {
    let mut week = [night; WEEK];
    for (hour, lanes) in week.iter_mut().enumerate() {
        if (6..20).contains(&(hour % 24)) {
            *lanes = day;
        }
        if is_frozen && hour >= 120 {
            *lanes = 0;
        }
    }
    let changes = match is_frozen {
        true => vec![Change {
            from: 10,
            to: 15,
            lanes: 0,
        }],
        false => vec![],
    };
    Team { week, changes }
}
