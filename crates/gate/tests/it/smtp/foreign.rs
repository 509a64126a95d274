//! Postfix and Dovecot as the reference configuration runs them, in a folder of their own.
//!
//! Never: a service of the machine, a port that others can reach, a process that outlives its test.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::until;

/// What the mailboxes' logins are asked for.
pub const PASSWORD: &str = "open-sesame";

/// Who has a mailbox in `main.people.cf`.
pub const PEOPLE: &str = "\
x1@melden.example melden.example/x1/
x2@melden.example melden.example/x2/
x1@soziales.example soziales.example/x1/
";

/// One Postfix.
pub struct Postfix {
    pub dir: PathBuf,
    pub address: SocketAddr,
}

/// A Dovecot over the mailboxes of a [`Postfix`].
pub struct Dovecot {
    dir: PathBuf,
    pub pop3: SocketAddr,
    pub imap: SocketAddr,
}

/// A folder that everyone can look into; in memory, so that a flush costs nothing.
pub struct Ground(PathBuf);

impl Ground {
    pub fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap().keep();
        as_root("chmod", &["755", &name(&folder)]);
        Self(folder)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        as_root("rm", &["-rf", &name(&self.0)]);
    }
}

fn name(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn root(program: &str, arguments: &[&str]) -> Command {
    let out = Command::new("id").arg("-u").output().unwrap();
    let mut command = match out.stdout.trim_ascii() {
        b"0" => Command::new("env"),
        _ => Command::new("sudo"),
    };
    if command.get_program() == "sudo" {
        command.arg("-n");
    }
    command.arg(program).args(arguments).stdin(Stdio::null());
    command
}

/// Runs a program as root; what it said.
fn as_root(program: &str, arguments: &[&str]) -> String {
    let out = root(program, arguments).output().unwrap();
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into()
}

/// Starts a program as root that goes on by itself and would hold on to whoever listens.
fn start(program: &str, arguments: &[&str]) {
    let mut command = root(program, arguments);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_started = status.is_ok_and(|status| status.success());
    assert!(
        is_started,
        "these tests need `{program}`, and to be root or `sudo -n`"
    );
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// The reference configuration with its gaps filled in.
fn template(file: &str, gaps: &[(&str, &str)]) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/mail");
    let mut text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    for (gap, value) in gaps {
        text = text.replace(&format!("{{{gap}}}"), value);
    }
    text
}

fn id(what: &str) -> String {
    as_root("id", &[what, "postfix"]).trim().to_owned()
}

impl Postfix {
    /// Starts it from `main.KIND.cf`.
    pub async fn start(ground: &Ground, kind: &str, gate: Option<SocketAddr>) -> Self {
        let dir = ground.0.join(kind);
        let (folder, address) = (name(&dir), free());
        std::fs::create_dir(&dir).unwrap();
        std::fs::create_dir(dir.join("queue")).unwrap();
        for owned in ["data", "mail"] {
            as_root(
                "install",
                &["-d", "-o", "postfix", &format!("{folder}/{owned}")],
            );
        }
        let gate_port = gate.map_or(String::new(), |gate| gate.port().to_string());
        let (uid, gid, port) = (id("-u"), id("-g"), address.port().to_string());
        let gaps = [
            ("dir", folder.as_str()),
            ("gate_port", &gate_port),
            ("vmail_uid", &uid),
            ("vmail_gid", &gid),
            ("port", &port),
        ];
        let main = template(&format!("main.{kind}.cf"), &gaps);
        std::fs::write(dir.join("main.cf"), main).unwrap();
        std::fs::write(dir.join("people"), PEOPLE).unwrap();
        std::fs::write(dir.join("master.cf"), template("master.cf", &gaps)).unwrap();
        let postfix = Self { dir, address };
        start("postfix", &["-c", &folder, "start"]);
        until(|| postfix.log().contains("daemon started")).await;
        postfix
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Looks at everything that waits at once, as an operator would.
    ///
    /// A message that the queue manager meets while a delivery of it just ends is laid aside for a
    /// minute ("skipped, still being delivered"), and looked at with the next new one only.
    pub fn flush(&self) {
        as_root("postqueue", &["-c", &name(&self.dir), "-f"]);
    }

    /// Whether nothing waits in its queue.
    pub fn is_empty(&self) -> bool {
        let said = as_root("postqueue", &["-c", &name(&self.dir), "-p"]);
        said.contains("Mail queue is empty")
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        as_root("postfix", &["-c", &name(&self.dir), "abort"]);
    }
}

impl Dovecot {
    pub fn start(of: &Postfix) -> Self {
        let (folder, pop3, imap) = (name(&of.dir), free(), free());
        let (uid, gid) = (id("-u"), id("-g"));
        let (pop3_port, imap_port) = (pop3.port().to_string(), imap.port().to_string());
        let gaps = [
            ("dir", folder.as_str()),
            ("pop3_port", &pop3_port),
            ("imap_port", &imap_port),
            ("vmail_uid", &uid),
            ("vmail_gid", &gid),
            ("password", PASSWORD),
        ];
        let file = of.dir.join("dovecot.conf");
        std::fs::write(&file, template("dovecot.conf", &gaps)).unwrap();
        start("dovecot", &["-c", &name(&file)]);
        let dir = of.dir.clone();
        Self { dir, pop3, imap }
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let pid = as_root("cat", &[&name(&self.dir.join("dovecot/master.pid"))]);
        as_root("kill", &[pid.trim()]);
    }
}

/// Between the gate and a server: it keeps for which domain the server has taken a message.
pub struct Count {
    pub address: SocketAddr,
    taken: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Count {
    pub async fn before(server: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::<Mutex<Vec<String>>>::default();
        let own = Arc::clone(&taken);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut talks = JoinSet::new();
            loop {
                let (gate, _) = listener.accept().await.unwrap();
                let taken = Arc::clone(&own);
                talks.spawn(async move { carry(gate, server, &taken).await.ok() });
            }
        });
        Self {
            address,
            taken,
            _tasks: tasks,
        }
    }

    /// How many messages the server has taken for a domain.
    pub fn of(&self, domain: &str) -> usize {
        let taken = self.taken.lock().unwrap();
        taken.iter().filter(|known| *known == domain).count()
    }
}

async fn carry(
    gate: TcpStream,
    server: SocketAddr,
    taken: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let server = TcpStream::connect(server).await?;
    gate.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_gate, mut to_gate) = gate.into_split();
    let (from_server, mut to_server) = server.into_split();
    let (mut from_gate, mut from_server) = (BufReader::new(from_gate), BufReader::new(from_server));
    let domain = Mutex::new(String::new());
    let onward = async {
        let mut line = Vec::new();
        while from_gate.read_until(b'\n', &mut line).await? > 0 {
            let text = String::from_utf8_lossy(&line);
            if let Some((_, rest)) = text.split_once("RCPT TO:<") {
                let rest = rest.rsplit_once('>').unwrap_or_default().0;
                *domain.lock().unwrap() = rest.rsplit('@').next().unwrap().to_owned();
            }
            to_server.write_all(&line).await?;
            line.clear();
        }
        to_server.shutdown().await
    };
    let back = async {
        let mut line = Vec::new();
        while from_server.read_until(b'\n', &mut line).await? > 0 {
            if String::from_utf8_lossy(&line).contains("queued as") {
                taken.lock().unwrap().push(domain.lock().unwrap().clone());
            }
            to_gate.write_all(&line).await?;
            line.clear();
        }
        to_gate.shutdown().await
    };
    tokio::try_join!(onward, back).map(drop)
}
