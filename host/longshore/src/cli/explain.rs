//! `longshore explain CODE`: the long text of an error code.
//!
//! Looks it up in the joined tables of all crates. Called by `cli::run`.

use longshore_loader::diagnostic::{advise, escape};
use serde_json::{Value as Json, json};

use super::Context;
use super::args::Explain;
use super::exit::Exit;
use super::failure::Failure;
use crate::codes::{self, Code};
use crate::explain::all_codes;

pub(crate) fn run(context: &mut Context<'_>, args: Explain) -> Result<Exit, Failure> {
    let all = all_codes();
    let Some(wanted) = args.code else {
        let list: Vec<Json> = all.iter().map(shape).collect();
        context.screen.result(&Json::from(list), |screen| {
            let row = |c: &Code| vec![c.code.to_owned(), c.title.to_owned()];
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            screen.table(&["code", "title"], &rows)
        });
        return Ok(Exit::Done);
    };
    let Some(code) = all.iter().find(|c| c.code == wanted) else {
        return Err(unknown(&wanted, &all));
    };
    context.screen.result(&shape(code), |_| {
        let Code {
            code,
            title,
            cause,
            cure,
        } = code;
        format!("{code}: {title}\n\n  cause: {cause}\n  cure:  {cure}")
    });
    Ok(Exit::Done)
}

fn shape(code: &Code) -> Json {
    let Code {
        code,
        title,
        cause,
        cure,
    } = code;
    json!({"code": code, "title": title, "cause": cause, "cure": cure})
}

fn unknown(wanted: &str, all: &[Code]) -> Failure {
    let known: Vec<&str> = all.iter().map(|c| c.code).collect();
    let (_, help) = advise(wanted, &known, "run `longshore explain --list` to see all");
    let what = format!("no error code `{}`", escape(wanted));
    Failure::new(Exit::Usage, codes::BAD_ARGUMENT, what)
        .why("no part of the program reports it")
        .help(help)
}
