//! Recovery-like instances: how near to the bound, how soon.
//!
//! In:    sizes, seeds, seconds. Out: a Markdown table, each row beside its peer.
//! Never: prints a schedule that the validator has not checked.
//! See:   docs/planner.md, "weighted engine".

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anlauf_scheduler::weighted::{self, Bound, Problem, Rounds, Schedule, Search, validate};
use anyhow::{Result, ensure};

mod generator;
mod peer;
mod reference;
mod replan;

use generator::Size;

/// Threads of search and bound, and workers of the peer.
const THREADS: usize = 2;

/// Search after a replan, for comparison.
const AGAIN: Duration = Duration::from_secs(10);

/// What to measure.
#[derive(clap::Args)]
pub struct Arguments {
    /// Tenants x services
    #[arg(long, value_delimiter = ',', default_value = "10x6,20x6,80x25")]
    size: Vec<Size>,
    /// Seeds of the instances and of the search
    #[arg(long, value_delimiter = ',', default_value = "1")]
    seed: Vec<u64>,
    /// Seconds of search; each is a search of its own
    #[arg(long, value_delimiter = ',', default_value = "1,10")]
    seconds: Vec<u64>,
    /// Also runs OR-Tools CP-SAT on the same instances
    #[arg(long)]
    peer: bool,
    /// Folders of landscapes for the product's own planner
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "landscapes/krankenkassen"
    )]
    landscape: Vec<PathBuf>,
}

/// What was found about an instance.
struct Row {
    name: String,
    activities: usize,
    slots: usize,
    bound: Bound,
    bound_took: Duration,
    first: u64,
    first_took: Duration,
    searched: Vec<u64>,
    peer: Option<Vec<Option<u64>>>,
    replanned: String,
}

/// Prints the table.
pub fn run(arguments: &Arguments) -> Result<()> {
    println!("{}", head(arguments));
    for size in &arguments.size {
        for seed in &arguments.seed {
            let problem = generator::instance(*size, *seed)?;
            eprintln!("{size} seed {seed}: {} activities", problem.count());
            println!("{}", measured(&problem, *size, *seed, arguments)?.line());
        }
    }
    println!("\n{}", reference::head());
    for folder in &arguments.landscape {
        println!("{}", reference::line(folder, 1)?);
    }
    Ok(())
}

fn measured(problem: &Problem, size: Size, seed: u64, arguments: &Arguments) -> Result<Row> {
    let (begun, used) = (Instant::now(), processor());
    let first = weighted::first_plan(problem)?;
    let first_took = begun.elapsed();
    eprintln!(
        "  first plan {first_took:?}, processor {:.2} s",
        processor() - used
    );
    check(problem, &first)?;
    let (begun, used) = (Instant::now(), processor());
    let rounds = Rounds::usual(problem, THREADS);
    let bound = weighted::bound(problem, rounds, first.cost);
    let bound_took = begun.elapsed();
    let used = processor() - used;
    eprintln!(
        "  bound {bound_took:?}, processor {used:.2} s, {}",
        memory()
    );
    let mut searched = Vec::new();
    let mut peers = Vec::new();
    let mut plan = first.clone();
    for seconds in &arguments.seconds {
        if arguments.peer {
            peers.push(peer_cost(problem, &first, *seconds)?);
        }
        let found = search(problem, first.clone(), seed, Duration::from_secs(*seconds));
        check(problem, &found)?;
        searched.push(found.cost);
        plan = found;
    }
    Ok(Row {
        name: format!("{size} #{seed}"),
        activities: problem.count(),
        slots: problem.agreed().len(),
        bound,
        bound_took,
        first: first.cost,
        first_took,
        searched,
        peer: arguments.peer.then_some(peers),
        replanned: replanned(size, seed, &plan)?,
    })
}

/// Lets the search go on until the time is over. The clock is here, the search counts steps.
fn search(problem: &Problem, first: Schedule, seed: u64, time: Duration) -> Schedule {
    let begun = Instant::now();
    let mut search = Search::new(problem, first, seed, THREADS);
    loop {
        let heat = 1.0 - begun.elapsed().as_secs_f64() / time.as_secs_f64();
        if heat <= 0.0 {
            eprintln!(
                "  {time:?}: {} steps, ended after {:?}",
                search.steps(),
                begun.elapsed()
            );
            return search.into_best();
        }
        search.round(heat);
    }
}

/// Cost of the peer's schedule, if it found one.
fn peer_cost(problem: &Problem, first: &Schedule, seconds: u64) -> Result<Option<u64>> {
    let Some(start) = peer::solve(problem, first, seconds, THREADS)? else {
        return Ok(None);
    };
    let schedule = Schedule {
        cost: problem.cost(&start),
        start,
    };
    check(problem, &schedule)?;
    Ok(Some(schedule.cost))
}

/// Mends the plan after an event, and searches ten seconds from there for comparison.
fn replanned(size: Size, seed: u64, plan: &Schedule) -> Result<String> {
    let done = replan::replan(size, seed, plan)?;
    eprintln!(
        "  replanned in {:?}, processor {:.2} s",
        done.took, done.processor
    );
    check(&done.problem, &done.schedule)?;
    let jobs = done.problem.job_count();
    let again = search(&done.problem, done.schedule.clone(), seed, AGAIN);
    check(&done.problem, &again)?;
    Ok(format!(
        "{:.1} ms, {} of {} slots, {:.1} % overtook by days, {:+.1} % over 10 s of search",
        done.took.as_secs_f64() * 1e3,
        done.agreed - done.broken,
        done.agreed,
        done.reordered as f64 / jobs as f64 * 100.0,
        (done.schedule.cost as f64 / again.cost as f64 - 1.0) * 100.0,
    ))
}

fn check(problem: &Problem, schedule: &Schedule) -> Result<()> {
    let flaws = validate::flaws(problem, &schedule.start);
    ensure!(
        flaws.is_empty(),
        "the schedule has {} flaws: {}",
        flaws.len(),
        flaws[0]
    );
    ensure!(
        problem.cost(&schedule.start) == schedule.cost,
        "the cost is not that of the schedule"
    );
    Ok(())
}

/// Seconds of processor that this process has used so far, to tell work from waiting for others.
fn processor() -> f64 {
    /// What Linux counts in, whatever the machine.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind_name.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS_PER_SECOND
}

/// Most memory this process has had.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    format!("peak memory {}", peak.unwrap_or(" unknown").trim())
}

fn head(arguments: &Arguments) -> String {
    let mut head = "| instance | activities | slots kept | bound / path | bound / one team \
         | bound took | first plan | over bound"
        .to_string();
    let mut line = "|---|---|---|---|---|---|---|---".to_string();
    for seconds in &arguments.seconds {
        head += &format!(" | {seconds} s");
        line += "|---";
        if arguments.peer {
            head += &format!(" | CP-SAT {seconds} s | ours / CP-SAT");
            line += "|---|---";
        }
    }
    head += " | replan";
    line += "|---";
    format!("{head} |\n{line}|")
}

impl Row {
    fn line(&self) -> String {
        let over = |cost: u64| format!("{:.2} %", (cost as f64 / self.bound.cost - 1.0) * 100.0);
        let mut line = format!(
            "| {} | {} | {} | {:.3} | {:.3} | {:.2} s | {:.1} ms | {}",
            self.name,
            self.activities,
            self.slots,
            self.bound.cost / self.bound.path,
            self.bound.cost / self.bound.team,
            self.bound_took.as_secs_f64(),
            self.first_took.as_secs_f64() * 1e3,
            over(self.first),
        );
        for (place, cost) in self.searched.iter().enumerate() {
            line += &format!(" | {}", over(*cost));
            if let Some(peers) = &self.peer {
                line += &match peers.get(place).copied().flatten() {
                    Some(peer) => format!(" | {} | {:.3}", over(peer), *cost as f64 / peer as f64),
                    None => " | no schedule | -".to_string(),
                };
            }
        }
        line += &format!(" | {}", self.replanned);
        line + " |"
    }
}
