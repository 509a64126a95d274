//! A provider in a temporary folder: landscape, keys, signed documents, logins, a backend.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Run, Running, anlauf};

/// Everyone who has a key and a login.
const PEOPLE: [&str; 7] = [
    "operator-1",
    "security-1",
    "security-2",
    "owner-1",
    "forensics-1",
    "town-alder.approver-1",
    "town-birch.approver-1",
];

/// A provider before its first start.
pub struct House {
    folder: TempDir,
}

/// A control plane that listens.
pub struct Plane {
    pub process: Running,
    pub control: String,
}

impl House {
    /// Only the example landscape, whose portal is served from `upstream`.
    pub fn with_landscape(upstream: Option<SocketAddr>) -> Self {
        let house = Self {
            folder: TempDir::new().unwrap(),
        };
        let land = house.path("land");
        Run::of(anlauf(["init"]).arg(&land)).done();
        if let Some(upstream) = upstream {
            house.edit("landscape.toml", "127.0.0.1:9001", &upstream.to_string());
        }
        house
    }

    /// Ready for its first start: keys, signed documents, logins.
    pub fn new(upstream: Option<SocketAddr>) -> Self {
        Self::of_domain("beispiel", upstream)
    }

    /// The same as a rehearsal, where software keys open everything.
    pub fn drill() -> Self {
        Self::drill_with(None, |_| ())
    }

    /// A rehearsal whose landscape was changed before anyone signed.
    pub fn drill_with(upstream: Option<SocketAddr>, change: impl FnOnce(&Self)) -> Self {
        let house = Self::with_landscape(upstream);
        change(&house);
        house.signed("drill-beispiel")
    }

    fn of_domain(domain: &str, upstream: Option<SocketAddr>) -> Self {
        Self::with_landscape(upstream).signed(domain)
    }

    fn signed(self, domain: &str) -> Self {
        let house = self;
        house.make_keys();
        house.genesis(domain, "data/authority").done();
        for signer in ["security-1", "forensics-1"] {
            house.sign_documents(signer);
        }
        house.make_logins();
        house
    }

    /// A path below the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes a file of the landscape.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path("land").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "no `{from}` in {file}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// The program with arguments split at spaces, in the folder.
    pub fn command(&self, line: &str) -> Command {
        let mut command = anlauf(line.split(' '));
        command.current_dir(self.folder.path());
        command
    }

    /// Runs a line to its end.
    pub fn run(&self, line: &str) -> Run {
        Run::of(&mut self.command(line))
    }

    pub fn make_keys(&self) {
        fs::create_dir(self.path("keys")).unwrap();
        for person in PEOPLE {
            self.run(&format!(
                "key new --person {person} --out keys/{person}.key"
            ))
            .done();
        }
        fs::create_dir(self.path("ssh")).unwrap();
        for person in PEOPLE {
            self.make_ssh_key("ed25519", person);
            self.run(&format!(
                "key enrol --person {person} --ssh-key ssh/{person} --out keys/{person}-ssh.pub"
            ))
            .done();
        }
    }

    /// A key of OpenSSH in `ssh/`, made by its own program.
    pub fn make_ssh_key(&self, kind: &str, name: &str) {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-N", "", "-C", name, "-f", name])
            .current_dir(self.path("ssh"))
            .stdin(std::process::Stdio::null())
            .status();
        assert!(made.expect("openssh-client is installed").success());
    }

    pub fn genesis(&self, domain: &str, out: &str) -> Run {
        self.run(&format!(
            "genesis --landscape land --keys keys --data data --domain {domain} --out {out}"
        ))
    }

    pub fn sign_documents(&self, signer: &str) {
        let files = ["root", "policy-normal", "policy"];
        let files = files.map(|name| format!("data/authority/{name}.json"));
        let files = files.join(" ");
        self.run(&format!("sign {files} --key keys/{signer}.key --yes"))
            .done();
    }

    pub fn make_logins(&self) {
        for person in PEOPLE {
            self.run(&format!(
                "login add {person} --data data --landscape land --out tokens/{person}"
            ))
            .done();
        }
        self.run(
            "login add gate-1 --data data --role gate --organisation provider \
             --out tokens/gate-1",
        )
        .done();
    }

    /// The command that serves, on a free port unless one is given.
    pub fn serve(&self, port: u16) -> Command {
        self.command(&format!(
            "--json serve --landscape land --data data --listen 127.0.0.1:{port}"
        ))
    }

    /// Runs a command that serves to its end, which must come before it listens.
    #[track_caller]
    pub fn not_served(&self, command: &mut Command) -> Run {
        let process = Running::start(command);
        assert!(process.listens().is_none(), "it was started");
        process.end()
    }

    /// Starts a control plane that must come up.
    pub fn start(&self, port: u16) -> Plane {
        let process = Running::start(&mut self.serve(port));
        let Some(told) = process.listens() else {
            let run = process.end();
            panic!("serve ended: {} {}", run.code, run.err);
        };
        Plane {
            process,
            control: told["listening"].as_str().unwrap().to_owned(),
        }
    }

    /// The command of a gate process with its own state.
    pub fn gate(&self, control: &str, more: &str) -> Command {
        self.command(&format!(
            "--json gate --control {control} --state gate --listen 127.0.0.1:0 --id gate-1 \
             --root data/authority/root.json --token-file tokens/gate-1 \
             --admin 127.0.0.1:0{more}"
        ))
    }

    /// The token of a person.
    pub fn token(&self, person: &str) -> String {
        let text = fs::read_to_string(self.path("tokens").join(person)).unwrap();
        text.trim().to_owned()
    }
}

/// A control plane with the people who use it.
pub struct Desk<'a> {
    pub house: &'a House,
    pub control: &'a str,
}

impl Desk<'_> {
    /// A verb as a person, with their token and, for changes, a reason.
    pub fn command(&self, person: &str, line: &str) -> Command {
        let mut command = self.house.command(line);
        command
            .env("ANLAUF_CONTROL", self.control)
            .env("ANLAUF_TOKEN_FILE", format!("tokens/{person}"));
        command
    }

    /// Reads something.
    #[track_caller]
    pub fn read(&self, person: &str, line: &str) -> Value {
        let out = Run::of(self.command(person, line).arg("--json")).done();
        serde_json::from_str(&out).unwrap()
    }

    /// Changes something.
    pub fn change(&self, person: &str, line: &str) -> Run {
        Run::of(
            self.command(person, line)
                .args(["--json", "--reason", "as agreed on the phone"]),
        )
    }

    /// Changes something that must be accepted.
    #[track_caller]
    pub fn must(&self, person: &str, line: &str) -> Value {
        serde_json::from_str(&self.change(person, line).done()).unwrap()
    }

    /// Draws up, has signed by these people, and carries out.
    #[track_caller]
    pub fn release(&self, stage: &str, cells: &str, signers: &[&str]) -> Value {
        self.must(
            "operator-1",
            &format!("release propose --stage {stage} {cells}"),
        );
        for signer in signers {
            let line = format!("sign --waiting --yes --ssh-key ssh/{signer}");
            self.must(signer, &line);
        }
        self.must("operator-1", "release carry-out --ready")
    }
}

/// Bytes of an answer that does not end while anyone reads it.
pub const ENDLESS: u64 = 1_000_000_000;

/// A backend that answers every request with one line, and below `/portal/endless` with an answer
/// that goes on. Lives as long as the test.
pub fn backend(line: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            std::thread::spawn(move || answer(stream, line));
        }
    });
    address
}

/// One head fits the buffer; the connection is closed after the answer.
fn answer(mut stream: TcpStream, line: &str) {
    let mut head = [0u8; 4096];
    let Ok(size @ 1..) = stream.read(&mut head) else {
        return;
    };
    let is_endless = head[..size].starts_with(b"GET /portal/endless");
    let length = if is_endless {
        ENDLESS
    } else {
        line.len() as u64
    };
    let start = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let mut written = stream.write_all(start.as_bytes());
    if !is_endless {
        written = stream.write_all(line.as_bytes());
    }
    // Until whoever reads is gone.
    while is_endless && written.is_ok() {
        written = stream.write_all(&[b'x'; 1000]);
    }
}

/// Whether a folder holds a ledger.
pub fn has_ledger(data: &Path) -> bool {
    data.join(anlauf_store::FILE_LEDGER).exists()
}
