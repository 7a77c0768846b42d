//! A plugin's bytes are read once: what was hashed and admitted is what is mapped, whatever becomes of the file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use longshore_loader::gate::{Content, Gate, Wanted};
use longshore_loader::inspect::{Refusal, sha256, sha256_bytes};
use longshore_loader::stage::LoadMode;
use longshore_loader::{Loader, LoaderOptions, PluginMap};
use longshore_sample_plugin::Sample;
use longshore_tests::files;

const NS: &str = longshore_sample_plugin::NAMESPACE;

fn sample() -> PathBuf {
    files::plugin("debug", "longshore-sample-plugin")
}

/// Another content that is as good: bytes after the end of an ELF file mean nothing.
fn variant(n: u8) -> Vec<u8> {
    let mut bytes = fs::read(sample()).unwrap();
    bytes.extend_from_slice(&[n; 64]);
    bytes
}

fn loader(lib: &Path, options: LoaderOptions) -> Loader {
    let text = format!("['{NS}']\nt1 = '{}'\n", lib.display());
    let map = PluginMap::parse(&text, "plugins.toml").unwrap();
    Loader::with_options(map, lib.parent().unwrap().join("state"), options)
}

fn mode(load: LoadMode) -> LoaderOptions {
    LoaderOptions {
        load,
        ..LoaderOptions::default()
    }
}

/// Installs as a package manager does: whole, under its name at once.
fn install(lib: &Path, bytes: &[u8]) {
    let fresh = lib.with_extension("new");
    fs::write(&fresh, bytes).unwrap();
    fs::rename(&fresh, lib).unwrap();
}

#[test]
fn what_happens_to_the_file_afterwards_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("plugin.so");
    fs::write(&lib, variant(1)).unwrap();
    let loader = loader(&lib, LoaderOptions::default());
    let manager = loader.namespace::<dyn Sample>(NS).driver("t1").unwrap();
    let driver = manager.driver();
    let calls = |n: u64| (0..n).all(|i| driver.next(i) == Ok(i + 1));
    fs::File::options()
        .write(true)
        .open(&lib)
        .unwrap()
        .set_len(100)
        .unwrap();
    assert!(calls(10_000), "cut off");
    fs::write(&lib, vec![0xff; 100_000]).unwrap();
    assert!(calls(10_000), "overwritten");
    fs::remove_file(&lib).unwrap();
    assert!(calls(10_000), "deleted");
    assert_eq!(driver.fail("and texts").unwrap_err().message(), "and texts");
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(
        !maps.contains(&lib.display().to_string()),
        "the file itself is not mapped"
    );
}

#[test]
fn a_thousand_changes_of_a_loaded_file_harm_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("plugin.so");
    fs::write(&lib, variant(2)).unwrap();
    let loader = loader(&lib, LoaderOptions::default());
    let manager = loader.namespace::<dyn Sample>(NS).driver("t1").unwrap();
    let driver = manager.driver();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| {
            let mut calls = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(driver.next(calls), Ok(calls + 1));
                calls += 1;
            }
            calls
        });
        for i in 0..1_000_u32 {
            match i % 3 {
                0 => fs::write(&lib, i.to_le_bytes()).unwrap(),
                1 => fs::File::create(&lib).unwrap().set_len(1 << 20).unwrap(),
                _ => install(&lib, b"swapped"),
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(caller.join().unwrap() > 0);
    });
}

/// Reads what will be opened, and compares it with what it is told.
#[derive(Default)]
struct Witness(Mutex<Vec<String>>);

impl Gate for Witness {
    fn admit(&self, wanted: &Wanted<'_>, content: &Content<'_>) -> Result<(), Refusal> {
        assert_eq!(wanted.entry.name, "t1");
        assert_eq!(sha256(content.open).unwrap(), content.digest);
        self.0.lock().unwrap().push(content.digest.to_owned());
        Ok(())
    }
}

#[test]
fn what_is_opened_is_what_was_admitted_whoever_swaps_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("plugin.so");
    let (one, two) = (variant(3), variant(4));
    install(&lib, &one);
    let known = [sha256_bytes(&one), sha256_bytes(&two)];
    let witness = Arc::new(Witness::default());
    let stop = AtomicBool::new(false);
    let (mut loaded, mut changing) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                install(&lib, &two);
                install(&lib, &one);
            }
        });
        for _ in 0..20 {
            let options = LoaderOptions {
                gates: vec![Arc::clone(&witness) as Arc<dyn Gate>],
                ..LoaderOptions::default()
            };
            let loader = loader(&lib, options);
            match loader.namespace::<dyn Sample>(NS).driver("t1") {
                Ok(manager) => {
                    assert_eq!(manager.driver().next(1), Ok(2));
                    loaded += 1;
                }
                Err(failure) => {
                    assert_eq!(failure.code(), "plugin/changing", "{failure}");
                    changing += 1;
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(loaded + changing, 20);
    let seen = witness.0.lock().unwrap();
    assert!(seen.iter().all(|digest| known.contains(digest)), "{seen:?}");
    assert_eq!(seen.len(), loaded);
}

#[test]
fn sealed_memory_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("sealed_memory_cannot_be_written.so");
    fs::write(&lib, variant(5)).unwrap();
    let loader = loader(&lib, LoaderOptions::default());
    loader.namespace::<dyn Sample>(NS).driver("t1").unwrap();
    let name = "/memfd:longshore:sealed_memory_cannot_be_written.so";
    let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let sealed = open
        .map(|e| e.path())
        .find(|p| fs::read_link(p).is_ok_and(|to| to.to_string_lossy().starts_with(name)));
    let sealed = sealed.expect("the descriptor stays open");
    let mut file = fs::File::options().write(true).open(&sealed).unwrap();
    let error = std::io::Write::write(&mut file, b"x").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    assert!(file.set_len(0).is_err());
}

#[test]
fn a_private_copy_takes_the_place_of_memory_that_cannot_be_run() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("plugin.so");
    let bytes = variant(6);
    fs::write(&lib, &bytes).unwrap();
    let loader = loader(&lib, mode(LoadMode::Copy));
    let manager = loader.namespace::<dyn Sample>(NS).driver("t1").unwrap();
    fs::remove_file(&lib).unwrap();
    assert_eq!(manager.driver().next(1), Ok(2));
    let stage = dir.path().join("state/stage");
    let copy = stage.join(format!("{}.so", sha256_bytes(&bytes)));
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    let is = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((is(&stage), is(&copy)), (0o700, 0o500));
    assert_eq!(
        fs::read_dir(&stage).unwrap().count(),
        1,
        "nothing half-made is left"
    );
}

#[test]
fn a_staging_directory_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("plugin.so");
    fs::copy(sample(), &lib).unwrap();
    let options = LoaderOptions {
        stage_dir: Some("/proc/none".into()),
        ..mode(LoadMode::Copy)
    };
    let failure = loader(&lib, options)
        .namespace::<dyn Sample>(NS)
        .driver("t1");
    let failure = failure.err().unwrap();
    assert_eq!(failure.code(), "plugin/cannot-stage");
    let text = failure.to_string();
    assert!(
        text.contains("`/proc/none`") && text.contains("stage_dir"),
        "{text}"
    );
}

#[test]
fn a_file_that_others_can_change_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("plugin.so");
    fs::copy(sample(), &lib).unwrap();
    fs::set_permissions(&lib, fs::Permissions::from_mode(0o666)).unwrap();
    let failure = loader(&lib, LoaderOptions::default());
    let failure = failure
        .namespace::<dyn Sample>(NS)
        .driver("t1")
        .err()
        .unwrap();
    assert_eq!(failure.code(), "plugin/untrusted");
    assert_eq!(failure.refusal.why, "mode 0666 lets everybody change it");
    let mut options = LoaderOptions::default();
    options.trust.check = false;
    assert!(
        loader(&lib, options)
            .namespace::<dyn Sample>(NS)
            .driver("t1")
            .is_ok()
    );
}

/// What a gate refuses is never mapped.
#[test]
fn a_gate_is_asked_before_anything_is_mapped() {
    struct Closed;
    impl Gate for Closed {
        fn admit(&self, _: &Wanted<'_>, content: &Content<'_>) -> Result<(), Refusal> {
            let code = longshore_loader::codes::PLUGIN_UNTRUSTED;
            let file = &content.inspection.file;
            Err(Refusal::new(
                code,
                file,
                "the gate is closed",
                "come back later",
            ))
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("a_gate_is_asked.so");
    fs::write(&lib, variant(7)).unwrap();
    let options = LoaderOptions {
        gates: vec![Arc::new(Closed)],
        ..LoaderOptions::default()
    };
    let failure = loader(&lib, options)
        .namespace::<dyn Sample>(NS)
        .driver("t1");
    let failure = failure.err().unwrap();
    assert_eq!(failure.entry(), (NS, "t1"));
    assert_eq!(failure.refusal.why, "the gate is closed");
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains("a_gate_is_asked"));
}
