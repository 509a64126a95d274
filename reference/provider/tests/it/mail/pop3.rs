//! Mailboxes read by POP3: by Python's `poplib`, by our own reader, and word by word.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use reference_provider::kernel::clock::Clock;
use reference_provider::kernel::house::{House, Settings};
use reference_provider::kernel::seed;
use reference_provider::kernel::tenant::TenantLine;
use reference_provider::mail::pop3::{self, Reading};
use reference_provider::mail::reader::{Reader, Stop};
use reference_provider::mail::sender::{Letter, Sender};
use reference_provider::mail::server::{self, Post};
use reference_provider::mail::{self, self_signed, tls};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::stage::{AMSEL, EISVOGEL, MORNING, SEED};

const NAME: &str = "bkk-eisvogel.bund.example";

/// Reads a mailbox, deletes the first message of two; what it saw, as JSON.
const PYTHON: &str = r#"
import json, poplib, ssl, sys
port, pem, user, password = int(sys.argv[1]), *sys.argv[2:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(pem)
# By the name in the certificate, at the address of the test.
class Here(poplib.POP3_SSL):
    def _create_socket(self, timeout):
        import socket
        plain = socket.create_connection(("127.0.0.1", self.port), timeout)
        return context.wrap_socket(plain, server_hostname=self.host)
pop = Here("bkk-eisvogel.bund.example", port, context=context, timeout=30)
told = {"capa": sorted(pop.capa())}
pop.user(user)
pop.pass_(password)
told["stat"] = pop.stat()
told["list"] = [line.decode() for line in pop.list()[1]]
told["uidl"] = [line.decode() for line in pop.uidl()[1]]
told["text"] = b"\n".join(pop.retr(2)[1]).decode()
told["top"] = b"\n".join(pop.top(2, 1)[1]).decode()
pop.dele(1)
told["left"] = pop.stat()
told["bye"] = pop.quit().decode()
print(json.dumps(told))
"#;

/// A house whose mail is taken and read.
struct Place {
    house: Arc<House>,
    now: Arc<AtomicI64>,
    post: Post,
    reading: Reading,
    pem: PathBuf,
    _folder: TempDir,
}

fn house(folder: &Path, now: &Arc<AtomicI64>) -> House {
    let line = |id: &str| TenantLine {
        id: id.to_owned(),
        name: id.to_owned(),
    };
    let settings = Settings {
        data: folder.join("data"),
        record_key: folder.join("record.key"),
        public: "http://{tenant}.localhost".to_owned(),
        tenants: [EISVOGEL, AMSEL].map(line).into(),
        seed: SEED,
        insured_count: 4,
        clock: Clock::Set(Arc::clone(now)),
        status: None,
    };
    House::open(settings).expect("a house")
}

async fn open() -> Place {
    let folder = TempDir::new().expect("a folder");
    let now = Arc::new(AtomicI64::new(MORNING));
    let house = Arc::new(house(folder.path(), &now));
    let pem = folder.path().join("own.pem");
    let made = self_signed::make(&["*.bund.example"], Clock::System.seconds());
    std::fs::write(&pem, made.expect("randomness")).expect("written");
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = server::Settings {
        name: "post.bund.example".to_owned(),
        domains: mail::house::domains(&house, "{tenant}.example"),
        clock: Clock::Set(Arc::clone(&now)),
        tls: None,
        size_max: mail::MESSAGE_SIZE_MAX,
    };
    let post = Post::open(settings, free).await.expect("a server");
    let settings = pop3::Settings {
        name: "post.bund.example".to_owned(),
        shelves: mail::house::shelves(&house, "{tenant}.example"),
        tls: tls::read(&pem).expect("they belong together"),
    };
    let reading = Reading::open(settings, free).await.expect("a server");
    Place {
        house,
        now,
        post,
        reading,
        pem,
        _folder: folder,
    }
}

/// The address of a synthetic person.
fn address(tenant: &str, number: u32) -> String {
    let kvnr = seed::insured(tenant, SEED, number).kvnr.to_string();
    format!("{}@{tenant}.example", kvnr.to_ascii_lowercase())
}

fn text(number: usize) -> String {
    format!(
        "Message-ID: <{number}@a.example>\r\nSubject: {number}\r\n\r\n.\r\n..zwei\r\nEnde äöü\r\n"
    )
}

/// So many letters, one after the other: so they lie in this order.
async fn send(place: &Place, to: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let mut sender = Sender::new(place.post.address, "a.example");
        let letter = Letter {
            from: "a@a.example".to_owned(),
            to: to.to_owned(),
            text: text(number).into_bytes(),
        };
        sender.put(letter).expect("room");
        assert_eq!(sender.round().await.sent_count, 1);
    }
}

fn reader(place: &Place) -> Reader {
    let believed = tls::believe(&place.pem).expect("a certificate");
    Reader::new(place.reading.address, NAME, believed).expect("a name")
}

/// A conversation word by word.
struct Talk(BufReader<TlsStream<TcpStream>>);

impl Talk {
    async fn begin(place: &Place) -> Self {
        let config = tls::believe(&place.pem).expect("a certificate");
        let stream = TcpStream::connect(place.reading.address)
            .await
            .expect("it listens");
        let name = NAME.to_owned().try_into().expect("a name");
        let stream = TlsConnector::from(config).connect(name, stream).await;
        let mut talk = Self(BufReader::new(stream.expect("TLS")));
        assert_eq!(talk.answer().await, "+OK post.bund.example POP3");
        talk
    }

    async fn answer(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.expect("text");
        line.trim_end().to_owned()
    }

    async fn ask(&mut self, line: &str) -> String {
        let line = format!("{line}\r\n");
        self.0.write_all(line.as_bytes()).await.expect("it listens");
        self.0.flush().await.expect("it listens");
        self.answer().await
    }

    async fn is_over(&mut self) -> bool {
        let mut rest = Vec::new();
        // The end may come as a reset.
        let _ended = self.0.read_to_end(&mut rest).await;
        rest.is_empty()
    }
}

#[tokio::test]
async fn a_mail_program_reads_what_was_sent_and_deletes_what_it_says() {
    let place = open().await;
    let to = address(EISVOGEL, 2);
    send(&place, &to, 0..2).await;
    let port = place.reading.address.port().to_string();
    let mut python = Command::new("python3");
    python
        .args(["-c", PYTHON, &port])
        .arg(&place.pem)
        .args([to.as_str(), &seed::password_of(SEED)]);
    let out = tokio::task::spawn_blocking(move || python.output()).await;
    let out = out.expect("it runs").expect("these tests need `python3`");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{said}");
    let told: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let mailbox = place.post.mailbox(&to).expect("ours");
    let left = mailbox.messages().expect("read");
    assert_eq!(left.len(), 1, "the first is deleted");
    // Which came first, a disk with coarse times does not know.
    let is_left = |number: &usize| left[0].bytes.ends_with(text(*number).as_bytes());
    let number = (0..2).find(is_left).expect("one of both, whole");
    let size = left[0].bytes.len();
    assert_eq!(told["stat"], serde_json::json!([2, 2 * size]));
    assert_eq!(told["left"], serde_json::json!([1, size]));
    assert_eq!(told["list"][1], format!("2 {size}"));
    assert_eq!(told["bye"], "+OK bye");
    let capa = ["PIPELINING", "RESP-CODES", "TOP", "UIDL", "USER"];
    assert_eq!(told["capa"], serde_json::json!(capa));
    let whole = String::from_utf8_lossy(&left[0].bytes).replace("\r\n", "\n");
    assert_eq!(format!("{}\n", told["text"].as_str().expect("text")), whole);
    let top = told["top"].as_str().expect("text");
    assert!(top.ends_with(&format!("Subject: {number}\n\n.")), "{top}");
    // The rest has the name it had, and what was deleted does not come again by itself.
    let all = reader(&place).read(&to, &seed::password_of(SEED)).await;
    let all = all.expect("it is read");
    assert_eq!(all.len(), 1);
    let named = format!("2 {}", all[0].name);
    assert_eq!(told["uidl"][1], named.as_str());
    assert!(all[0].bytes.ends_with(text(number).as_bytes()));
    send(&place, &to, 0..2).await;
    assert_eq!(mailbox.messages().expect("read").len(), 1);
}

#[tokio::test]
async fn a_mailbox_opens_to_its_person_and_to_one_program() {
    let place = open().await;
    let (own, password) = (address(EISVOGEL, 2), seed::password_of(SEED));
    send(&place, &own, 0..1).await;
    let no = Stop::No("-ERR [AUTH] name or password is wrong, or tried too often".to_owned());
    // Another insurer's domain, the office, a clerk, a path, nobody: no name is betrayed.
    let elsewhere = own.replace(EISVOGEL, AMSEL);
    for wrong in [
        elsewhere.as_str(),
        "info@bkk-eisvogel.example",
        "clerk-1@bkk-eisvogel.example",
        "../x@bkk-eisvogel.example",
        "nobody",
    ] {
        assert_eq!(reader(&place).read(wrong, &password).await, Err(no.clone()));
    }
    let mut first = Talk::begin(&place).await;
    assert_eq!(first.ask("STAT").await, "-ERR not here, or not now");
    assert_eq!(first.ask("PASS a").await, "-ERR say USER first");
    first.ask(&format!("USER {own}")).await;
    assert_eq!(
        first.ask(&format!("PASS {password}")).await,
        "+OK 1 messages"
    );
    let in_use = Stop::No("-ERR [IN-USE] another program has it open".to_owned());
    assert_eq!(reader(&place).read(&own, &password).await, Err(in_use));
    for line in ["RETR 2", "RETR 0", "DELE x", "TOP 1 x", "LIST 9"] {
        assert!(first.ask(line).await.starts_with("-ERR "), "{line}");
    }
    assert_eq!(first.ask("DELE 1").await, "+OK deleted when you QUIT");
    assert_eq!(first.ask("RETR 1").await, "-ERR no such message");
    assert_eq!(first.ask("RSET").await, "+OK nothing is deleted");
    assert_eq!(first.ask("DELE 1").await, "+OK deleted when you QUIT");
    // It goes without QUIT: nothing is deleted, and the next one comes in.
    drop(first);
    let mut read = Err(Stop::Shut);
    for _ in 0..1_000 {
        read = reader(&place).read(&own, &password).await;
        if read.is_ok() {
            break;
        }
    }
    assert_eq!(read.expect("it is free").len(), 1);
}

#[tokio::test]
async fn wrong_passwords_and_endless_lines_end_a_conversation() {
    let place = open().await;
    let (own, password) = (address(EISVOGEL, 3), seed::password_of(SEED));
    let mut talk = Talk::begin(&place).await;
    for _ in 0..3 {
        talk.ask(&format!("USER {own}")).await;
        assert!(talk.ask("PASS no").await.starts_with("-ERR [AUTH]"));
    }
    assert!(talk.is_over().await);
    // Five in all, and the right one has to wait as well: the login's own rule.
    for _ in 0..2 {
        assert!(reader(&place).read(&own, "no").await.is_err());
    }
    let told = reader(&place).read(&own, &password).await;
    assert!(matches!(told, Err(Stop::No(_))), "{told:?}");
    place.now.fetch_add(901, Ordering::SeqCst);
    assert_eq!(reader(&place).read(&own, &password).await, Ok(Vec::new()));
    let mut talk = Talk::begin(&place).await;
    let told = talk.ask(&"A".repeat(5_000)).await;
    assert_eq!(told, "-ERR no line of a command, or too long");
    assert!(talk.is_over().await);
    let mut talk = Talk::begin(&place).await;
    for _ in 0..21 {
        assert!(talk.ask("XYZZY").await.starts_with("-ERR"));
    }
    assert!(talk.is_over().await);
}

#[tokio::test]
async fn a_destroyed_house_says_come_again_and_a_plain_word_gets_none() {
    let place = open().await;
    let (own, password) = (address(EISVOGEL, 2), seed::password_of(SEED));
    let mut stream = TcpStream::connect(place.reading.address)
        .await
        .expect("it listens");
    stream.write_all(b"USER a\r\n").await.expect("it listens");
    let mut said = Vec::new();
    let _ended = stream.read_to_end(&mut said).await;
    assert!(!said.starts_with(b"+OK") && !said.starts_with(b"-ERR"));
    let tenant = place.house.tenant(EISVOGEL).expect("ours");
    tenant.store.let_go();
    let file = tenant.store.path();
    for beside in [file.to_owned(), file.with_extension("sqlite-wal")] {
        if beside.exists() {
            std::fs::write(beside, vec![7; 8_192]).expect("written");
        }
    }
    let told = reader(&place).read(&own, &password).await;
    let words = Stop::No("-ERR [SYS/TEMP] cannot look, come again".to_owned());
    assert_eq!(told, Err(words));
    place.reading.close().await;
}
