//! `anlauf gate top`: what gates do, live in a terminal.
//!
//! In:    `/metrics` of gates at their admin addresses.
//! Out:   a picture that is drawn anew, or lines.
//! Never: changes a gate; takes a number from anywhere else than the gate that it is about.

mod picture;
mod terminal;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::picture::{Picture, Sample};
use self::terminal::Terminal;
use crate::client::Client;
use crate::exit::{Code, Done, Failure};
use crate::output::Output;
use crate::signal::Stop;

/// Show what gates do, live: cells, requests, cuts, the line to the control plane
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Admin address of a gate: `http://127.0.0.1:8441`; several gates, several times
    #[arg(long, value_name = "URL", required = true)]
    gate: Vec<String>,
    /// Look once, print totals, end
    #[arg(long)]
    once: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every: u64,
    /// Most cells that are listed of each gate, those with most requests first
    #[arg(long, value_name = "N", default_value_t = 10)]
    cells: usize,
}

/// A gate, and what it said last.
struct Gate {
    url: String,
    client: Client,
    last: Option<(Instant, Sample)>,
}

/// Looks once, or until told to stop.
///
/// # Errors
/// `--once`: a gate does not answer. Else only that nobody reads any more.
pub fn run(args: &Args, output: Output) -> Done {
    let gates = args.gate.iter().map(|url| Gate {
        url: url.clone(),
        client: Client::at_gate(url, output.language),
        last: None,
    });
    let mut gates: Vec<Gate> = gates.collect();
    if args.once {
        return once(args, &mut gates, output);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(live(args, &mut gates, output))
}

fn once(args: &Args, gates: &mut [Gate], output: Output) -> Done {
    let mut silent = Vec::new();
    for gate in gates {
        let picture = gate.look(args.cells);
        if picture.trouble.is_some() {
            silent.push(gate.url.clone());
        }
        say(&picture, output)?;
    }
    match silent.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(
            Code::Failed,
            format!("no answer from {}", silent.join(", ")),
        )),
    }
}

fn say(picture: &Picture, output: Output) -> Done {
    if output.json {
        return output.line(&Value::from(picture).to_string());
    }
    for line in picture.lines(output, usize::MAX) {
        output.line(&line)?;
    }
    Ok(())
}

async fn live(args: &Args, gates: &mut [Gate], output: Output) -> Done {
    let mut stop = Stop::listen()?;
    let mut terminal = match std::io::stdout().is_terminal() && !output.json {
        true => Some(Terminal::open()?),
        false => None,
    };
    let mut tick = tokio::time::interval(Duration::from_secs(args.every));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stop.wait() => return Ok(()),
            () = Terminal::quit(&mut terminal) => return Ok(()),
        }
        let pictures: Vec<Picture> = gates.iter_mut().map(|gate| gate.look(args.cells)).collect();
        match &mut terminal {
            Some(terminal) => {
                let (width, height) = terminal.size();
                let mut lines: Vec<String> = Vec::new();
                for picture in &pictures {
                    lines.extend(picture.lines(output, width));
                    lines.push(String::new());
                }
                let end = output.say("q beendet", "q ends");
                terminal.draw(&lines, height, end)?;
            }
            None => {
                for picture in &pictures {
                    match output.json {
                        true => say(picture, output)?,
                        false => output.line(&picture.line(output))?,
                    }
                }
            }
        }
    }
}

impl Gate {
    /// Asks the gate, and compares with what it said last.
    fn look(&mut self, cells: usize) -> Picture {
        let text = self.client.text("/metrics");
        let at = Instant::now();
        let sample = match text {
            Ok(text) => Sample::read(&text),
            Err(failure) => {
                self.last = None;
                return Picture::silent(&self.url, failure.message);
            }
        };
        let before = self.last.as_ref();
        let before = before.map(|(then, sample)| (at.duration_since(*then), sample));
        let picture = Picture::new(&self.url, before, &sample, cells);
        self.last = Some((at, sample));
        picture
    }
}
