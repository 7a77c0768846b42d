//! `cargo xtask matrix`: the plugin of `tests/old/source` by every compiler at hand, in both profiles, with both ways to
//! panic and with other allocators, each loaded into a release host. Prints a Markdown table, puts it into `docs/abi.md`,
//! or (`--check`) compares it with what stands there.
//!
//! What cannot change the answer is left out: allocators are tried where panics unwind, and with older compilers in
//! release only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{cargo, root, run, target_dir};
use crate::outside::{self, Compiler, Recipe};

/// The oldest compiler, which jemalloc's crate does not support.
const OLDEST: &str = "1.63";

const PLAIN: (&str, &str) = ("tests/old/source", "longshore_old_plugin");
const ALLOCATORS: (&str, &str) = ("tests/outside/allocators", "longshore_allocator_plugin");
/// Features of the second crate, and their names in the table.
const FEATURES: &[(&str, &str)] = &[
    ("mimalloc", "mimalloc"),
    ("mimalloc-dynamic-tls", "mimalloc, `local_dynamic_tls`"),
    ("jemalloc", "jemalloc"),
    (
        "jemalloc-dynamic-tls",
        "jemalloc, `disable_initial_exec_tls`",
    ),
];
const PAGE: &str = "docs/abi.md";
const BEGIN: &str = "<!-- cargo xtask matrix -->\n";
const END: &str = "<!-- end -->";

struct Case<'a> {
    compiler: &'a Compiler,
    source: (&'static str, &'static str),
    allocator: &'static str,
    how: Recipe<'static>,
}

/// Builds and loads all cells.
pub(crate) fn matrix(args: &[String]) -> Result<(), String> {
    run(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "longshore-tests",
        "--bin",
        "longshore-probe",
    ]))?;
    let host = target_dir().join("release/longshore-probe");
    let copy = target_dir().join("matrix");
    outside::copy(&[PLAIN.0, ALLOCATORS.0], &copy)?;
    let compilers = outside::compilers()?;
    let mut table =
        "| compiler | profile | panic | allocator | in a release host |\n|---|---|---|---|---|\n"
            .to_owned();
    for (n, case) in cases(&compilers).iter().enumerate() {
        let said = verdict(case, &copy, n, &host)?;
        let profile = if case.how.release { "release" } else { "debug" };
        let panic = if case.how.abort { "abort" } else { "unwind" };
        let version = &case.compiler.version;
        let row = format!(
            "| {version} | {profile} | {panic} | {} | {said} |\n",
            case.allocator
        );
        eprint!("{row}");
        table += &row;
    }
    println!("{table}");
    page(&table, args.iter().any(|a| a == "--check"))
}

fn cases(compilers: &[Compiler]) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for (n, compiler) in compilers.iter().enumerate() {
        for release in [true, false] {
            for abort in [false, true] {
                let how = Recipe {
                    release,
                    abort,
                    ..Recipe::default()
                };
                cases.push(Case {
                    compiler,
                    source: PLAIN,
                    allocator: "system",
                    how,
                });
            }
            if n > 0 && !release {
                continue;
            }
            // What jemalloc's own crate asks for is no question of the ABI.
            let builds =
                |feature: &str| compiler.version != OLDEST || !feature.starts_with("jemalloc");
            for (feature, allocator) in FEATURES.iter().filter(|(f, _)| builds(f)) {
                let features = std::slice::from_ref(feature);
                let how = Recipe {
                    release,
                    features,
                    ..Recipe::default()
                };
                cases.push(Case {
                    compiler,
                    source: ALLOCATORS,
                    allocator,
                    how,
                });
            }
        }
    }
    cases
}

/// `loads`, or why not, in one line.
fn verdict(case: &Case<'_>, copy: &Path, n: usize, host: &Path) -> Result<String, String> {
    let (source, library) = case.source;
    // The lock file is the compiler's: an older one may need older packages. Kept, so that the next run needs no index.
    let lock = copy.join(source).join("Cargo.lock");
    let kept = copy.join(format!("{library}-{}.lock", case.compiler.version));
    let _ = fs::remove_file(&lock);
    let _ = fs::copy(&kept, &lock);
    let built = match outside::build(&copy.join(source), library, case.compiler, case.how) {
        Ok(built) => built,
        Err(line) => return Ok(format!("does not build: {}", line.replace('|', "/"))),
    };
    let _ = fs::copy(&lock, &kept);
    // Of its own, so that the next build does not change a file that is loaded.
    let file = copy.join(format!("{n}.so"));
    fs::copy(&built, &file).map_err(|e| format!("{}: {e}", built.display()))?;
    let out = Command::new(host).arg("exercise").arg(&file).output();
    let out = out.map_err(|e| format!("cannot run {}: {e}", host.display()))?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let verdict = said
        .lines()
        .next()
        .unwrap_or_default()
        .strip_prefix(&format!("{}: ", file.display()))
        .map(str::to_owned);
    let verdict = verdict.unwrap_or_else(|| format!("the host ended with {}", out.status));
    Ok(without_names(&verdict).replace('|', "/"))
}

/// A refusal without the entry's name and the advice: they are the same in each row.
fn without_names(verdict: &str) -> String {
    let Some(rest) = verdict.strip_prefix("refused: cannot load driver ") else {
        return verdict.to_owned();
    };
    let why = rest.split_once("`: ").map_or(rest, |(_, why)| why);
    let (why, tail) = why.split_once(" (do: ").unwrap_or((why, ""));
    let code = tail.rsplit_once("code=").map_or("", |(_, code)| code);
    format!("refused: {why}; `{code}`")
}

fn page(table: &str, check: bool) -> Result<(), String> {
    let file: PathBuf = root().join(PAGE);
    let text = fs::read_to_string(&file).map_err(|e| format!("{PAGE}: {e}"))?;
    let parts = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let (before, (there, after)) =
        parts.ok_or_else(|| format!("{PAGE} has no place for the table"))?;
    if there == table {
        return Ok(());
    }
    if check {
        let differs = table
            .lines()
            .zip(there.lines())
            .find(|(new, old)| new != old);
        let (new, old) = differs.unwrap_or(("another number of rows", ""));
        return Err(format!(
            "{PAGE} says\n  {old}\nbut it is\n  {new}\nrun `cargo xtask matrix` to write the new table"
        ));
    }
    fs::write(&file, format!("{before}{BEGIN}{table}{END}{after}"))
        .map_err(|e| format!("{PAGE}: {e}"))
}
