//! Two sets of nftables that hold what may pass: addresses and ports of open cells.
//!
//! In:    the sets `open4` and `open6` of a table; which addresses belong to which cell.
//! Out:   the elements of open cells in them, and no other.
//! Never: touches rules or other sets; says that a cell is shut before the kernel has said so.
//! See:   docs/guide/drivers.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use anlauf_model::CellId;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::error::GateError;

/// The two sets.
pub(super) struct Nftables {
    table: String,
    program: PathBuf,
    cells: BTreeMap<CellId, BTreeSet<SocketAddr>>,
}

impl Nftables {
    pub(super) fn new(
        table: String,
        program: PathBuf,
        cells: Vec<(CellId, SocketAddr)>,
    ) -> Result<Self, GateError> {
        let wrong = |what, value, hint| Err(GateError::Setting { what, value, hint });
        let is_legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if table.is_empty() || !table.bytes().all(is_legal) {
            let hint = "name a table of the family inet";
            return wrong("a table of nftables", table, hint);
        }
        let mut known = BTreeMap::new();
        let mut own: BTreeMap<CellId, BTreeSet<SocketAddr>> = BTreeMap::new();
        for (cell, address) in cells {
            if known
                .insert(address, cell.clone())
                .is_some_and(|other| other != cell)
            {
                let hint = "each address and port belongs to one cell";
                return wrong("an address of a cell", address.to_string(), hint);
            }
            own.entry(cell).or_default().insert(address);
        }
        Ok(Self {
            table,
            program,
            cells: own,
        })
    }

    /// Elements that are no cell's, or only some of a cell's, are taken out: nobody has put them
    /// there for a release.
    pub(super) async fn look(&self) -> Result<BTreeMap<CellId, bool>, String> {
        let there = self.elements().await?;
        let is_whole = |own: &BTreeSet<SocketAddr>| own.is_subset(&there);
        let whole = self.cells.values().filter(|own| is_whole(own));
        let known: BTreeSet<_> = whole.flatten().copied().collect();
        let strange = there.difference(&known).copied().collect();
        self.change("delete", strange).await?;
        let state = |(cell, own): (&CellId, _)| (cell.clone(), is_whole(own));
        Ok(self.cells.iter().map(state).collect())
    }

    pub(super) async fn open(&self, cells: &[CellId]) -> Result<(), String> {
        let own = cells.iter().filter_map(|cell| self.cells.get(cell));
        self.change("add", own.flatten().copied().collect()).await
    }

    /// All at once, and looks whether it is so.
    pub(super) async fn shut(&self, cells: &[CellId]) -> Result<BTreeMap<CellId, String>, String> {
        let own = cells.iter().filter_map(|cell| self.cells.get(cell));
        let own: BTreeSet<_> = own.flatten().copied().collect();
        let there = self.elements().await?;
        self.change("delete", own.intersection(&there).copied().collect())
            .await?;
        match self.elements().await?.is_disjoint(&own) {
            true => Ok(BTreeMap::new()),
            false => Err("somebody puts elements back that were taken out".to_owned()),
        }
    }

    async fn change(&self, verb: &str, addresses: Vec<SocketAddr>) -> Result<(), String> {
        let mut script = String::new();
        for address in addresses {
            let set = if address.is_ipv4() { "open4" } else { "open6" };
            let (table, ip, port) = (&self.table, address.ip(), address.port());
            // Writing to a string cannot fail.
            let _ = writeln!(
                script,
                "{verb} element inet {table} {set} {{ {ip} . {port} }}"
            );
        }
        match script.is_empty() {
            true => Ok(()),
            false => self.run(&["-f", "-"], script).await.map(drop),
        }
    }

    async fn elements(&self) -> Result<BTreeSet<SocketAddr>, String> {
        let mut all = BTreeSet::new();
        for set in ["open4", "open6"] {
            let asked = ["-j", "list", "set", "inet", &self.table, set];
            let said = self.run(&asked, String::new()).await?;
            all.extend(read(&said, set)?);
        }
        Ok(all)
    }

    /// Runs it; it ends with whoever stops waiting for it.
    async fn run(&self, arguments: &[&str], input: String) -> Result<Vec<u8>, String> {
        let failed = |error: std::io::Error| format!("`nft` cannot be run: {error}");
        let mut child = Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).await.map_err(failed)?;
        }
        let out = child.wait_with_output().await.map_err(failed)?;
        if out.status.success() {
            return Ok(out.stdout);
        }
        let said = String::from_utf8_lossy(&out.stderr);
        let line = said.lines().next().unwrap_or_default();
        let line: String = line.chars().take(160).collect();
        Err(format!("`nft` says `{line}`"))
    }
}

/// Addresses and ports in a set, as `nft -j` lists it.
fn read(said: &[u8], set: &str) -> Result<Vec<SocketAddr>, String> {
    let wrong = || format!("`nft` does not list set `{set}` as addresses and ports");
    let value: Value = serde_json::from_slice(said).map_err(|_| wrong())?;
    let parts = value.get("nftables").and_then(Value::as_array);
    let named = parts
        .into_iter()
        .flatten()
        .filter_map(|part| part.get("set"));
    let found = { named }.next().ok_or_else(wrong)?;
    let Some(elements) = found.get("elem") else {
        return Ok(Vec::new());
    };
    let elements = elements.as_array().ok_or_else(wrong)?;
    let address = |element: &Value| {
        let pair = element.get("concat")?.as_array()?;
        let [ip, port] = pair.as_slice() else {
            return None;
        };
        let port = u16::try_from(port.as_u64()?).ok()?;
        Some(SocketAddr::new(ip.as_str()?.parse().ok()?, port))
    };
    elements
        .iter()
        .map(|element| address(element).ok_or_else(wrong))
        .collect()
}

#[cfg(test)]
mod tests;
