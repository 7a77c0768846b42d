//! `cargo xtask`: what a developer runs. `up` builds and runs everything, `test` passes all tests on a
//! fresh machine, `bench` measures. Uses std alone, so that it is there in a second.

#![forbid(unsafe_code)]

mod bench;
mod cargo;
mod fuzz;
mod many;
mod matrix;
mod memcheck;
mod nova;
mod old;
mod outside;
mod simulate;
mod test;
mod up;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  up [--release] [ARGS…]    build the host and the shipped plugins, then run `longshore up ARGS…`
  build [--release]         build the host and the shipped plugins
  test [ARGS…]              install what tests need, build everything, run all tests (ARGS go to `cargo test`)
  memcheck                  run the bridge's tests and the kept plugins under valgrind (`test` does it too)
  fuzz [TARGET…] [--seconds N]
                            damage good inputs of every reader of foreign bytes; 60 s each by default (`test` does 2 s)
  matrix [--check]          load plugins of every compiler, profile and allocator; write (or check) the table in docs/abi.md
  nova                      set up the Nova that filters and weighers are compared with (`test` does it too)
  old-plugins               build the files of tests/old for this release of plugin-api, once
  bench [NAME…]             run the benchmarks: bridge known load map managers record stage vet scheduler boot startup
                            many simulate (all by default)
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let args: Vec<String> = args.collect();
    let done = match command.as_str() {
        "up" => up::up(&args),
        "build" => up::build(args.iter().any(|a| a == "--release")).map(|_| ()),
        "test" => test::test(&args),
        "bench" => bench::bench(&args),
        "memcheck" => memcheck::memcheck(),
        "fuzz" => fuzz::fuzz(&args),
        "matrix" => matrix::matrix(&args),
        "nova" => nova::nova(),
        "old-plugins" => old::old_plugins(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
