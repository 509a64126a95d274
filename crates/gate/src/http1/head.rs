//! Reads HTTP/1 heads strictly: what can be read in two ways is refused.
//!
//! In:    bytes of a client or a backend.
//! Out:   where a head ends, how its body is framed.
//! Never: takes a bare line feed for a line end, one of two lengths, or a coding besides `chunked`.
//! See:   RFC 9112 §2.2 (line ends), §5.2 (folds), §6 (framing), §11.2 (smuggling).

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Request, Response, Status};

use crate::limits::HEADER_COUNT_MAX;

/// Room for the lines of a head; not written before it is used.
pub(crate) type Room<'b> = [MaybeUninit<Header<'b>>; HEADER_COUNT_MAX];

/// Empty room.
pub(crate) fn room<'b>() -> Room<'b> {
    [const { MaybeUninit::uninit() }; HEADER_COUNT_MAX]
}

/// How long a body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Framing {
    /// There is none.
    Empty,
    /// So many bytes.
    Length(u64),
    /// Chunks tell.
    Chunked,
    /// To the end of the connection: only answers.
    Close,
}

/// Why a head cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bad {
    /// Not the form of a head.
    Form,
    /// Too many lines.
    Size,
    /// Two ways to tell how long the body is, or none that can be told.
    Length,
}

const CRLF2: &[u8] = b"\r\n\r\n";

/// Digits of the longest length that is believed: an exabyte.
const LENGTH_DIGITS_MAX: usize = 18;

/// Where the head ends, with its blank line; none if it is not whole. `seen` is how far an earlier
/// look has come.
///
/// # Errors
/// A line feed without its carriage return.
pub(crate) fn end(bytes: &[u8], seen: &mut usize) -> Result<Option<usize>, Bad> {
    let fresh = bytes.get(*seen..).unwrap_or_default();
    for at in memchr::memchr_iter(b'\n', fresh) {
        let upto = *seen + at + 1;
        let head = bytes.get(..upto).unwrap_or_default();
        if !head.ends_with(b"\r\n") {
            return Err(Bad::Form);
        }
        if head.ends_with(CRLF2) {
            return Ok(Some(upto));
        }
    }
    *seen = bytes.len();
    Ok(None)
}

/// Reads a whole head of a request.
///
/// # Errors
/// It is not one.
pub(crate) fn request<'h, 'b>(
    head: &'b [u8],
    room: &'h mut Room<'b>,
) -> Result<Request<'h, 'b>, Bad> {
    let mut request = Request::new(&mut []);
    let parser = ParserConfig::default();
    let read = parser.parse_request_with_uninit_headers(&mut request, head, room);
    whole(read, head.len())?;
    Ok(request)
}

/// Reads a whole head of an answer.
///
/// # Errors
/// It is not one.
pub(crate) fn response<'h, 'b>(
    head: &'b [u8],
    room: &'h mut Room<'b>,
) -> Result<Response<'h, 'b>, Bad> {
    let mut response = Response::new(&mut []);
    let parser = ParserConfig::default();
    let read = parser.parse_response_with_uninit_headers(&mut response, head, room);
    whole(read, head.len())?;
    Ok(response)
}

fn whole(read: httparse::Result<usize>, size: usize) -> Result<(), Bad> {
    match read {
        Ok(Status::Complete(end)) if end == size => Ok(()),
        Err(httparse::Error::TooManyHeaders) => Err(Bad::Size),
        Ok(_) | Err(_) => Err(Bad::Form),
    }
}

/// The one value of a header that may come once.
///
/// # Errors
/// It comes twice.
fn once<'b>(lines: &[Header<'b>], name: &str) -> Result<Option<&'b [u8]>, Bad> {
    let mut found = lines
        .iter()
        .filter(|line| line.name.eq_ignore_ascii_case(name))
        .map(|line| line.value);
    let first = found.next();
    match found.next() {
        Some(_) => Err(Bad::Length),
        None => Ok(first),
    }
}

fn length(value: &[u8]) -> Result<u64, Bad> {
    let digits = value.len() <= LENGTH_DIGITS_MAX && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).map_err(|_| Bad::Length)?;
    match digits {
        true => text.parse().map_err(|_| Bad::Length),
        false => Err(Bad::Length),
    }
}

/// How long a request's body is.
///
/// # Errors
/// Two lengths, two codings, both, a coding besides `chunked`, chunks before HTTP/1.1.
pub(crate) fn request_framing(lines: &[Header<'_>], is_http11: bool) -> Result<Framing, Bad> {
    let coding = once(lines, "transfer-encoding")?;
    let size = once(lines, "content-length")?;
    match (coding, size) {
        (None, None) => Ok(Framing::Empty),
        (None, Some(size)) => match length(size)? {
            0 => Ok(Framing::Length(0)),
            size => Ok(Framing::Length(size)),
        },
        (Some(coding), None) if is_http11 && coding.eq_ignore_ascii_case(b"chunked") => {
            Ok(Framing::Chunked)
        }
        _ => Err(Bad::Length),
    }
}

/// How long an answer's body is (RFC 9112 §6.3).
///
/// # Errors
/// As for requests: a backend that can be read in two ways is not believed.
pub(crate) fn response_framing(
    status: u16,
    is_head: bool,
    lines: &[Header<'_>],
) -> Result<Framing, Bad> {
    let coding = once(lines, "transfer-encoding")?;
    let size = once(lines, "content-length")?.map(length).transpose()?;
    if is_head || status < 200 || status == 204 || status == 304 {
        return Ok(Framing::Empty);
    }
    match (coding, size) {
        (None, None) => Ok(Framing::Close),
        (None, Some(size)) => Ok(Framing::Length(size)),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        _ => Err(Bad::Length),
    }
}

/// Whether one of the comma-separated words of the header is this one.
pub(crate) fn says(lines: &[Header<'_>], name: &str, word: &str) -> bool {
    lines
        .iter()
        .filter(|line| line.name.eq_ignore_ascii_case(name))
        .flat_map(|line| line.value.split(|byte| *byte == b','))
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests;
