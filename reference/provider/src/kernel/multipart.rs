//! Forms with files (`multipart/form-data`, RFC 7578), read from a body that is whole and bounded.
//!
//! In:    the content type, bytes. Out: parts in order. Never: more parts than a form here has.

use super::miss::Miss;

/// Most parts of a form.
const PART_COUNT_MAX: usize = 16;

/// The no to a body that is no such form.
pub(crate) fn no_form() -> Miss {
    Miss::new(
        415,
        "no-form",
        "Das ist kein Formular mit Dateien.",
        "This is no form with files.",
    )
}

/// One part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part<'a> {
    /// Name of the field.
    pub name: String,
    /// Name of the file as the browser says it; none for a plain field.
    pub file: Option<String>,
    /// Content.
    pub bytes: &'a [u8],
}

/// The parts of a body; none when it is not such a form.
pub fn parts<'a>(content_type: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let mut words = content_type.split(';').map(str::trim);
    if !words.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = words.find_map(|word| word.strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(first.as_bytes())?;
    let mut found = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(found);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = place(rest, next.as_bytes())?;
        let (part, after) = rest.split_at_checked(end)?;
        rest = after.get(next.len()..)?;
        found.push(read(part)?);
        if found.len() > PART_COUNT_MAX {
            return None;
        }
    }
}

fn read(part: &[u8]) -> Option<Part<'_>> {
    let end = place(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(part.get(..end)?).ok()?;
    let line = head.lines().find(|line| {
        let name = line.split(':').next().unwrap_or_default();
        name.eq_ignore_ascii_case("content-disposition")
    })?;
    let value = |key: &str| {
        let (_, tail) = line.split_once(&format!("; {key}=\""))?;
        Some(tail.split_once('"')?.0.to_owned())
    };
    Some(Part {
        name: value("name")?,
        file: value("filename"),
        bytes: part.get(end + 4..)?,
    })
}

fn place(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|at| at == wanted)
}

#[cfg(test)]
mod tests;
