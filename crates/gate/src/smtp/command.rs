//! One line of a client, and what it asks for.
//!
//! In:    bytes of the client, up to the first line end.
//! Out:   the line, or why it is none; a [`Command`], or the answer to a line that is none.
//! Never: takes a bare line feed or carriage return for a line end; lets a control character, a
//!        source route or a routed local part through; guesses what an address means.
//! See:   RFC 5321 §4.1, §2.3.8; RFC 6531; RFC 3030; docs/guide/mail.md.

use memchr::memchr3;
use smtp_proto::{
    Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_BODY_BINARYMIME, MAIL_SMTPUTF8, MailFrom,
    RcptTo, Request,
};

use super::reply::Reply;
use crate::limits::COMMAND_SIZE_MAX;

/// What stands at the front of the bytes that were read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line<'a> {
    /// A whole line, without its end; so many bytes belong to it.
    Whole(&'a [u8], usize),
    /// Its end has not come yet.
    Unfinished,
    /// Two servers could read two things out of it.
    Ambiguous,
    /// Longer than a line may be.
    TooLong,
}

/// What a client asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// `EHLO` (true) or `HELO`, with the client's name.
    Hello(bool, String),
    /// A new message.
    Mail(Sender),
    /// For whom.
    Recipient(Address),
    /// Its text follows, up to a dot.
    Data,
    /// So many bytes of it follow; whether they are the last.
    Chunk(u64, bool),
    /// Forget the message.
    Reset,
    /// TLS from here on.
    StartTls,
    /// Nothing.
    Noop,
    /// Is there such a person.
    Verify,
    /// The end.
    Quit,
}

/// Who sends, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// As written between the angle brackets; empty for a notice about a message.
    pub path: String,
    /// Bytes, as announced; 0 if not.
    pub size: u64,
    /// `BODY=8BITMIME`.
    pub is_8bit: bool,
    /// `SMTPUTF8`.
    pub is_utf8: bool,
}

/// For whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// As written between the angle brackets.
    pub path: String,
    /// What stands behind the `@`, in lower case; empty for `postmaster` alone.
    pub domain: String,
}

/// Looks for the first line.
pub fn line(bytes: &[u8]) -> Line<'_> {
    let Some(at) = memchr3(b'\r', b'\n', 0, bytes) else {
        return match bytes.len() > COMMAND_SIZE_MAX {
            true => Line::TooLong,
            false => Line::Unfinished,
        };
    };
    match (bytes.get(at), bytes.get(at + 1)) {
        _ if at > COMMAND_SIZE_MAX => Line::TooLong,
        (Some(b'\r'), None) => Line::Unfinished,
        (Some(b'\r'), Some(b'\n')) => Line::Whole(bytes.get(..at).unwrap_or_default(), at + 2),
        _ => Line::Ambiguous,
    }
}

/// Reads a line.
///
/// # Errors
/// The answer to a line that is no command of ours.
pub fn command(line: &[u8]) -> Result<Command, Reply> {
    let Ok(text) = std::str::from_utf8(line) else {
        return Err(Reply::own(500, "5.5.2", "that is neither ASCII nor UTF-8"));
    };
    if text.chars().any(char::is_control) {
        return Err(Reply::own(500, "5.5.2", "control characters in a command"));
    }
    let whole = [line, b"\r\n"].concat();
    let request = Request::parse(&mut whole.iter()).map_err(|error| wrong(&error))?;
    let command = match request {
        Request::Ehlo { host } => Command::Hello(true, host.into_owned()),
        Request::Helo { host } => Command::Hello(false, host.into_owned()),
        Request::Mail { from } => Command::Mail(sender(text, &from)?),
        Request::Rcpt { to } => Command::Recipient(recipient(text, &to)?),
        Request::Data => alone(text, "DATA", Command::Data)?,
        Request::Bdat {
            chunk_size,
            is_last,
        } => Command::Chunk(chunk_size as u64, is_last),
        Request::Rset => alone(text, "RSET", Command::Reset)?,
        Request::StartTls => alone(text, "STARTTLS", Command::StartTls)?,
        Request::Quit => alone(text, "QUIT", Command::Quit)?,
        Request::Noop { .. } => Command::Noop,
        Request::Vrfy { .. } => Command::Verify,
        _ => return Err(Reply::own(502, "5.5.1", "not offered here")),
    };
    Ok(command)
}

/// A command that stands for itself.
fn alone(text: &str, name: &'static str, command: Command) -> Result<Command, Reply> {
    match text.trim_end().eq_ignore_ascii_case(name) {
        true => Ok(command),
        false => Err(Reply::own(
            501,
            "5.5.4",
            &format!("{name} takes no argument"),
        )),
    }
}

fn wrong(error: &Error) -> Reply {
    match error {
        Error::UnknownCommand | Error::NeedsMoreData { .. } => {
            Reply::own(500, "5.5.1", "unknown command")
        }
        Error::InvalidSenderAddress => Reply::own(553, "5.1.7", "that is no sender address"),
        Error::InvalidRecipientAddress => Reply::own(553, "5.1.3", "that is no recipient address"),
        Error::UnsupportedParameter { .. } => unknown_parameter(),
        Error::InvalidParameter { param } => {
            Reply::own(501, "5.5.4", &format!("cannot read parameter {param}"))
        }
        Error::SyntaxError { syntax } => Reply::own(501, "5.5.4", &format!("write {syntax}")),
        Error::ResponseTooLong | Error::InvalidResponse { .. } => {
            Reply::own(500, "5.5.2", "cannot read that")
        }
    }
}

fn unknown_parameter() -> Reply {
    Reply::own(555, "5.5.4", "a parameter that is not offered here")
}

fn sender(text: &str, from: &MailFrom<std::borrow::Cow<'_, str>>) -> Result<Sender, Reply> {
    if from.flags & MAIL_BODY_BINARYMIME != 0 {
        return Err(Reply::own(
            501,
            "5.6.1",
            "BODY=BINARYMIME is not offered here",
        ));
    }
    let known = MailFrom {
        address: from.address.clone(),
        flags: from.flags & (MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8),
        size: from.size,
        ..MailFrom::default()
    };
    if known != *from {
        return Err(unknown_parameter());
    }
    let is_utf8 = from.flags & MAIL_SMTPUTF8 != 0;
    let path = match from.address.is_empty() {
        true if text.contains("<>") => "",
        true => return Err(Reply::own(553, "5.1.7", "that is no sender address")),
        false => path(text, &from.address)
            .ok_or_else(|| Reply::own(553, "5.1.7", "that is no sender address"))?,
    };
    if !is_utf8 && !path.is_ascii() {
        return Err(Reply::own(
            553,
            "5.6.7",
            "an address beyond ASCII needs SMTPUTF8",
        ));
    }
    Ok(Sender {
        path: path.to_owned(),
        size: from.size as u64,
        is_8bit: from.flags & MAIL_BODY_8BITMIME != 0,
        is_utf8,
    })
}

fn recipient(text: &str, to: &RcptTo<std::borrow::Cow<'_, str>>) -> Result<Address, Reply> {
    let known = RcptTo {
        address: to.address.clone(),
        ..RcptTo::default()
    };
    if known != *to {
        return Err(unknown_parameter());
    }
    let none = || Reply::own(553, "5.1.3", "that is no recipient address");
    if to.address.is_empty() {
        let inside = inside(text).ok_or_else(none)?;
        return match inside.eq_ignore_ascii_case("postmaster") {
            true => Ok(Address {
                path: inside.to_owned(),
                domain: String::new(),
            }),
            false => Err(none()),
        };
    }
    let path = path(text, &to.address).ok_or_else(none)?;
    let (local, domain) = path.rsplit_once('@').ok_or_else(none)?;
    if local.contains(['%', '!']) {
        // Old ways to say "and then on to": whoever follows them is a relay for strangers.
        return Err(Reply::own(550, "5.7.1", "no routes in addresses here"));
    }
    Ok(Address {
        path: path.to_owned(),
        domain: domain.to_lowercase(),
    })
}

/// What stands between the first pair of angle brackets.
fn inside(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('<')?;
    rest.split_once('>').map(|(inside, _)| inside)
}

/// The address as written, if it can be read in one way only.
fn path<'a>(text: &'a str, read: &str) -> Option<&'a str> {
    let path = inside(text)?;
    let (local, domain) = path.rsplit_once('@')?;
    let name_of_domain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let literal = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
    let is_domain = !domain.is_empty()
        && literal.unwrap_or(domain).bytes().all(|byte| {
            name_of_domain(byte) || !byte.is_ascii() || literal.is_some() && byte == b':'
        });
    let quoted = local.strip_prefix('"').and_then(|l| l.strip_suffix('"'));
    let plain = quoted.unwrap_or(local);
    let is_local = !plain.is_empty() && !plain.contains(['"', '\\', '<', '@', ',', ':', ';']);
    let is_as_read = match quoted {
        Some(plain) => read == format!("{plain}@{domain}"),
        None => read == path,
    };
    (is_domain && is_local && is_as_read).then_some(path)
}
