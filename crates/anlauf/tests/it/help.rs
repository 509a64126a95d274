//! What the program says of itself.

use crate::process::{Run, anlauf};

/// Every verb and noun with the words that its help must have.
const COMMANDS: [(&str, &str); 59] = [
    ("init", "DIR"),
    ("landscape lint", "--strict"),
    ("landscape show", "DIR"),
    ("landscape schema", "JSON Schema"),
    ("landscape adopt", "--reason"),
    ("key new", "--person"),
    ("key show", "FILE"),
    ("key enrol", "--touch-only"),
    ("key genesis", "--threshold"),
    ("key rotate", "--keep"),
    ("key revoke", "--person"),
    ("key review", "--policy"),
    ("key protocol", "FILE"),
    ("genesis", "--threshold"),
    ("login add", "--out"),
    ("login remove", "--data"),
    ("login list", "--data"),
    ("serve", "--landscape"),
    ("gate", "--pin"),
    ("gate top", "--once"),
    ("inflow", "--share"),
    ("adopt", "--reason"),
    ("drill", "--speed"),
    ("contain", "--reason"),
    ("close", "--with-dependents"),
    ("incident declare", "--reason"),
    ("incident narrow", "--reason"),
    ("incident hold", "--until"),
    ("incident end", "--reason"),
    ("task start", "--reason"),
    ("finding add", "--evidence-file"),
    ("finding withdraw", "--close"),
    ("finding list", "--cell"),
    ("plan", "--landscape"),
    ("plan propose", "--reason"),
    ("plan diff", "--from"),
    ("why", "CELL"),
    ("wish state", "--reason"),
    ("offer make", "--reason"),
    ("agree", "--reason"),
    ("decline", "--reason"),
    ("accept", "--failed"),
    ("sign", "--key"),
    ("release propose", "--stage"),
    ("release carry-out", "--ready"),
    ("break-glass propose", "--minutes"),
    ("break-glass review", "--reason"),
    ("catch-up", "--reason"),
    ("announce", "--next-word"),
    ("events", "--follow"),
    ("prove", "--check"),
    ("ledger verify", "--origin"),
    ("ledger export", "--tenant"),
    ("ledger cosign", "--faulty"),
    ("beacon ask", "--gate"),
    ("beacon answer", "--token-file"),
    ("beacon bring", "FILE"),
    ("witness serve", "--state"),
    ("witness cosign", "--log"),
];

#[test]
fn every_command_says_what_it_does() {
    for (line, word) in COMMANDS {
        let help = Run::of(anlauf(line.split(' ')).arg("--help")).done();
        assert!(
            help.contains(word),
            "no `{word}` in the help of `{line}`:\n{help}"
        );
        assert!(help.contains("--json"), "{line}");
    }
}

#[test]
fn every_change_can_be_tried_without_doing_it() {
    let changes = COMMANDS.iter().filter(|(_, word)| *word == "--reason");
    for (line, _) in changes {
        let help = Run::of(anlauf(line.split(' ')).arg("--help")).done();
        assert!(help.contains("--dry-run"), "{line}");
        assert!(help.contains("Idempotency key"), "{line}");
    }
}

#[test]
fn the_first_page() {
    let help = Run::of(&mut anlauf(["--help"])).done();
    let commands = help
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("Options:")
        .next()
        .unwrap();
    insta::assert_snapshot!("first_page", commands.trim_end());
}

#[test]
fn exit_codes_are_told() {
    let codes = Run::of(&mut anlauf(["exit-codes"])).done();
    insta::assert_snapshot!("exit_codes", codes);
    let guide = include_str!("../../../../docs/guide/cli.md");
    for line in codes.lines().skip(1) {
        let (code, meaning) = line.split_once(' ').unwrap();
        let row = format!("| {code} | {} |", meaning.trim());
        assert!(guide.contains(&row), "docs/guide/cli.md lacks `{row}`");
    }
    Run::of(&mut anlauf(["fly"])).says(2, &["unrecognized subcommand"]);
}

#[test]
fn shells_complete_and_manuals_print() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Run::of(&mut anlauf(["completions", shell])).done();
        assert!(script.contains("carry-out"), "{shell}");
    }
    let folder = tempfile::TempDir::new().unwrap();
    Run::of(anlauf(["man"]).arg(folder.path())).done();
    let page = std::fs::read_to_string(folder.path().join("anlauf-contain.1")).unwrap();
    assert!(page.contains("Shut everything at once"), "{page}");
}
