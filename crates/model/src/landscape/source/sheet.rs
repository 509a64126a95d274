//! Reads the CSV files line by line.
//!
//! In:    a [`Source`]. Out: typed lines that know where each field stands.
//! See:   RFC 4180; the separator is the comma, the first line names the columns in any order.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::str::FromStr;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::Error as WordError;

use super::error::{Errors, SourceError};
use super::names::{Listed, Origin, Placed, nearest};
use super::text::Source;
use super::tree::explain;
use crate::landscape::{Offer, Person, Tenant};
use crate::role::Role;

/// The columns of one file: the header's names in its order.
struct Columns {
    file: &'static str,
    names: Vec<String>,
}

/// One line of a CSV file.
#[derive(Clone)]
pub(super) struct Line<'i> {
    text: &'i str,
    at: usize,
    columns: Rc<Columns>,
}

impl<'i> Line<'i> {
    pub(super) fn file(&self) -> &'static str {
        self.columns.file
    }

    pub(super) fn text(&self) -> &'i str {
        self.text
    }

    /// The bytes of a column's field; the whole line when there is no such column.
    pub(super) fn span(&self, column: &str) -> Range<usize> {
        let index = self.columns.names.iter().position(|name| name == column);
        fields(self.text, self.at, index)
    }
}

/// The bytes of the n-th field of the record that begins at or after `at`, or of its first line.
fn fields(text: &str, at: usize, index: Option<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let blank = |b: &u8| *b == b'\n' || *b == b'\r';
    let start = at
        + bytes[at.min(bytes.len())..]
            .iter()
            .take_while(|b| blank(b))
            .count();
    let Some(index) = index else {
        let len = bytes[start.min(bytes.len())..]
            .iter()
            .take_while(|b| !blank(b))
            .count();
        return start..start + len;
    };
    let (mut from, mut field, mut quoted) = (start, 0, false);
    for (here, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'"' => quoted = !quoted,
            b',' | b'\n' | b'\r' if !quoted => {
                if field == index || *byte != b',' {
                    return from..here;
                }
                field += 1;
                from = here + 1;
            }
            _ => {}
        }
    }
    from.min(bytes.len())..bytes.len()
}

/// One line with its fields while it is turned into a type.
struct Row<'s, 'i, 'e> {
    source: &'s Source<'i>,
    line: Line<'i>,
    record: csv::StringRecord,
    errors: &'e mut Errors,
}

impl Row<'_, '_, '_> {
    fn text(&self, column: &str) -> Option<&str> {
        let index = self
            .line
            .columns
            .names
            .iter()
            .position(|name| name == column)?;
        self.record.get(index)
    }

    fn wrong(&mut self, column: &str, said: &str) {
        let (code, message, help) = explain(said);
        let (source, span) = (self.source, self.line.span(column));
        self.errors
            .push_with(|| SourceError::at(code, source, span, message, help));
    }

    fn id<T: FromStr<Err = crate::id::IdError>>(&mut self, column: &str) -> Option<T> {
        match self.text(column)?.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.wrong(column, &error.to_string());
                None
            }
        }
    }

    fn number<T: FromStr>(&mut self, column: &str) -> Option<T> {
        let text = self.text(column)?.to_owned();
        let parsed = text
            .parse()
            .ok()
            .filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        if parsed.is_none() {
            let shown: String = text.chars().take(80).collect();
            self.wrong(column, &format!("invalid value: `{shown}`, expected u64"));
        }
        parsed
    }

    fn words(&mut self, column: &str) -> Option<String> {
        let text = self.text(column)?.to_owned();
        if text.is_empty() {
            self.wrong(column, &format!("the column `{column}` must not be empty"));
            return None;
        }
        Some(text)
    }

    fn role(&mut self, column: &str) -> Option<Role> {
        let word = self.text(column)?;
        let read: Result<Role, WordError> = Role::deserialize(word.into_deserializer());
        match read {
            Ok(role) => Some(role),
            Err(error) => {
                self.wrong(column, &error.to_string());
                None
            }
        }
    }
}

/// Reads all lines of a file; `required` columns must be there, `optional` may.
fn lines<'i, T>(
    source: &Source<'i>,
    (required, optional): (&[&str], &[&str]),
    errors: &mut Errors,
    make: impl Fn(&mut Row<'_, 'i, '_>) -> Option<T>,
) -> Option<Listed<'i, T>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(source.text.as_bytes());
    let mut records = reader.records();
    let header = match records.next() {
        Some(Ok(header)) => header,
        _ => csv::StringRecord::new(),
    };
    let names: Vec<String> = header.iter().map(str::to_owned).collect();
    let columns = Rc::new(Columns {
        file: source.name,
        names,
    });
    check_header(source, &columns, (required, optional), errors)?;
    let mut listed = Listed {
        items: Vec::new(),
        ids: BTreeSet::new(),
    };
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let at = error.position().map_or(0, |p| p.byte() as usize);
                let message = "this line is not CSV".to_owned();
                let span = fields(source.text, at, None);
                errors.push(SourceError::at("AN-LAN-012", source, span, message, None));
                return None;
            }
        };
        let at = record.position().map_or(0, |p| p.byte() as usize);
        let line = Line {
            text: source.text,
            at,
            columns: Rc::clone(&columns),
        };
        let mut row = Row {
            source,
            line,
            record,
            errors,
        };
        listed.ids.extend(row.text("id").map(str::to_owned));
        if row.record.len() != columns.names.len() {
            let (line, count) = (&row.line, row.record.len());
            row.errors.push_with(|| wrong_count(source, line, count));
            continue;
        }
        if let Some(value) = make(&mut row) {
            listed.items.push(Placed {
                value,
                origin: Origin::Line(row.line),
            });
        }
    }
    Some(listed)
}

fn wrong_count(source: &Source<'_>, line: &Line<'_>, count: usize) -> SourceError {
    let names = &line.columns.names;
    let message = format!("the line has {count} columns, expected {}", names.len());
    let help = format!(
        "columns are {}; put a text that has a comma in quotes",
        names.join(",")
    );
    SourceError::at(
        "AN-LAN-012",
        source,
        fields(source.text, line.at, None),
        message,
        Some(help),
    )
}

/// Every column is known and stands once, and none is missing.
fn check_header(
    source: &Source<'_>,
    columns: &Rc<Columns>,
    (required, optional): (&[&str], &[&str]),
    errors: &mut Errors,
) -> Option<()> {
    let first = Line {
        text: source.text,
        at: 0,
        columns: Rc::clone(columns),
    };
    let expected = required.join(",");
    let mut wrong = Vec::new();
    if let [only] = columns.names.as_slice()
        && only.contains(';')
    {
        let message = "the columns are separated by `;`, expected `,`".to_owned();
        wrong.push((
            first.span(only),
            message,
            "save it with commas as separator".to_owned(),
        ));
    } else {
        for (index, name) in columns.names.iter().enumerate() {
            let span = fields(source.text, 0, Some(index));
            let known = required.contains(&name.as_str()) || optional.contains(&name.as_str());
            let shown: String = name.chars().take(80).collect();
            if !known {
                let all = required.iter().chain(optional).copied();
                let help = nearest(name, all.filter(|k| !columns.names.iter().any(|n| n == k)));
                let help = help.map_or(format!("columns are {expected}"), |near| {
                    format!("did you mean `{near}`?")
                });
                wrong.push((span, format!("`{shown}` is no column of this file"), help));
            } else if columns.names[..index].contains(name) {
                let message = format!("the column `{shown}` stands twice");
                wrong.push((span, message, "remove one of them".to_owned()));
            }
        }
        for name in required
            .iter()
            .filter(|r| !columns.names.iter().any(|n| n == *r))
        {
            let message = format!("the column `{name}` is missing");
            wrong.push((
                fields(source.text, 0, None),
                message,
                format!("columns are {expected}"),
            ));
        }
    }
    let is_right = wrong.is_empty();
    for (span, message, help) in wrong {
        errors.push_with(|| SourceError::at("AN-LAN-011", source, span, message, Some(help)));
    }
    is_right.then_some(())
}

pub(super) fn tenants<'i>(source: &Source<'i>, errors: &mut Errors) -> Option<Listed<'i, Tenant>> {
    let columns = ["id", "name", "size", "insured", "site", "approvers"];
    lines(source, (&columns, &[]), errors, |row| {
        // Every field is read before any is missed: one line may have several errors.
        let (id, name, size) = (row.id("id"), row.words("name"), row.words("size"));
        let (insured, site) = (row.number("insured"), row.id("site"));
        let approvers = row.number("approvers");
        Some(Tenant {
            id: id?,
            name: name?,
            size: size?,
            insured: insured?,
            site: site?,
            approvers: approvers?,
        })
    })
}

pub(super) fn offers<'i>(source: &Source<'i>, errors: &mut Errors) -> Option<Listed<'i, Offer>> {
    lines(
        source,
        (&["tenant", "service"], &["count"]),
        errors,
        |row| {
            let (tenant, service) = (row.id("tenant"), row.id("service"));
            let count = match row.text("count") {
                None | Some("") => Some(1),
                Some(_) => row.number("count"),
            };
            Some(Offer {
                tenant: tenant?,
                service: service?,
                count: count?,
            })
        },
    )
}

pub(super) fn people<'i>(source: &Source<'i>, errors: &mut Errors) -> Option<Listed<'i, Person>> {
    lines(
        source,
        (&["id", "name", "organisation", "role"], &[]),
        errors,
        |row| {
            let (id, name) = (row.id("id"), row.words("name"));
            let (organisation, role) = (row.id("organisation"), row.role("role"));
            Some(Person {
                id: id?,
                name: name?,
                organisation: organisation?,
                role: role?,
            })
        },
    )
}
