//! `longshore version`: of the program, and of the plugin API it speaks.
//!
//! Called by `cli::run`.

use longshore_loader::note::HOST_API;
use serde_json::json;

use super::Context;
use super::exit::Exit;
use super::failure::Failure;

pub(crate) fn run(context: &mut Context<'_>) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let api = HOST_API.to_string();
    let json = json!({"name": "longshore", "version": version, "api_version": api});
    let text = format!("longshore {version} (plugin API {api})");
    context.screen.result(&json, |_| text);
    Ok(Exit::Done)
}
