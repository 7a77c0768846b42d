//! `cargo xtask old-plugins`: builds the files of `tests/old` for the current release of plugin-api, once.
//!
//! Files that are there are never built again: they stand for plugins that authors shipped and nobody will rebuild.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cargo::{root, run, target_dir};
use crate::outside::{self, Compiler, Recipe};

const SOURCE: &str = "tests/old/source";
const LIBRARY: &str = "longshore_old_plugin";
/// Compilers of the fixtures besides the workspace's own: the oldest that is promised.
const OLDEST: &str = "1.63";
/// Largest fixture, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// Builds the fixtures and adds them to the table of `tests/old/README.md`.
pub(crate) fn old_plugins() -> Result<(), String> {
    let api = api_version()?;
    let compilers = outside::compilers()?;
    let used: Vec<&Compiler> = compilers
        .iter()
        .filter(|c| c.version == OLDEST || c.full == compilers[0].full)
        .collect();
    let mut wanted = Vec::new();
    for compiler in used {
        for release in [true, false] {
            let profile = if release { "release" } else { "debug" };
            let name = format!("api-{api}_rustc-{}_{profile}.so", compiler.version);
            if root().join("tests/old").join(&name).exists() {
                return Err(format!(
                    "`tests/old/{name}` is there; files of a release are built once and kept, a new release has a new name"
                ));
            }
            wanted.push((name, compiler, release));
        }
    }
    let commit = commit()?;
    let copy = target_dir().join("old");
    outside::copy(&[SOURCE], &copy)?;
    // Paths of this machine have no place in a file that is kept for ever.
    let remap = format!("--remap-path-prefix={}=longshore", root().display());
    let mut rows = String::new();
    for (name, compiler, release) in wanted {
        // Plain debug builds are 1.5 to 2 MB; the first level of optimisation keeps the assertions that differ.
        let env = [
            ("RUSTFLAGS", remap.as_str()),
            ("CARGO_PROFILE_DEV_OPT_LEVEL", "1"),
            ("CARGO_PROFILE_DEV_DEBUG", "0"),
        ];
        let how = Recipe {
            release,
            env: &env,
            ..Recipe::default()
        };
        let built = outside::build(&copy.join(SOURCE), LIBRARY, compiler, how)?;
        let file = root().join("tests/old").join(&name);
        run(Command::new("strip")
            .arg("-s")
            .arg("-o")
            .arg(&file)
            .arg(&built))?;
        let bytes = fs::metadata(&file).map_err(|e| e.to_string())?.len();
        if bytes > BYTES_MAX {
            return Err(format!(
                "`{name}` has {bytes} bytes, the limit is {BYTES_MAX}"
            ));
        }
        rows += &format!(
            "| `{name}` | {} | {commit} | `{}` |\n",
            compiler.full,
            sha256(&file)?
        );
    }
    let readme = root().join("tests/old/README.md");
    let text = fs::read_to_string(&readme).map_err(|e| format!("{}: {e}", readme.display()))?;
    fs::write(&readme, text + &rows).map_err(|e| format!("{}: {e}", readme.display()))
}

/// Major and minor version that a plugin of this source states.
fn api_version() -> Result<String, String> {
    let text =
        fs::read_to_string(root().join("plugin-api/src/lib.rs")).map_err(|e| e.to_string())?;
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("pub const __API_VERSION: &str = \""));
    let version = line.and_then(|l| l.split('"').next());
    version
        .map(str::to_owned)
        .ok_or_else(|| "plugin-api/src/lib.rs states no `__API_VERSION`".to_owned())
}

/// The commit that the files are built from; what is built must be in it.
fn commit() -> Result<String, String> {
    let git = |args: &[&str]| {
        let out = Command::new("git").args(args).current_dir(root()).output();
        out.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
            .map_err(|e| format!("cannot run git: {e}"))
    };
    let changed = git(&["status", "--porcelain", "--", "plugin-api", SOURCE])?;
    if !changed.is_empty() {
        return Err(format!(
            "commit what the files are built from first:\n{changed}"
        ));
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn sha256(file: &Path) -> Result<String, String> {
    let out = Command::new("sha256sum").arg(file).output();
    let out = out.map_err(|e| format!("cannot run sha256sum: {e}"))?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let digest = said.split_whitespace().next();
    digest
        .map(str::to_owned)
        .ok_or_else(|| format!("sha256sum said nothing of {}", file.display()))
}
