//! Rehearses a whole recovery on the real machinery, in one process, on loopback.
//!
//! In:    a landscape with its story. Out: bars, events in words, a table, an HTML report.
//! Never: anything another process could not do: people use the API, gates their feed, clients HTTP.
//! See:   docs/guide/drill.md.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anlauf_model::{Language, Minutes};
use anyhow::{Context, Result, bail};

mod act;
mod attack;
mod backend;
mod clock;
mod desk;
mod forger;
mod hours;
mod landscape;
mod party;
mod play;
mod report;
mod show;
mod stage;
mod story;
mod summary;
mod tally;
mod traffic;
mod work;

use self::summary::{LedgerFacts, Summary};

/// Story seconds per real second by default: 60 days in about two and a half minutes.
const SPEED: f64 = 36_000.0;

/// How a drill is played.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folder with a landscape and its `story.toml`; without it the built-in reference landscape
    #[arg(long, value_name = "DIR")]
    pub landscape: Option<PathBuf>,
    /// Story seconds per real second, or `max`
    #[arg(long, default_value = "36000", value_parser = speed)]
    pub speed: Speed,
    /// Folder for ledger, gate state and report; must not exist yet
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Clients that keep asking through the gates
    #[arg(long, default_value_t = 6)]
    pub clients: u64,
    /// Improvement steps of each plan
    #[arg(long, default_value_t = 20)]
    pub steps: u32,
    /// Simulations of each forecast
    #[arg(long, default_value_t = 60)]
    pub samples: u32,
    /// Port of the console; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Keep the console open after the end until Ctrl-C
    #[arg(long)]
    pub stay: bool,
    /// Show neither bars nor events, only the table
    #[arg(long)]
    pub quiet: bool,
}

/// How fast story time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// Story seconds per real second.
    Times(f64),
    /// As fast as it goes.
    Max,
}

fn speed(text: &str) -> Result<Speed, String> {
    match text.parse::<f64>() {
        _ if text == "max" => Ok(Speed::Max),
        Ok(times) if times.is_finite() && times >= 1.0 => Ok(Speed::Times(times)),
        _ => Err(format!("expected a number from 1 on, or `max`; the default is {SPEED}")),
    }
}

/// Plays a drill and prints its summary.
///
/// # Errors
/// When something cannot be started, the recovery gets stuck, or a promise is broken.
pub fn run(args: &Args, language: Language) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(play(args, language))
}

async fn play(args: &Args, language: Language) -> Result<()> {
    let wall = Instant::now();
    let (landscape, story) = landscape::load(args.landscape.as_deref())?;
    let folder = folder(args.data.as_deref())?;
    let speed = match args.speed {
        Speed::Times(times) => Some(times),
        Speed::Max => None,
    };
    let mut set = stage::build(args, Arc::new(landscape), story, &folder, language).await?;
    set.scene.speed = speed;
    set.scene.show.line(&format!("console  {}/login", set.console));
    set.scene.show.line(&format!("log in   {}", set.operator_token));
    set.scene.show.line(&format!("ledger   {}", folder.display()));

    set.scene.normal_operation().await?;
    let played = set.scene.play().await;
    set.scene.show.done();
    let stage::Set { mut scene, gates, backends, server, console, .. } = set;
    scene.traffic.settle().await;
    let book = scene.traffic.book.clone();
    let Traffic { .. } = scene.traffic;
    played?;
    let ledger = ledger_facts(&folder, &scene.control)?;
    let summary =
        Summary::new(&scene.control.read(), &scene.tally, &book, &ledger, wall.elapsed());
    let html = report::report(&scene.control.read(), &scene.tally, &summary, language);
    let path = folder.join("report.html");
    std::fs::write(&path, html).with_context(|| format!("cannot write `{}`", path.display()))?;
    println!("{}", summary.to_text());
    println!("report   {}", path.display());
    if args.stay {
        eprintln!("the console stays at {console}; end with Ctrl-C");
        tokio::signal::ctrl_c().await?;
    }
    for gate in gates {
        gate.stop().await;
    }
    for backend in backends {
        backend.stop();
    }
    server.stop().await?;
    if !summary.violations.is_empty() {
        bail!("the drill broke what it must keep:\n  {}", summary.violations.join("\n  "));
    }
    Ok(())
}
