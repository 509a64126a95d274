//! Rehearses a whole recovery on the real machinery, in one process, on loopback.
//!
//! In:    a landscape with its story. Out: bars, events in words, a table, an HTML report.
//! Never: anything another process could not do: people use the API, gates their feed.
//! See:   docs/guide/drill.md.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anlauf_model::{Landscape, Language, Role};
use anyhow::{Context, Result, bail};

mod act;
mod attack;
mod audit;
mod backend;
mod ceremony;
mod clock;
mod desk;
mod emergency;
mod forger;
mod hours;
mod insured;
mod landscape;
mod normal;
mod order;
mod party;
mod play;
mod probe;
pub mod provider;
mod real;
mod report;
mod show;
mod stage;
mod story;
mod summary;
mod tally;
mod tempt;
mod traffic;
mod work;

use self::audit::{Audit, Log};
use self::play::Scene;
use self::story::Story;
use self::summary::Summary;
use crate::exit::{Done, Failure};
use crate::output::Output;

/// Story seconds per real second by default: ten weeks in about three minutes.
const SPEED: &str = "36000";

/// Rehearse a whole recovery: attack, containment, plan, signatures, releases, proof
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folder with a landscape and its `story.toml`; without it the built-in reference landscape
    #[arg(long, value_name = "DIR")]
    pub landscape: Option<PathBuf>,
    /// Story seconds per real second, or `max`
    #[arg(long, default_value = SPEED, value_parser = speed)]
    pub speed: Speed,
    /// Folder for ledger, gate state and report; must not exist yet [default: drill-TIME]
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
    /// Show neither bars nor events, only the result
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

impl Speed {
    /// Story seconds per real second; none waits for nothing.
    fn times(self) -> Option<f64> {
        match self {
            Speed::Times(times) => Some(times),
            Speed::Max => None,
        }
    }
}

fn speed(text: &str) -> Result<Speed, String> {
    match text.parse::<f64>() {
        _ if text == "max" => Ok(Speed::Max),
        Ok(times) if times.is_finite() && times >= 1.0 => Ok(Speed::Times(times)),
        _ => Err(format!(
            "expected a number from 1 on, or `max`; the default is {SPEED}"
        )),
    }
}

/// Plays a drill and prints its summary.
///
/// # Errors
/// When something cannot be started, the recovery gets stuck, or a promise is broken.
pub fn run(args: &Args, output: Output) -> Done {
    let (landscape, story) = landscape::load(args.landscape.as_deref(), output.coloured())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(play(args, (landscape, story), output))?)
}

async fn play(args: &Args, (landscape, story): (Landscape, Story), output: Output) -> Result<()> {
    let wall = Instant::now();
    let folder = folder(args.data.as_deref())?;
    let set = stage::build(args, Arc::new(landscape), story, &folder, output.language).await?;
    let stage::Set {
        mut scene,
        gates,
        backends,
        server,
    } = set;
    let console = format!("http://{}", server.address);
    announce(&scene, &console, &folder)?;

    let played = match scene.normal_operation().await {
        Ok(()) => scene.play().await,
        Err(error) => Err(error),
    };
    scene.show.done();
    scene.traffic.stop().await;
    played.with_context(|| format!("the drill broke off; see `{}`", folder.display()))?;
    let audit = audit(&scene, &folder).await?;
    let summary = Summary::new(&scene, &audit, wall.elapsed());
    let page = folder.join("report.html");
    write(&page, &page_of(&scene, &summary, output.language))?;
    let json = serde_json::to_string_pretty(summary.to_json())?;
    write(&folder.join("drill.json"), &json)?;
    let text = || {
        format!(
            "{}\nreport  {}",
            summary.to_text(output.language),
            page.display()
        )
    };
    output
        .line(&if output.json { json } else { text() })
        .map_err(said)?;
    if args.stay {
        stay(&scene, &console, output.language).await?;
    }
    for gate in gates {
        gate.stop().await;
    }
    scene.forger.stop();
    for backend in backends {
        backend.stop();
    }
    if let Some(real) = &mut scene.real {
        real.stop()?;
    }
    server.stop().await?;
    if !summary.violations.is_empty() {
        bail!(
            "the drill broke what it must keep:\n  {}",
            summary.violations.join("\n  ")
        );
    }
    Ok(())
}

/// The report as HTML.
fn page_of(scene: &Scene, summary: &Summary, language: Language) -> String {
    let state = scene.control.read();
    let told = report::Told {
        state: &state,
        tally: &scene.tally,
        summary,
        real: scene.real.as_ref(),
    };
    report::report(&told, language)
}

/// Keeps everything open until Ctrl-C. Said even when quiet: without a login nobody gets in.
async fn stay(scene: &Scene, console: &str, language: Language) -> Result<()> {
    let operator = scene.parties.first(Role::Operator)?;
    let words = match language {
        Language::De => "die Konsole bleibt offen, Ende mit Strg-C",
        Language::En => "the console stays open, end with Ctrl-C",
    };
    eprintln!(
        "console  {console}/login  {} {}\n{words}",
        operator.person, operator.token
    );
    Ok(tokio::signal::ctrl_c().await?)
}

/// Where to look while it runs.
fn announce(scene: &Scene, console: &str, folder: &Path) -> Result<()> {
    let operator = scene.parties.first(Role::Operator)?;
    let tenant = scene.parties.first(Role::Tenant)?;
    let show = &scene.show;
    show.line(&format!(
        "DRILL    domain {}",
        ceremony::domain(&scene.landscape)
    ));
    show.line(&format!("public   {console}/"));
    show.line(&format!(
        "console  {console}/login  {} {}",
        operator.person, operator.token
    ));
    show.line(&format!(
        "tenant   {console}/login  {} {}",
        tenant.person, tenant.token
    ));
    for (gate, admin) in scene.gates.iter().zip(&scene.admins) {
        show.line(&format!(
            "gate     http://{gate}/  its own account: http://{admin}/state"
        ));
    }
    show.line(&format!("folder   {}", folder.display()));
    Ok(())
}

async fn audit(scene: &Scene, folder: &Path) -> Result<Audit> {
    scene.control.checkpoint().await?;
    let believed = scene.control.read().clone();
    let log = Log {
        origin: stage::origin(&scene.landscape),
        public: scene.parties.log_key().public(),
    };
    let pin = scene.root.digest();
    audit::audit(
        folder,
        &scene.landscape,
        (pin, log),
        &scene.admins,
        &believed,
    )
    .await
}

/// Makes the folder of the drill; one that exists is left alone.
fn folder(asked: Option<&Path>) -> Result<PathBuf> {
    let now = jiff::Timestamp::now()
        .strftime("drill-%Y%m%d-%H%M%S")
        .to_string();
    let folder = asked.map_or_else(|| PathBuf::from(now), Path::to_path_buf);
    if folder.exists() {
        bail!(
            "`{}` exists already; a drill begins in an empty folder of its own",
            folder.display()
        );
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    Ok(folder)
}

/// A failure of the output as an error among others.
fn said(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{}", failure.message)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
