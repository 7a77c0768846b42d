//! One target of the fuzzer, watched: libFuzzer sees which code an input reaches and goes on from there. The target is the
//! one that `LONGSHORE_FUZZ_TARGET` names; its good inputs are put into the directory that `LONGSHORE_FUZZ_CORPUS` names.
//!
//! Every other input is damaged as a reader's format hurts, the rest as libFuzzer likes. Built and started by
//! `cargo xtask fuzz`; must not know how targets are made.

#![no_main]
#![forbid(unsafe_code)]

#[path = "../damage.rs"]
mod damage;
#[path = "../targets.rs"]
mod targets;

use std::sync::LazyLock;
use std::{env, fs};

use damage::Dice;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use targets::{TARGETS, Target};

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = env::var("LONGSHORE_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|t| t.name == name);
    found.expect("LONGSHORE_FUZZ_TARGET names a target")
});

fn plant() {
    let Some(corpus) = env::var_os("LONGSHORE_FUZZ_CORPUS") else {
        return;
    };
    fs::create_dir_all(&corpus).expect("a directory for the corpus");
    for (n, good) in (TARGET.good)().iter().enumerate() {
        let file = std::path::Path::new(&corpus).join(format!("good-{n}"));
        fs::write(file, good).expect("a file of the corpus");
    }
}

fuzz_target!(init: plant(), |bytes: &[u8]| {
    (TARGET.read)(bytes);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed % 2 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut bytes = data[..size].to_vec();
    damage::damage(
        &mut bytes,
        TARGET.words,
        TARGET.head,
        &mut Dice::new(seed.into()),
    );
    let kept = bytes.len().min(max_size);
    data[..kept].copy_from_slice(&bytes[..kept]);
    kept
});
