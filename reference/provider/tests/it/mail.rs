//! Mail as its clients see it: conversations word by word, swaks, our own sender, Dovecot.
//!
//! In:    a mail server on a free port with two insurers' domains. Out: replies, mailboxes.
//! Never: a look into the server's mind: what is in a mailbox is read from its files, or by IMAP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use reference_provider::kernel::clock::Clock;
use reference_provider::mail::sender::{Letter, Round, Sender, State};
use reference_provider::mail::server::{Domain, Post, Settings};
use reference_provider::mail::{self_signed, tls};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

mod dovecot;
mod pop3;

use crate::stage::MORNING;

const EISVOGEL: &str = "bkk-eisvogel.example";
const AMSEL: &str = "ek-amsel.example";
const SIZE_MAX: usize = 100_000;

fn settings(folder: &Path) -> Settings {
    let domain = |name: &str| Domain {
        folder: folder.join(name),
        has: Arc::new(|local: &str| Ok(local == "info" || local.starts_with('x'))),
    };
    Settings {
        name: "post.bund.example".to_owned(),
        domains: [EISVOGEL, AMSEL]
            .map(|name| (name.to_owned(), domain(name)))
            .into(),
        clock: Clock::Set(Arc::new(AtomicI64::new(MORNING))),
        tls: None,
        size_max: SIZE_MAX,
    }
}

async fn open(folder: &Path) -> Post {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    Post::open(settings(folder), free).await.expect("a server")
}

fn letter(number: usize, domain: &str) -> Letter {
    let lines = "..eine Zeile mit Umlauten: äöü\r\n".repeat(1 + number % 5);
    Letter {
        from: "a@sender.example".to_owned(),
        to: format!("x{number}@{domain}"),
        text: format!("Message-ID: <{number}@sender.example>\r\nSubject: a\r\n\r\n.\r\n{lines}")
            .into_bytes(),
    }
}

/// A conversation word by word.
struct Talk(BufReader<TcpStream>);

impl Talk {
    async fn begin(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("it listens");
        let mut talk = Self(BufReader::new(stream));
        assert_eq!(talk.answer().await, "220 post.bund.example ESMTP");
        talk
    }

    async fn hello(address: SocketAddr) -> Self {
        let mut talk = Self::begin(address).await;
        assert!(talk.ask("EHLO sender.example").await.contains("250 SIZE"));
        talk
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("it listens");
    }

    /// All lines of one answer, joined by `|`.
    async fn answer(&mut self) -> String {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("text");
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line.trim_end().to_owned());
            if is_last {
                return lines.join("|");
            }
        }
    }

    async fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\r\n").as_bytes()).await;
        self.answer().await
    }

    /// Whatever is said until the end.
    async fn rest(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).await.expect("text");
        rest
    }
}

#[tokio::test]
async fn every_no_has_its_code() {
    let folder = TempDir::new().expect("a folder");
    let post = open(folder.path()).await;
    let mut talk = Talk::begin(post.address).await;
    let too_large = format!("MAIL FROM:<a@b.example> SIZE={}", SIZE_MAX + 1);
    let said = [
        ("MAIL FROM:<a@b.example>", "503 5.5.1"),
        (
            "EHLO sender.example",
            "250-post.bund.example|250-PIPELINING|250-8BITMIME|250-SMTPUTF8\
             |250-ENHANCEDSTATUSCODES|250 SIZE 100000",
        ),
        ("RCPT TO:<info@bkk-eisvogel.example>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        (&too_large, "552 5.3.4"),
        ("MAIL FROM:<ä@b.example>", "553 5.6.7"),
        ("MAIL FROM:<a@b.example> RET=FULL", "555 5.5.4"),
        ("MAIL FROM:<a@b.example> BODY=BINARYMIME", "555 5.5.4"),
        ("MAIL FROM:<>", "250 2.1.0"),
        ("MAIL FROM:<>", "503 5.5.1"),
        ("DATA", "554 5.5.1"),
        (
            "RCPT TO:<info@bkk-eisvogel.example> NOTIFY=NEVER",
            "555 5.5.4",
        ),
        ("RCPT TO:<info@elsewhere.example>", "550 5.7.1"),
        ("RCPT TO:<nobody@bkk-eisvogel.example>", "550 5.1.1"),
        ("RCPT TO:<x/../../info@bkk-eisvogel.example>", "553 5.1.3"),
        ("RCPT TO:<INFO@BKK-Eisvogel.example>", "250 2.1.5"),
        ("STARTTLS", "502 5.5.1"),
        ("AUTH PLAIN", "502 5.5.1"),
        ("NOOP", "250 2.0.0"),
        ("VRFY info", "252 2.5.0"),
        ("HALLO", "500 5.5.1"),
        ("RSET", "250 2.0.0"),
        ("QUIT", "221 2.0.0"),
    ];
    for (line, wanted) in said {
        let told = talk.ask(line).await;
        assert!(told.starts_with(wanted), "{line}: {told}");
    }
    assert_eq!(talk.rest().await, "");
    post.close().await;
}

#[tokio::test]
async fn a_message_in_one_breath_is_answered_line_by_line() {
    let folder = TempDir::new().expect("a folder");
    let post = open(folder.path()).await;
    let mut talk = Talk::hello(post.address).await;
    let lines = "MAIL FROM:<a@b.example>\r\nRCPT TO:<x1@bkk-eisvogel.example>\r\n\
                 RCPT TO:<x2@ek-amsel.example>\r\nRCPT TO:<x1@bkk-eisvogel.example>\r\nDATA\r\n";
    talk.say(lines.as_bytes()).await;
    for wanted in ["250 2.1.0", "250 2.1.5", "250 2.1.5", "250 2.1.5", "354"] {
        assert!(talk.answer().await.starts_with(wanted));
    }
    talk.say(b"Message-ID: <1@b>\r\n\r\n..a\r\n.\r\nQUIT\r\n")
        .await;
    assert!(talk.answer().await.starts_with("250 2.6.0"));
    assert!(talk.answer().await.starts_with("221"));
    for address in ["x1@bkk-eisvogel.example", "x2@ek-amsel.example"] {
        let mailbox = post.mailbox(address).expect("a domain of ours");
        let all = mailbox.messages().expect("read");
        let [message] = all.as_slice() else {
            panic!("{} messages for {address}", all.len());
        };
        let text = String::from_utf8_lossy(&message.bytes);
        let wanted = format!(
            "Return-Path: <a@b.example>\r\nDelivered-To: {address}\r\nReceived: from \
             sender.example by post.bund.example with ESMTP; Mon, 2 Mar 2026 08:00:00 -0000\r\n\
             Message-ID: <1@b>\r\n\r\n.a\r\n"
        );
        assert_eq!(text, wanted);
    }
    post.close().await;
}

#[tokio::test]
async fn what_is_too_large_or_smuggled_is_not_taken() {
    let folder = TempDir::new().expect("a folder");
    let post = open(folder.path()).await;
    let begin = "MAIL FROM:<a@b.example>\r\nRCPT TO:<info@bkk-eisvogel.example>\r\nDATA\r\n";
    let mut talk = Talk::hello(post.address).await;
    for _ in 0..2 {
        talk.say(begin.as_bytes()).await;
        for _ in 0..3 {
            talk.answer().await;
        }
        talk.say(&b"0123456789\r\n".repeat(SIZE_MAX / 12 + 1)).await;
        // The conversation goes on: its next message may be smaller.
        assert!(talk.ask(".").await.starts_with("552 5.3.4"));
    }
    talk.say(begin.as_bytes()).await;
    for _ in 0..3 {
        talk.answer().await;
    }
    talk.say(b"a\n.\r\nMAIL FROM:<x@y.example>\r\n").await;
    assert!(talk.rest().await.starts_with("521 5.5.2"));
    let mut talk = Talk::hello(post.address).await;
    talk.say(b"NOOP\nNOOP\r\n").await;
    assert!(talk.rest().await.starts_with("500 5.5.2"));
    let mut talk = Talk::hello(post.address).await;
    talk.say(&b"x".repeat(5_000)).await;
    assert!(talk.rest().await.starts_with("500 5.5.2"));
    assert!(post.mailboxes(EISVOGEL).expect("read").is_empty());
    post.close().await;
}

#[tokio::test]
async fn a_close_cuts_texts_that_are_under_way_and_takes_nothing_of_them() {
    let folder = TempDir::new().expect("a folder");
    let post = open(folder.path()).await;
    let mut talk = Talk::hello(post.address).await;
    for line in [
        "MAIL FROM:<a@b.example>",
        "RCPT TO:<info@bkk-eisvogel.example>",
        "DATA",
    ] {
        talk.ask(line).await;
    }
    talk.say(b"Message-ID: <1@b>\r\n\r\nhalf of it\r\n").await;
    let mailbox = post.mailbox("info@bkk-eisvogel.example").expect("ours");
    post.close().await;
    assert!(talk.rest().await.starts_with("421 4.3.2"));
    assert!(mailbox.messages().expect("read").is_empty());
}

/// Between sender and server: cuts the conversation when the server has taken a message, before
/// the sender hears of it. Each second message is let through.
async fn deaf(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let is_cut = Arc::new(AtomicBool::new(false));
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.expect("a client");
            let server = TcpStream::connect(server).await.expect("it listens");
            let is_cut = Arc::clone(&is_cut);
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.into_split();
                let (from_server, mut to_server) = server.into_split();
                let onward = tokio::spawn(async move {
                    tokio::io::copy(&mut from_client, &mut to_server).await.ok()
                });
                let mut lines = BufReader::new(from_server).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line.starts_with("250 2.6.0") && !is_cut.fetch_xor(true, Ordering::SeqCst) {
                        onward.abort();
                        return;
                    }
                    let line = format!("{line}\r\n");
                    if to_client.write_all(line.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_sender_that_does_not_hear_the_yes_doubles_nothing() {
    let folder = TempDir::new().expect("a folder");
    let post = open(folder.path()).await;
    let mut sender = Sender::new(deaf(post.address).await, "sender.example");
    for number in 0..40 {
        let domain = if number % 2 == 0 { EISVOGEL } else { AMSEL };
        assert_eq!(sender.put(letter(number, domain)), Some(number));
    }
    let mut sent_count = 0;
    for _ in 0..100 {
        let round = sender.round().await;
        assert_eq!(round.refused_count, 0);
        sent_count += round.sent_count;
        if round.waiting_count == 0 {
            break;
        }
    }
    assert_eq!(sent_count, 40);
    assert!(sender.states().all(|(_, state)| *state == State::Sent));
    let mut counts = BTreeMap::new();
    for domain in [EISVOGEL, AMSEL] {
        for mailbox in post.mailboxes(domain).expect("read") {
            counts.extend(mailbox.counts().expect("read"));
        }
    }
    let wanted = (0..40).map(|number| (format!("<{number}@sender.example>"), 1));
    assert_eq!(counts, wanted.collect());
    for number in [0, 7] {
        let sent = letter(number, if number == 0 { EISVOGEL } else { AMSEL });
        let mailbox = post.mailbox(&sent.to).expect("ours");
        assert_eq!(mailbox.messages().expect("read")[0].sent(), sent.text);
    }
    post.close().await;
}

#[tokio::test]
async fn a_sender_keeps_what_is_not_taken_and_ends_what_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let post = open(folder.path()).await;
    let address = post.address;
    post.close().await;
    let mut sender = Sender::new(address, "sender.example");
    sender.put(letter(1, EISVOGEL)).expect("room");
    let stranger = Letter {
        to: "nobody@bkk-eisvogel.example".to_owned(),
        ..letter(2, EISVOGEL)
    };
    sender.put(stranger).expect("room");
    for text in ["no end", "bare\n", "bare\r", "a\r\r\n"] {
        let text = text.as_bytes().to_vec();
        let broken = Letter {
            text,
            ..letter(3, EISVOGEL)
        };
        assert_eq!(sender.put(broken), None);
    }
    let shut = Round {
        waiting_count: 2,
        ..Round::default()
    };
    assert_eq!(sender.round().await, shut);
    let post = Post::open(settings(folder.path()), address)
        .await
        .expect("it is free again");
    let told = Round {
        sent_count: 1,
        refused_count: 1,
        ..Round::default()
    };
    assert_eq!(sender.round().await, told);
    let states: Vec<&State> = sender.states().map(|(_, state)| state).collect();
    assert_eq!(states[0], &State::Sent);
    assert_eq!(
        states[1],
        &State::Refused("550 no such mailbox here".to_owned())
    );
    assert_eq!(sender.round().await, Round::default());
    post.close().await;
}

/// A server that offers STARTTLS with a fresh certificate.
async fn open_with_tls(folder: &Path) -> Post {
    let [key, chain] = ["key", "chain"].map(|name| folder.join(name));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args([
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=post.bund.example",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&chain)
        .output();
    assert!(made.expect("these tests need `openssl`").status.success());
    let both = [key, chain].map(|part| std::fs::read(part).expect("made"));
    let file = folder.join("both.pem");
    std::fs::write(&file, both.concat()).expect("written");
    let settings = Settings {
        tls: Some(tls::read(&file).expect("they belong together")),
        ..settings(folder)
    };
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    Post::open(settings, free).await.expect("a server")
}

#[tokio::test]
async fn swaks_sends_in_plain_and_by_tls() {
    let folder = TempDir::new().expect("a folder");
    let post = open_with_tls(folder.path()).await;
    let address = post.address.to_string();
    for (place, more) in ["--pipeline", "-tls"].into_iter().enumerate() {
        let mut swaks = Command::new("swaks");
        swaks
            .args(["--server", &address, "--helo", "sender.example", more])
            .args(["--from", "a@sender.example", "--to", "x1@ek-amsel.example"]);
        let out = tokio::task::spawn_blocking(move || swaks.output()).await;
        let out = out.expect("it runs").expect("these tests need `swaks`");
        let told = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success(), "{told}");
        let mailbox = post.mailbox("x1@ek-amsel.example").expect("ours");
        let all = mailbox.messages().expect("read");
        assert_eq!(all.len(), place + 1);
        let is_secure = |all: &[u8]| String::from_utf8_lossy(all).contains(" with ESMTPS; ");
        let count = all.iter().filter(|one| is_secure(&one.bytes)).count();
        assert_eq!(count, place, "{told}");
    }
    // What was sent in plain behind STARTTLS would be read as if it came encrypted (CVE-2011-0411).
    let mut talk = Talk::begin(post.address).await;
    assert!(talk.ask("EHLO a.example").await.contains("250-STARTTLS|"));
    talk.say(b"STARTTLS\r\nMAIL FROM:<a@b.example>\r\n").await;
    assert!(talk.rest().await.starts_with("501 5.5.1"));
    post.close().await;
}

#[tokio::test]
async fn a_sender_that_was_told_to_use_tls_sends_nothing_in_plain() {
    let folder = TempDir::new().expect("a folder");
    let pem = folder.path().join("own.pem");
    let made = self_signed::make(&["post.bund.example"], Clock::System.seconds());
    std::fs::write(&pem, made.expect("randomness")).expect("written");
    let believed = tls::believe(&pem).expect("a certificate");
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let with_tls = Settings {
        tls: Some(tls::read(&pem).expect("they belong together")),
        ..settings(folder.path())
    };
    let secure = Post::open(with_tls, free).await.expect("a server");
    let plain = open(&folder.path().join("plain")).await;
    let sender = |to: SocketAddr, name: &str| {
        let sender = Sender::new(to, "sender.example");
        let mut sender = sender
            .under_tls(Arc::clone(&believed), name)
            .expect("a name");
        sender.put(letter(1, AMSEL)).expect("room");
        sender
    };
    let mut right = sender(secure.address, "post.bund.example");
    assert_eq!(right.round().await.sent_count, 1);
    let all = secure.mailbox("x1@ek-amsel.example").expect("ours");
    let all = all.messages().expect("read");
    let text = String::from_utf8_lossy(&all[0].bytes).into_owned();
    assert!(text.contains(" with ESMTPS; "), "{text}");
    // One that offers none, and one that cannot show that it is who is meant.
    for (to, name) in [
        (plain.address, "post.bund.example"),
        (secure.address, "post.other.example"),
    ] {
        let mut wrong = sender(to, name);
        assert_eq!(wrong.round().await.waiting_count, 1);
    }
    let nobody = plain.mailbox("x1@ek-amsel.example").expect("ours");
    assert_eq!(nobody.messages().expect("read").len(), 0);
    assert_eq!(all.len(), 1);
    secure.close().await;
    plain.close().await;
}
