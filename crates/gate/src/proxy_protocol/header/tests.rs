//! Headers as the protocol's document shows them, and what must not be one.

use proptest::prelude::*;

use super::*;

const V4: &[u8] = &[192, 0, 2, 7, 10, 0, 0, 1, 0xde, 0x2c, 0x01, 0xbb];

/// The signature of version 2 as its document writes it, with command, family and length behind it.
fn block(kind: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A".to_vec();
    bytes.extend([kind, family]);
    bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
    bytes.extend(rest);
    bytes
}

fn client(source: &str, target: &str) -> Header {
    Header::Client {
        source: source.parse().unwrap(),
        target: target.parse().unwrap(),
    }
}

fn read(text: &str) -> Result<Option<Header>, Bad> {
    let found = header(text.as_bytes())?;
    Ok(found.map(|(header, size)| {
        assert_eq!(size, text.len(), "{text}");
        header
    }))
}

#[test]
fn lines() {
    let far = ["ffff"; 8].join(":");
    let longest = format!("PROXY TCP6 {far} {far} 65535 65535\r\n");
    let end = format!("[{far}]:65535");
    for (text, want) in [
        (
            "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n",
            client("192.0.2.7:56324", "10.0.0.1:443"),
        ),
        (
            "PROXY TCP6 2001:db8::7 ::1 0 443\r\n",
            client("[2001:db8::7]:0", "[::1]:443"),
        ),
        (&longest, client(&end, &end)),
        ("PROXY UNKNOWN\r\n", Header::Nobody),
        ("PROXY UNKNOWN ffff::1 what ever\r\n", Header::Nobody),
    ] {
        assert_eq!(read(text), Ok(Some(want)), "{text}");
    }
    for text in ["", "PRO", "PROXY TCP4 192.0.2.7 10.0.0.1 56324"] {
        assert_eq!(read(text), Ok(None), "{text}");
    }
}

#[test]
fn no_lines() {
    for text in [
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\n",
        "PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY TCP4 192.0.2.07 10.0.0.1 1 2\r\n",
        "PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 \r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 +1 2\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 65536 2\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n",
        "PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY \r\n",
    ] {
        assert_eq!(read(text), Err(Bad::Field), "{text}");
    }
    for text in ["proxy UNKNOWN\r\n", "GET / HTTP/1.1\r\n", "\r\n\r\nGET"] {
        assert_eq!(read(text), Err(Bad::Start), "{text}");
    }
    let endless = format!("PROXY UNKNOWN {}", "a".repeat(200));
    assert_eq!(header(&endless.as_bytes()[..106]), Ok(None));
    assert_eq!(header(&endless.as_bytes()[..107]), Err(Bad::Size));
}

#[test]
fn blocks() {
    let v6 = [
        &[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7][..],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        &[0, 1, 0, 2],
    ]
    .concat();
    let v4 = client("192.0.2.7:56876", "10.0.0.1:443");
    // ALPN `h2`, and a field without a value.
    let fields = [V4, &[1, 0, 2, b'h', b'2', 4, 0, 0]].concat();
    for (bytes, want) in [
        (block(0x21, 0x11, V4), v4),
        (block(0x21, 0x11, &fields), v4),
        (block(0x21, 0x21, &v6), client("[2001:db8::7]:1", "[::1]:2")),
        (block(0x20, 0x00, &[]), Header::Nobody),
        (block(0x20, 0x11, V4), Header::Nobody),
        (block(0x21, 0x00, V4), Header::Nobody),
        (block(0x21, 0x31, &[b'/'; 216]), Header::Nobody),
    ] {
        assert_eq!(header(&bytes), Ok(Some((want, bytes.len()))), "{bytes:x?}");
    }
}

#[test]
fn no_blocks() {
    let with = |fields: &[u8]| block(0x21, 0x11, &[V4, fields].concat());
    for bytes in [
        with(&[1, 0, 9, b'h']),
        with(&[1, 0]),
        block(0x21, 0x11, &V4[..11]),
        block(0x21, 0x21, V4),
        block(0x21, 0x31, &[b'/'; 215]),
        block(0x21, 0x12, V4),
        block(0x21, 0x41, V4),
        block(0x22, 0x11, V4),
        block(0x11, 0x11, V4),
        block(0x31, 0x11, V4),
    ] {
        assert_eq!(header(&bytes), Err(Bad::Field), "{bytes:x?}");
    }
    assert_eq!(header(&block(0x20, 0, &[0; 4_081])), Err(Bad::Size));
    // The largest length is refused before a byte of it has come.
    let head = [&block(0x21, 0x11, &[])[..14], &[0xff, 0xff]].concat();
    assert_eq!(header(&head), Err(Bad::Size));
}

proptest! {
    /// Bytes come in any pieces, and what follows is nobody's business here.
    #[test]
    fn pieces_and_what_follows_change_nothing(
        source: [u8; 4], port: u16, is_line: bool, rest: Vec<u8>, fields in 0_u16..300,
    ) {
        let from = SocketAddr::from((source, port));
        let whole = match is_line {
            true => format!("PROXY TCP4 {} 10.0.0.1 {port} 443\r\n", from.ip()).into_bytes(),
            false => {
                let ports = [port.to_be_bytes(), 443_u16.to_be_bytes()].concat();
                let mut all = [&source[..], &[10, 0, 0, 1], &ports, &[0xee]].concat();
                all.extend(fields.to_be_bytes());
                all.resize(all.len() + usize::from(fields), b'\n');
                block(0x21, 0x11, &all)
            }
        };
        for size in 0..whole.len() {
            prop_assert_eq!(header(&whole[..size]), Ok(None));
        }
        let want = Header::Client { source: from, target: "10.0.0.1:443".parse().unwrap() };
        let all = [whole.clone(), rest].concat();
        prop_assert_eq!(header(&all), Ok(Some((want, whole.len()))));
    }
}
