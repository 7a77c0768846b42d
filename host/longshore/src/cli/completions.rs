//! `longshore completions SHELL`: a script that completes commands and flags.
//!
//! Called by `cli::run`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Context;
use super::args::Cli;
use super::exit::Exit;
use super::failure::Failure;

pub(crate) fn run(context: &mut Context<'_>, shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "longshore", &mut script);
    context.screen.raw(&script);
    Ok(Exit::Done)
}
