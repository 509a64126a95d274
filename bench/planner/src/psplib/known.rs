//! Best known bounds of a set, from the semicolon table beside it.
//!
//! In:    text. Out: lower and upper bound per instance number.
//! Never: a bound for an instance that the table does not name.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// Lower and upper bound on the makespan.
pub type Bounds = (u32, u32);

/// Reads the table: the row that begins with `ID` names the columns.
///
/// # Errors
/// No such row, no bounds among its columns, numbers that are none, a lower bound above the upper.
pub fn read(text: &str) -> Result<BTreeMap<u32, Bounds>> {
    let mut lines = text.lines().enumerate();
    let header = lines.find(|(_, line)| line.starts_with("ID;"));
    let (_, header) = header.context("no line begins with `ID;`: this is no table of bounds")?;
    let column = |name: &str| {
        let at = header.split(';').position(|word| word.trim() == name);
        at.with_context(|| format!("the table of bounds has no column `{name}`"))
    };
    let (lower, upper) = (column("LB value")?, column("UB value")?);
    let mut bounds = BTreeMap::new();
    for (at, line) in lines {
        let words: Vec<_> = line.split(';').map(str::trim).collect();
        // Other tables may follow below: a list of references, for example.
        if words.len() < 2 {
            break;
        }
        let number = |column: usize| {
            let word = words.get(column).copied().unwrap_or_default();
            let number = word.parse::<u32>();
            number.with_context(|| format!("line {}: `{word}` is no number", at + 1))
        };
        let (id, least, most) = (number(0)?, number(lower)?, number(upper)?);
        if least > most {
            bail!(
                "line {}: lower bound {least} above upper bound {most}",
                at + 1
            );
        }
        bounds.insert(id, (least, most));
    }
    Ok(bounds)
}
