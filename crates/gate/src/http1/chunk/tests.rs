//! Chunked bodies, whole and broken, however they arrive.

use proptest::prelude::*;

use super::*;

/// Data, trailers, and what lies behind the body.
type Whole = (Vec<u8>, Vec<u8>, Vec<u8>);

/// Reads a body that arrives in pieces of so many bytes.
fn read(mut chunks: Chunks, bytes: &[u8], piece: usize) -> Result<Option<Whole>, BadChunk> {
    let (mut data, mut buffer) = (Vec::new(), Vec::new());
    let mut pieces = bytes.chunks(piece.max(1));
    loop {
        match chunks.step(&buffer)? {
            Step::Data { skip, size } => {
                data.extend_from_slice(&buffer[skip..skip + size]);
                buffer.drain(..skip + size);
            }
            Step::Done(size) => {
                buffer.drain(..size);
                buffer.extend(pieces.flatten());
                return Ok(Some((data, chunks.trailers().to_vec(), buffer)));
            }
            Step::More => {
                buffer.clear();
                let Some(piece) = pieces.next() else {
                    return Ok(None);
                };
                buffer.extend_from_slice(piece);
            }
        }
    }
}

#[test]
fn what_is_framed_as_it_must_be_is_read() {
    for (text, data, trailers, rest) in [
        ("0\r\n\r\n", "", "", ""),
        ("5\r\nhello\r\n0\r\n\r\nGET", "hello", "", "GET"),
        ("3\r\nhel\r\n2\r\nlo\r\n000\r\n\r\n", "hello", "", ""),
        (
            "A\r\n0123456789\r\n0\r\nx: y\r\n\r\n",
            "0123456789",
            "x: y\r\n",
            "",
        ),
    ] {
        for piece in 1..text.len() + 1 {
            let want = (data.into(), trailers.into(), rest.into());
            let got = read(Chunks::strict(), text.as_bytes(), piece);
            assert_eq!(got, Ok(Some(want)), "{text:?} by {piece}");
        }
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_not() {
    for text in [
        "\r\n",
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n",
        "6\r\nhello\r\n0\r\n\r\n",
        "0\r\nx: y\n\r\n",
        "0\n\r\n",
        "ffffffffffffffff\r\n",
        "0000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n",
    ] {
        assert_eq!(
            read(Chunks::strict(), text.as_bytes(), 3),
            Err(BadChunk),
            "{text:?}"
        );
    }
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(300));
    assert_eq!(read(Chunks::lenient(), long.as_bytes(), 50), Err(BadChunk));
    let long = format!("0\r\nx: {}\r\n\r\n", "y".repeat(9_000));
    assert_eq!(read(Chunks::strict(), long.as_bytes(), 50), Err(BadChunk));
}

#[test]
fn a_backends_extensions_are_skipped() {
    let text = b"5;a=\"b\"\r\nhello\r\n0 \r\n\r\n";
    let want = (b"hello".to_vec(), Vec::new(), Vec::new());
    assert_eq!(read(Chunks::lenient(), text, 4), Ok(Some(want)));
}

#[test]
fn trailers_say_nothing_that_belongs_before_the_body() {
    let lines = b"x-sum: 1\r\nhost: y\r\nContent-Length: 5\r\nx_forwarded_for: 1\r\n";
    assert_eq!(trailers_onward(lines), Ok(b"x-sum: 1\r\n".to_vec()));
    assert_eq!(trailers_onward(b""), Ok(Vec::new()));
    assert_eq!(trailers_onward(b"no colon\r\n"), Err(BadChunk));
}

proptest! {
    /// What is written is read, however it is cut; and nothing behind it is taken.
    #[test]
    fn there_and_back(
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..400), 0..6),
        piece in 1usize..64,
    ) {
        let mut text = Vec::new();
        for part in &parts {
            begin(&mut text, part.len());
            text.extend_from_slice(part);
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"0\r\n\r\nnext");
        let got = read(Chunks::strict(), &text, piece);
        prop_assert_eq!(got, Ok(Some((parts.concat(), Vec::new(), b"next".to_vec()))));
    }

    #[test]
    fn nothing_makes_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        piece in 1usize..9,
    ) {
        let _ = read(Chunks::strict(), &bytes, piece);
        let _ = read(Chunks::lenient(), &bytes, piece);
    }
}
