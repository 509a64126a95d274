//! Mail of each insurer: an SMTP server with mailboxes on disk and POP3 to read them; for the other
//! side a sender that tries again, and a reader.
//!
//! In:    SMTP on a listener of its own (RFC 5321, STARTTLS, PIPELINING, SIZE, 8BITMIME, SMTPUTF8).
//! Out:   one Maildir per person in the insurer's folder, which Dovecot reads as well; POP3 under
//!        TLS (RFC 1939, RFC 8314).
//! Never: a 250 before the message is on disk; the same message twice in a mailbox because its
//!        sender did not hear the 250; a message for somebody else's domain (no relay).
//! See:   docs/guide/mail.md. Postfix and Dovecot from `reference/mail` do the same at full size.

pub mod house;
mod line;
mod listen;
pub mod maildir;
pub mod pop3;
pub mod reader;
pub mod self_signed;
pub mod sender;
pub mod server;
mod session;
pub mod stock;
mod text;
pub mod tls;

/// Largest message when nobody says otherwise. Bytes.
pub const MESSAGE_SIZE_MAX: usize = 25 * 1024 * 1024;

/// Most conversations at once.
const CONVERSATION_COUNT_MAX: usize = 256;

/// Most recipients of one message (RFC 5321 §4.5.3.1.8 asks for 100 at least).
const RECIPIENT_COUNT_MAX: usize = 100;

/// Longest command with its line end, also with a sender beyond ASCII. Bytes.
const COMMAND_SIZE_MAX: usize = 2_048;

/// Longest line of a text. Bytes. RFC 5321 says 998; more is read, because senders break it.
const TEXT_LINE_SIZE_MAX: usize = 64 * 1024;

/// Memory of all texts that are under way. KiB.
const TEXT_BUDGET_KIB: usize = 256 * 1024;

/// Most commands that are not understood until the conversation ends.
const ERROR_COUNT_MAX: usize = 20;

/// Wrong passwords of a mail program until its conversation ends.
const LOGIN_COUNT_MAX: usize = 3;

/// Most messages of a mailbox that a mail program is shown; the rest when these are gone.
const MESSAGE_COUNT_MAX: usize = 10_000;

/// How long a conversation may say nothing (RFC 5321 §4.5.3.2.7). Seconds.
const SILENCE_SECONDS_MAX: u64 = 300;

/// How long a message is known as delivered: longer than senders try. Days.
const MARK_DAYS: i64 = 30;
