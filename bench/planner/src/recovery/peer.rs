//! OR-Tools CP-SAT on the same instance, in the same seconds, with as many workers as we threads.
//!
//! In:    a [`Problem`], seconds. Out: starts, or none when the peer found none.
//! Never: part of the product; Python and its packages live below the target folder.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anlauf_scheduler::weighted::{NONE, Problem, Schedule, Team};
use anyhow::{Context, Result, bail, ensure};

/// The peer's program.
const PROGRAM: &str = include_str!("../../peers/cpsat_recovery.py");

/// Runs the peer. Its horizon ends a sixth behind the end of `known`: a wider one slows it down.
pub fn solve(
    problem: &Problem,
    known: &Schedule,
    seconds: u64,
    workers: usize,
) -> Result<Option<Vec<u32>>> {
    let folder = folder();
    let python = python(&folder)?;
    let (instance, program) = (
        folder.join("instance.json"),
        folder.join("cpsat_recovery.py"),
    );
    fs::write(&instance, text(problem, known)).context("cannot write the peer's instance")?;
    fs::write(&program, PROGRAM).context("cannot write the peer's program")?;
    let done = Command::new(python)
        .arg(program)
        .arg(instance)
        .args([seconds.to_string(), workers.to_string()])
        .output()
        .context("cannot start the peer")?;
    ensure!(
        done.status.success(),
        "the peer failed: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    starts(&String::from_utf8_lossy(&done.stdout), problem.count())
}

/// `"start": [1, 2]` of the peer's answer.
fn starts(answer: &str, count: usize) -> Result<Option<Vec<u32>>> {
    let list = answer
        .split_once("\"start\": [")
        .and_then(|(_, rest)| rest.split_once(']'));
    let Some((list, _)) = list else {
        bail!("cannot read the peer's answer: {answer}")
    };
    if list.is_empty() {
        return Ok(None);
    }
    let starts: Result<Vec<u32>, _> = list.split(", ").map(str::parse).collect();
    let starts = starts.context("cannot read the peer's starts")?;
    ensure!(
        starts.len() == count,
        "the peer gave {} starts for {count}",
        starts.len()
    );
    Ok(Some(starts))
}

fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    PathBuf::from(target).join("planner-peer")
}

/// A Python with OR-Tools; made at the first call.
fn python(folder: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    if !folder.join("bin/pip").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    }
    let is_there = Command::new(&python)
        .args(["-c", "import ortools"])
        .output();
    if !is_there.is_ok_and(|done| done.status.success()) {
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "ortools"]))?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// The instance as JSON: `missing` are hours with fewer lanes than `most`.
fn text(problem: &Problem, known: &Schedule) -> String {
    let ends = known
        .start
        .iter()
        .enumerate()
        .map(|(at, start)| start + problem.activity(at).hours);
    let end = ends.max().unwrap_or(0);
    let horizon = end + end / 6;
    let teams: Vec<String> = problem
        .teams()
        .iter()
        .map(|team| of_team(team, horizon))
        .collect();
    let mut activities = String::new();
    let mut edges = String::new();
    for at in 0..problem.count() {
        let it = problem.activity(at);
        let due = match problem.due(at) {
            NONE => horizon,
            due => due,
        };
        let numbers = [it.hours, it.team, it.release, due, it.weight];
        // Writing into a string cannot fail.
        let _ = write!(activities, "{}{numbers:?}", if at > 0 { "," } else { "" });
        for earlier in problem.before(at) {
            let _ = write!(
                edges,
                "{}[{earlier},{at}]",
                if edges.is_empty() { "" } else { "," }
            );
        }
    }
    format!(
        "{{\"horizon\":{horizon},\"teams\":[{}],\
         \"activities\":[{activities}],\"edges\":[{edges}]}}",
        teams.join(",")
    )
}

fn of_team(team: &Team, horizon: u32) -> String {
    let most = (0..horizon).map(|hour| team.lanes(hour)).max().unwrap_or(0);
    let mut missing: Vec<(u32, u32, u8)> = Vec::new();
    for hour in 0..horizon {
        let lanes = most - team.lanes(hour);
        match missing.last_mut() {
            Some((_, to, same)) if *to == hour && *same == lanes => *to = hour + 1,
            _ if lanes > 0 => missing.push((hour, hour + 1, lanes)),
            _ => {}
        }
    }
    let missing: Vec<String> = missing
        .iter()
        .map(|(from, to, lanes)| format!("[{from},{to},{lanes}]"))
        .collect();
    format!("{{\"most\":{most},\"missing\":[{}]}}", missing.join(","))
}
