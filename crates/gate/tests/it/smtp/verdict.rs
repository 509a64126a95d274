//! Which recipient passes, what closings do to a message under way, and what is said at the end.

use anlauf_model::{Epoch, Stage};

use super::server::Mood;
use super::{Mailer, assert_starts, post_office, until};
use crate::cast::{ELSEWHERE, MELDEN, SOZIALES};

const OK: &str = "RCPT TO:<known@melden.example>";

#[tokio::test]
async fn nothing_is_offered_that_is_not_done() {
    let post = post_office().await;
    let mut mailer = Mailer::greeted(post.house.gate.mail()[0]).await;
    insta::assert_snapshot!(mailer.ask("EHLO client.example").await, @r"
    250-mx.kommunen.example
    250-PIPELINING
    250-8BITMIME
    250-SMTPUTF8
    250-CHUNKING
    250-ENHANCEDSTATUSCODES
    250 SIZE 100000
    ");
    assert_starts(&mailer.ask("STARTTLS").await, "502 ");
    assert_starts(&mailer.ask("AUTH PLAIN AGEAYg==").await, "502 ");
    assert_starts(
        &mailer.ask("MAIL FROM:<a@b.example> RET=HDRS").await,
        "555 ",
    );
    let binary = mailer.ask("MAIL FROM:<a@b.example> BODY=BINARYMIME").await;
    assert_starts(&binary, "501 ");
}

#[tokio::test]
async fn shut_recipients_come_again_and_the_others_pass() {
    let post = post_office().await;
    post.house.open(MELDEN, 1, Stage::Full).await;
    let mut mailer = post.client().await;
    // All at once, as PIPELINING allows.
    mailer
        .say(
            "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@soziales.example>\r\n\
             RCPT TO:<c@MELDEN.example>\r\nRCPT TO:<d@nobody.example>\r\nDATA\r\n",
        )
        .await;
    for start in ["250 2.1.0", "450 4.3.2", "250 2.1.5", "550 5.7.1", "354"] {
        assert_starts(&mailer.answer().await, start);
    }
    mailer.say("Subject: a\r\n\r\n..dot\r\n.\r\n").await;
    assert_starts(&mailer.answer().await, "250 2.0.0 kept as 1");
    let taken = post.server.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].from, "MAIL FROM:<a@client.example>");
    assert_eq!(taken[0].to, ["RCPT TO:<c@MELDEN.example>"]);
    assert_eq!(taken[0].text, "Subject: a\r\n\r\n..dot\r\n");
    let counts = post.house.gate.counts();
    assert_eq!((counts.passed, counts.refused, counts.unknown), (1, 1, 1));
}

#[tokio::test]
async fn no_stage_before_full_lets_mail_through() {
    let post = post_office().await;
    for (epoch, stage) in [(1, Stage::CleanRoom), (2, Stage::Pilot), (3, Stage::Basic)] {
        post.house.open(MELDEN, epoch, stage).await;
        let mut mailer = post.client().await;
        assert_starts(&mailer.ask("MAIL FROM:<>").await, "250");
        assert_starts(&mailer.ask(OK).await, "450 4.3.2");
        assert_starts(&mailer.ask("DATA").await, "554");
    }
    post.house.open(MELDEN, 4, Stage::Full).await;
    let mut mailer = post.client().await;
    mailer.begin("a@melden.example").await;
}

#[tokio::test]
async fn a_message_goes_to_one_cell_only() {
    let post = post_office().await;
    for id in [MELDEN, SOZIALES, ELSEWHERE] {
        post.house.open(id, 1, Stage::Full).await;
    }
    let mut mailer = post.client().await;
    assert_starts(&mailer.ask("MAIL FROM:<a@b.example>").await, "250");
    assert_starts(&mailer.ask(OK).await, "250");
    assert_starts(
        &mailer.ask("RCPT TO:<a@ulmenau.example>").await,
        "452 4.5.3",
    );
    assert_starts(
        &mailer.ask("RCPT TO:<a@soziales.example>").await,
        "452 4.5.3",
    );
    assert_starts(&mailer.ask("RCPT TO:<b@melden.example>").await, "250");
    assert_starts(&mailer.ask("DATA").await, "354");
    // Those that were sent away hold nothing up, and are not held.
    post.shut(ELSEWHERE, 1).await;
    assert_starts(&mailer.ask("x\r\n.").await, "250 ");
    assert_eq!(post.server.taken()[0].to.len(), 2);
    assert_eq!(post.other.taken(), []);
    assert_eq!(post.house.gate.counts().cut, 0);
}

#[tokio::test]
async fn a_close_in_the_middle_of_a_text_lets_nothing_of_it_arrive() {
    let post = post_office().await;
    post.house.open(MELDEN, 1, Stage::Full).await;
    let mut mailer = post.client().await;
    mailer.begin("a@melden.example").await;
    mailer.say("Subject: a\r\n\r\nhalf\r\n").await;
    post.server.arrived(20).await;
    post.shut(MELDEN, 1).await;
    assert_eq!(post.house.gate.counts().cut, 1);
    mailer.say("the other half\r\n.\r\n").await;
    assert_starts(&mailer.answer().await, "450 4.3.2");
    post.server.ended(1).await;
    assert_eq!(post.server.taken(), []);
    // The conversation goes on; what comes next is judged afresh.
    assert_starts(&mailer.ask("MAIL FROM:<a@b.example>").await, "250");
    assert_starts(&mailer.ask(OK).await, "450 4.3.2");
    post.house.open(MELDEN, 2, Stage::Full).await;
    assert_starts(&mailer.ask(OK).await, "250");
    assert_starts(&mailer.ask("DATA").await, "354");
    assert_starts(&mailer.ask("again\r\n.").await, "250");
    assert_eq!(post.server.taken().len(), 1);
}

#[tokio::test]
async fn a_close_between_two_commands_is_heard() {
    let post = post_office().await;
    post.house.open(MELDEN, 1, Stage::Full).await;
    let mut mailer = post.client().await;
    assert_starts(&mailer.ask("MAIL FROM:<a@b.example>").await, "250");
    assert_starts(&mailer.ask(OK).await, "250");
    post.shut(MELDEN, 1).await;
    post.server.ended(1).await;
    assert_starts(&mailer.ask(OK).await, "450 4.3.2");
    assert_starts(&mailer.ask("DATA").await, "450 4.3.2");
    assert_eq!(post.server.taken(), []);
}

/// A close waits for the word about a message whose dot was said before.
#[tokio::test]
async fn a_message_behind_its_dot_is_answered_before_the_close_is_confirmed() {
    let post = post_office().await;
    post.house.open(MELDEN, 1, Stage::Full).await;
    post.server.set(Mood::Silent);
    let mut mailer = post.client().await;
    mailer.begin("a@melden.example").await;
    mailer.say("text\r\n.\r\n").await;
    post.server.whole(1).await;
    let mut shut = std::pin::pin!(post.shut(MELDEN, 1));
    let word = async {
        // The close is in force before the server's word is there.
        until(|| post.house.stage(MELDEN) == (Stage::Closed, Epoch(1))).await;
        post.server.go_on();
        mailer.answer().await
    };
    let (answer, ()) = tokio::join!(word, shut.as_mut());
    assert_starts(&answer, "250 2.0.0 kept as 1");
    assert_eq!(post.server.taken().len(), 1);
    // Said once: what comes next is the answer to what comes next.
    assert_starts(&mailer.ask("NOOP").await, "250 2.0.0 ok");
}

#[tokio::test]
async fn a_server_that_stays_silent_holds_no_close_up_for_long() {
    let post = post_office().await;
    post.house.open(MELDEN, 1, Stage::Full).await;
    post.server.set(Mood::Silent);
    let mut mailer = post.client().await;
    mailer.begin("a@melden.example").await;
    mailer.say("text\r\n.\r\n").await;
    post.server.whole(1).await;
    post.shut(MELDEN, 1).await;
    assert_starts(&mailer.answer().await, "451 4.4.2");
}

#[tokio::test]
async fn the_servers_word_is_the_only_yes() {
    let post = post_office().await;
    post.house.open(MELDEN, 1, Stage::Full).await;
    for (mood, start) in [(Mood::Full, "452 4.3.1"), (Mood::Gone, "451 4.4.2")] {
        post.server.set(mood);
        let mut mailer = post.client().await;
        mailer.begin("a@melden.example").await;
        assert_starts(&mailer.ask("text\r\n.").await, start);
        assert_starts(&mailer.ask("MAIL FROM:<a@b.example>").await, "250");
        assert_starts(&mailer.ask(OK).await, "250");
        assert_starts(&mailer.ask("BDAT 6 LAST\r\ntext").await, start);
    }
    assert_eq!(post.server.taken(), []);
    post.server.set(Mood::Picky);
    let mut mailer = post.client().await;
    assert_starts(&mailer.ask("MAIL FROM:<a@b.example>").await, "250");
    assert_starts(&mailer.ask("RCPT TO:<x@melden.example>").await, "550 5.1.1");
    assert_starts(&mailer.ask(OK).await, "250");
    assert_starts(&mailer.ask("RCPT TO:<y@melden.example>").await, "550 5.1.1");
    assert_starts(&mailer.ask("DATA").await, "354");
    assert_starts(&mailer.ask("text\r\n.").await, "250");
    assert_eq!(post.server.taken()[0].to, [OK]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_no_reason_to_bounce() {
    let post = post_office().await;
    post.house.open(MELDEN, 1, Stage::Full).await;
    let listen = post.house.gate.mail()[0];
    drop(post.server);
    let mut mailer = Mailer::hello(listen).await;
    assert_starts(&mailer.ask("MAIL FROM:<a@b.example>").await, "250");
    assert_starts(&mailer.ask(OK).await, "451 4.4");
}

#[tokio::test]
async fn an_old_server_gets_no_message_it_cannot_take() {
    let post = post_office().await;
    post.house.open(MELDEN, 1, Stage::Full).await;
    post.server.set(Mood::Old);
    let mut mailer = post.client().await;
    let eight = "MAIL FROM:<a@b.example> BODY=8BITMIME SIZE=10";
    assert_starts(&mailer.ask(eight).await, "250");
    assert_starts(&mailer.ask(OK).await, "550 5.6.3");
    assert_starts(&mailer.ask("RSET").await, "250");
    assert_starts(&mailer.ask("MAIL FROM:<a@b.example> SIZE=10").await, "250");
    assert_starts(&mailer.ask(OK).await, "250");
    assert_starts(&mailer.ask("BDAT 3\r\na").await, "250");
    assert_starts(&mailer.ask("BDAT 0 LAST").await, "250");
    assert_eq!(post.server.taken()[0].from, "MAIL FROM:<a@b.example>");
}
