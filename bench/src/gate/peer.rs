//! nginx and HAProxy of Debian, set up as people set them up for this.
//!
//! In:    a folder, the backend, a count of cells. Out: running proxies, and how each is told to
//!        close one cell.
//! Never: writes access logs; runs with more than one worker; is asked for anything it would need
//!        a regular expression for (cells are looked up by their whole key, the fastest way).
//! See:   nginx `ngx_http_map_module`; HAProxy management guide, `set map`, `shutdown sessions`.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::cells;
use super::process::{Child, pinned};

/// Packages that hold the peers.
const PACKAGES: [&str; 2] = ["nginx", "haproxy"];

/// A running proxy.
pub struct Peer {
    pub address: SocketAddr,
    pub child: Child,
    folder: PathBuf,
    kind: Kind,
    count: usize,
}

/// Which proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `map` in a file, reload to change it.
    Nginx,
    /// `set map` over the admin socket.
    HaproxyMap,
    /// The same, with a backend of its own for the cell, and `shutdown sessions`.
    HaproxyShut,
}

/// Sees to it that both are there; installs them where that is possible.
///
/// # Errors
/// They are missing and cannot be installed.
pub fn install() -> Result<String> {
    for package in PACKAGES {
        if version(package).is_ok() {
            continue;
        }
        eprintln!("installing {package} from Debian");
        let apt = |arguments: &[&str]| {
            let done = Command::new("apt-get")
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdout(Stdio::null())
                .status();
            done.is_ok_and(|done| done.success())
        };
        let done = apt(&["update"]) && apt(&["install", "-y", "--no-install-recommends", package]);
        ensure!(
            done && version(package).is_ok(),
            "{package} is missing and cannot be installed (`apt-get install {package}` as root)"
        );
    }
    Ok(format!("{}; {}", version("nginx")?, version("haproxy")?))
}

fn version(program: &str) -> Result<String> {
    let said = Command::new(program).arg("-v").output()?;
    let text = [said.stdout, said.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

impl Peer {
    /// Starts one with so many cells, all open.
    ///
    /// # Errors
    /// The program is missing, or does not start.
    pub fn start(kind: Kind, scratch: &Path, backend: SocketAddr, count: usize) -> Result<Self> {
        let folder = scratch.join(format!("{kind:?}-{count}").to_lowercase());
        std::fs::create_dir_all(&folder)?;
        let address = free_port()?;
        write_map(kind, &folder, count, None)?;
        let mut command = match kind {
            Kind::Nginx => {
                let file = folder.join("nginx.conf");
                std::fs::write(&file, nginx(&folder, address, backend, count))?;
                let mut command = pinned("nginx");
                command.arg("-p").arg(&folder).arg("-c").arg(file);
                command
            }
            Kind::HaproxyMap | Kind::HaproxyShut => {
                let file = folder.join("haproxy.cfg");
                std::fs::write(&file, haproxy(&folder, address, backend))?;
                let mut command = pinned("haproxy");
                command.arg("-db").arg("-q").arg("-f").arg(file);
                command
            }
        };
        let log = std::fs::File::create(folder.join("log"))?;
        command.stdout(log.try_clone()?).stderr(log);
        let process = command
            .spawn()
            .with_context(|| format!("cannot start {kind:?}"))?;
        Ok(Self {
            address,
            child: Child { process },
            folder,
            kind,
            count,
        })
    }

    /// Shuts the busy cell, or opens it again; back when the peer says so.
    ///
    /// nginx has no word for "done": back when the signal to reload is sent.
    ///
    /// # Errors
    /// The peer refuses.
    pub fn set(&self, open: bool) -> Result<()> {
        let shut = (!open).then_some(cells::BUSY);
        if self.kind == Kind::Nginx {
            write_map(self.kind, &self.folder, self.count, shut)?;
            let pid = self.child.process.id().to_string();
            let done = Command::new("kill").args(["-HUP", &pid]).status()?;
            ensure!(done.success(), "nginx cannot be told to reload");
            return Ok(());
        }
        let map = self.folder.join("cells.map");
        let key = key(cells::BUSY);
        let value = u8::from(open);
        self.say(&format!("set map {} {key} {value}", map.display()))?;
        if self.kind == Kind::HaproxyShut && !open {
            self.say("shutdown sessions server busy/one")?;
        }
        Ok(())
    }

    fn say(&self, order: &str) -> Result<()> {
        let mut socket = UnixStream::connect(self.folder.join("admin.sock"))?;
        socket.write_all(format!("{order}\n").as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        if !answer.trim().is_empty() {
            bail!("HAProxy refused `{order}`: {answer}");
        }
        Ok(())
    }
}

fn key(number: usize) -> String {
    format!("{}{}", cells::host(number), cells::path(number))
}

fn write_map(kind: Kind, folder: &Path, count: usize, shut: Option<usize>) -> Result<()> {
    let mut text = String::new();
    let end = if kind == Kind::Nginx { ";" } else { "" };
    for number in 0..count {
        let open = u8::from(shut != Some(number));
        writeln!(text, "{} {open}{end}", key(number))?;
    }
    Ok(std::fs::write(folder.join("cells.map"), text)?)
}

/// A port that was free a moment ago.
///
/// # Errors
/// None is.
pub fn free_port() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn nginx(folder: &Path, listen: SocketAddr, backend: SocketAddr, count: usize) -> String {
    let folder = folder.display();
    let size = (count * 4).max(4_096);
    format!(
        "daemon off; master_process on; worker_processes 1; worker_shutdown_timeout 100ms;
error_log {folder}/error.log crit; pid {folder}/pid;
events {{ worker_connections 8192; }}
http {{
  access_log off; server_tokens off; tcp_nodelay on;
  keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map_hash_max_size {size}; map_hash_bucket_size 128;
  map $host$uri $is_open {{ default 0; include {folder}/cells.map; }}
  upstream backend {{
    server {backend}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 300s;
  }}
  server {{
    listen {listen};
    location / {{
      if ($is_open = 0) {{ return 503 \"closed, please come back later\\n\"; }}
      proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection \"\";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"
    )
}

fn haproxy(folder: &Path, listen: SocketAddr, backend: SocketAddr) -> String {
    let folder = folder.display();
    let busy = key(cells::BUSY);
    format!(
        "global
  nbthread 1
  maxconn 8000
  stats socket {folder}/admin.sock mode 600 level admin
defaults
  mode http
  timeout client 300s
  timeout server 300s
  timeout connect 5s
  timeout http-keep-alive 300s
  http-reuse always
  option forwardfor
frontend door
  bind {listen}
  http-request set-var(txn.open) base,map({folder}/cells.map,0)
  http-request return status 503 content-type text/plain string \"closed, please come back later\" \
hdr retry-after 3600 if {{ var(txn.open) -m str 0 }}
  use_backend busy if {{ base -m str {busy} }}
  default_backend all
backend busy
  server one {backend}
backend all
  server one {backend}
"
    )
}
