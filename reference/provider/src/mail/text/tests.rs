//! Texts in every cut: what is kept does not depend on where the pieces end.

use super::{Found, Text};

/// Feeds a text in pieces of a size; how it ended, what was kept, what is left.
fn fed(bytes: &[u8], piece: usize, size_max: usize) -> (Found, Vec<u8>, Vec<u8>) {
    let mut text = Text::new(size_max);
    let mut input = Vec::new();
    let mut pieces = bytes.chunks(piece);
    while let Some(piece) = pieces.next() {
        input.extend_from_slice(piece);
        match text.take(&mut input) {
            Found::More => {}
            found => {
                let rest: Vec<u8> = pieces.flatten().copied().collect();
                input.extend(rest);
                return (found, text.bytes, input);
            }
        }
    }
    (Found::More, text.bytes, input)
}

#[test]
fn dots_are_undone_and_the_next_command_stays() {
    let sent = b"Subject: a\r\n\r\n..\r\n.Punkt\r\n\r\n.\r\nQUIT\r\n";
    for piece in 1..sent.len() {
        let (found, kept, left) = fed(sent, piece, 1_000);
        assert_eq!(found, Found::End, "in pieces of {piece}");
        assert_eq!(kept, b"Subject: a\r\n\r\n.\r\nPunkt\r\n\r\n");
        assert_eq!(left, b"QUIT\r\n");
    }
}

#[test]
fn a_bare_line_end_is_no_line_end() {
    let smuggled: [&[u8]; 4] = [
        b"a\n.\r\nMAIL FROM:<x@y.example>\r\n",
        b"a\r\n.\nMAIL\r\n",
        b"a\r.\r\n",
        b"a\r\n.\r\r\n",
    ];
    for sent in smuggled {
        for piece in 1..sent.len() {
            assert_eq!(fed(sent, piece, 1_000).0, Found::Bad, "{sent:?} {piece}");
        }
    }
}

#[test]
fn what_is_too_large_is_read_to_its_end_and_not_kept() {
    let sent = [b"0123456789\r\n".repeat(10), b".\r\n".to_vec()].concat();
    let mut text = Text::new(119);
    let mut input = sent.clone();
    assert_eq!(text.take(&mut input), Found::End);
    assert!(text.is_over() && text.bytes.is_empty());
    let mut text = Text::new(120);
    let mut input = sent;
    assert_eq!(text.take(&mut input), Found::End);
    assert!(!text.is_over() && text.bytes.len() == 120);
    let (found, ..) = fed(&b"x".repeat(70_000), 4_096, 1_000_000);
    assert_eq!(found, Found::Bad, "a line without end");
}
