//! The recovery control plane and the gate for a provider of services to many tenants.
//!
//! In:    a command line. Out: its result on stdout, talk on stderr, an exit code.
//! Never: a question that defaults to yes; a result on stderr or talk on stdout.
//! See:   docs/guide/cli.md for verbs and exit codes.

use std::process::ExitCode;

use anlauf_model::Language;
use clap::{CommandFactory, Parser, Subcommand};

mod exit;
mod output;
mod words;

mod files;
mod landscape;

mod client;
mod control;
mod log;
mod logins;
mod server;
mod signal;
mod witnesses;

mod cli;
mod drill;
mod gate;
mod serve;

use exit::{Done, Failure};
use output::Output;

/// Bring the services of many tenants back after an attack: contain, clear, plan, agree, sign,
/// release, prove.
#[derive(Parser)]
#[command(name = "anlauf", version, max_term_width = 100)]
#[command(after_help = "Exit codes: `anlauf exit-codes`. Guide: docs/guide/cli.md.")]
struct Cli {
    /// Results as JSON on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Language of talk and tables: de or en [default: by LANG, else en]
    #[arg(long, global = true, value_name = "LANG", value_parser = language)]
    lang: Option<Language>,
    #[command(subcommand)]
    command: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Init(cli::init::Args),
    #[command(subcommand)]
    Landscape(cli::landscape::Verb),
    #[command(subcommand)]
    Key(cli::key::Verb),
    Genesis(cli::genesis::Args),
    #[command(subcommand)]
    Login(cli::login::Verb),
    Serve(Box<serve::Args>),
    /// Run a gate, or look at what gates do
    Gate(gate::Command),
    Adopt(cli::adopt::Args),
    Drill(Box<drill::Args>),
    #[command(name = drill::provider::VERB, hide = true)]
    DrillServices(drill::provider::serve::Args),

    Contain(Box<cli::contain::Args>),
    Close(Box<cli::close::Args>),
    #[command(subcommand)]
    Incident(Box<cli::incident::Verb>),
    #[command(subcommand)]
    Task(cli::task::Verb),
    #[command(subcommand)]
    Finding(cli::finding::Verb),
    Plan(Box<cli::plan::Args>),
    Why(cli::why::Args),
    #[command(subcommand)]
    Wish(Box<cli::wish::Verb>),
    #[command(subcommand)]
    Offer(Box<cli::offer::Verb>),
    /// Agree as a tenant to windows that were offered
    Agree(cli::agree::Args),
    /// Decline as a tenant windows that were offered
    Decline(cli::agree::Args),
    Accept(cli::accept::Args),
    Sign(Box<cli::sign::Args>),
    #[command(subcommand)]
    Release(cli::release::Verb),
    #[command(subcommand)]
    BreakGlass(cli::break_glass::Verb),
    CatchUp(cli::catch_up::Args),
    Announce(Box<cli::announce::Args>),

    Status(cli::status::Args),
    Inbox(cli::inbox::Args),
    #[command(subcommand)]
    Cell(Box<cli::cell::Verb>),
    Events(cli::events::Args),
    Gates(cli::gates::Args),
    Inflow(cli::inflow::Args),
    Notice(cli::notice::Args),
    Prove(Box<cli::prove::Args>),
    #[command(subcommand)]
    Ledger(cli::ledger::Verb),
    #[command(subcommand)]
    Witness(cli::witness::Verb),
    #[command(subcommand)]
    Beacon(cli::beacon::Verb),

    Completions(cli::completions::Args),
    Man(cli::man::Args),
    /// Print what each exit code means
    ExitCodes,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && wants_json() => {
            let text = error.to_string();
            let text = text.trim().trim_start_matches("error: ");
            let failure = Failure::usage(text);
            eprintln!("{}", failure.to_json());
            return failure.exit_code();
        }
        Err(error) => error.exit(),
    };
    let output = Output {
        json: cli.json,
        language: cli.lang.unwrap_or_else(language_of_system),
    };
    match run(cli.command, output) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the result has seen enough.
        Err(failure) if failure.unheard => ExitCode::SUCCESS,
        Err(failure) => {
            let text = match output.json {
                true => failure.to_json(),
                false => failure.to_text(),
            };
            eprintln!("{text}");
            failure.exit_code()
        }
    }
}

fn run(verb: Verb, output: Output) -> Done {
    match verb {
        Verb::Init(args) => cli::init::run(&args, output),
        Verb::Landscape(verb) => cli::landscape::run(&verb, output),
        Verb::Key(verb) => cli::key::run(&verb, output),
        Verb::Genesis(args) => cli::genesis::run(&args, output),
        Verb::Login(verb) => cli::login::run(&verb, output),
        Verb::Serve(args) => serve::run(&args, output),
        Verb::Gate(args) => gate::run(&args, output),
        Verb::Adopt(args) => cli::adopt::run(&args, output),
        Verb::Drill(args) => drill::run(&args, output),
        Verb::DrillServices(args) => drill::provider::serve::run(&args),
        Verb::Contain(args) => cli::contain::run(&args, output),
        Verb::Close(args) => cli::close::run(&args, output),
        Verb::Incident(verb) => cli::incident::run(&verb, output),
        Verb::Task(verb) => cli::task::run(&verb, output),
        Verb::Finding(verb) => cli::finding::run(&verb, output),
        Verb::Plan(args) => cli::plan::run(&args, output),
        Verb::Why(args) => cli::why::run(&args, output),
        Verb::Wish(verb) => cli::wish::run(&verb, output),
        Verb::Offer(verb) => cli::offer::run(&verb, output),
        Verb::Agree(args) => cli::agree::agree(&args, output),
        Verb::Decline(args) => cli::agree::decline(&args, output),
        Verb::Accept(args) => cli::accept::run(&args, output),
        Verb::Sign(args) => cli::sign::run(&args, output),
        Verb::Release(verb) => cli::release::run(&verb, output),
        Verb::BreakGlass(verb) => cli::break_glass::run(&verb, output),
        Verb::CatchUp(args) => cli::catch_up::run(&args, output),
        Verb::Announce(args) => cli::announce::run(&args, output),
        Verb::Status(args) => cli::status::run(&args, output),
        Verb::Inbox(args) => cli::inbox::run(&args, output),
        Verb::Cell(verb) => cli::cell::run(&verb, output),
        Verb::Events(args) => cli::events::run(&args, output),
        Verb::Gates(args) => cli::gates::run(&args, output),
        Verb::Inflow(args) => cli::inflow::run(&args, output),
        Verb::Notice(args) => cli::notice::run(&args, output),
        Verb::Prove(args) => cli::prove::run(&args, output),
        Verb::Ledger(verb) => cli::ledger::run(&verb, output),
        Verb::Witness(verb) => cli::witness::run(&verb, output),
        Verb::Beacon(verb) => cli::beacon::run(&verb, output),
        Verb::Completions(args) => cli::completions::run(&args, &mut Cli::command()),
        Verb::Man(args) => cli::man::run(&args, Cli::command(), output),
        Verb::ExitCodes => cli::exit_codes::run(output),
    }
}

/// Whether `--json` stands on a command line that could not be understood.
fn wants_json() -> bool {
    let flags = std::env::args_os().take_while(|flag| flag != "--");
    flags.skip(1).any(|flag| flag == "--json")
}

fn language(text: &str) -> Result<Language, String> {
    match text {
        "de" => Ok(Language::De),
        "en" => Ok(Language::En),
        _ => Err("the languages are `de` and `en`".to_owned()),
    }
}

/// By the first of `LC_ALL`, `LC_MESSAGES`, `LANG` that is set.
fn language_of_system() -> Language {
    let set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let name = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find(set);
    let value = name.and_then(|name| std::env::var(name).ok());
    match value.is_some_and(|value| value.starts_with("de")) {
        true => Language::De,
        false => Language::En,
    }
}
