//! What a backend hears of a request, and a client of an answer.

use httparse::Header;

use super::*;

fn lines<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<Header<'a>> {
    let line = |(name, value): &(&'a str, &'a str)| Header {
        name,
        value: value.as_bytes(),
    };
    pairs.iter().map(line).collect()
}

fn told(pairs: &[(&str, &str)], framing: Framing) -> String {
    let onward = Onward {
        before: &[],
        method: "POST",
        target: "/a?b",
        authority: "stadt.example",
        from: "192.0.2.7",
        scheme: "http",
        cell: "stadt/post",
        framing,
        trailers: false,
        upgrade: None,
    };
    let mut out = Vec::new();
    request(&mut out, &lines(pairs), &onward);
    String::from_utf8(out).unwrap().replace("\r\n", "\n")
}

#[test]
fn only_the_gate_says_who_asks_for_what() {
    let text = told(
        &[
            ("X-Anlauf-Cell", "other/cell"),
            ("x_anlauf_cell", "other/cell"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("x-forwarded_proto", "https"),
            ("Forwarded", "for=10.0.0.1"),
            ("X-Real-IP", "10.0.0.1"),
            ("Anlauf-Pass", "secret"),
            ("Cookie", "a=1; anlauf-pass=secret"),
            ("cookie", "b=2"),
            ("Host", "elsewhere"),
            ("Content-Length", "99"),
            ("Accept", "text/html"),
        ],
        Framing::Length(5),
    );
    insta::assert_snapshot!(text, @r#"
    POST /a?b HTTP/1.1
    host: stadt.example
    Accept: text/html
    cookie: a=1; b=2
    x-forwarded-for: 192.0.2.7
    x-forwarded-proto: http
    x-forwarded-host: stadt.example
    forwarded: for=192.0.2.7;host="stadt.example";proto=http
    x-anlauf-cell: stadt/post
    content-length: 5
    "#);
}

#[test]
fn what_is_for_one_connection_stays_there() {
    let text = told(
        &[
            ("Connection", "keep-alive, x-own"),
            ("connection", "X-Other"),
            ("x-own", "a"),
            ("x-other", "b"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("transfer-encoding", "chunked"),
            ("proxy-authorization", "c"),
            ("authorization", "d"),
        ],
        Framing::Chunked,
    );
    insta::assert_snapshot!(text, @r#"
    POST /a?b HTTP/1.1
    host: stadt.example
    authorization: d
    x-forwarded-for: 192.0.2.7
    x-forwarded-proto: http
    x-forwarded-host: stadt.example
    forwarded: for=192.0.2.7;host="stadt.example";proto=http
    x-anlauf-cell: stadt/post
    transfer-encoding: chunked
    "#);
}

#[test]
fn an_answer_is_framed_anew() {
    let said = |framing, keep| {
        let mut out = Vec::new();
        let pairs = [
            ("Server", "x"),
            ("Content-Length", "7"),
            ("Connection", "close, x-own"),
            ("x-own", "a"),
            ("Keep-Alive", "5"),
        ];
        let back = Back {
            framing,
            keep,
            upgrades: false,
            carry: None,
        };
        answer(&mut out, (404, "Not Found"), &lines(&pairs), &back);
        String::from_utf8(out).unwrap()
    };
    let head = "HTTP/1.1 404 Not Found\r\nServer: x\r\n";
    assert_eq!(
        said(Framing::Length(120), true),
        format!("{head}content-length: 120\r\n\r\n")
    );
    assert_eq!(
        said(Framing::Chunked, false),
        format!("{head}transfer-encoding: chunked\r\nconnection: close\r\n\r\n")
    );
    assert_eq!(
        said(Framing::Empty, true),
        format!("{head}Content-Length: 7\r\n\r\n")
    );
}
