//! A page as its reader gets it: headings, words, links, fields; what snapshots hold.

use super::html::{Piece, is_void, read, value};

/// Elements that begin a line.
const BLOCKS: [&str; 21] = [
    "h1", "h2", "h3", "p", "li", "tr", "div", "section", "article", "form", "summary", "details",
    "dt", "ul", "ol", "table", "header", "footer", "pre", "figure", "nav",
];

/// The page's lines. `main` only, unless the whole is asked for.
pub(super) fn outline(page: &str, whole: bool) -> String {
    let pieces = read(page);
    let mut lines: Vec<String> = vec![String::new()];
    let mut inside: Vec<String> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Open(tag, attributes) => {
                if BLOCKS.contains(&tag.as_str()) {
                    lines.push(String::new());
                }
                let here = whole || tag == "main" || inside.iter().any(|tag| tag == "main");
                if here {
                    let line = lines.last_mut().expect("never empty");
                    line.push_str(&opened(&tag, &attributes));
                }
                if !is_void(&tag) {
                    inside.push(tag);
                }
            }
            Piece::Close(tag) => {
                let here = whole || inside.iter().any(|tag| tag == "main");
                inside.pop();
                if !here {
                    continue;
                }
                let line = lines.last_mut().expect("never empty");
                match tag.as_str() {
                    "a" | "button" => line.push(']'),
                    "td" | "th" => line.push_str(" |"),
                    "span" | "time" | "label" => line.push(' '),
                    "dt" => line.push(':'),
                    _ if BLOCKS.contains(&tag.as_str()) => lines.push(String::new()),
                    _ => {}
                }
            }
            Piece::Text(text) => {
                let shown = !inside
                    .iter()
                    .any(|tag| matches!(tag.as_str(), "head" | "script" | "svg"));
                let here = whole || inside.iter().any(|tag| tag == "main");
                if shown && here {
                    lines.last_mut().expect("never empty").push_str(&text);
                }
            }
        }
    }
    let lines = lines
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty());
    lines
        .filter(|line| *line != "]")
        .collect::<Vec<_>>()
        .join("\n")
}

fn opened(tag: &str, attributes: &[(String, String)]) -> String {
    let get = |name: &str| value(attributes, name).unwrap_or_default();
    match tag {
        "h1" => "# ".into(),
        "h2" => "## ".into(),
        "h3" => "### ".into(),
        "li" => "- ".into(),
        "a" => format!("[{} ", get("href")),
        "button" => "[button ".into(),
        "input" if get("type") == "hidden" => String::new(),
        "input" | "select" | "textarea" => format!("<{} {}> ", tag, get("name")),
        "form" => format!("({} {})", get("method"), get("action")),
        "dd" => " ".into(),
        _ => String::new(),
    }
}
