//! The services of the founding case as real servers behind the gates: a process of their own.
//!
//! In:    the insurers of the landscape, a folder. Out: a [`Provider`] that runs, is killed, runs
//!        again on the same port; its data, to look after as an operator does.
//! Never: a service that is asked around a gate; a process that outlives the drill.
//! See:   reference/provider; docs/guide/drill.md, "What is real".

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anlauf_model::{CellId, Landscape, TenantId};
use anyhow::{Context, Result, anyhow, bail};
use reference_provider::kernel::clock::Clock;
use reference_provider::kernel::house::{House, Settings};
use reference_provider::kernel::tenant::{Tenant, TenantLine};
use reference_provider::login::key::write_private;
use reference_provider::mail::tls::Believed;
use reference_provider::mail::{self_signed, tls};
use serde::{Deserialize, Serialize};

use super::backend;
use super::story::Services;

pub mod backup;
pub mod damage;
pub mod serve;

/// Services that run for real, as landscape and provider both name them.
pub const REAL: [&str; 5] = ["idp", "app", "og", "lichtbild", "epa"];

/// What the gates' mail relay calls itself.
pub const MX: &str = "mx.drill.example";

/// The service that takes mail; its pages stay the drill's own.
const MAILBOX: &str = "mailbox";

/// The verb of the binary that is the process behind the gates.
pub const VERB: &str = "drill-services";

/// Ports below those that systems hand out by themselves: nobody takes one while we are killed.
const PORT_FIRST: u16 = 12_000;
const PORT_COUNT: u16 = 18_000;

/// How many ports are tried.
const PORT_TRIES_MAX: u16 = 200;

/// What the process is told on its first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// The drill's time in microseconds: pieces of running answers are stamped with it.
    pub stamp: u64,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to take mail.
    pub mail: SocketAddr,
    /// Where to let it be read.
    pub reading: SocketAddr,
    /// Certificate and key for that.
    pub certificate: PathBuf,
    /// Folder with one folder per insurer.
    pub data: PathBuf,
    /// File of the master key of all records.
    pub record_key: PathBuf,
    /// Where people reach an insurer, with `{tenant}` in it.
    pub public: String,
    /// Id and name of each insurer.
    pub tenants: Vec<(String, String)>,
    /// Seed of the synthetic people.
    pub seed: u64,
    /// How many of them each insurer has.
    pub insured: u32,
}

impl Start {
    /// As the provider's own settings.
    pub fn settings(&self) -> Settings {
        let line = |(id, name): &(String, String)| TenantLine {
            id: id.clone(),
            name: name.clone(),
        };
        Settings {
            data: self.data.clone(),
            record_key: self.record_key.clone(),
            public: self.public.clone(),
            tenants: self.tenants.iter().map(line).collect(),
            seed: self.seed,
            insured_count: self.insured,
            clock: Clock::System,
            status: None,
        }
    }
}

/// The services, and the folder they work in.
pub struct Provider {
    /// Where they listen, whenever they run.
    pub address: SocketAddr,
    /// Where they take mail.
    pub mail: SocketAddr,
    /// Where they let it be read, under TLS.
    pub reading: SocketAddr,
    /// Folder with the certificate of all mail: the gates' own, and the readers'.
    pub certificates: PathBuf,
    folder: PathBuf,
    start: Start,
    running: Option<Running>,
    house: Option<House>,
}

/// The process.
struct Running {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Provider {
    /// Starts the process; it lays out and fills every insurer before it listens.
    ///
    /// # Errors
    /// No port, or the process cannot be started.
    pub fn start(landscape: &Landscape, services: &Services, folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder.join("provider"))?;
        std::fs::create_dir_all(&folder)?;
        let declared = landscape.declared();
        let name =
            |tenant: &anlauf_model::landscape::Tenant| (tenant.id.to_string(), tenant.name.clone());
        let [address, mail, reading] = free_addresses()?;
        let (certificates, certificate) = certificate(&folder, declared.id.as_str())?;
        let start = Start {
            stamp: 0,
            listen: address,
            mail,
            reading,
            certificate,
            data: folder.join("data"),
            record_key: folder.join("record.key"),
            public: format!("http://{{tenant}}.{}.example", declared.id),
            tenants: declared.tenants.iter().map(name).collect(),
            seed: services.seed,
            insured: services.insured,
        };
        let mut provider = Self {
            address,
            mail,
            reading,
            certificates,
            folder,
            start,
            running: None,
            house: None,
        };
        provider.run()?;
        Ok(provider)
    }

    /// Starts the process, again after a kill; [`Provider::ready`] waits for it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&mut self) -> Result<()> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("provider.log"))?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg(VERB)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("cannot start the services behind the gates")?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let (Some(mut input), Some(output)) = pipes else {
            bail!("the services have no pipes");
        };
        self.start.stamp = backend::stamp();
        writeln!(input, "{}", serde_json::to_string(&self.start)?)?;
        self.running = Some(Running {
            child,
            input,
            output: BufReader::new(output),
        });
        Ok(())
    }

    /// Waits until the process listens, then opens its data for the operator.
    ///
    /// # Errors
    /// It ended instead; what it said is in `provider.log`.
    pub async fn ready(&mut self) -> Result<()> {
        self.answer("listening").await?;
        let settings = self.start.settings();
        let house = tokio::task::spawn_blocking(move || House::open(settings)).await??;
        self.house = Some(house);
        Ok(())
    }

    /// The attacker's, or the operator's, kill: no word of farewell.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut running) = self.running.take() {
            running.child.kill()?;
            running.child.wait()?;
        }
        Ok(())
    }

    /// Has the process let go of an insurer's files, as after a restore.
    ///
    /// # Errors
    /// It is not there.
    pub async fn let_go(&mut self, tenant: &str) -> Result<()> {
        let running = self.running.as_mut().ok_or_else(gone)?;
        writeln!(running.input, "let-go {tenant}")?;
        self.answer("let-go").await
    }

    /// The next line of the process, which must begin with a word.
    async fn answer(&mut self, word: &'static str) -> Result<()> {
        let mut running = self.running.take().ok_or_else(gone)?;
        let read = move || {
            let mut line = String::new();
            let read = running.output.read_line(&mut line);
            (running, read.map(|_| line))
        };
        let (running, line) = tokio::task::spawn_blocking(read).await?;
        self.running = Some(running);
        let line = line?;
        match line.starts_with(word) {
            true => Ok(()),
            false => Err(gone().context(format!(
                "see `{}`",
                self.folder.join("provider.log").display()
            ))),
        }
    }

    /// The data, as who looks after it sees it.
    ///
    /// # Errors
    /// The services are not laid out yet.
    pub fn house(&self) -> Result<&House> {
        self.house.as_ref().ok_or_else(gone)
    }

    /// One insurer's data.
    ///
    /// # Errors
    /// No such insurer.
    pub fn tenant(&self, tenant: &TenantId) -> Result<&Tenant> {
        let found = self.house()?.tenant(tenant.as_str());
        found.with_context(|| format!("the services know no `{tenant}`"))
    }

    /// Whom mail programs believe.
    ///
    /// # Errors
    /// The certificate cannot be read.
    pub fn believed(&self) -> Result<Believed> {
        tls::believe(&self.start.certificate)
    }

    /// The folder for everything of the services.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // Nothing is left to be done about a process that cannot be killed.
        let _killed = self.kill();
    }
}

/// The cells that the provider serves: insurers' cells of services it has.
pub fn real_cells(landscape: &Landscape) -> BTreeSet<CellId> {
    let cells = landscape.cells().values();
    let real =
        cells.filter(|cell| cell.tenant().is_some() && REAL.contains(&cell.service.as_str()));
    real.map(|cell| cell.id.clone()).collect()
}

fn gone() -> anyhow::Error {
    anyhow!("the services behind the gates do not run")
}

/// Makes the certificate of all mail; its folder and file.
fn certificate(folder: &Path, landscape: &str) -> Result<(PathBuf, PathBuf)> {
    let certificates = folder.join("certificates");
    std::fs::create_dir_all(&certificates)?;
    let names = [MX, &format!("*.{landscape}.example")];
    let made = self_signed::make(&names, Clock::System.seconds())?;
    let file = certificates.join(format!("{MX}.pem"));
    write_private(&file, made.as_bytes())?;
    Ok((certificates, file))
}

/// Three addresses on the loopback that nobody listens on.
fn free_addresses() -> Result<[SocketAddr; 3]> {
    let own = u16::try_from(std::process::id() % u32::from(PORT_COUNT)).unwrap_or(0);
    let ports = (0..PORT_TRIES_MAX).map(|step| PORT_FIRST + (own + step * 89) % PORT_COUNT);
    let addresses = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let free = addresses.filter(|address| TcpListener::bind(address).is_ok());
    let three: Vec<SocketAddr> = free.take(3).collect();
    let three = three.try_into().ok();
    three.context("no free ports for the services behind the gates")
}

/// Which cell the mail of each insurer's domain belongs to.
pub fn mail_cells(landscape: &Landscape) -> Vec<(String, CellId)> {
    let cells = landscape.cells().values();
    let mail = cells.filter(|cell| cell.service.as_str() == MAILBOX);
    let mail = mail.filter_map(|cell| Some((cell.tenant()?, cell.id.clone())));
    mail.map(|(tenant, cell)| (format!("{tenant}.example"), cell))
        .collect()
}
