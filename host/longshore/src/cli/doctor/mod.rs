//! `longshore doctor`.
use super::Context;
use super::exit::Exit;
use super::failure::Failure;
pub(crate) fn run(_context: &mut Context<'_>) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
