//! Simulates a plan many times and reads ranges off it.
//!
//! In:    a [`Situation`], a [`Plan`] made from it, a [`Simulation`].
//! Out:   a [`Forecast`]: P50, P80 and P95 per cell, tenant, service and for the whole; or what a
//!        date waits for.
//! Never: adds up dates: every sample is played by crews with lanes and hours, in the plan's order.
//! See:   docs/planner.md, "Forecast"; research/planner.md §5: factors shared by all tasks are
//!        what makes ranges honest.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use anlauf_model::{CellId, Forecast, Plan, Range, SiteId, TaskKind, Timestamp, Wait};

use crate::calendar::Minute;
use crate::conformal::{Calibration, Outcome};
use crate::detour::Detours;
use crate::learn::Learned;
use crate::network::Network;
use crate::replay::{self, Dependents};
use crate::sample::Sampler;
use crate::situation::Situation;
use crate::waits;

/// How many threads share the samples. The answer is the same with any number.
const THREADS: usize = 4;

/// How to simulate.
#[derive(Clone, Copy, Debug)]
pub struct Simulation<'o> {
    /// How often the plan is played.
    pub samples: u32,
    /// Seed of every chance.
    pub seed: u64,
    /// Dates told earlier whose day has come: ranges are moved by what they missed.
    pub outcomes: &'o [Outcome],
}

/// A plan that is ready to be played.
struct Stage<'n, 'a> {
    network: &'n Network<'a>,
    places: Vec<usize>,
    dependents: Dependents,
    sampler: Sampler<'n, 'a>,
}

/// When each cell opens, by sample, then cell.
type Plays = Vec<Vec<Option<Minute>>>;

/// Simulates the plan `samples` times from `seed`, without earlier dates to learn from.
///
/// Durations: shared factors of the incident and of each team, learned from tasks begun, times
/// a factor of the task with a heavy tail. Cells that never open (nobody works on them) get no
/// range but a [`Wait`]; while there is one, neither does the whole.
pub fn forecast(situation: &Situation<'_>, plan: &Plan, samples: u32, seed: u64) -> Forecast {
    let simulation = Simulation {
        samples,
        seed,
        outcomes: &[],
    };
    simulate(situation, plan, &simulation, &BTreeSet::new())
}

/// The forecast that may be told to people: moved by what earlier ones missed, and without a date
/// for cells of a site at which forensics has not yet judged anything, and for all that wait for
/// them.
pub fn forecast_to_tell(
    situation: &Situation<'_>,
    plan: &Plan,
    simulation: &Simulation<'_>,
) -> Forecast {
    simulate(situation, plan, simulation, &waits::unjudged(situation))
}

fn simulate(
    situation: &Situation<'_>,
    plan: &Plan,
    simulation: &Simulation<'_>,
    unjudged: &BTreeSet<&SiteId>,
) -> Forecast {
    let network = Network::new(situation, &Detours::of_plan(situation, plan));
    let waits = waits::waits(&network, plan, unjudged);
    let stage = Stage {
        places: places(&network, plan),
        dependents: Dependents::new(&network),
        sampler: Sampler::new(&network, Learned::new(situation), simulation.samples),
        network: &network,
    };
    let plays = stage.plays(simulation);
    let calibration = Calibration::new(simulation.outcomes);
    let reader = Reader {
        network: &network,
        plays: &plays,
        calibration,
        made_at: situation.now,
    };
    reader.read(plan, waits)
}

impl Stage<'_, '_> {
    /// Plays every sample. Each has its own seed, so that threads change nothing.
    fn plays(&self, simulation: &Simulation<'_>) -> Plays {
        let numbers: Vec<u32> = (0..simulation.samples).collect();
        let chunk = numbers.len().div_ceil(THREADS).max(1);
        let play = |number: &u32| {
            let (works, handover) = self.sampler.works(simulation.seed, *number);
            replay::replay(
                self.network,
                &self.dependents,
                &self.places,
                &works,
                handover,
            )
        };
        thread::scope(|scope| {
            let threads: Vec<_> = numbers
                .chunks(chunk)
                .map(|part| scope.spawn(move || part.iter().map(play).collect::<Plays>()))
                .collect();
            let played = threads
                .into_iter()
                .map(|thread| thread.join().expect("playing a plan does not panic"));
            played.flatten().collect()
        })
    }
}

/// Reads ranges off the samples.
struct Reader<'n, 'a> {
    network: &'n Network<'a>,
    plays: &'n Plays,
    calibration: Calibration,
    made_at: Timestamp,
}

impl Reader<'_, '_> {
    fn read(&self, plan: &Plan, waits: Vec<Option<Wait>>) -> Forecast {
        let mut forecast = Forecast {
            plan: plan.id,
            made_at: self.made_at,
            cells: BTreeMap::new(),
            tenants: BTreeMap::new(),
            services: BTreeMap::new(),
            whole: None,
            waits: BTreeMap::new(),
        };
        let mut dated = vec![false; waits.len()];
        for (at, wait) in waits.into_iter().enumerate() {
            let id = &self.network.nodes[at].cell.id;
            let range = match wait {
                Some(_) => None,
                None => self.range(&[at]),
            };
            match (range, wait) {
                (Some(range), _) => {
                    dated[at] = true;
                    forecast.cells.insert(id.clone(), range);
                }
                (None, Some(wait)) => {
                    forecast.waits.insert(id.clone(), wait);
                }
                (None, None) => {}
            }
        }
        let together = |cells: &Vec<usize>| match cells.iter().all(|at| dated[*at]) {
            true => self.range(cells),
            false => None,
        };
        let mut tenants = BTreeMap::new();
        let mut services = BTreeMap::new();
        for (at, node) in self.network.nodes.iter().enumerate() {
            let service = services.entry(&node.cell.service);
            service.or_insert_with(Vec::new).push(at);
            if let Some(tenant) = node.cell.tenant() {
                tenants.entry(tenant).or_insert_with(Vec::new).push(at);
            }
        }
        let of = |(id, cells): (_, &Vec<usize>)| Some((Clone::clone(id), together(cells)?));
        forecast.tenants = tenants
            .iter()
            .map(|(id, cells)| (*id, cells))
            .filter_map(of)
            .collect();
        forecast.services = services
            .iter()
            .filter_map(|(id, cells)| Some(((*id).clone(), together(cells)?)))
            .collect();
        forecast.whole = together(&(0..dated.len()).collect());
        forecast
    }

    /// When the last of these cells opens; none when it does not in every sample.
    fn range(&self, cells: &[usize]) -> Option<Range> {
        let last = |open: &Vec<Option<Minute>>| {
            let opens = cells.iter().map(|at| open[*at]);
            opens.collect::<Option<Vec<Minute>>>()?.into_iter().max()
        };
        let mut minutes = self.plays.iter().map(last).collect::<Option<Vec<_>>>()?;
        minutes.sort_unstable();
        let at = |per_cent: usize| {
            let place = (minutes.len() * per_cent).div_ceil(100).saturating_sub(1);
            let minute = minutes.get(place)?;
            Some(self.network.origin.time(*minute))
        };
        let range = Range {
            p50: at(50)?,
            p80: at(80)?,
            p95: at(95)?,
        };
        Some(self.calibration.moved(self.made_at, range))
    }
}

/// Each task's place in the order of the plan; what is not in it comes last.
fn places(network: &Network<'_>, plan: &Plan) -> Vec<usize> {
    let starts: BTreeMap<(&CellId, TaskKind), Timestamp> = plan
        .rows
        .iter()
        .map(|row| ((&row.cell, row.task), row.start))
        .collect();
    let start = |task: usize| {
        let what = &network.tasks[task];
        let start = starts.get(&(&network.nodes[what.node].cell.id, what.kind));
        (start.copied().unwrap_or(Timestamp(i64::MAX)), task)
    };
    let mut order: Vec<usize> = (0..network.tasks.len()).collect();
    order.sort_by_key(|task| start(*task));
    let mut places = vec![0; order.len()];
    for (place, task) in order.into_iter().enumerate() {
        places[task] = place;
    }
    places
}
