//! Checks of our own that no other tool makes.
//!
//! In:    the tracked files. Out: nothing, or every finding with file and line.
//! Never: changes a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

mod trust;

/// Longest file of code. Lines.
const FILE_LINES_MAX: usize = 1_000;

/// Longest line of code. Characters.
const LINE_LENGTH_MAX: usize = 100;

/// Largest tracked file. Bytes.
const FILE_SIZE_MAX: u64 = 500_000;

/// Crates from the core outwards; a crate leans only on crates before it. Shell crates do not know
/// each other: they meet in the binary.
const LAYERS: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("keys", &["model"]),
    ("transparency", &["model", "keys"]),
    ("trust", &["model", "keys", "transparency"]),
    ("words", &["model", "keys", "trust"]),
    ("scheduler", &[]),
    ("planner", &["model", "scheduler"]),
    ("recovery", &["model", "trust", "planner"]),
    (
        "store",
        &["model", "transparency", "trust", "planner", "recovery"],
    ),
    ("gate", &["model", "transparency", "trust"]),
    ("web", &["model", "trust", "words", "planner", "recovery"]),
    // The simulator plays the gate's own core, and alone asks for its feature `lab`.
    ("sim", &["model", "trust", "planner", "recovery", "gate"]),
    (
        "anlauf",
        &[
            "model",
            "keys",
            "transparency",
            "trust",
            "words",
            "planner",
            "recovery",
            "store",
            "gate",
            "web",
        ],
    ),
];

/// The functional core.
const CORE: [&str; 8] = [
    "model",
    "keys",
    "transparency",
    "trust",
    "words",
    "scheduler",
    "planner",
    "recovery",
];

/// Crates the core must not know: clock, disk, network, chance from outside, log output.
const CORE_BANNED: [&str; 9] = [
    "tokio",
    "axum",
    "hyper",
    "rusqlite",
    "ureq",
    "getrandom",
    "tracing",
    "maud",
    "log",
];

/// Words of code that the core must not say.
const CORE_BANNED_WORDS: [&str; 6] = [
    "HashMap",
    "HashSet",
    "SystemTime",
    "Instant::now",
    "std::fs",
    "std::net::Tcp",
];

/// Runs every check.
pub fn tidy() -> Result<()> {
    let files = tracked()?;
    let mut findings = Vec::new();
    for path in &files {
        findings.extend(check_file(path)?);
    }
    findings.extend(check_layers()?);
    findings.extend(check_error_pages(&files)?);
    findings.extend(check_links(&files)?);
    findings.extend(trust::check_verifier(&files));
    findings.extend(trust::check_threats(&files)?);
    if findings.is_empty() {
        eprintln!("+ tidy: {} files", files.len());
        return Ok(());
    }
    bail!("tidy found {}:\n{}", findings.len(), findings.join("\n"))
}

fn tracked() -> Result<Vec<PathBuf>> {
    let out = Command::new("git")
        .args(["ls-files", "-z"])
        .output()
        .context("cannot ask git")?;
    let names = out
        .stdout
        .split(|b| *b == 0)
        .filter(|name| !name.is_empty());
    Ok(names
        .map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
        .collect())
}

fn check_file(path: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let Ok(meta) = path.metadata() else {
        return Ok(findings);
    };
    let name = path.display();
    if meta.len() > FILE_SIZE_MAX && !name.to_string().starts_with("docs/screenshots") {
        findings.push(format!(
            "{name}: {} bytes, at most {FILE_SIZE_MAX}",
            meta.len()
        ));
    }
    if path.extension().is_none_or(|e| e != "rs") {
        return Ok(findings);
    }
    let text = std::fs::read_to_string(path)?;
    let lines: Vec<_> = text.lines().collect();
    if lines.len() > FILE_LINES_MAX {
        findings.push(format!(
            "{name}: {} lines, at most {FILE_LINES_MAX}",
            lines.len()
        ));
    }
    let core = CORE
        .iter()
        .any(|c| path.starts_with(format!("crates/{c}/src")));
    let test = path
        .components()
        .any(|c| c.as_os_str().to_string_lossy().contains("test"));
    for (index, line) in lines.iter().enumerate() {
        let at = format!("{name}:{}", index + 1);
        if line.chars().count() > LINE_LENGTH_MAX
            && !line.contains("r#\"")
            && !line.contains("http")
        {
            findings.push(format!("{at}: longer than {LINE_LENGTH_MAX} characters"));
        }
        if line.contains(concat!("FIX", "ME")) || line.contains(concat!("XX", "X:")) {
            findings.push(format!("{at}: unfinished"));
        }
        if line.contains(concat!("TO", "DO")) && !line.contains(concat!("TO", "DO(#")) {
            findings.push(format!("{at}: names no issue"));
        }
        let code = !line.trim_start().starts_with("//");
        if core && !test && code {
            let said = CORE_BANNED_WORDS
                .iter()
                .filter(|word| line.contains(**word));
            findings.extend(said.map(|word| format!("{at}: the core does not say `{word}`")));
        }
        let product = path.starts_with("crates") && !path.starts_with("crates/anlauf/src/drill");
        if product && line.contains("reference_provider") {
            findings.push(format!("{at}: the reference provider is the drill's only"));
        }
    }
    Ok(findings)
}

fn check_layers() -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for (name, may) in LAYERS {
        let path = format!("crates/{name}/Cargo.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let section = text.split("[dependencies]").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        for line in section.lines() {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if let Some(ours) = dependency.strip_prefix("anlauf-")
                && !may.contains(&ours)
            {
                findings.push(format!("{path}: `{name}` must not lean on `{ours}`"));
            }
            if dependency == "reference-provider" && name != "anlauf" {
                findings.push(format!("{path}: `{name}` must not lean on `{dependency}`"));
            }
            if CORE.contains(&name) && CORE_BANNED.contains(&dependency) {
                findings.push(format!("{path}: the core must not know `{dependency}`"));
            }
        }
    }
    Ok(findings)
}

/// Every error code in the code has a page, and every page a code.
fn check_error_pages(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut codes = BTreeSet::new();
    for path in files
        .iter()
        .filter(|p| p.starts_with("crates") && is_rust(p))
    {
        codes.extend(codes_in(&std::fs::read_to_string(path).unwrap_or_default()));
    }
    let pages: BTreeSet<String> = files
        .iter()
        .filter(|p| p.starts_with("docs/errors"))
        .filter_map(|p| Some(p.file_stem()?.to_string_lossy().into_owned()))
        .filter(|stem| stem.starts_with("AN-"))
        .collect();
    let missing = codes
        .difference(&pages)
        .map(|c| format!("docs/errors/{c}.md is missing"));
    let orphans = pages
        .difference(&codes)
        .map(|c| format!("docs/errors/{c}.md: no code has it"));
    Ok(missing.chain(orphans).collect())
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "rs")
}

/// Codes of the form `AN-ABC-123`.
fn codes_in(text: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for (at, _) in text.match_indices("AN-") {
        let Some(code) = text.get(at..at + 10) else {
            continue;
        };
        let bytes = code.as_bytes();
        let letters = bytes[3..6].iter().all(u8::is_ascii_uppercase);
        if letters && bytes[6] == b'-' && bytes[7..].iter().all(u8::is_ascii_digit) {
            codes.insert(code.to_owned());
        }
    }
    codes
}

/// Links between our own documents lead somewhere.
fn check_links(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for path in files
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
    {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new(""));
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..]
                .split([')', '#', ' '])
                .next()
                .unwrap_or_default();
            let outside =
                target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !outside && !folder.join(target).exists() {
                findings.push(format!(
                    "{}: link to `{target}` leads nowhere",
                    path.display()
                ));
            }
        }
    }
    Ok(findings)
}
