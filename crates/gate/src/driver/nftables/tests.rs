//! Lists as `nft` 1.0.6 prints them.

use std::path::Path;

use super::{Nftables, read};

const HEAD: &str = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}}, {"set": {"family": "inet",
    "name": "open4", "table": "anlauf", "type": ["ipv4_addr", "inet_service"], "handle": 4"#;

fn list(rest: &str) -> Result<Vec<String>, String> {
    let found = read(format!("{HEAD}{rest}}}}}]}}").as_bytes(), "open4")?;
    Ok(found.iter().map(ToString::to_string).collect())
}

#[test]
fn elements_are_addresses_and_ports() {
    assert_eq!(list("").unwrap(), Vec::<String>::new());
    let two = r#", "elem": [{"concat": ["10.1.0.20", 25]}, {"concat": ["2001:db8::1", 443]}]"#;
    assert_eq!(list(two).unwrap(), ["10.1.0.20:25", "[2001:db8::1]:443"]);
}

/// A range or a network could let pass what belongs to no cell.
#[test]
fn a_set_of_another_kind_is_not_understood() {
    for rest in [
        r#", "elem": ["10.1.0.20"]"#,
        r#", "elem": [{"concat": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, 25]}]"#,
        r#", "elem": [{"concat": ["10.1.0.20", {"range": [1, 99]}]}]"#,
        r#", "elem": {"concat": ["10.1.0.20", 25]}"#,
    ] {
        assert!(list(rest).is_err(), "{rest}");
    }
    assert!(read(br#"{"nftables": []}"#, "open4").is_err());
    assert!(read(b"nothing", "open4").is_err());
}

#[test]
fn an_address_belongs_to_one_cell() {
    let of = |cells: &[(&str, &str)]| {
        let cells = cells
            .iter()
            .map(|(cell, address)| (cell.parse().unwrap(), address.parse().unwrap()));
        Nftables::new("anlauf".into(), "nft".into(), cells.collect())
    };
    assert!(of(&[("a/mail", "10.1.0.20:25"), ("a/mail", "10.1.0.21:25")]).is_ok());
    assert!(of(&[("a/mail", "10.1.0.20:25"), ("b/mail", "10.1.0.20:25")]).is_err());
    let odd = Nftables::new("a; flush ruleset".into(), "nft".into(), Vec::new());
    assert!(odd.is_err());
}

/// Whether a process is gone, or only waits for somebody to ask how it ended.
fn is_over(id: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{id}/stat"));
    state.map_or(true, |state| state.contains(") Z "))
}

async fn id(file: &Path) -> u32 {
    for _ in 0..10_000_000 {
        if let Ok(text) = std::fs::read_to_string(file) {
            return text.trim().parse().unwrap();
        }
        tokio::task::yield_now().await;
    }
    panic!("it was never started");
}

/// Else each look would leave one behind.
#[tokio::test]
async fn a_program_that_hangs_ends_with_the_question() {
    let folder = tempfile::tempdir().unwrap();
    let (program, file) = (folder.path().join("nft"), folder.path().join("id"));
    let own = file.display();
    let script = format!("#!/bin/sh\necho $$ > {own}.new; mv {own}.new {own}; exec sleep 1000\n");
    // Written by another process: a file that this one has open cannot be run.
    let write = "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", write]).arg(&program).arg(script);
    assert!(command.status().unwrap().success());
    let target = Nftables::new("anlauf".into(), program, Vec::new()).unwrap();
    let id = tokio::select! {
        said = target.look() => panic!("{said:?}"),
        id = id(&file) => id,
    };
    for _ in 0..10_000_000 {
        if is_over(id) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it runs on");
}
