//! Programs as they are run: to their end, or until they are killed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// The program under test.
pub const ANLAUF: &str = env!("CARGO_BIN_EXE_anlauf");

/// Longest wait for a line of a process; only a hang reaches it.
const LINE_WAIT_MAX: Duration = Duration::from_secs(120);

/// How a program ended.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.stdin(Stdio::null()).output().unwrap();
        Self {
            code: status.code().unwrap_or(-1),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Fails unless the code is this one and stderr says all of these.
    #[track_caller]
    pub fn says(self, code: i32, words: &[&str]) -> Self {
        let shown = format!("exit {}\n{}\n{}", self.code, self.out, self.err);
        assert_eq!(self.code, code, "{shown}");
        for word in words {
            assert!(self.err.contains(word), "no `{word}` in\n{shown}");
        }
        self
    }

    /// Fails unless it was done; gives stdout.
    #[track_caller]
    pub fn done(self) -> String {
        self.says(0, &[]).out
    }
}

/// The program with arguments, in English, without colour.
pub fn anlauf<I, S>(args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(ANLAUF);
    command
        .args(args)
        .env("LANG", "C.UTF-8")
        .env("NO_COLOR", "1")
        .env("ANLAUF_LOG", "warn")
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env_remove("ANLAUF_TOKEN")
        .env_remove("ANLAUF_TOKEN_FILE");
    command
}

/// A process that runs until it is stopped or killed.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts it; its stdout is read line by line, its stderr kept for [`Running::end`].
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line of stdout; none when the process has ended.
    pub fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(LINE_WAIT_MAX) {
            Ok(line) => Some(line),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("the process hangs"),
        }
    }

    /// The one JSON line that a process prints when it listens; none when it ended instead.
    pub fn listens(&self) -> Option<Value> {
        let line = self.line()?;
        Some(serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}")))
    }

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end by itself.
    pub fn end(mut self) -> Run {
        let mut err = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut err).unwrap();
        let status = self.child.wait().unwrap();
        let out: Vec<String> = self.lines.try_iter().collect();
        Run {
            code: status.code().unwrap_or(-1),
            out: out.join("\n"),
            err,
        }
    }

    /// Asks it to stop, as an init system does, and waits.
    pub fn terminate(self) -> Run {
        self.signal("TERM");
        self.end()
    }

    /// Sends it a signal: `STOP` freezes it as it is, `CONT` lets it go on.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let signal = format!("-{name}");
        let told = Command::new("kill").args([&signal, &id]).status().unwrap();
        assert!(told.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already where the test ended it.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// An answer of a plain HTTP/1.1 request: status and body.
pub fn ask(address: SocketAddr, host: &str, path: &str, more: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n"
    )
    .unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
    (status, body.unwrap_or_default().to_owned())
}

/// The address in `http://127.0.0.1:1234`.
pub fn address(url: &Value) -> SocketAddr {
    let url = url.as_str().unwrap();
    url.strip_prefix("http://").unwrap().parse().unwrap()
}
