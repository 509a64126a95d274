//! The peer of the makespan mode: OR-Tools CP-SAT, from PyPI, in an environment of its own.
//!
//! In:    an instance as a file, seconds, workers. Out: what CP-SAT found and proved.
//! Never: installs anything outside of the target folder; believed without a status.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The model, told in the peer's own language.
const SCRIPT: &str = include_str!("../../peers/cpsat_rcpsp.py");

/// An installed peer.
pub struct Peer {
    python: PathBuf,
    /// Name and version.
    pub name: String,
}

/// What the peer answered.
pub struct Answer {
    /// None when it found nothing in time.
    pub makespan: Option<u32>,
    /// Its lower bound.
    pub lower_bound: u32,
    /// Whether it proved its makespan.
    pub is_proven: bool,
    /// Wall time with the start of the interpreter and the making of the model.
    pub took: Duration,
}

impl Peer {
    /// Finds the environment below the target folder, or makes it.
    ///
    /// # Errors
    /// No Python, or PyPI cannot be reached.
    pub fn install(target: &Path) -> Result<Self> {
        let folder = target.join("bench-ortools");
        let python = folder.join("bin/python");
        if !python.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        }
        let version = "import ortools; print('OR-Tools CP-SAT', ortools.__version__)";
        let mut name = run(Command::new(&python).args(["-c", version]));
        if name.is_err() {
            let install = ["-m", "pip", "install", "--quiet", "ortools"];
            run(Command::new(&python).args(install))?;
            name = run(Command::new(&python).args(["-c", version]));
        }
        let name = name?.trim().to_owned();
        Ok(Self { python, name })
    }

    /// Lets the peer solve one instance.
    ///
    /// # Errors
    /// It cannot be started or answers something else than its line.
    pub fn solve(&self, instance: &Path, seconds: f64, workers: usize) -> Result<Answer> {
        let begun = Instant::now();
        let mut command = Command::new(&self.python);
        command.args(["-c", SCRIPT]).arg(instance);
        command.args([seconds.to_string(), workers.to_string()]);
        let line = run(&mut command)?;
        let words: Vec<_> = line.split_whitespace().collect();
        let [makespan, bound, status] = words[..] else {
            bail!("the peer answered `{}`", line.trim());
        };
        Ok(Answer {
            makespan: makespan.parse().ok(),
            lower_bound: bound.parse().context("the peer's bound is no number")?,
            is_proven: status == "optimal",
            took: begun.elapsed(),
        })
    }
}

fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command.output();
    let out = out.with_context(|| format!("cannot start `{name}`"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        let last = said.lines().last().unwrap_or_default().to_owned();
        bail!("`{name}` ended with {}: {last}", out.status);
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
