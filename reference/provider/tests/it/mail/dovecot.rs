//! Dovecot, configured from `reference/mail`, reads the mailboxes of our own server.
//!
//! Never: a service of the machine; a process that outlives its test.

use std::net::{SocketAddr, TcpListener as Port};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{EISVOGEL, letter, open};
use reference_provider::mail::sender::Sender;

const PASSWORD: &str = "open-sesame";

/// A folder that everyone can look into.
struct Ground(PathBuf);

impl Drop for Ground {
    fn drop(&mut self) {
        as_root("rm", &["-rf", &name(&self.0)]);
    }
}

struct Dovecot(PathBuf);

impl Drop for Dovecot {
    fn drop(&mut self) {
        let file = name(&self.0.join("dovecot/master.pid"));
        let pid = String::from_utf8_lossy(&as_root("cat", &[&file]).stdout).into_owned();
        as_root("kill", &[pid.trim()]);
    }
}

fn name(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}

/// Runs a program as root, by `sudo -n` where the test is not root itself.
fn as_root(program: &str, arguments: &[&str]) -> Output {
    let who = Command::new("id").arg("-u").output().expect("`id`");
    let mut command = match who.stdout.trim_ascii() {
        b"0" => Command::new("env"),
        _ => Command::new("sudo"),
    };
    if command.get_program() == "sudo" {
        command.arg("-n");
    }
    let command = command.arg(program).args(arguments).stdin(Stdio::null());
    command.output().expect("it runs")
}

/// Starts a program as root that goes on by itself and would hold on to whoever listens.
fn start_as_root(program: &str, arguments: &[&str]) {
    let who = Command::new("id").arg("-u").output().expect("`id`");
    let mut command = match who.stdout.trim_ascii() {
        b"0" => Command::new("env"),
        _ => Command::new("sudo"),
    };
    if command.get_program() == "sudo" {
        command.arg("-n");
    }
    command.arg(program).args(arguments).stdin(Stdio::null());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(
        status.is_ok_and(|s| s.success()),
        "these tests need `{program}` and root"
    );
}

fn free() -> SocketAddr {
    let port = Port::bind("127.0.0.1:0").expect("a port");
    port.local_addr().expect("an address")
}

/// Starts it over `mail` in a folder; where it listens for IMAP.
fn start(folder: &Path) -> (Dovecot, SocketAddr) {
    let (pop3, imap) = (free(), free());
    let own = |what| {
        let said = as_root("id", &[what, "postfix"]).stdout;
        String::from_utf8_lossy(&said).trim().to_owned()
    };
    let gaps = [
        ("dir", name(folder)),
        ("pop3_port", pop3.port().to_string()),
        ("imap_port", imap.port().to_string()),
        ("vmail_uid", own("-u")),
        ("vmail_gid", own("-g")),
        ("password", PASSWORD.to_owned()),
    ];
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../mail/dovecot.conf");
    let mut text = std::fs::read_to_string(template).expect("a template");
    for (gap, value) in gaps {
        text = text.replace(&format!("{{{gap}}}"), &value);
    }
    let file = folder.join("dovecot.conf");
    std::fs::write(&file, text).expect("written");
    start_as_root("dovecot", &["-c", &name(&file)]);
    (Dovecot(folder.to_owned()), imap)
}

/// Everything that IMAP says to some commands, up to the last one's answer.
async fn imap(server: SocketAddr, commands: &[&str]) -> String {
    let stream = TcpStream::connect(server).await.expect("it listens");
    let mut stream = BufReader::new(stream);
    let mut all = String::new();
    for (number, command) in commands.iter().enumerate() {
        let line = format!("a{number} {command}\r\n");
        stream.write_all(line.as_bytes()).await.expect("it listens");
        loop {
            let mut line = String::new();
            let size = stream.read_line(&mut line).await.expect("text");
            assert!(size > 0, "it ended: {all}");
            all.push_str(&line);
            if line.starts_with(&format!("a{number} ")) {
                break;
            }
        }
    }
    all
}

#[tokio::test]
async fn dovecot_reads_our_mailboxes_and_what_was_read_does_not_come_twice() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder").keep();
    let ground = Ground(folder);
    as_root("chmod", &["755", &name(&ground.0)]);
    let post = open(&ground.0.join("mail")).await;
    let sent = letter(3, EISVOGEL);
    for _ in 0..2 {
        let mut sender = Sender::new(post.address, "sender.example");
        sender.put(sent.clone()).expect("room");
        assert_eq!(sender.round().await.sent_count, 1);
    }
    as_root("chown", &["-R", "postfix", &name(&ground.0.join("mail"))]);
    let (_dovecot, server) = start(&ground.0);
    let login = format!("LOGIN {} {PASSWORD}", sent.to);
    let told = imap(
        server,
        &[&login, "SELECT INBOX", "FETCH 1 BODY[]", "LOGOUT"],
    )
    .await;
    assert!(told.contains("* 1 EXISTS"), "{told}");
    let text = String::from_utf8_lossy(&sent.text).into_owned();
    assert!(told.contains(&text), "{told}");
    // Dovecot has moved it to `cur`; the sender that did not hear the 250 comes once more.
    as_root("chmod", &["-R", "a+rwX", &name(&ground.0.join("mail"))]);
    let mut sender = Sender::new(post.address, "sender.example");
    sender.put(sent.clone()).expect("room");
    assert_eq!(sender.round().await.sent_count, 1);
    let told = imap(server, &[&login, "STATUS INBOX (MESSAGES)", "LOGOUT"]).await;
    assert!(told.contains("(MESSAGES 1)"), "{told}");
    let mailbox = post.mailbox(&sent.to).expect("ours");
    assert_eq!(mailbox.messages().expect("read").len(), 1);
    post.close().await;
}
