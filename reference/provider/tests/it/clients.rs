//! Login and record as programs of others use them: npm `openid-client`, PyPI `fhirclient`.
//!
//! In:    node, npm, python3, pip3; the packages are installed once beside the build, `foreign/`.
//! Out:   a person logs in at our issuer and uses their record, with nothing of ours in between.

use std::path::PathBuf;
use std::process::Command;

use reference_provider::kernel::clock::Clock;
use reference_provider::kernel::seed;
use serde_json::{Value, json};

use crate::stage::{EISVOGEL, SEED, Stage};

const OIDC: &str = "openid-client@6.8.1";
const FHIR: &str = "fhirclient==4.3.1";
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");

/// A folder beside the build that an installer has filled.
fn installed(name: &str, fill: impl Fn(&PathBuf) -> Command) -> PathBuf {
    let own = std::env::current_exe().expect("a test");
    let folder = own.ancestors().nth(3).expect("target").join("foreign");
    let folder = folder.join(name);
    let mark = folder.join("whole");
    if !mark.exists() {
        std::fs::create_dir_all(&folder).expect("a folder");
        let done = fill(&folder).status().expect("npm and pip3 are installed");
        assert!(done.success(), "`{name}` cannot be installed");
        std::fs::write(mark, "").expect("a mark");
    }
    folder
}

fn npm(folder: &PathBuf) -> Command {
    let mut command = Command::new("npm");
    command.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]);
    command.arg(folder).arg(OIDC);
    command
}

fn pip(folder: &PathBuf) -> Command {
    let mut command = Command::new("pip3");
    let quiet = ["install", "--quiet", "--quiet", "--root-user-action=ignore"];
    command.args(quiet).arg("--target").arg(folder).arg(FHIR);
    command
}

/// What a program printed.
fn told(command: &mut Command) -> Value {
    let out = command.output().expect("it is installed");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{said}");
    serde_json::from_slice(&out.stdout).expect("JSON")
}

#[test]
fn foreign_programs_log_in_and_use_the_record() {
    let stage = Stage::new();
    // Foreign clients read the machine's clock.
    let now = Clock::System.seconds();
    stage.now.store(now, std::sync::atomic::Ordering::SeqCst);
    let person = seed::insured(EISVOGEL, SEED, 2);
    let number = person.kvnr.to_string();
    let tenant = stage.house.tenant(EISVOGEL).expect("ours");
    let back = format!("{}/app/callback", tenant.origin);
    let seen = told(
        Command::new("node")
            .arg(format!("{SCRIPTS}/client.mjs"))
            .arg(installed("oidc", npm))
            .args([stage.address.to_string(), tenant.issuer()])
            .args(["app", &back, &number, &seed::password_of(SEED)]),
    );
    let name = format!("{} {}", person.given, person.family);
    assert_eq!(seen["claims"]["sub"], number.as_str());
    assert_eq!(seen["claims"]["iss"], tenant.issuer().as_str());
    assert_eq!(seen["claims"]["tenant"], EISVOGEL);
    assert_eq!(seen["person"]["name"], name.as_str());

    let (_, host) = tenant.origin.split_once("://").expect("an address");
    let base = format!("http://{}/epa", stage.address);
    let token = seen["token"].as_str().expect("a token");
    let seen = told(
        Command::new("python3")
            .arg(format!("{SCRIPTS}/client.py"))
            .args([base.as_str(), host, token, &number])
            .env("PYTHONPATH", installed("fhirclient", pip)),
    );
    let wanted = json!({
        "fhir": "4.0.1", "name": name, "total": 3, "first": 2, "all": 3,
        "made": "from a foreign client", "unconditional": 428, "deleted": true,
        "unknown": "OperationOutcome",
    });
    assert_eq!(seen, wanted);
}
