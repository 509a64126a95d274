//! One closing line for `cargo test`, which ends with the result of its last binary only.
//!
//! In:    what the tests print, line by line. Out: their sum, in the same form.
//! Never: hides a line; what is counted is shown as well.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::words;

/// Results of all test binaries together.
#[derive(Default)]
struct Total {
    /// Passed, failed, ignored, measured, filtered out.
    counts: [u64; 5],
    seconds: f64,
}

const NAMES: [&str; 5] = ["passed", "failed", "ignored", "measured", "filtered out"];

impl Total {
    /// Adds a line if it is a binary's result.
    fn add(&mut self, line: &str) {
        let Some((_, told)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for piece in told.split("; ") {
            let counted = piece.split_once(' ').and_then(|(number, name)| {
                let index = NAMES.iter().position(|known| *known == name)?;
                Some((index, number.parse::<u64>().ok()?))
            });
            if let Some((index, number)) = counted {
                self.counts[index] += number;
            }
        }
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.counts[1] == 0 { "ok" } else { "FAILED" };
        write!(f, "test result: {verdict}.")?;
        for (count, name) in self.counts.iter().zip(NAMES) {
            write!(f, " {count} {name};")?;
        }
        write!(f, " finished in {:.2}s", self.seconds)
    }
}

/// Runs tests, shows what they print, and says the sum last.
///
/// # Errors
/// A test failed, or the runner could not be started.
pub fn run(command: &mut Command) -> Result<()> {
    eprintln!("+ {}", words(command));
    let began = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", words(command)))?;
    let mut total = Total::default();
    let stdout = child.stdout.take().context("the output is piped")?;
    for line in BufReader::new(stdout).lines() {
        let line = line.context("cannot read what the tests print")?;
        total.add(&line);
        println!("{line}");
    }
    let status = child.wait()?;
    total.seconds = began.elapsed().as_secs_f64();
    println!("{total}");
    if !status.success() {
        bail!("`{}` ended with {status}", words(command));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_summed_up() {
        let mut total = Total::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; \
             finished in 0.05s",
            "note: test result: ok. 9 passed",
            "test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; \
             finished in 1.20s",
        ] {
            total.add(line);
        }
        total.seconds = 1.25;
        let told = "test result: FAILED. 7 passed; 1 failed; 1 ignored; 0 measured; 2 filtered \
                    out; finished in 1.25s";
        assert_eq!(total.to_string(), told);
        assert!(
            Total::default()
                .to_string()
                .starts_with("test result: ok. 0 passed;")
        );
    }
}
