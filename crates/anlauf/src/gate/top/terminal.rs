//! A terminal that is drawn anew again and again.
//!
//! In:    lines, keys. Out: the screen.
//! Never: leaves the terminal other than it was; waits for a key.
//!
//! `stty` of the system sets and restores it: the same without a line of `unsafe`.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use tokio::sync::mpsc;

use crate::exit::Done;

/// The screen, and whoever presses a key.
pub struct Terminal {
    /// What `stty` has to say to bring everything back; none if nothing was changed.
    before: Option<String>,
    keys: mpsc::UnboundedReceiver<u8>,
}

/// Another screen than the one with the shell's text, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Size of a screen that does not say its own.
const SIZE: (usize, usize) = (80, 24);

/// What ends it: q, escape, Ctrl-C, Ctrl-D.
const QUIT: [u8; 5] = [b'q', b'Q', 0x1b, 3, 4];

impl Terminal {
    /// Takes the screen.
    ///
    /// # Errors
    /// Nobody reads.
    pub fn open() -> Done<Self> {
        let before = stty(&["-g"]).filter(|_| {
            // Keys come one by one, unseen, Ctrl-C as a key: then everything is put back.
            stty(&["-icanon", "-echo", "-isig", "min", "1", "time", "0"]).is_some()
        });
        let (send, keys) = mpsc::unbounded_channel();
        if before.is_some() {
            // Ends with the process; it reads the one terminal there is.
            std::thread::spawn(move || {
                let mut key = [0];
                while let Ok(1) = std::io::stdin().read(&mut key) {
                    if send.send(key[0]).is_err() {
                        return;
                    }
                }
            });
        }
        let terminal = Self { before, keys };
        terminal.put(ENTER)?;
        Ok(terminal)
    }

    /// Waits until somebody wants to end it; for ever without a terminal.
    pub async fn quit(terminal: &mut Option<Self>) {
        let Some(terminal) = terminal else {
            return std::future::pending().await;
        };
        while let Some(key) = terminal.keys.recv().await {
            if QUIT.contains(&key) {
                return;
            }
        }
        std::future::pending().await
    }

    /// Columns and lines.
    pub fn size(&self) -> (usize, usize) {
        let size = stty(&["size"]).and_then(|size| {
            let (lines, columns) = size.trim().split_once(' ')?;
            Some((columns.parse().ok()?, lines.parse().ok()?))
        });
        // Some terminals say 0 for what they do not know.
        size.filter(|(columns, lines)| *columns > 0 && *lines > 0)
            .unwrap_or(SIZE)
    }

    /// Draws the lines, as many as fit, and one below.
    ///
    /// # Errors
    /// Nobody reads.
    pub fn draw(&self, lines: &[String], height: usize, last: &str) -> Done {
        let mut text = "\x1b[H".to_owned();
        for line in lines.iter().take(height.saturating_sub(1)) {
            text.push_str(line);
            text.push_str("\x1b[K\r\n");
        }
        text.push_str(last);
        text.push_str("\x1b[K\x1b[J");
        self.put(&text)
    }

    fn put(&self, text: &str) -> Done {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Whoever closed the terminal does not need it back.
        let _gone = self.put(LEAVE);
        if let Some(before) = &self.before {
            let _gone = stty(&[before]);
        }
    }
}

/// Asks `stty` about the terminal on stdin; none if there is none.
fn stty(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("stty");
    command.args(arguments).stdin(Stdio::inherit());
    let done = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(done.stdout).ok()?;
    done.status.success().then(|| text.trim().to_owned())
}
