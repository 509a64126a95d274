//! Other processes: pinned to a core, measured by what the kernel says of them.
//!
//! In:    a command, a core. Out: [`Child`], processor time and memory.
//! Never: leaves one running; touches a process that it did not start.
//! See:   Linux, `proc(5)`: `schedstat`, `smaps_rollup`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Core of clients and backend, and that of the proxy.
pub const CLIENT_CORE: &str = "0";
pub const PROXY_CORE: &str = "1";

/// A process that ends with this value.
pub struct Child {
    pub process: std::process::Child,
}

/// A command that runs on the proxy's core.
pub fn pinned(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", PROXY_CORE, program]);
    command.stdin(Stdio::null());
    command
}

/// Puts this process with all its threads on the clients' core.
///
/// # Errors
/// `taskset` (util-linux) is missing or there is only one core.
pub fn pin_self() -> Result<()> {
    let pid = std::process::id().to_string();
    let done = Command::new("taskset")
        .args(["-acp", CLIENT_CORE, &pid])
        .stdout(Stdio::null())
        .status()
        .context("cannot run `taskset` (util-linux)")?;
    ensure!(done.success(), "cannot put the clients on a core");
    Ok(())
}

impl Child {
    /// Its own number, and those of all below it.
    pub fn tree(&self) -> Vec<u32> {
        let mut all = vec![self.process.id()];
        let mut next = 0;
        while let Some(pid) = all.get(next).copied() {
            let path = format!("/proc/{pid}/task/{pid}/children");
            let text = std::fs::read_to_string(path).unwrap_or_default();
            all.extend(
                text.split_whitespace()
                    .filter_map(|one| one.parse::<u32>().ok()),
            );
            next += 1;
        }
        all
    }

    /// Processor time so far of all its threads. Seconds.
    pub fn used(&self) -> f64 {
        let threads = self.tree().into_iter().flat_map(|pid| {
            let folder = std::fs::read_dir(format!("/proc/{pid}/task"));
            folder.into_iter().flatten().flatten().map(|one| one.path())
        });
        threads.map(ran_ns).sum::<f64>() / 1e9
    }

    /// Memory that is its own, shared pages divided. MiB.
    pub fn memory_mib(&self) -> f64 {
        let size = |pid: u32| -> Option<f64> {
            let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        self.tree().into_iter().filter_map(size).sum::<f64>() / 1024.0
    }
}

fn ran_ns(thread: PathBuf) -> f64 {
    let text = std::fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|ns| ns.parse().ok()).unwrap_or(0.0)
}

impl Drop for Child {
    fn drop(&mut self) {
        // Parents first: a master starts anew what ends below it.
        for pid in self.tree() {
            let _ = Command::new("kill")
                .args(["-KILL", &pid.to_string()])
                .stderr(Stdio::null())
                .status();
        }
        let _ = self.process.wait();
    }
}
