//! How results and talk reach people and programs.
//!
//! In:    values, tables, sentences. Out: results on stdout, talk on stderr.
//! Never: mixes the two; colour that carries a meaning by itself.

use std::io::{BufRead, IsTerminal, Write};

use anlauf_model::Language;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;

use crate::exit::{Code, Done, Failure};

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Results as JSON.
    pub json: bool,
    /// The language of talk and tables.
    pub language: Language,
}

impl Output {
    /// Picks the words of the language.
    pub fn say<'a>(&self, german: &'a str, english: &'a str) -> &'a str {
        match self.language {
            Language::De => german,
            Language::En => english,
        }
    }

    /// Whether stderr may be coloured (`NO_COLOR`, see no-color.org).
    pub fn coloured(&self) -> bool {
        std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::io::stderr().is_terminal()
    }

    /// One result: JSON, or the text.
    ///
    /// # Errors
    /// Stdout is gone.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Done {
        if self.json {
            let json = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
            return self.shown(&json);
        }
        self.shown(&text())
    }

    /// A result for whoever reads it; a reader who has seen enough is no failure.
    fn shown(&self, text: &str) -> Done {
        match self.line(text) {
            Err(failure) if failure.unheard => Ok(()),
            written => written,
        }
    }

    /// A list: JSON, or a table.
    ///
    /// # Errors
    /// Stdout is gone.
    pub fn list<T: Serialize>(
        &self,
        items: &[T],
        head: &[&str],
        row: impl Fn(&T) -> Vec<String>,
    ) -> Done {
        self.result(&items, || table(head, items.iter().map(row)))
    }

    /// A list of the API: JSON, or a table of some of its fields, each with its head.
    ///
    /// # Errors
    /// Stdout is gone.
    pub fn fields(&self, items: &[Value], columns: &[(&str, &str)]) -> Done {
        let head: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
        self.list(items, &head, |item| {
            let texts = columns.iter().map(|(_, name)| self.text(&item[*name]));
            texts.collect()
        })
    }

    /// A value of the API in a cell of a table.
    pub fn text(&self, value: &Value) -> String {
        match value {
            Value::Null => "-".to_owned(),
            Value::Bool(true) => self.say("ja", "yes").to_owned(),
            Value::Bool(false) => self.say("nein", "no").to_owned(),
            Value::Number(number) => number.to_string(),
            Value::String(text) if is_digest(text) => text[..12].to_owned(),
            Value::String(text) => plain(text),
            Value::Array(items) if items.is_empty() => "-".to_owned(),
            Value::Array(items) => {
                let texts: Vec<String> = items.iter().map(|item| self.text(item)).collect();
                texts.join(" ")
            }
            Value::Object(fields) => match fields.get(self.language.tag()) {
                Some(text) => self.text(text),
                None => {
                    let texts = fields.iter().map(|(name, value)| {
                        let text = self.text(value);
                        format!("{name}={text}")
                    });
                    texts.collect::<Vec<_>>().join(" ")
                }
            },
        }
    }

    /// One line of a result as it is.
    ///
    /// # Errors
    /// Stdout is gone.
    pub fn line(&self, text: &str) -> Done {
        let mut stdout = std::io::stdout().lock();
        let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        written.map_err(Failure::unwritten)
    }

    /// A result that ends its lines itself.
    ///
    /// # Errors
    /// Stdout is gone.
    pub fn raw(&self, text: &str) -> Done {
        let mut stdout = std::io::stdout().lock();
        let written = write!(stdout, "{text}").and_then(|()| stdout.flush());
        written.map_err(Failure::unwritten)
    }

    /// Talk.
    pub fn talk(&self, text: &str) {
        eprintln!("{text}");
    }

    /// Asks for a typed `yes`, unless it was given by a flag.
    ///
    /// # Errors
    /// Anything else was typed, or nothing.
    pub fn confirm(&self, yes: bool, question: &str) -> Done {
        if yes {
            return Ok(());
        }
        let ask = self.say("zum Bestätigen `ja` eintippen: ", "type `yes` to go on: ");
        eprint!("{question}\n{ask}");
        let mut typed = String::new();
        if std::io::stdin().lock().read_line(&mut typed)? == 0 {
            eprintln!();
        }
        match typed.trim() {
            "yes" | "ja" => Ok(()),
            _ => {
                let why = "nobody typed yes; nothing was changed";
                Err(Failure::new(Code::Unconfirmed, why))
            }
        }
    }
}

/// A table with a head.
pub fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head);
    table.add_rows(rows);
    let text = table.to_string();
    let tidy = |line: &str| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
    let lines: Vec<String> = text.lines().map(tidy).collect();
    lines.join("\n")
}

/// Whether a text is a digest, of which people read the beginning.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Makes outside text safe for a terminal: one line, nothing that moves the cursor.
pub fn plain(text: &str) -> String {
    let safe = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(safe).collect()
}
