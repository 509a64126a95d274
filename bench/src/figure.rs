//! Figures as people compare them: a name, ours, the peer's, the ratio.
//!
//! In:    measured values. Out: Markdown. Never: rounds a spread away.

use std::time::Duration;

/// One table with a title.
pub struct Table {
    title: &'static str,
    rows: Vec<[String; 4]>,
}

impl Table {
    /// An empty table.
    pub fn new(title: &'static str) -> Self {
        Self {
            title,
            rows: Vec::new(),
        }
    }

    /// A figure without a peer.
    pub fn figure(&mut self, what: &str, ours: impl ToString) {
        self.rows
            .push([what.into(), ours.to_string(), String::new(), String::new()]);
    }

    /// A figure beside its peer, with the ratio of the two.
    pub fn beside(&mut self, what: &str, ours: impl ToString, peer: impl ToString, ratio: f64) {
        let ratio = format!("{ratio:.2}");
        self.rows
            .push([what.into(), ours.to_string(), peer.to_string(), ratio]);
    }

    /// Prints it as Markdown.
    pub fn print(&self) {
        println!("\n### {}\n", self.title);
        println!("| what | ours | peer in the same run | ratio |\n|---|---:|---:|---:|");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
    }
}

/// The middle one, with the smallest and the largest.
pub fn median(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    (
        at(values.len() / 2),
        at(0),
        at(values.len().saturating_sub(1)),
    )
}

/// `12.3 (11.9–13.0) ms`.
pub fn spread(values: Vec<f64>, unit: &str) -> String {
    let (middle, least, most) = median(values);
    format!("{middle:.1} ({least:.1}–{most:.1}) {unit}")
}

/// Milliseconds with fraction.
pub fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

/// What it was measured on, in one line.
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let name = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned())
        .unwrap_or_else(|| "unknown processor".into());
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{count} × {name}, Linux {}", kernel.trim())
}
