//! What the program writes about its work: a line of JSON per answer, and nobody's name in it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use anlauf_webdriver::Ended;
use reference_provider::kernel::seed::insured;
use reference_provider::mail::sender::{Letter, Sender};
use serde_json::{Value, json};

use crate::stage::{EISVOGEL, SEED};

/// Asks for a person's own data with a token that is none.
fn ask(http: &str, kvnr: &str) {
    let mut stream = TcpStream::connect(http).expect("it listens");
    write!(
        stream,
        "GET /epa/Patient/{kvnr}?_id={kvnr} HTTP/1.1\r\nHost: {EISVOGEL}.localhost\r\n\
         Authorization: Bearer secret-token\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    stream
        .read_to_string(&mut String::new())
        .expect("an answer");
}

/// Sends a person a message.
fn send(smtp: &str, kvnr: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut sender = Sender::new(smtp.parse().expect("an address"), "sender.example");
    let to = format!("{}@{EISVOGEL}.example", kvnr.to_ascii_lowercase());
    let letter = Letter {
        from: "somebody@sender.example".to_owned(),
        to,
        text: b"Message-ID: <1@sender>\r\n\r\nBefund\r\n".to_vec(),
    };
    sender.put(letter).expect("room");
    assert_eq!(runtime.block_on(sender.round()).sent_count, 1);
}

#[test]
fn every_answer_and_every_message_is_a_line_that_names_nobody() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let child = Command::new(env!("CARGO_BIN_EXE_reference-provider"))
        .current_dir(folder.path())
        .args(["--data", "ref", "--seed", &SEED.to_string(), "serve"])
        .args(["--listen", "127.0.0.1:0", "--listen-mail", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.expect("the program starts");
    let talk = BufReader::new(child.stdout.take().expect("asked for"));
    let log = BufReader::new(child.stderr.take().expect("asked for"));
    let _program = Ended(child);
    let told: Vec<String> = talk.lines().take(2).map(|l| l.expect("text")).collect();
    let http = told[0]
        .strip_prefix("listening http://")
        .expect("an address");
    let smtp = told[1].strip_prefix("listening smtp://").expect("another");
    let kvnr = insured(EISVOGEL, SEED, 2).kvnr.to_string();

    ask(http, &kvnr);
    send(smtp, &kvnr);
    let lines: Vec<String> = log
        .lines()
        .take(2)
        .map(|line| line.expect("text"))
        .collect();
    let said: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let wanted = [
        ("service", "epa"),
        ("tenant", EISVOGEL),
        ("method", "GET"),
        ("route", "/epa/{kind}/{id}"),
        ("message", "answered"),
        ("level", "INFO"),
    ];
    for (name, value) in wanted {
        assert_eq!(said[0][name], value, "{}", lines[0]);
    }
    assert!(
        said[0]["status"] == 401 && said[0]["wait_ms"].is_u64(),
        "{}",
        lines[0]
    );
    assert!(said[0]["timestamp"].is_string());
    let mail = ["service", "count", "again_count"].map(|name| said[1][name].clone());
    assert_eq!(mail, [json!("mail"), json!(1), json!(0)], "{}", lines[1]);
    for secret in [&kvnr, "secret-token", "somebody", "sender", "Befund"] {
        let all = lines.concat().to_ascii_lowercase();
        assert!(
            !all.contains(&secret.to_ascii_lowercase()),
            "{secret} in {all}"
        );
    }
}
