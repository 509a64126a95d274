//! Heads that are whole, and heads that two servers could read in two ways.

use proptest::prelude::*;

use super::*;

fn framed(lines: &str) -> Result<Framing, Bad> {
    let head = format!("POST /a HTTP/1.1\r\n{lines}\r\n");
    let mut space = room();
    let read = request(head.as_bytes(), &mut space)?;
    request_framing(read.headers, read.version == Some(1))
}

#[test]
fn a_head_ends_with_a_blank_line_and_nothing_else() {
    for (text, want) in [
        ("GET / HTTP/1.1\r\n\r\n", Ok(Some(18))),
        ("GET / HTTP/1.1\r\n\r\nrest", Ok(Some(18))),
        ("GET / HTTP/1.1\r\n", Ok(None)),
        ("GET / HTTP/1.1\r\n\r", Ok(None)),
        ("", Ok(None)),
        ("GET / HTTP/1.1\n\n", Err(Bad::Form)),
        ("GET / HTTP/1.1\r\nhost: a\n\r\n", Err(Bad::Form)),
        ("GET / HTTP/1.1\r\n\n", Err(Bad::Form)),
    ] {
        assert_eq!(end(text.as_bytes(), &mut 0), want, "{text:?}");
    }
}

#[test]
fn a_length_is_said_once_or_not_at_all() {
    for (lines, want) in [
        ("", Ok(Framing::Empty)),
        ("content-length: 0\r\n", Ok(Framing::Length(0))),
        ("Content-Length:  7 \r\n", Ok(Framing::Length(7))),
        ("Transfer-Encoding: Chunked\r\n", Ok(Framing::Chunked)),
        (
            "content-length: 7\r\ncontent-length: 7\r\n",
            Err(Bad::Length),
        ),
        ("content-length: 7, 7\r\n", Err(Bad::Length)),
        ("content-length: +7\r\n", Err(Bad::Length)),
        ("content-length: 7_0\r\n", Err(Bad::Length)),
        ("content-length: 0x7\r\n", Err(Bad::Length)),
        ("content-length: 9999999999999999999\r\n", Err(Bad::Length)),
        ("content-length: \r\n", Err(Bad::Length)),
        (
            "content-length: 7\r\ntransfer-encoding: chunked\r\n",
            Err(Bad::Length),
        ),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            Err(Bad::Length),
        ),
        ("transfer-encoding: gzip, chunked\r\n", Err(Bad::Length)),
        ("transfer-encoding: chunked, identity\r\n", Err(Bad::Length)),
        ("transfer-encoding: identity\r\n", Err(Bad::Length)),
        ("transfer-encoding: \u{b}chunked\r\n", Err(Bad::Form)),
        ("transfer-encoding : chunked\r\n", Err(Bad::Form)),
        (" transfer-encoding: chunked\r\n", Err(Bad::Form)),
        ("x: a\r\n folded\r\n", Err(Bad::Form)),
        ("x: a\rb\r\n", Err(Bad::Form)),
        (": empty\r\n", Err(Bad::Form)),
    ] {
        assert_eq!(framed(lines), want, "{lines:?}");
    }
}

#[test]
fn an_answers_length_depends_on_what_it_answers() {
    let framed = |status, is_head, lines: &str| {
        let head = format!("HTTP/1.1 {status} x\r\n{lines}\r\n");
        let mut space = room();
        let read = response(head.as_bytes(), &mut space)?;
        response_framing(status, is_head, read.headers)
    };
    let size = "content-length: 7\r\n";
    assert_eq!(framed(200, false, size), Ok(Framing::Length(7)));
    assert_eq!(framed(200, true, size), Ok(Framing::Empty));
    assert_eq!(framed(304, false, size), Ok(Framing::Empty));
    assert_eq!(framed(204, false, ""), Ok(Framing::Empty));
    assert_eq!(framed(103, false, ""), Ok(Framing::Empty));
    assert_eq!(framed(200, false, ""), Ok(Framing::Close));
    let chunked = "transfer-encoding: chunked\r\n";
    assert_eq!(framed(200, false, chunked), Ok(Framing::Chunked));
    for bad in [
        format!("{size}{size}"),
        format!("{size}{chunked}"),
        "transfer-encoding: gzip\r\n".to_owned(),
        "content-length: 7\r\nx: a\r\n b\r\n".to_owned(),
    ] {
        assert!(framed(200, false, &bad).is_err(), "{bad:?}");
    }
}

#[test]
fn more_lines_than_the_limit_are_too_many() {
    assert_eq!(
        framed(&"x: y\r\n".repeat(HEADER_COUNT_MAX)),
        Ok(Framing::Empty)
    );
    assert_eq!(
        framed(&"x: y\r\n".repeat(HEADER_COUNT_MAX + 1)),
        Err(Bad::Size)
    );
}

proptest! {
    /// However the bytes are cut into reads, the end is found at the same place.
    #[test]
    fn an_end_is_where_it_is(bytes in "[a\r\n]{0,24}", cut in 0usize..24) {
        let whole = end(bytes.as_bytes(), &mut 0);
        let cut = cut.min(bytes.len());
        let mut seen = 0;
        let first = end(&bytes.as_bytes()[..cut], &mut seen);
        let second = match first {
            Ok(None) => end(bytes.as_bytes(), &mut seen),
            found => found,
        };
        prop_assert_eq!(second, whole);
    }

    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut space = room();
        if let Ok(read) = request(&bytes, &mut space) {
            let _ = request_framing(read.headers, true);
        }
        let mut space = room();
        if let Ok(read) = response(&bytes, &mut space) {
            let _ = response_framing(200, false, read.headers);
        }
    }
}
