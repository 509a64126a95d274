//! Hosts, paths and headers as clients spell them.

use hyper::Request;
use proptest::prelude::*;

use super::*;
use crate::proxy_protocol::Peer;

fn host(text: &str) -> String {
    host_name(text).map_or_else(|wrong| format!("{wrong:?}"), Cow::into_owned)
}

#[test]
fn one_name_however_it_is_written() {
    for (text, want) in [
        ("stadt.example", "stadt.example"),
        ("STADT.example:80", "stadt.example"),
        ("stadt.example.", "stadt.example"),
        ("stadt.example.:8080", "stadt.example"),
        ("stadt.example:", "stadt.example"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("stadt.example..", "stadt.example."),
        ("", "Host"),
        (".", "Host"),
        (":80", "Host"),
        ("stadt.example:8o", "Host"),
        ("stadt.example:-1", "Host"),
        ("stadt.example:123456", "Host"),
        ("user@stadt.example", "Host"),
        ("stadt example", "Host"),
        ("stadt.example/x", "Host"),
        ("stadt%2eexample", "Host"),
        ("städt.example", "Host"),
        ("stadt.example,dorf.example", "Host"),
    ] {
        assert_eq!(host(text), want, "{text}");
    }
    assert_eq!(host(&"a".repeat(256)), "Host");
}

#[test]
fn a_path_in_every_reading() {
    for (path, want) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b"),
        ("/%61", "/a"),
        ("/a%20b", "/a b"),
        ("/a//b", "/a/b or /a//b"),
        ("//a", "/a or //a"),
        ("/a%2fb", "/a/b or /a\u{fffd}b"),
        ("/a%5Cb", "/a/b or /a\u{fffd}b"),
        ("/a\\b", "/a/b or /a\u{fffd}b"),
        ("/a;v=1/b", "/a;v=1/b or /a/b"),
        ("/a%3bv/b", "/a;v/b or /a/b"),
        ("/;x/a", "/;x/a or /a"),
        ("/100%25", "/100%"),
        ("/%25zz", "/%zz"),
        ("/..", "Path"),
        ("/a/../b", "Path"),
        ("/a/%2e%2E/b", "Path"),
        ("/a/.%252e/b", "Path"),
        ("/a/..%5cb", "Path"),
        ("/a/..;/b", "Path"),
        ("/a/.", "Path"),
        ("/%00", "Path"),
        ("/%0", "Path"),
        ("/%", "Path"),
        ("*", "Path"),
        ("", "Path"),
    ] {
        let found = match readings(path) {
            Ok(readings) => readings.join(" or "),
            Err(wrong) => format!("{wrong:?}"),
        };
        assert_eq!(found, want, "{path}");
    }
}

proptest! {
    /// Whatever passes climbs nowhere, decoded once or twice, and every reading is a path.
    #[test]
    fn nothing_climbs(path in "/([a./;\\\\]|%2[eEfF]|%5[cC]|%25|%3[bB]){0,12}") {
        if let Ok(found) = readings(&path) {
            for reading in &found {
                prop_assert!(reading.starts_with('/'));
                let twice = decode(reading).unwrap_or_default();
                for text in [&**reading, &*twice] {
                    let up = |segment: &str| segment == ".." || segment.starts_with("..;");
                    prop_assert!(!text.split(['/', '\\']).any(up), "{} in {}", text, path);
                }
            }
        }
    }
}

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn told(headers: &HeaderMap) -> String {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    let mut lines: Vec<_> = headers.iter().map(line).collect();
    lines.sort_unstable();
    lines.concat()
}

#[test]
fn only_the_gate_says_who_asks_for_what() {
    let mut headers = headers(&[
        ("x-anlauf-cell", "other/cell"),
        ("x_anlauf_cell", "other/cell"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded_proto", "https"),
        ("forwarded", "for=10.0.0.1"),
        ("anlauf-pass", "secret"),
        ("cookie", "a=1; anlauf-pass=secret"),
        ("cookie", "b=2"),
        ("host", "elsewhere"),
        ("accept", "text/html"),
    ]);
    let cell = "stadt/post".parse().unwrap();
    let conn = Conn::new(
        Peer::new("192.0.2.7".parse().unwrap()),
        None,
        ("http/1", None),
    )
    .0;
    let asker = Proxies::default().client(conn.peer, &headers).unwrap();
    introduce(&mut headers, (&conn, &asker), "stadt.example", &cell);
    insta::assert_snapshot!(told(&headers), @r#"
    accept: text/html
    cookie: a=1; b=2
    forwarded: for=192.0.2.7;host="stadt.example";proto=http
    host: stadt.example
    x-anlauf-cell: stadt/post
    x-forwarded-for: 192.0.2.7
    x-forwarded-host: stadt.example
    x-forwarded-proto: http
    "#);
}

#[test]
fn a_backend_learns_of_every_proxy_on_the_way() {
    let mut headers = headers(&[
        ("x-forwarded-for", "2001:db8::7, 10.0.0.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "elsewhere.example"),
        ("x-anlauf-cell", "other/cell"),
    ]);
    let cell = "stadt/post".parse().unwrap();
    let conn = Conn::new(
        Peer::new("10.0.0.1".parse().unwrap()),
        None,
        ("http/1", None),
    )
    .0;
    let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
    let asker = proxies.client(conn.peer, &headers).unwrap();
    introduce(&mut headers, (&conn, &asker), "stadt.example", &cell);
    insta::assert_snapshot!(told(&headers), @r#"
    forwarded: for="[2001:db8::7]", for=10.0.0.9, for=10.0.0.1;host="stadt.example";proto=https
    host: stadt.example
    x-anlauf-cell: stadt/post
    x-forwarded-for: 2001:db8::7, 10.0.0.9, 10.0.0.1
    x-forwarded-host: stadt.example
    x-forwarded-proto: https
    "#);
}

#[test]
fn what_is_for_one_connection_stays_there() {
    let mut headers = headers(&[
        ("connection", "keep-alive, x-own"),
        ("connection", "X-Other"),
        ("x-own", "a"),
        ("x-other", "b"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("transfer-encoding", "chunked"),
        ("proxy-authorization", "c"),
        ("authorization", "d"),
    ]);
    clean_hops(&mut headers);
    assert_eq!(told(&headers), "authorization: d\n");
}

#[test]
fn a_pass_comes_as_header_or_cookie() {
    for (lines, want) in [
        (
            vec![("anlauf-pass", "a"), ("cookie", "anlauf-pass=b")],
            Some("a"),
        ),
        (vec![("cookie", "x=y; anlauf-pass=b")], Some("b")),
        (vec![("cookie", "xanlauf-pass=b")], None),
        (vec![("cookie", "anlauf-pass")], None),
        (vec![], None),
    ] {
        assert_eq!(pass(&headers(&lines)), want, "{lines:?}");
    }
}

#[test]
fn two_hosts_or_lengths_are_one_too_many() {
    let parts = |lines: &[(&'static str, &'static str)], uri: &str| {
        let mut request = Request::builder().uri(uri).body(()).unwrap();
        *request.headers_mut() = headers(lines);
        target(&Line::of(&request.into_parts().0)).map(|target| target.host.into_owned())
    };
    let host = ("host", "stadt.example");
    assert_eq!(parts(&[host], "/a").unwrap(), "stadt.example");
    assert_eq!(
        parts(&[], "http://Stadt.example:80/a").unwrap(),
        "stadt.example"
    );
    assert_eq!(parts(&[host, host], "/a"), Err(Wrong::Host));
    assert_eq!(parts(&[], "/a"), Err(Wrong::Host));
    assert_eq!(parts(&[host], "http://dorf.example/a"), Err(Wrong::Host));
    let (length, coding) = (("content-length", "5"), ("transfer-encoding", "chunked"));
    assert_eq!(parts(&[host, length, length], "/a"), Err(Wrong::Length));
    assert_eq!(parts(&[host, length, coding], "/a"), Err(Wrong::Length));
}
