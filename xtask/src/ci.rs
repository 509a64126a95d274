//! What must hold before anything lands, in the order in which it fails soonest.
//!
//! In:    the working tree. Out: the steps' own output; the test runner's summary comes last.
//! Never: needs something it does not install itself beyond Rust and Debian.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::{cargo, run, tidy, total};

/// Everything that decides.
pub fn ci() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    tidy::tidy()?;
    install_tools()?;
    run(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    licences()?;
    let mut doc = cargo();
    doc.env("RUSTDOCFLAGS", "-D warnings")
        .args(["doc", "--workspace", "--no-deps"]);
    run(&mut doc)?;
    test()
}

/// All tests. The end-to-end tests drive the real binary, so the binary is built first.
pub fn test() -> Result<()> {
    run(cargo().args(["build", "--workspace", "--all-targets"]))?;
    // nextest runs no examples in documents; one of them must not compile: a way past the judge.
    run(cargo().args(["test", "--workspace", "--doc", "--quiet"]))?;
    let nextest = succeeds(cargo().args(["nextest", "--version"]));
    if nextest {
        return run(cargo().args(["nextest", "run", "--workspace", "--no-fail-fast"]));
    }
    let kinds = ["--lib", "--bins", "--tests"];
    total::run(
        cargo()
            .args(["test", "--workspace", "--no-fail-fast"])
            .args(kinds),
    )
}

/// The licence checker's version: a new one may judge differently.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// Licences and sources of all dependencies, by cargo-deny.
fn licences() -> Result<()> {
    if !succeeds(cargo().args(["deny", "--version"])) {
        // It runs once, for a second: not worth minutes of optimising it.
        let mut install = cargo();
        install
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off");
        install.args([
            "install",
            "--locked",
            "cargo-deny",
            "--version",
            CARGO_DENY_VERSION,
        ]);
        run(&mut install)?;
    }
    run(cargo().args(["deny", "--offline", "check", "licenses", "bans", "sources"]))
}

/// Programs of others that the tests hold ours against: what each is asked, and its package.
const TOOLS: [(&str, &str, &str); 20] = [
    ("chromium", "--version", "chromium"),
    ("chromedriver", "--version", "chromium-driver"),
    ("ssh-keygen", "-?", "openssh-client"),
    ("python3", "--version", "python3"),
    ("curl", "--version", "curl"),
    ("nghttp", "--version", "nghttp2-client"),
    ("openssl", "version", "openssl"),
    ("node", "--version", "nodejs"),
    ("npm", "--version", "npm"),
    ("pip3", "--version", "python3-pip"),
    ("pdftotext", "-v", "poppler-utils"),
    ("/usr/sbin/nginx", "-v", "nginx"),
    (
        "/usr/lib/nginx/modules/ngx_stream_module.so",
        "",
        "libnginx-mod-stream",
    ),
    ("/usr/sbin/haproxy", "-v", "haproxy"),
    ("/usr/sbin/nft", "--version", "nftables"),
    ("/sbin/ip", "-V", "iproute2"),
    ("swaks", "--version", "swaks"),
    ("/usr/sbin/postfix", "--version", "postfix"),
    ("/usr/sbin/dovecot", "--version", "dovecot-imapd"),
    ("/usr/lib/dovecot/pop3", "--version", "dovecot-pop3d"),
];

/// Installs packages without starting their services: the tests start what they need by themselves,
/// and a mail server on the machine's own ports is nobody's wish. See Debian's `invoke-rc.d(8)`.
const INSTALL: &str = "policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\\nexit 101\\n' > $policy && chmod 755 $policy
fi
apt-get install -y -qq --no-install-recommends \"$@\"";

/// Installs those that are missing.
fn install_tools() -> Result<()> {
    let missing = TOOLS.iter().filter(|(program, asked, _)| {
        // Of a library it is enough that it is there.
        let is_library = program.ends_with(".so");
        let is_there = is_library && Path::new(program).exists();
        !is_there && (is_library || Command::new(program).arg(asked).output().is_err())
    });
    let packages: Vec<&str> = missing.map(|(_, _, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    run(as_root(&packages)?.args(["apt-get", "update", "-qq"]))?;
    let mut install = as_root(&packages)?;
    run(install.args(["sh", "-c", INSTALL, "sh"]).args(&packages))
}

/// What runs a command with the rights to install packages.
fn as_root(packages: &[&str]) -> Result<Command> {
    let id = Command::new("id").arg("-u").output();
    let is_root = id.is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let mut command = if is_root {
        Command::new("env")
    } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "env"]);
        sudo
    } else {
        let packages = packages.join(" ");
        bail!(
            "the tests need {packages}, which this user may not install (neither root nor sudo \
             without a password); run `apt-get install {packages}` as root, then again"
        )
    };
    command.arg("DEBIAN_FRONTEND=noninteractive");
    Ok(command)
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
