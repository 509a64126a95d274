//! A key that nothing but an agent holds: it enrols, it signs, and the verifier takes it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::house::{Desk, House};
use crate::process::Run;

/// ssh-agent(1) of this test alone.
struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Agent {
    /// Runs once it has said where it listens.
    fn start(house: &House) -> Self {
        let socket = house.path("agent");
        let mut process = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::piped())
            .spawn()
            .expect("openssh-client is installed");
        let mut line = String::new();
        let said = process.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        assert!(line.contains("SSH_AUTH_SOCK"), "{line}");
        Self { process, socket }
    }

    /// Hands it the secret half; the file is gone then.
    fn take(&self, house: &House, name: &str) {
        let secret = house.path("ssh").join(name);
        let added = Command::new("ssh-add")
            .arg("-q")
            .arg(&secret)
            .env("SSH_AUTH_SOCK", &self.socket)
            .stdin(Stdio::null())
            .status();
        assert!(added.expect("openssh-client is installed").success());
        fs::remove_file(secret).unwrap();
    }

    fn run(&self, house: &House, line: &str) -> Run {
        Run::of(house.command(line).env("SSH_AUTH_SOCK", &self.socket))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_key_that_only_an_agent_holds_signs() {
    let house = House::new(None);
    let agent = Agent::start(&house);
    agent.take(&house, "forensics-1");
    house.make_ssh_key("ecdsa", "spare");
    agent.take(&house, "spare");
    agent
        .run(
            &house,
            "key enrol --person forensics-1 --ssh-key ssh/spare.pub --out spare.card",
        )
        .done();

    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    desk.must("operator-1", "incident declare --de Übung --en rehearsal");
    let draft = format!(
        "finding draft --kind entry_path_closed --verdict pass --evidence {} \
         --root data/authority/root.json --out f.json",
        "5e".repeat(32)
    );
    house.run(&draft).done();
    let sign = "sign f.json --ssh-key ssh/forensics-1.pub --yes";
    Run::of(
        house
            .command(sign)
            .env("SSH_AUTH_SOCK", house.path("nobody")),
    )
    .says(1, &["`ssh-keygen` did not sign with `ssh/forensics-1.pub`"]);
    agent.run(&house, sign).done();
    desk.must("operator-1", "finding bring f.json");
    plane.process.terminate().done();
}
