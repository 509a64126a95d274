//! Texts: smuggling, sizes, chunks, routes.

use anlauf_model::Stage;

use super::{Post, assert_starts, post_office};
use crate::cast::MELDEN;

async fn open() -> Post {
    let post = post_office().await;
    post.house.open(MELDEN, 1, Stage::Full).await;
    post
}

const RCPT: &str = "RCPT TO:<a@melden.example>";
const MAIL: &str = "MAIL FROM:<a@b.example>";

/// Ends of a text to one server and not to another (CVE-2023-51764 and its kin).
#[tokio::test]
async fn no_second_message_hides_in_the_first() {
    let post = open().await;
    let second = "MAIL FROM:<evil@b.example>\r\nRCPT TO:<a@melden.example>\r\nDATA\r\nx\r\n.\r\n";
    let ends = [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r\n.\r",
        "\n\n.\r\n",
        "\r\r\n.\r\n",
        "\n\r\n.\r\n",
        "\r.\r\n",
    ];
    for (number, end) in ends.iter().enumerate() {
        let mut mailer = post.client().await;
        mailer.begin("a@melden.example").await;
        let _ = mailer
            .stream
            .try_write(format!("a{end}{second}").as_bytes());
        assert_starts(&mailer.answer().await, "521 5.5.2");
        assert_eq!(mailer.answer().await, "", "nothing is read behind it");
        post.server.ended(number + 1).await;
    }
    assert_eq!(post.server.taken(), []);
    // A dot that is text stays text.
    let mut mailer = post.client().await;
    mailer.begin("a@melden.example").await;
    assert_starts(&mailer.ask(".. \r\n. \r\n.x.\r\n..\r\n.").await, "250");
    assert_eq!(post.server.taken()[0].text, ".. \r\n. \r\n.x.\r\n..\r\n");
}

#[tokio::test]
async fn a_command_line_is_read_in_one_way_or_not_at_all() {
    let post = open().await;
    for line in [
        &b"NOOP\n"[..],
        b"NOOP\rNOOP\r\n",
        b"NO\0OP\r\n",
        &[b'N'; 4_000],
    ] {
        let mut mailer = post.client().await;
        mailer.say(line).await;
        assert_starts(&mailer.answer().await, "521 ");
        assert_eq!(mailer.answer().await, "");
    }
    let mut mailer = post.client().await;
    assert_starts(&mailer.ask(MAIL).await, "250");
    for (to, start) in [
        ("<a%elsewhere.example@melden.example>", "550 5.7.1"),
        ("<elsewhere.example!a@melden.example>", "550 5.7.1"),
        ("<@melden.example:a@elsewhere.example>", "5"),
        ("<a@elsewhere.example@melden.example>", "5"),
        ("<\"a@elsewhere.example\"@melden.example>", "5"),
        ("<a@melden.example> X=1", "555"),
        ("<ä@melden.example>", "553 5.6.7"),
        ("<>", "553"),
        ("<a@sub.melden.example>", "550"),
    ] {
        assert_starts(&mailer.ask(&format!("RCPT TO:{to}")).await, start);
    }
}

#[tokio::test]
async fn who_only_errs_is_sent_away() {
    let post = open().await;
    let mut mailer = post.client().await;
    for _ in 0..=20 {
        assert_starts(&mailer.ask("WHAT").await, "500 ");
    }
    assert_starts(&mailer.answer().await, "421 4.7.0");
    assert_eq!(mailer.answer().await, "");
}

#[tokio::test]
async fn sizes_hold_announced_or_not() {
    let post = open().await;
    let mut mailer = post.client().await;
    assert_starts(
        &mailer.ask(&format!("{MAIL} SIZE=100001")).await,
        "552 5.3.4",
    );
    let line = format!("{}\r\n", "x".repeat(998));
    let large = line.repeat(101);
    mailer.begin("a@melden.example").await;
    assert_starts(&mailer.ask(&format!("{large}.")).await, "552 5.3.4");
    assert_starts(&mailer.ask(MAIL).await, "250");
    assert_starts(&mailer.ask(RCPT).await, "250");
    mailer
        .say(format!("BDAT {} LAST\r\n{large}", large.len()))
        .await;
    assert_starts(&mailer.answer().await, "552 5.3.4");
    mailer.begin("a@melden.example").await;
    assert_starts(&mailer.ask(&format!("{}.", line.repeat(100))).await, "250");
    assert_eq!(post.server.taken().len(), 1);
    // Nobody reads without an end.
    mailer.begin("a@melden.example").await;
    let _ = mailer.stream.try_write(line.repeat(400).as_bytes());
    assert_starts(&mailer.answer().await, "552 5.3.4");
    assert_eq!(mailer.answer().await, "");
}

#[tokio::test]
async fn chunks_become_a_text_of_their_own() {
    let post = open().await;
    let mut mailer = post.client().await;
    assert_starts(&mailer.ask(MAIL).await, "250");
    // The text comes with its command, wanted or not.
    assert_starts(&mailer.ask("BDAT 4 LAST\r\nab").await, "503");
    assert_starts(&mailer.ask(RCPT).await, "250");
    mailer
        .say("BDAT 3\r\n.a\rBDAT 1\r\n\nBDAT 4 LAST\r\n.\r\nb")
        .await;
    assert_starts(&mailer.answer().await, "250 2.0.0 go on");
    assert_starts(&mailer.answer().await, "250 2.0.0 go on");
    assert_starts(&mailer.answer().await, "250 2.0.0 kept as 1");
    assert_eq!(post.server.taken()[0].text, "..a\r\n..\r\nb\r\n");
    // A bare line end in a chunk: the message is refused, the conversation goes on.
    assert_starts(&mailer.ask(MAIL).await, "250");
    assert_starts(&mailer.ask(RCPT).await, "250");
    mailer.say("BDAT 5\r\na\n.\r\nBDAT 2 LAST\r\n\r\n").await;
    assert_starts(&mailer.answer().await, "550 5.6.0");
    assert_starts(&mailer.answer().await, "550 5.6.0");
    assert_starts(&mailer.ask("MAIL FROM:<>").await, "250");
    assert_eq!(post.server.taken().len(), 1);
}

#[tokio::test]
async fn a_close_between_chunks_lets_nothing_arrive() {
    let post = open().await;
    let mut mailer = post.client().await;
    assert_starts(&mailer.ask(MAIL).await, "250");
    assert_starts(&mailer.ask(RCPT).await, "250");
    assert_starts(&mailer.ask("BDAT 3\r\na").await, "250");
    post.shut(MELDEN, 1).await;
    post.server.ended(1).await;
    assert_starts(&mailer.ask("BDAT 3\r\nb").await, "450 4.3.2");
    assert_starts(&mailer.ask("BDAT 0 LAST").await, "450 4.3.2");
    assert_eq!(post.server.taken(), []);
}
