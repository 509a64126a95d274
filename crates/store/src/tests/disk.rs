//! A disk that is full, and one whose flush fails, under a real process.
//!
//! The test program starts itself again as the process that meets the bad disk, with one of
//! these tests as its only task. It prints what it was answered, the parent holds the ledger
//! against it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::cast::{desk, notice};

const FOLDER: &str = "ANLAUF_STORE_CHILD";

/// Most notices a child submits; the disk must have failed before.
const NOTICE_COUNT_MAX: usize = 3_000;

/// The child: submits until the desk stops, prints the keys that were acknowledged.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let desk = desk(Path::new(&folder));
    for number in 0..NOTICE_COUNT_MAX {
        let key = format!("n{number}");
        if desk.submit_blocking(notice(&key)).is_err() {
            // One that has not ended is closed, so that nobody waits for it.
            desk.clone().close();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            let error = runtime
                .block_on(desk.stopped())
                .expect("it did not stop by itself");
            println!("\nstopped {}", error.code());
            assert!(
                desk.submit_blocking(notice("later")).is_err(),
                "stopped is stopped"
            );
            return;
        }
        println!("\nacknowledged {key}");
    }
}

fn child_command(folder: &Path, before: &str) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    let script = format!("{before} exec \"$0\" --exact tests::disk::child --nocapture");
    command
        .arg("-c")
        .arg(script)
        .arg(program)
        .env(FOLDER, folder);
    command
}

/// Holds the ledger against what the child was told; gives how much that was.
fn nothing_acknowledged_is_lost(folder: &Path, output: &Output) -> usize {
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        told.contains("\nstopped AN-STO-009\n"),
        "it stops with its error: {told}"
    );
    let acknowledged: Vec<_> = told
        .lines()
        .filter_map(|line| line.strip_prefix("acknowledged "))
        .collect();
    let again = desk(folder);
    for key in &acknowledged {
        assert!(
            again.submit_blocking(notice(key)).unwrap().replayed,
            "{key} is lost"
        );
    }
    let kept = again.read().seq as usize;
    assert!(
        kept <= acknowledged.len() + 1,
        "one command was under way, not more"
    );
    acknowledged.len()
}

#[test]
fn a_full_disk_stops_the_process_and_loses_nothing() {
    for blocks in [150, 400] {
        let folder = tempfile::tempdir().unwrap();
        // No file may grow beyond the limit: to the process that is a full disk.
        let before = format!("trap '' XFSZ; ulimit -f {blocks};");
        let output = child_command(folder.path(), &before).output().unwrap();
        let count = nothing_acknowledged_is_lost(folder.path(), &output);
        assert!((5..NOTICE_COUNT_MAX).contains(&count), "{count}");
    }
}

/// Flushes succeed so often, then never again.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
static long left = -1;
static int flush(const char *name, int fd) {
    if (left < 0) left = atol(getenv("ANLAUF_FLUSH_COUNT"));
    if (left == 0) { errno = EIO; return -1; }
    left--;
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}
int fsync(int fd) { return flush("fsync", fd); }
int fdatasync(int fd) { return flush("fdatasync", fd); }
"#;

fn shim(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("flush.c"), folder.join("flush.so"));
    std::fs::write(&source, SHIM).unwrap();
    // The compiler is there: SQLite was built with it.
    let mut command = Command::new("cc");
    command
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl");
    assert!(command.status().unwrap().success());
    library
}

#[test]
fn a_failed_flush_stops_the_process_and_loses_nothing() {
    let tools = tempfile::tempdir().unwrap();
    let library = shim(tools.path());
    for count in [20, 33] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = child_command(folder.path(), "");
        command
            .env("LD_PRELOAD", &library)
            .env("ANLAUF_FLUSH_COUNT", count.to_string());
        let output = command.output().unwrap();
        let acknowledged = nothing_acknowledged_is_lost(folder.path(), &output);
        assert!(acknowledged > 0, "some were acknowledged before");
        assert!(acknowledged < count, "each acknowledgement has its flush");
    }
}
