//! A small reader of HTML: enough to hold every page to its rules.

/// Elements without an end.
const VOID: [&str; 5] = ["meta", "link", "input", "br", "hr"];

/// A piece of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    Open(String, Vec<(String, String)>),
    Close(String),
    Text(String),
}

/// Reads a page; panics where it is not well-formed.
pub(super) fn read(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].to_owned()));
        }
        let end = tag_end(&rest[at..]);
        let tag = &rest[at + 1..at + end];
        rest = &rest[at + end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            pieces.push(Piece::Close(name.to_owned()));
        } else if !tag.starts_with('!') {
            let piece = open(tag.trim_end_matches('/'));
            // What ends in itself is closed at once.
            let closed = match &piece {
                Piece::Open(name, _) if tag.ends_with('/') && !is_void(name) => Some(name.clone()),
                _ => None,
            };
            pieces.push(piece);
            pieces.extend(closed.map(Piece::Close));
        }
    }
    pieces
}

/// Where a tag ends: at the first `>` outside of quotes.
fn tag_end(text: &str) -> usize {
    let mut quoted = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '>' if !quoted => return at,
            _ => {}
        }
    }
    panic!("a tag never ends: {}", &text[..text.len().min(80)]);
}

fn open(tag: &str) -> Piece {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let stop = rest.find(['=', ' ']).unwrap_or(rest.len());
        let key = rest[..stop].to_owned();
        rest = &rest[stop..];
        if let Some(value) = rest.strip_prefix("=\"") {
            let end = value.find('"').expect("a value ends");
            attributes.push((key, value[..end].to_owned()));
            rest = &value[end + 1..];
        } else {
            attributes.push((key, String::new()));
        }
    }
    Piece::Open(name.to_owned(), attributes)
}

/// Whether an element has no end.
pub(super) fn is_void(name: &str) -> bool {
    VOID.contains(&name)
}

/// The value of an attribute.
pub(super) fn value<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}
