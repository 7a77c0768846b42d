//! Libraries whose headers are right and whose one symbol leads nowhere, and one that exports what the host has.

use std::fs;

use crate::inspect::tests::{GOOD, build};
use crate::{Loader, PluginMap};

const NS: &str = "longshore.scheduler.filter";

longshore_plugin_api::driver_kind! {
    id: "longshore.filter", revision: 1;

    /// A kind of the name that the note says.
    pub trait Anything: Send + Sync + 'static {
        /// Never called.
        fn call(&self) -> Result<(), longshore_plugin_api::DriverError>;
    }
}

/// The code and the reason why a library of this C code is refused.
fn refused(code: &str) -> (&'static str, String) {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("entry.c");
    fs::write(&source, code).unwrap();
    let lib = dir.path().join("x.so");
    let flags = [source.to_str().unwrap(), "-fno-builtin"];
    fs::write(&lib, build(&[GOOD], &flags)).unwrap();
    let text = format!(
        "['{NS}']\nram = {{ lib = '{}', settings = {{}} }}\n",
        lib.display()
    );
    let loader = Loader::new(PluginMap::parse(&text, "plugins.toml").unwrap(), dir.path());
    let failure = loader.namespace::<dyn Anything>(NS).driver("ram").map(drop);
    let failure = failure.unwrap_err();
    (failure.code(), failure.refusal.why.clone())
}

fn header(magic: &str) -> String {
    format!(
        "struct header {{ char magic[16]; const void *(*open)(const void *); }};\n\
         static const void *no_root(const void *services) {{ return 0; }}\n\
         const struct header longshore_plugin_1 = {{ \"{magic}\", no_root }};\n"
    )
}

#[test]
fn a_symbol_that_is_absent_null_or_something_else_is_a_bad_header() {
    let absent = refused("int nothing;\n");
    assert_eq!(absent.0, "abi/bad-header", "{absent:?}");
    assert!(
        absent.1.ends_with("not the symbol `longshore_plugin_1`"),
        "{absent:?}"
    );
    let null = refused("asm(\".globl longshore_plugin_1\\n.set longshore_plugin_1, 0\");\n");
    assert_eq!(
        null,
        ("abi/bad-header", "the exported symbol is null".to_owned())
    );
    let (code, why) = refused(&header("something-else"));
    assert_eq!(code, "abi/bad-header");
    assert!(
        why.contains("does not start with `longshore-abi-1`"),
        "{why}"
    );
}

#[test]
fn a_root_that_is_null_is_a_bad_header() {
    let found = refused(&header("longshore-abi-1"));
    assert_eq!(
        found,
        ("abi/bad-header", "the plugin has no root".to_owned())
    );
}

/// A refused library stays mapped, so from here on one that answers null to every request stands in this process.
#[test]
fn the_hosts_own_functions_stay_its_own() {
    let code = "void *malloc(unsigned long size) { return 0; }\n\
                void *calloc(unsigned long n, unsigned long size) { return 0; }\n\
                void *realloc(void *old, unsigned long size) { return 0; }\n\
                int main(void) { return 7; }\n";
    let found = refused(&format!("{}{code}", header("longshore-abi-1")));
    assert_eq!(found.1, "the plugin has no root", "it was opened");
    let mut words: Vec<String> = (0..1_000).map(|i| format!("{i:0100}")).collect();
    words.iter_mut().for_each(|w| w.push_str("and more"));
    assert!(words.iter().all(|w| w.len() == 108));
}
