//! Every limit of a gate, with its reason.
//!
//! In:    nothing. Out: constants. Never: a limit without a reason.

use std::time::Duration;

use anlauf_model::limits::ENVELOPE_SIZE_MAX;

/// Most client connections at once. 16,384 keeps a gate below the usual 20,000 descriptors.
pub const CONNECTION_COUNT_MAX: usize = 16_384;

/// Pause after a failed accept (out of descriptors), so that the loop does not spin.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Longest wait for the header of the PROXY protocol. Its document asks for at least 3 s, so that a
/// segment may be lost once.
pub const PROXY_HEADER_WAIT_MAX: Duration = Duration::from_secs(5);

/// Longest wait for a request head, and for the next one on a kept connection (slow senders).
pub const HEAD_WAIT_MAX: Duration = Duration::from_secs(30);

/// Largest HTTP/1 head, and the read buffer of one connection. Bytes.
pub const HEAD_SIZE_MAX: usize = 32 * 1024;

/// Most header lines of one request.
pub const HEADER_COUNT_MAX: usize = 100;

/// Most streams at once on one HTTP/2 connection (RFC 9113 §6.5.2 asks for no less than 100).
pub const STREAM_COUNT_MAX: u32 = 128;

/// Finished streams an HTTP/2 connection remembers so that a close can still empty their queues.
///
/// Twice the streams at once. When more have to be remembered, a close ends the whole connection.
pub const STREAM_FINISHED_COUNT_MAX: usize = 256;

/// Longest wait for a client's word that it has nothing more of a closed cell under way.
///
/// Only for HTTP/2 connections that carry other cells too; then the whole connection is ended.
/// 250 ms is more than a mobile round trip, and less than anyone notices at a close.
pub const CUT_CONFIRM_WAIT_MAX: Duration = Duration::from_millis(250);

/// Longest wait for a connection to a backend.
pub const UPSTREAM_CONNECT_WAIT_MAX: Duration = Duration::from_secs(5);

/// Longest wait for the head of a backend's answer. Bodies may take as long as they like.
pub const UPSTREAM_HEAD_WAIT_MAX: Duration = Duration::from_secs(60);

/// How long an unused connection to a backend is kept.
pub const UPSTREAM_IDLE_MAX: Duration = Duration::from_secs(30);

/// Most unused connections to one backend that a worker keeps.
pub const UPSTREAM_IDLE_COUNT_MAX: usize = 512;

/// How often connections look whether someone has waited too long. A wait may be longer by this.
pub const PATIENCE_LOOK_EVERY: Duration = Duration::from_secs(5);

/// The same as [`UPSTREAM_IDLE_MAX`], in looks.
pub const UPSTREAM_IDLE_LOOKS: u32 = 6;

/// Largest first message of a TLS client whose connection is passed through. Bytes.
pub const HELLO_SIZE_MAX: usize = 16 * 1024;

/// Largest SMTP command line. Bytes. RFC 5321 §4.5.3.1.4 asks for 512, and extensions add to it.
pub const COMMAND_SIZE_MAX: usize = 2_048;

/// Longest line of a message. Bytes. RFC 5321 §4.5.3.1.6 asks for 1,000; senders are less careful,
/// and a message refused for ever helps nobody.
pub const TEXT_LINE_SIZE_MAX: usize = 16 * 1024;

/// Most SMTP clients of one port at once, and most of one address.
pub const MAIL_CLIENT_COUNT_MAX: usize = 1_024;
/// See [`MAIL_CLIENT_COUNT_MAX`].
pub const MAIL_CLIENT_COUNT_OF_ADDRESS_MAX: usize = 100;

/// Most recipients of one message. RFC 5321 §4.5.3.1.8 asks for 100.
pub const RECIPIENT_COUNT_MAX: usize = 1_000;

/// Most commands of one SMTP client that are none, before it is sent away.
pub const COMMAND_WRONG_COUNT_MAX: usize = 20;

/// Longest wait for an SMTP client's next command or piece (RFC 5321 §4.5.3.2.7).
pub const COMMAND_WAIT_MAX: Duration = Duration::from_secs(300);

/// Longest wait for a cell's mail server to answer a command.
pub const MAIL_ANSWER_WAIT_MAX: Duration = Duration::from_secs(120);

/// Longest wait for a cell's mail server to take a whole message in (RFC 5321 §4.5.3.2.6).
pub const MAIL_TAKE_WAIT_MAX: Duration = Duration::from_secs(600);

/// The same once the cell is being closed, and so the longest that mail holds a close up.
///
/// A server that takes the message says so in milliseconds. Behind this one nobody knows whether it
/// was taken: its sender sends it again, and it may arrive twice. 5 s are more than a busy disk.
pub const MAIL_TAKE_CUT_WAIT_MAX: Duration = Duration::from_secs(5);

/// Longest wait for a client to take the last answer about a message of a cell that is closed.
pub const MAIL_WORD_WAIT_MAX: Duration = Duration::from_millis(250);

/// Most lines of the access log that wait for the disk; about 6 MB. More are counted as lost.
pub const ACCESS_LINE_COUNT_MAX: usize = 16_384;

/// Longest wait at the end for a disk to take the last lines of the access log.
pub const ACCESS_END_WAIT_MAX: Duration = Duration::from_secs(5);

/// How often a driver looks whether its filter is as the cells are.
pub const DRIVER_LOOK_EVERY: Duration = Duration::from_secs(1);

/// Longest time a driver gives its filter to be looked at and changed.
pub const DRIVER_ROUND_WAIT_MAX: Duration = Duration::from_secs(10);

/// Longest wait of a direct close for filters to confirm it. What they do not is said.
pub const DRIVER_CONFIRM_WAIT_MAX: Duration = Duration::from_secs(3);

/// Longest wait for an HAProxy to end the sessions it was told to end, and how often it is looked.
pub const HAPROXY_SESSION_WAIT_MAX: Duration = Duration::from_secs(2);
/// See above.
pub const HAPROXY_SESSION_LOOK_EVERY: Duration = Duration::from_millis(2);

/// Longest line of commands that an HAProxy is told; its own limit is `tune.bufsize`, 16 KiB.
pub const HAPROXY_LINE_SIZE_MAX: usize = 8 * 1024;

/// Largest answer of an HAProxy: statistics of 100,000 backends. Bytes.
pub const HAPROXY_ANSWER_SIZE_MAX: u64 = 64 * 1024 * 1024;

const _: () = assert!(HAPROXY_SESSION_WAIT_MAX.as_secs() < DRIVER_CONFIRM_WAIT_MAX.as_secs());
const _: () = assert!(DRIVER_CONFIRM_WAIT_MAX.as_secs() < DRIVER_ROUND_WAIT_MAX.as_secs());

/// Most answers of closed cells that a worker keeps for their second.
pub const PAGE_COUNT_MAX: usize = 1_024;

/// Most that is read and thrown away of a body that nobody wants, before its connection ends.
pub const LEFTOVER_SIZE_MAX: usize = 64 * 1024;

/// Longest wait for a client to take the last answer of its connection.
pub const GOODBYE_WAIT_MAX: Duration = Duration::from_secs(2);

/// Longest the control plane may hold a question for news. Milliseconds.
pub const FEED_WAIT_MS: u64 = 10_000;

/// Longest wait for any answer of the control plane: the held question and a slow line.
pub const CONTROL_WAIT_MAX: Duration = Duration::from_secs(30);

/// Largest stretch of the feed. Bytes. 32 full waves.
pub const FEED_SIZE_MAX: usize = 32 * ENVELOPE_SIZE_MAX;

/// Shortest and longest pause before asking a control plane again that did not answer.
pub const RETRY_WAIT_MIN: Duration = Duration::from_millis(100);
/// See [`RETRY_WAIT_MIN`].
pub const RETRY_WAIT_MAX: Duration = Duration::from_secs(5);

/// Longest silence of a gate towards the control plane.
pub const REPORT_WAIT_MAX: Duration = Duration::from_secs(10);

/// Decisions kept for a control plane that does not answer; older ones are only in the log.
pub const DECISION_COUNT_MAX: usize = 10_000;

/// Most reasons told of one refused item; the log has them all.
pub const REASON_COUNT_MAX: usize = 10;

/// Most cells and decisions of one report; the rest follows at once in the next. With all reasons
/// about 2 MB, half of what the control plane takes.
pub const REPORT_ITEM_COUNT_MAX: usize = 1_000;

/// Wait before fresh word is asked for again where nobody could give it.
pub const BEACON_WAIT: Duration = Duration::from_secs(2);

/// How often a gate looks for releases that have run out. The judge looks at every request anyway.
pub const EXPIRY_LOOK_EVERY: Duration = Duration::from_secs(1);

/// What `Retry-After` says without a forecast. Seconds.
pub const RETRY_AFTER_DEFAULT: i64 = 3_600;
/// Least `Retry-After`: a minute, so that clients of a cell overdue do not storm. Seconds.
pub const RETRY_AFTER_MIN: i64 = 60;
/// Most `Retry-After`: a day, so that nobody sleeps through an opening. Seconds.
pub const RETRY_AFTER_MAX: i64 = 86_400;

/// Places of one waiting line that are called and not yet taken. Memory: 64 KiB a line at most.
pub const CALL_COUNT_MAX: usize = 4_096;

/// How long a called place waits for its client. Milliseconds. Three times the longest pause
/// between two looks of a page ([`AGAIN_FAR_SECONDS`]), so that one lost look loses no place.
pub const CALL_WAIT_MS: i64 = 60_000;

/// How long a client that was let in stays so without asking. Milliseconds. Half an hour: reading
/// a long page is no reason to wait again.
pub const INSIDE_MS: i64 = 30 * 60_000;

/// Places before one below which it asks more often.
pub const NEAR_COUNT: u64 = 50;
/// When a client near the front of a line asks again. Seconds.
pub const AGAIN_NEAR_SECONDS: u16 = 5;
/// When a client further back asks again. Seconds.
pub const AGAIN_FAR_SECONDS: u16 = 20;
/// When a client that is in and finds every slot taken asks again. Seconds.
pub const AGAIN_BUSY_SECONDS: u16 = 3;
/// When a client outside of the share asks again. Seconds. Shares are turned every few minutes.
pub const AGAIN_SHARE_SECONDS: u16 = 300;

/// Journal entries below which a start never rewrites the journal.
pub const JOURNAL_REWRITE_COUNT_MIN: usize = 256;

/// Farthest a wall clock may jump ahead before a gate stops believing it. Milliseconds.
pub const CLOCK_JUMP_MS_MAX: i64 = 5 * 60 * 1000;

const _: () = assert!(
    UPSTREAM_IDLE_LOOKS as u64 * PATIENCE_LOOK_EVERY.as_secs() == UPSTREAM_IDLE_MAX.as_secs()
);
const _: () = assert!(CALL_WAIT_MS >= 3 * 1_000 * AGAIN_FAR_SECONDS as i64);
const _: () = assert!(RETRY_AFTER_MIN <= RETRY_AFTER_DEFAULT);
const _: () = assert!(RETRY_AFTER_DEFAULT <= RETRY_AFTER_MAX);
const _: () = assert!(FEED_SIZE_MAX >= ENVELOPE_SIZE_MAX);
