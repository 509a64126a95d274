//! What is promised about the verifier: how small it is, and which test shows which threat met.
//!
//! In:    the tracked files. Out: findings. Never: counts tests, comments or empty lines.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Most lines of code of the verifier: what one person audits in a week (issue 3, capability 1).
const VERIFIER_LINES_MAX: usize = 1_500;

/// What says which test shows which threat met.
const THREAT_MODEL: &str = "docs/threat-model.md";

/// The verifier is small enough to be read.
pub fn check_verifier(files: &[PathBuf]) -> Vec<String> {
    let is_verifier = |path: &&PathBuf| path.starts_with("crates/trust/src");
    let lines: usize = files
        .iter()
        .filter(is_verifier)
        .map(|path| code_lines(path))
        .sum();
    let too_many = lines > VERIFIER_LINES_MAX;
    let finding = format!("crates/trust: {lines} lines of code, at most {VERIFIER_LINES_MAX}");
    too_many.then_some(finding).into_iter().collect()
}

fn code_lines(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    text.lines().filter(is_code).count()
}

/// Every test that the threat model names exists: `crate::test_name` in backquotes, in the column
/// or line that says which test shows it.
pub fn check_threats(files: &[PathBuf]) -> Result<Vec<String>> {
    if !files.iter().any(|path| path == Path::new(THREAT_MODEL)) {
        return Ok(vec![format!("{THREAT_MODEL} is missing")]);
    }
    let text = std::fs::read_to_string(THREAT_MODEL)?;
    let mut findings = Vec::new();
    let mut named = 0;
    for (number, line) in text.lines().enumerate() {
        for name in line.split('`').skip(1).step_by(2) {
            let Some((krate, test)) = name.split_once("::") else {
                continue;
            };
            named += 1;
            if !tests_of(files, krate).contains(test) {
                let at = number + 1;
                findings.push(format!("{THREAT_MODEL}:{at}: there is no test `{name}`"));
            }
        }
    }
    if named == 0 {
        findings.push(format!("{THREAT_MODEL}: names no test"));
    }
    Ok(findings)
}

/// The functions under `#[test]` or in `proptest!` of one crate.
fn tests_of(files: &[PathBuf], krate: &str) -> BTreeSet<String> {
    let folder = match krate {
        "fuzz" => "fuzz".to_owned(),
        krate => format!("crates/{krate}"),
    };
    let is_ours = |path: &&PathBuf| {
        path.starts_with(&folder) && path.extension().is_some_and(|ending| ending == "rs")
    };
    let ours = files.iter().filter(is_ours);
    let mut tests = BTreeSet::new();
    for path in ours {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut is_marked = false;
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_marked = true;
            } else if let Some(rest) = line.trim_start_matches("async ").strip_prefix("fn ") {
                if is_marked {
                    tests.insert(rest.split(['(', '<']).next().unwrap_or_default().to_owned());
                }
                is_marked = false;
            }
        }
    }
    tests
}
