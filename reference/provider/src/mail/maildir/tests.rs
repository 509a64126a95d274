//! Names of messages, and what a mailbox does when a message comes again.

use std::fs;

use super::{Delivered, Mailbox, entries, id};

const TRACE: &str = "Return-Path: <a@b.example>\r\nDelivered-To: x@y.example\r\nReceived: z\r\n";

#[test]
fn a_message_is_named_by_its_message_id() {
    let cases: [(&[u8], Option<&str>); 7] = [
        (b"Message-ID: <1@a.example>\r\n\r\nx", Some("<1@a.example>")),
        (b"message-id:<1@a.example>\r\n\r\n", Some("<1@a.example>")),
        (
            b"Subject: a\r\nMessage-Id:\r\n <1@a.example>\r\n",
            Some("<1@a.example>"),
        ),
        (b"Subject: a\r\n\r\nMessage-ID: <1@a.example>\r\n", None),
        (
            b"Subject: <1@a.example>\r\nTo: a\r\n <2@a.example>\r\n",
            None,
        ),
        (b"Message-ID: 1@a.example\r\n", None),
        (b"", None),
    ];
    for (message, wanted) in cases {
        let text = String::from_utf8_lossy(message);
        assert_eq!(id(message).as_deref(), wanted, "{text}");
    }
}

#[test]
fn a_message_that_comes_again_is_known_also_when_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(folder.path().join("box"));
    let text = b"Message-ID: <1@a.example>\r\n\r\nHallo\r\n";
    assert_eq!(mailbox.deliver(TRACE, text).unwrap(), Delivered::Now);
    assert_eq!(
        mailbox.deliver("Received: other\r\n", text).unwrap(),
        Delivered::Before
    );
    // A reader lays what it has seen into `cur` under a longer name.
    let seen = entries(&mailbox.folder().join("new")).unwrap().remove(0);
    let name = seen.file_name().unwrap().to_str().unwrap();
    let to = mailbox.folder().join("cur").join(format!("{name}:2,S"));
    fs::rename(&seen, to).unwrap();
    assert_eq!(mailbox.deliver(TRACE, text).unwrap(), Delivered::Before);
    let all = mailbox.messages().unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].sent(), text);
    assert_eq!(
        mailbox.counts().unwrap(),
        [("<1@a.example>".to_owned(), 1)].into()
    );
}

#[test]
fn a_crash_before_the_mark_leaves_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(folder.path().join("box"));
    let text = b"Message-ID: <1@a.example>\r\n\r\nHallo\r\n";
    mailbox.deliver(TRACE, text).unwrap();
    let mark = entries(&mailbox.folder().join("once")).unwrap().remove(0);
    fs::remove_file(mark).unwrap();
    assert_eq!(mailbox.deliver(TRACE, text).unwrap(), Delivered::Now);
    assert_eq!(mailbox.messages().unwrap().len(), 1);
}

#[test]
fn other_words_and_no_name_are_other_messages() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(folder.path().join("box"));
    for text in [
        &b"Message-ID: <1@a>\r\n\r\na\r\n"[..],
        b"Message-ID: <1@a>\r\n\r\nb\r\n",
    ] {
        assert_eq!(mailbox.deliver(TRACE, text).unwrap(), Delivered::Now);
    }
    for _ in 0..2 {
        let told = mailbox.deliver(TRACE, b"Subject: a\r\n\r\nc\r\n").unwrap();
        assert_eq!(told, Delivered::Now);
    }
    let counts = mailbox.counts().unwrap();
    assert_eq!(counts, [("<1@a>".to_owned(), 2), (String::new(), 2)].into());
}

#[test]
fn marks_go_when_no_sender_tries_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(folder.path().join("box"));
    mailbox
        .deliver(TRACE, b"Message-ID: <1@a>\r\n\r\na\r\n")
        .unwrap();
    let now = jiff::Timestamp::now().as_second();
    let marks = || entries(&mailbox.folder().join("once")).unwrap().len();
    mailbox.retire(now + 29 * 86_400).unwrap();
    assert_eq!(marks(), 1);
    mailbox.retire(now + 31 * 86_400).unwrap();
    assert_eq!(marks(), 0);
}
