//! The makespan mode on sets of instances: gap to the best known, proofs, the peer beside it.
//!
//! In:    a folder of instances in Patterson format, or sizes to generate; seconds, threads.
//! Out:   a table per set; each schedule was checked before it was counted.
//! Never: runs ours and the peer at the same time; needs the data in the tree.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anlauf_scheduler::makespan::{self, Budget, Problem};
use anyhow::{Context, Result, bail};
use clap::Args;

mod generator;
mod known;
mod patterson;
mod peer;
#[cfg(test)]
mod tests;

use known::Bounds;
use peer::{Answer, Peer};

/// What to run.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Sets to run: folders below `--psplib`
    #[arg(long, default_values_t = [String::from("J60")])]
    set: Vec<String>,
    /// Sizes of generated sets to run as well, or alone when there is no `--psplib`
    #[arg(long)]
    generate: Vec<usize>,
    /// Instances per set, evenly spread; 0 for all
    #[arg(long, default_value_t = 20)]
    sample: usize,
    /// Of ours and of the peer, per instance
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Steps of ours per instance instead of seconds: the same answer on every machine
    #[arg(long)]
    steps: Option<u64>,
    /// Of ours, and workers of the peer
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Of our search and of generated instances
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs OR-Tools CP-SAT on the same instances
    #[arg(long)]
    peer: bool,
    /// Says each instance on stderr
    #[arg(long)]
    verbose: bool,
}

impl Options {
    /// What runs when nothing particular is asked for.
    pub fn usual() -> Self {
        Self {
            set: vec!["J60".into()],
            generate: vec![120, 300],
            sample: 20,
            seconds: 30.0,
            steps: None,
            threads: 2,
            seed: 1,
            peer: true,
            verbose: false,
        }
    }
}

/// One instance to run.
struct Instance {
    name: String,
    path: PathBuf,
    problem: Problem,
    known: Option<Bounds>,
}

/// One instance, run.
struct Row {
    critical_path: u32,
    known: Option<Bounds>,
    makespan: u32,
    lower_bound: u32,
    is_proven: bool,
    took: Duration,
    answer: Option<Answer>,
}

/// Runs what is asked for and prints a table per set.
///
/// # Errors
/// A folder or instance that cannot be read; a schedule or bound that is wrong.
pub fn run(folder: Option<&Path>, options: &Options) -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let target = PathBuf::from(target);
    let peer = match options.peer {
        true => Some(Peer::install(&target).context("cannot install the peer; leave out --peer")?),
        false => None,
    };
    if folder.is_none() && options.generate.is_empty() {
        eprintln!("psplib: skipped, no folder was given with --psplib and no size with --generate");
    }
    if let Some(folder) = folder {
        for set in &options.set {
            let instances = load(folder, set, options.sample)?;
            run_set(set, &instances, options, peer.as_ref())?;
        }
    }
    for &size in &options.generate {
        let instances = generate(&target, size, options)?;
        run_set(
            &format!("generated, {size}"),
            &instances,
            options,
            peer.as_ref(),
        )?;
    }
    Ok(())
}

fn load(folder: &Path, set: &str, sample: usize) -> Result<Vec<Instance>> {
    let inside = folder.join(set);
    let entries = std::fs::read_dir(&inside)
        .with_context(|| format!("cannot read the set `{}`", inside.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort_by_key(|path| (number(path), path.clone()));
    if paths.is_empty() {
        bail!("the set `{}` holds no instance", inside.display());
    }
    let known = match table(folder, set)? {
        Some(path) => known::read(&read(&path)?)
            .with_context(|| format!("cannot use `{}`", path.display()))?,
        None => Default::default(),
    };
    let paths = spread(&paths, sample);
    let instance = |path: PathBuf| {
        let problem = patterson::read(&read(&path)?);
        let problem = problem.with_context(|| format!("cannot use `{}`", path.display()))?;
        let name = path.file_stem().unwrap_or_default();
        Ok(Instance {
            name: name.to_string_lossy().into_owned(),
            known: number(&path).and_then(|n| known.get(&n).copied()),
            problem,
            path,
        })
    };
    paths.into_iter().map(instance).collect()
}

/// Tables in the wild are Latin-1 here and there; their numbers are the same.
fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The table of bounds of a set: `SET.csv` or `SET_….csv`.
fn table(folder: &Path, set: &str) -> Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.strip_suffix(".csv").and_then(|n| n.strip_prefix(set));
        if stem.is_some_and(|rest| rest.is_empty() || rest.starts_with('_')) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found.into_iter().next())
}

/// The last number in a file's name.
fn number(path: &Path) -> Option<u32> {
    let name = path.file_stem()?.to_string_lossy().into_owned();
    let digits = |c: char| !c.is_ascii_digit();
    name.rsplit(digits)
        .find(|part| !part.is_empty())?
        .parse()
        .ok()
}

/// `count` of all, evenly spread; all when 0.
fn spread(paths: &[PathBuf], count: usize) -> Vec<PathBuf> {
    if count == 0 || count >= paths.len() {
        return paths.to_vec();
    }
    let at = |index: usize| paths[(2 * index + 1) * paths.len() / (2 * count)].clone();
    (0..count).map(at).collect()
}

fn generate(target: &Path, size: usize, options: &Options) -> Result<Vec<Instance>> {
    let folder = target.join("bench-instances");
    std::fs::create_dir_all(&folder)?;
    let shapes = generator::shapes(size, options.sample.max(1), options.seed);
    let instance = |shape: generator::Shape| {
        let problem = generator::generate(shape)?;
        let name = format!("generated-{size}-{}", shape.seed);
        let path = folder.join(&name).with_extension("txt");
        std::fs::write(&path, patterson::write(&problem))?;
        Ok(Instance {
            name,
            path,
            problem,
            known: None,
        })
    };
    shapes.into_iter().map(instance).collect()
}

fn run_set(name: &str, all: &[Instance], options: &Options, peer: Option<&Peer>) -> Result<()> {
    let mut rows = Vec::new();
    for instance in all {
        let row = run_one(instance, options, peer);
        let row = row.with_context(|| format!("instance `{}`", instance.name))?;
        if options.verbose {
            say(instance, &row);
        }
        rows.push(row);
    }
    print(name, &rows, options, peer);
    Ok(())
}

fn run_one(instance: &Instance, options: &Options, peer: Option<&Peer>) -> Result<Row> {
    let begun = Instant::now();
    let span = Duration::from_secs_f64(options.seconds);
    let budget = Budget {
        steps: options.steps.unwrap_or(u64::MAX),
        is_over: &|| options.steps.is_none() && begun.elapsed() >= span,
    };
    let outcome = makespan::search(&instance.problem, options.seed, budget, options.threads);
    let took = begun.elapsed();
    let checked = makespan::check(&instance.problem, &outcome.schedule)?;
    if checked != outcome.makespan || outcome.lower_bound > outcome.makespan {
        bail!(
            "the schedule ends at {checked}, the search says {} and at least {}",
            outcome.makespan,
            outcome.lower_bound
        );
    }
    let answer = match peer {
        Some(peer) => Some(peer.solve(&instance.path, options.seconds, options.threads)?),
        None => None,
    };
    let row = Row {
        critical_path: makespan::critical_path(&instance.problem),
        known: instance.known,
        makespan: outcome.makespan,
        lower_bound: outcome.lower_bound,
        is_proven: outcome.is_proven,
        took,
        answer,
    };
    row.look_for_contradictions()?;
    Ok(row)
}

impl Row {
    /// Nobody can beat a bound that somebody else has proved.
    fn look_for_contradictions(&self) -> Result<()> {
        let peer = self.answer.as_ref();
        let known = self.known;
        let bounds = [
            ("our", Some(self.lower_bound)),
            ("the peer's", peer.map(|a| a.lower_bound)),
            ("the table's", known.map(|k| k.0)),
        ];
        let values = [
            ("our", Some(self.makespan)),
            ("the peer's", peer.and_then(|a| a.makespan)),
            ("the table's", known.map(|k| k.1)),
        ];
        for (whose, bound) in bounds {
            for (other, value) in values {
                if let (Some(bound), Some(value)) = (bound, value)
                    && bound > value
                {
                    bail!("{whose} lower bound {bound} is above {other} makespan {value}");
                }
            }
        }
        Ok(())
    }

    /// The largest lower bound that anybody in this run has proved.
    fn bound(&self) -> u32 {
        let peer = self.answer.as_ref().map_or(0, |a| a.lower_bound);
        self.lower_bound.max(peer)
    }
}

fn say(instance: &Instance, row: &Row) {
    let peer = row.answer.as_ref().map_or(String::new(), |answer| {
        let makespan = answer.makespan.map_or("none".into(), |m| m.to_string());
        let (least, took) = (answer.lower_bound, answer.took.as_secs_f64());
        format!(", peer {makespan} (at least {least}, {took:.1} s)")
    });
    let known = row
        .known
        .map_or(String::new(), |k| format!(", known {}–{}", k.0, k.1));
    eprintln!(
        "{}: {} (at least {}, {:.1} s){known}{peer}",
        instance.name,
        row.makespan,
        row.lower_bound,
        row.took.as_secs_f64()
    );
}

/// Mean of `value / base - 1` in percent, over rows where both are there.
fn deviation(
    rows: &[Row],
    value: impl Fn(&Row) -> Option<u32>,
    base: impl Fn(&Row) -> Option<u32>,
) -> f64 {
    let pairs = rows
        .iter()
        .filter_map(|row| Some((value(row)?, base(row)?)));
    let parts: Vec<f64> = pairs
        .filter(|pair| pair.1 > 0)
        .map(|(value, base)| (f64::from(value) / f64::from(base) - 1.0) * 100.0)
        .collect();
    parts.iter().sum::<f64>() / parts.len() as f64
}

fn print(name: &str, rows: &[Row], options: &Options, peer: Option<&Peer>) {
    let (count, seconds, threads) = (rows.len(), options.seconds, options.threads);
    println!("\n### Makespan: {name}, {count} instances, {seconds} s, {threads} threads\n");
    let who = peer.map_or("no peer", |peer| &peer.name);
    println!("| what | ours | {who} | ratio |\n|---|---:|---:|---:|");
    let ours = |row: &Row| Some(row.makespan);
    let theirs = |row: &Row| row.answer.as_ref().and_then(|a| a.makespan);
    let line = |what: &str, base: &dyn Fn(&Row) -> Option<u32>| {
        let mine = deviation(rows, ours, base);
        if mine.is_nan() {
            return;
        }
        let other = deviation(rows, theirs, base);
        let cells = if other.is_nan() {
            [String::new(), String::new()]
        } else {
            let both = deviation(rows, |row| theirs(row).and(ours(row)), base);
            [format!("{other:.2} %"), format!("{:.2}", both / other)]
        };
        println!("| {what} | {mine:.2} % | {} | {} |", cells[0], cells[1]);
    };
    line("over best known", &|row| row.known.map(|k| k.1));
    line("over the larger proved bound", &|row| Some(row.bound()));
    line("over the critical path", &|row| Some(row.critical_path));
    let beside = deviation(rows, ours, theirs);
    if !beside.is_nan() {
        println!("| over the peer | {beside:.2} % | | |");
    }
    let proofs = rows.iter().filter(|row| row.is_proven).count();
    let others = rows.iter().filter_map(|row| row.answer.as_ref());
    let (mut found, mut proved) = (0, 0);
    for answer in others {
        found += usize::from(answer.makespan.is_some());
        proved += usize::from(answer.is_proven);
    }
    let cell = |number: usize| peer.map_or(String::new(), |_| number.to_string());
    println!("| schedules, each checked | {count} | {} | |", cell(found));
    println!("| proved the best | {proofs} | {} | |", cell(proved));
}
