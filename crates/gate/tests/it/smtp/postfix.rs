//! A queueing Postfix sends through the gate to another, across closings; Dovecot reads what came.

use std::collections::BTreeMap;
use std::time::Duration;

use anlauf_gate::Tls;
use anlauf_model::Stage;
use tokio::task::JoinSet;

use super::foreign::{Count, Dovecot, Ground, PASSWORD, PEOPLE, Postfix};
use super::{DOMAINS, Mailer, assert_starts, mail, shut, until};
use crate::cast::{ELSEWHERE, MELDEN, SOZIALES};
use crate::house::House;
use crate::tls::make;

/// Messages; each tenth is for all three domains.
const COUNT: usize = 1_000;
/// Clients that hand them to the sender.
const CLIENTS: usize = 4;
/// How often the first cell is closed and opened again.
const ROUNDS: u64 = 5;

/// For which domains a message is.
fn domains(number: usize) -> Vec<&'static str> {
    match number % 10 {
        0 => DOMAINS.map(|(domain, _)| domain).to_vec(),
        // Most are for the cell that is closed again and again.
        1..=6 => vec![DOMAINS[0].0],
        7 | 8 => vec![DOMAINS[1].0],
        _ => vec![DOMAINS[2].0],
    }
}

/// Lines with dots at their front, bytes beyond ASCII, and now and then a long text.
fn body(number: usize) -> String {
    let rest = "eine Zeile mit Umlauten: äöü, und noch etwas mehr Text dahinter\r\n";
    let times = if number.is_multiple_of(50) {
        1_000
    } else {
        number % 7
    };
    format!(
        ".Punkt {number}\r\n..\r\n{}Ende {number}\r\n",
        rest.repeat(times)
    )
}

/// Hands its share to the sender, which takes all of them.
async fn send(to: std::net::SocketAddr, share: usize) {
    let mut mailer = Mailer::hello(to).await;
    for number in (0..COUNT).filter(|number| number % CLIENTS == share) {
        let line = "MAIL FROM:<a@client.example> BODY=8BITMIME";
        assert_starts(&mailer.ask(line).await, "250");
        for domain in domains(number) {
            assert_starts(
                &mailer.ask(&format!("RCPT TO:<p{number}@{domain}>")).await,
                "250",
            );
        }
        assert_starts(&mailer.ask("DATA").await, "354");
        let text = body(number).replace("\r\n.", "\r\n..");
        let head = "Subject: test\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n.";
        mailer.say(format!("{head}{text}.\r\n")).await;
        assert_starts(&mailer.answer().await, "250");
    }
}

/// All messages of a mailbox by POP3: to whom, and the text.
async fn read(dovecot: &Dovecot, mailbox: &str) -> Vec<(String, String)> {
    let mut reader = Pop3::new(dovecot, mailbox).await;
    let count = reader.count().await;
    let mut messages = Vec::new();
    for number in 1..=count {
        let text = reader.fetch(number).await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let to = head.lines().find_map(|l| l.strip_prefix("Delivered-To: "));
        messages.push((to.unwrap().to_owned(), body.to_owned()));
    }
    messages
}

struct Pop3(Mailer);

impl Pop3 {
    async fn new(dovecot: &Dovecot, mailbox: &str) -> Self {
        let stream = tokio::net::TcpStream::connect(dovecot.pop3).await.unwrap();
        let left = Vec::new();
        let mut mailer = Mailer { stream, left };
        assert_starts(&mailer.line().await, "+OK");
        mailer
            .say(format!("USER {mailbox}\r\nPASS {PASSWORD}\r\n"))
            .await;
        for _ in 0..2 {
            assert_starts(&mailer.line().await, "+OK");
        }
        Self(mailer)
    }

    async fn count(&mut self) -> usize {
        self.0.say("STAT\r\n").await;
        let answer = self.0.line().await;
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    async fn fetch(&mut self, number: usize) -> String {
        self.0.say(format!("RETR {number}\r\n")).await;
        assert_starts(&self.0.line().await, "+OK");
        let mut text = String::new();
        loop {
            let line = self.0.line().await;
            match line.as_str() {
                ".\r\n" => return text,
                line => text.push_str(line.strip_prefix('.').unwrap_or(line)),
            }
        }
    }
}

/// How many messages a mailbox has, by IMAP.
async fn count(dovecot: &Dovecot, mailbox: &str) -> usize {
    let stream = tokio::net::TcpStream::connect(dovecot.imap).await.unwrap();
    let left = Vec::new();
    let mut mailer = Mailer { stream, left };
    let log_in = format!("a LOGIN {mailbox} {PASSWORD}\r\nb STATUS INBOX (MESSAGES)\r\n");
    mailer.say(log_in).await;
    loop {
        let line = mailer.line().await;
        assert!(!line.is_empty(), "no mailbox `{mailbox}`");
        if let Some((_, rest)) = line.split_once("(MESSAGES ") {
            return rest.trim_end().trim_end_matches(')').parse().unwrap();
        }
    }
}

#[tokio::test]
async fn a_queueing_sender_loses_and_doubles_nothing_across_closings() {
    let ground = Ground::new();
    let server = Postfix::start(&ground, "server", None).await;
    let dovecot = Dovecot::start(&server);
    let counter = Count::before(server.address).await;
    let certificates = tempfile::tempdir().unwrap();
    make(certificates.path(), "mx.kommunen.example").await;
    let house = House::with(server.address, |config| {
        config.serving.tls = Some(Tls {
            listen: Vec::new(),
            certificates: certificates.path().to_owned(),
        });
        config.serving.mail = Some(mail([counter.address; 3]));
    })
    .await;
    house.ground().await;
    house.open(SOZIALES, 1, Stage::Full).await;
    let sender = Postfix::start(&ground, "sender", Some(house.gate.mail()[0])).await;
    let mut clients = JoinSet::new();
    for share in 0..CLIENTS {
        clients.spawn(send(sender.address, share));
    }
    close_and_open(&house, &counter).await;
    clients.join_all().await;
    house.open(MELDEN, ROUNDS + 1, Stage::Full).await;
    assert_eq!(counter.of(DOMAINS[2].0), 0, "it was never open");
    house.open(ELSEWHERE, 1, Stage::Full).await;
    drain(&sender, &server).await;

    let mut missing = BTreeMap::new();
    for number in 0..COUNT {
        for domain in domains(number) {
            missing.insert(format!("p{number}@{domain}"), body(number));
        }
    }
    for (domain, _) in DOMAINS {
        let mailbox = domain.split('.').next().unwrap();
        let messages = read(&dovecot, mailbox).await;
        assert_eq!(messages.len(), count(&dovecot, mailbox).await);
        for (to, text) in messages {
            let sent = missing.remove(&to);
            assert!(sent.is_some(), "`{to}` got it twice");
            assert!(sent == Some(text), "what `{to}` got is not what was sent");
        }
    }
    assert_eq!(missing.keys().collect::<Vec<_>>(), [""; 0], "lost");
    let log = sender.log();
    assert!(log.contains("TLS connection established to"), "no STARTTLS");
    assert!(!log.contains("status=bounced"), "nothing comes back");
}

/// The reference configuration for people instead of domains: each has a mailbox, nobody else.
#[tokio::test]
async fn each_person_reads_their_own_mailbox() {
    let ground = Ground::new();
    let server = Postfix::start(&ground, "people", None).await;
    let dovecot = Dovecot::start(&server);
    let house = House::with(server.address, |config| {
        config.serving.mail = Some(mail([server.address; 3]));
    })
    .await;
    house.ground().await;
    let people: Vec<&str> = PEOPLE.lines().filter_map(|l| l.split(' ').next()).collect();
    let gate = house.gate.mail()[0];
    let mut mailer = Mailer::hello(gate).await;
    assert_starts(&mailer.ask("MAIL FROM:<a@client.example>").await, "250");
    let shut = mailer.ask(&format!("RCPT TO:<{}>", people[0])).await;
    assert_starts(&shut, "450 4.3.2");
    house.open(SOZIALES, 1, Stage::Full).await;
    house.open(MELDEN, 1, Stage::Full).await;
    for (place, person) in people.iter().enumerate() {
        for number in 0..=place {
            let mut mailer = Mailer::hello(gate).await;
            assert_starts(&mailer.ask("MAIL FROM:<a@client.example>").await, "250");
            assert_starts(&mailer.ask("RCPT TO:<x9@melden.example>").await, "550");
            assert_starts(&mailer.ask(&format!("RCPT TO:<{person}>")).await, "250");
            assert_starts(&mailer.ask("DATA").await, "354");
            let text = format!("Subject: a\r\n\r\n{person} {number}\r\n.\r\n");
            mailer.say(text).await;
            assert_starts(&mailer.answer().await, "250");
        }
    }
    until(|| server.is_empty()).await;
    for (place, person) in people.iter().enumerate() {
        let mut texts: Vec<String> = Vec::new();
        for (to, text) in read(&dovecot, person).await {
            assert_eq!(to, *person, "somebody else's letter");
            texts.push(text.trim().to_owned());
        }
        texts.sort();
        let wanted = (0..=place).map(|number| format!("{person} {number}"));
        assert_eq!(texts, wanted.collect::<Vec<_>>());
        assert_eq!(count(&dovecot, person).await, place + 1);
    }
}

/// Waits until everything is delivered.
async fn drain(sender: &Postfix, server: &Postfix) {
    for _ in 0..120 {
        if sender.is_empty() && server.is_empty() {
            return;
        }
        sender.flush();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("the queues do not get empty");
}

/// Closes the first cell while its mail is under way, again and again; nothing passes meanwhile.
async fn close_and_open(house: &House, counter: &Count) {
    let domain = DOMAINS[0].0;
    for epoch in 1..=ROUNDS {
        let before = counter.of(domain);
        house.open(MELDEN, epoch, Stage::Full).await;
        until(|| counter.of(domain) >= before + 40).await;
        shut(house, MELDEN, epoch).await;
        // Acknowledged: from here on the server takes nothing, however often the sender comes.
        let (taken, refused) = (counter.of(domain), house.gate.counts().refused);
        until(|| house.gate.counts().refused >= refused + 20).await;
        assert_eq!(counter.of(domain), taken, "taken by a closed cell");
    }
}
