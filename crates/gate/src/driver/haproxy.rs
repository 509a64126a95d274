//! An HAProxy, asked and told over its runtime API.
//!
//! In:    its admin socket, a map with a line for each cell it guards: `bkk-amsel/epa closed`.
//! Out:   `open` or `closed` in that map; the sessions of shut cells ended.
//! Never: says that a cell is shut while a session is left at its backend.
//! See:   docs/guide/drivers.md; HAProxy 2.6 Management Guide, §9.3.
//!
//! The backend of a cell is called as the cell, with `:` for `/`, which HAProxy does not take.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anlauf_model::CellId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::Instant;

use crate::error::GateError;
use crate::limits::{
    HAPROXY_ANSWER_SIZE_MAX, HAPROXY_LINE_SIZE_MAX, HAPROXY_SESSION_LOOK_EVERY,
    HAPROXY_SESSION_WAIT_MAX,
};

/// One HAProxy.
pub(super) struct Haproxy {
    socket: PathBuf,
    map: String,
}

/// Sessions of one backend: at each server, and all of them.
#[derive(Default)]
struct Sessions {
    servers: Vec<(String, u64)>,
    all: u64,
}

impl Haproxy {
    pub(super) fn new(socket: PathBuf, map: String) -> Result<Self, GateError> {
        let is_legal = |b: u8| b.is_ascii_graphic() && !matches!(b, b';' | b'\\' | b'"' | b'\'');
        match !map.is_empty() && map.bytes().all(is_legal) {
            true => Ok(Self { socket, map }),
            false => Err(GateError::Setting {
                what: "a map of HAProxy",
                value: map,
                hint: "give its file as HAProxy's settings name it, without spaces",
            }),
        }
    }

    /// Lines of the map whose key is no cell are somebody else's.
    pub(super) async fn look(&self) -> Result<BTreeMap<CellId, bool>, String> {
        let said = self.ask(&format!("show map {}", self.map)).await?;
        let mut there = BTreeMap::new();
        // UNTRUSTED: whatever answers at the socket.
        for line in said.lines().filter(|line| !line.is_empty()) {
            let mut words = line.split(' ');
            let (Some(id), Some(key)) = (words.next(), words.next()) else {
                return Err(unclear(line));
            };
            if !id.starts_with("0x") {
                return Err(unclear(line));
            }
            if let Ok(cell) = key.parse() {
                // Anything but `closed` may pass somewhere.
                there.insert(cell, words.next() != Some("closed"));
            }
        }
        Ok(there)
    }

    pub(super) async fn open(&self, cells: &[CellId]) -> Result<(), String> {
        let set = |cell| format!("set map {} {cell} open", self.map);
        self.tell(cells.iter().map(set).collect()).await
    }

    /// The map first, then whoever is inside, until nobody is.
    pub(super) async fn shut(
        &self,
        cells: &[CellId],
        there: &BTreeMap<CellId, bool>,
    ) -> Result<BTreeMap<CellId, String>, String> {
        let set = |cell| {
            let verb = match there.contains_key(cell) {
                true => "set",
                // Taken out of the map by somebody: no line says that it is shut.
                false => "add",
            };
            format!("{verb} map {} {cell} closed", self.map)
        };
        self.tell(cells.iter().map(set).collect()).await?;
        let backends: BTreeSet<_> = cells.iter().map(backend).collect();
        let until = Instant::now() + HAPROXY_SESSION_WAIT_MAX;
        loop {
            let inside = self.sessions(&backends).await?;
            if inside.values().all(|one| one.all == 0) || Instant::now() > until {
                let unclear = |cell: &CellId| Some((cell.clone(), left(&inside, &backend(cell))?));
                return Ok(cells.iter().filter_map(unclear).collect());
            }
            self.tell(endings(&inside)).await?;
            // It ends them on its own threads, soon.
            tokio::time::sleep(HAPROXY_SESSION_LOOK_EVERY).await;
        }
    }

    /// Who is at these backends, as far as there are such.
    async fn sessions(
        &self,
        backends: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Sessions>, String> {
        // Backends (2) and servers (4).
        let said = self.ask("show stat -1 6 -1").await?;
        let mut lines = said.lines();
        let names = lines.next().and_then(|line| line.strip_prefix("# "));
        let names: Vec<_> = names.ok_or_else(|| unclear(&said))?.split(',').collect();
        let column = |name| names.iter().position(|known| *known == name);
        let (Some(at_server), Some(at_count)) = (column("svname"), column("scur")) else {
            return Err("its statistics lack the columns svname and scur".to_owned());
        };
        let mut inside: BTreeMap<String, Sessions> = BTreeMap::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let fields: Vec<_> = line.split(',').collect();
            let named = fields.first().and_then(|name| backends.get(*name));
            let Some(backend) = named else { continue };
            let server = *fields.get(at_server).ok_or_else(|| unclear(line))?;
            let count = fields.get(at_count).and_then(|count| count.parse().ok());
            let count = count.ok_or_else(|| unclear(line))?;
            let sessions = inside.entry(backend.clone()).or_default();
            match server {
                "BACKEND" => sessions.all = count,
                _ => sessions.servers.push((server.to_owned(), count)),
            }
        }
        Ok(inside)
    }

    /// Says commands that are answered by silence when they are done.
    async fn tell(&self, commands: Vec<String>) -> Result<(), String> {
        let mut line = String::new();
        for command in commands {
            if !line.is_empty() && line.len() + command.len() > HAPROXY_LINE_SIZE_MAX {
                self.obeyed(&line).await?;
                line.clear();
            }
            if !line.is_empty() {
                line.push(';');
            }
            line.push_str(&command);
        }
        match line.is_empty() {
            true => Ok(()),
            false => self.obeyed(&line).await,
        }
    }

    async fn obeyed(&self, line: &str) -> Result<(), String> {
        let said = self.ask(line).await?;
        match said.trim() {
            "" => Ok(()),
            wrong => Err(unclear(wrong)),
        }
    }

    /// One line, one answer, one connection.
    async fn ask(&self, line: &str) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("it cannot be asked: {error}");
        let mut stream = UnixStream::connect(&self.socket).await.map_err(failed)?;
        let line = format!("{line}\n");
        stream.write_all(line.as_bytes()).await.map_err(failed)?;
        let mut said = String::new();
        let mut stream = stream.take(HAPROXY_ANSWER_SIZE_MAX);
        stream.read_to_string(&mut said).await.map_err(failed)?;
        match said.ends_with('\n') {
            true => Ok(said),
            false => Err("its answer breaks off".to_owned()),
        }
    }
}

fn backend(cell: &CellId) -> String {
    cell.to_string().replace('/', ":")
}

/// What ends the sessions of these backends.
fn endings(inside: &BTreeMap<String, Sessions>) -> Vec<String> {
    let servers = inside.iter().flat_map(|(backend, sessions)| {
        let busy = sessions.servers.iter().filter(|(_, count)| *count > 0);
        busy.map(move |(server, _)| format!("{backend}/{server}"))
    });
    let end = |server| format!("shutdown sessions server {server}");
    servers.map(end).collect()
}

/// Why it is not certain that nobody is at a backend; none if it is.
fn left(inside: &BTreeMap<String, Sessions>, backend: &str) -> Option<String> {
    match inside.get(backend) {
        Some(sessions) if sessions.all == 0 => None,
        Some(sessions) => Some(format!("{} sessions go on at `{backend}`", sessions.all)),
        // Its cell is served elsewhere, where nobody's sessions can be ended.
        None => Some(format!(
            "it has no backend `{backend}`, whose sessions must end"
        )),
    }
}

fn unclear(said: &str) -> String {
    let line = said.trim().lines().next().unwrap_or_default();
    let line: String = line.chars().take(120).collect();
    format!("it says `{line}`")
}
