//! Inspection of real shared libraries, good and damaged, and of everything that is not one.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use super::*;
use crate::note::HOST_API;

pub(crate) const GOOD: &str = r#"{"v":1,"plugin":"acme-filters","version":"0.1.0","description":"d","license":"Apache-2.0","api":"1.0","rustc":"rustc 1.95.0","target":"x86_64-unknown-linux-gnu","panic":"unwind","entries":[{"namespace":"longshore.scheduler.filter","name":"ram","kind":"longshore.filter","trait":"Filter","revision":1,"description":"x","settings":[{"key":"ratio","type":"float","default":1.5,"required":false,"help":"h"}]},{"namespace":"longshore.scheduler.filter","name":"disk","kind":"longshore.filter","revision":1}]}"#;

/// Builds a shared library that carries the given notes.
pub(crate) fn build(notes: &[&str], flags: &[&str]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let mut code =
        String::from("int puts(const char *); int answer(void) { return puts(\"\"); }\n");
    for (i, json) in notes.iter().enumerate() {
        let padded = json.len().next_multiple_of(4);
        let json = format!("{json}{}", " ".repeat(padded - json.len()))
            .replace('\\', "\\\\")
            .replace('"', "\\\"");
        code.push_str(&format!(
            "__attribute__((section(\".note.longshore\"), aligned(4), used)) static const struct \
             {{ unsigned n, d, t; char name[12]; char desc[{padded}]; }} note{i} = \
             {{ 10, {padded}, 1, \"longshore\", \"{json}\" }};\n"
        ));
    }
    let (source, out) = (dir.path().join("p.c"), dir.path().join("p.so"));
    fs::write(&source, code).unwrap();
    let mut cc = Command::new("cc");
    cc.args([
        "-shared",
        "-fPIC",
        "-Wno-unterminated-string-initialization",
        "-o",
    ]);
    let done = cc.arg(&out).arg(&source).args(flags).output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    fs::read(out).unwrap()
}

pub(crate) fn good() -> &'static [u8] {
    static GOOD_FILE: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD_FILE.get_or_init(|| build(&[GOOD], &[]))
}

/// Inspects bytes through a file, as an operator would.
fn refusal(bytes: &[u8]) -> Refusal {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.so");
    fs::write(&path, bytes).unwrap();
    inspect(&path).unwrap_err()
}

#[test]
fn a_good_plugin_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("good.so");
    fs::write(&path, good()).unwrap();
    let found = inspect(&path).unwrap();
    assert_eq!(found.metadata.plugin, "acme-filters");
    assert_eq!(found.size, good().len() as u64);
    assert_eq!(found.facts.machine, std::env::consts::ARCH);
    assert!(
        found.facts.needed.iter().any(|n| n.starts_with("libc.so")),
        "{:?}",
        found.facts
    );
    let ram = found
        .choose("longshore.scheduler.filter", "my_ram", Some("ram"))
        .unwrap();
    assert_eq!(ram.settings[0].key, "ratio");
    assert_eq!(found.entries_in("longshore.scheduler.filter").count(), 2);
    assert_eq!(sha256(&path).unwrap(), sha256_bytes(good()));
    let of_bytes = inspect_bytes(&path, found.identity, good()).unwrap();
    assert_eq!(of_bytes, found, "from a file and from memory the same");
    let json = serde_json::to_string(&found.metadata).unwrap();
    assert!(json.contains(r#""type":"float""#));
}

#[test]
fn choosing_an_export() {
    let one = GOOD.replace(",{\"namespace\":\"longshore.scheduler.filter\",\"name\":\"disk\",\"kind\":\"longshore.filter\",\"revision\":1}", "");
    let bytes = build(&[&one], &[]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.so");
    fs::write(&path, bytes).unwrap();
    let found = inspect(&path).unwrap();
    assert_eq!(
        found
            .choose("longshore.scheduler.filter", "other", None)
            .unwrap()
            .name,
        "ram"
    );
    let refused = found
        .choose("longshore.scheduler.filter", "other", Some("rma"))
        .unwrap_err();
    assert_eq!(refused.code, "plugin/no-such-driver");
    assert_eq!(refused.help, "did you mean `ram`?");
    assert!(
        refused
            .what()
            .starts_with("cannot load driver `other` for `longshore.scheduler.filter`")
    );
    assert!(
        found
            .choose("longshore.virt.driver", "x", None)
            .unwrap_err()
            .why
            .contains("offers nothing")
    );
}

#[test]
fn refusals_read_well() {
    let refusal = refusal(b"#!/bin/sh\nexit 0\n").for_entry("longshore.virt.driver", "kvm");
    let file = refusal.file.display();
    assert_eq!(
        refusal.to_string(),
        format!(
            "error[plugin/not-elf]: cannot load driver `kvm` for `longshore.virt.driver`
  file: {file}
  why:  it starts with `#!/b`, not with an ELF header
  do:   build it with `crate-type = [\"cdylib\"]`"
        )
    );
    assert_eq!(
        refusal.one_line(),
        "cannot load driver `kvm` for `longshore.virt.driver`: it starts with `#!/b`, not with an ELF header \
         (do: build it with `crate-type = [\"cdylib\"]`) code=plugin/not-elf"
    );
}

#[test]
fn notes_are_checked() {
    let rows = [
        (vec![], "plugin/no-entry"),
        (vec![GOOD.to_owned(), GOOD.to_owned()], "abi/bad-header"),
        (vec!["{]".to_owned()], "abi/bad-header"),
        (vec![GOOD.replace("\"v\":1", "\"v\":9")], "abi/bad-header"),
        (
            vec![GOOD.replace("\"api\":\"1.0\"", "\"api\":\"x\"")],
            "abi/bad-header",
        ),
        (
            vec![GOOD.replace("\"api\":\"1.0\"", "\"api\":\"2.0\"")],
            "abi/version",
        ),
        (
            vec![GOOD.replace("\"api\":\"1.0\"", "\"api\":\"1.999\"")],
            "abi/version",
        ),
        (vec![GOOD.replace("unwind", "abort")], "abi/panic-abort"),
        (
            vec![GOOD.replace("\"0.1.0\"", "\"new\"")],
            "plugin/bad-metadata",
        ),
        (
            vec![GOOD.replace("\"name\":\"disk\"", "\"name\":\"ram\"")],
            "plugin/bad-metadata",
        ),
        (
            vec![GOOD.replace("\"name\":\"disk\"", "\"name\":\"../x\"")],
            "plugin/bad-metadata",
        ),
        (
            vec![GOOD.replace("acme-filters", "")],
            "plugin/bad-metadata",
        ),
    ];
    for (notes, code) in rows {
        let texts: Vec<&str> = notes.iter().map(String::as_str).collect();
        let refusal = refusal(&build(&texts, &[]));
        assert_eq!(refusal.code, code, "{refusal}");
    }
    let newer = GOOD.replace("\"api\":\"1.0\"", "\"api\":\"1.999\"");
    let why = refusal(&build(&[&newer], &[])).why;
    assert_eq!(
        why,
        format!("it is built for plugin-api 1.999, this host speaks {HOST_API}")
    );
}

/// A place with a library of the given name in it, which is installed nowhere.
fn with_library(soname: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let short = soname.split(".so").next().unwrap();
    let flag = format!("-Wl,-soname,{soname}");
    fs::write(dir.path().join(format!("{short}.so")), build(&[], &[&flag])).unwrap();
    let path = format!("-L{}", dir.path().display());
    (dir, path)
}

#[test]
fn every_missing_library_is_listed_at_once() {
    let (_one, one) = with_library("libacmeone.so.1");
    let (_two, two) = with_library("libacmetwo.so.2");
    let flags = ["-Wl,--no-as-needed", &one, &two, "-lacmeone", "-lacmetwo"];
    let refusal = refusal(&build(&[GOOD], &flags));
    assert_eq!(refusal.code, "plugin/missing-library");
    assert_eq!(
        refusal.why,
        "it needs `libacmeone.so.1`, `libacmetwo.so.2`, which this host lacks"
    );
}

#[test]
fn a_library_at_an_absolute_runpath_is_not_missing() {
    let (dir, path) = with_library("libacmethree.so.1");
    fs::rename(
        dir.path().join("libacmethree.so"),
        dir.path().join("libacmethree.so.1"),
    )
    .unwrap();
    std::os::unix::fs::symlink("libacmethree.so.1", dir.path().join("libacmethree.so")).unwrap();
    let runpath = format!("-Wl,-rpath,{}", dir.path().display());
    let bytes = build(
        &[GOOD],
        &["-Wl,--no-as-needed", &path, "-lacmethree", &runpath],
    );
    let found = inspect_bytes(Path::new("x.so"), NOWHERE, &bytes).unwrap();
    assert!(found.facts.needed.contains(&"libacmethree.so.1".to_owned()));
}

#[test]
fn a_symbol_version_of_a_newer_c_library_is_named() {
    let bytes = good().to_vec();
    let found = inspect_bytes(Path::new("x.so"), NOWHERE, &bytes).unwrap();
    let (library, version) = found.facts.versions[0].clone();
    assert!(
        version.starts_with("GLIBC_2."),
        "{:?}",
        found.facts.versions
    );
    // A version of the same length which no release will have.
    let future = format!("GLIBC_9{}", "9".repeat(version.len() - 7));
    let refused = refusal(&replaced(&bytes, &version, &future));
    assert_eq!(refused.code, "plugin/libc-too-old");
    let start = format!("it needs `{future}` of `{library}`, this host has up to `GLIBC_2.");
    assert!(refused.why.starts_with(&start), "{refused}");
}

/// Bound at first use it would load, and end the process at some later call.
#[test]
fn every_symbol_that_nobody_defines_is_named_before_opening() {
    let one = refusal(&replaced(good(), "\0puts\0", "\0pvts\0"));
    assert_eq!(one.code, "plugin/missing-symbol", "{one}");
    assert_eq!(one.why, "`pvts` is defined nowhere");
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("more.c");
    let code = "extern int acme_start(void), acme_stop(void);\n\
        extern int acme_maybe(void) __attribute__((weak));\n\
        int more(void) { return acme_start() + acme_stop() + (acme_maybe ? acme_maybe() : 0); }\n";
    fs::write(&source, code).unwrap();
    let both = refusal(&build(&[GOOD], &[source.to_str().unwrap()]));
    assert_eq!(both.code, "plugin/missing-symbol", "{both}");
    let mut named: Vec<&str> = both.why.split('`').skip(1).step_by(2).collect();
    named.sort_unstable();
    assert_eq!(
        named,
        ["acme_start", "acme_stop"],
        "weak ones may be absent"
    );
}

/// The library that a plugin needs does not have it, one further down does.
#[test]
fn a_symbol_may_come_from_a_library_of_a_library() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, code: &str| {
        let path = dir.path().join(name);
        fs::write(&path, code).unwrap();
        path.display().to_string()
    };
    let link = |out: &str, source: &str, flags: &[&str]| {
        let out = dir.path().join(out).display().to_string();
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-Wl,--no-as-needed", "-o", &out, source]);
        assert!(cc.args(flags).status().unwrap().success());
        out
    };
    let here = dir.path().display().to_string();
    let (search, runpath) = (format!("-L{here}"), format!("-Wl,-rpath,{here}"));
    let below = write("below.c", "int acme_below(void) { return 1; }\n");
    link("libacmebelow.so", &below, &[]);
    let above = write("above.c", "int acme_above(void) { return 1; }\n");
    link(
        "libacmeabove.so",
        &above,
        &[&search, "-lacmebelow", &runpath],
    );
    let user = write(
        "user.c",
        "extern int acme_below(void); int use(void) { return acme_below(); }\n",
    );
    let flags = [
        user.as_str(),
        &search,
        "-Wl,--no-as-needed",
        "-lacmeabove",
        &runpath,
    ];
    let bytes = build(&[GOOD], &flags);
    let found = inspect_bytes(Path::new("x.so"), NOWHERE, &bytes).unwrap();
    assert!(found.facts.wanted.contains(&"acme_below".to_owned()));
    assert!(found.facts.exports.contains(&"answer".to_owned()));
}

/// All places of a text replaced by one of the same length.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    bytes
}

const NOWHERE: FileIdentity = FileIdentity {
    dev: 0,
    inode: 0,
    size: 0,
    mtime_ns: 0,
    ctime_ns: 0,
};

/// The bytes of an integer of the file, at its place.
fn number(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

/// Places of the program headers in the file.
fn program_headers(bytes: &[u8]) -> Vec<usize> {
    let count = usize::from(u16::from_le_bytes([bytes[56], bytes[57]]));
    (0..count).map(|i| number(bytes, 32) + 56 * i).collect()
}

#[test]
fn a_file_cut_at_any_boundary_is_truncated() {
    let bytes = good();
    let mut ends = vec![64, bytes.len()];
    for header in program_headers(bytes) {
        let start = number(bytes, header + 8);
        ends.extend([
            header,
            header + 56,
            start,
            start + number(bytes, header + 32),
        ]);
    }
    for end in ends {
        for n in [end.saturating_sub(1), end, end + 1] {
            if n >= bytes.len() {
                continue;
            }
            let refused = inspect_bytes(Path::new("x.so"), NOWHERE, &bytes[..n]).unwrap_err();
            let fine = refused.code == "plugin/truncated" || n < 4;
            assert!(fine, "cut at {n}: {refused}");
            assert!(n < 64 || refused.why.contains(&n.to_string()), "{refused}");
        }
    }
}

#[test]
fn fields_that_overflow_or_point_outside_are_named() {
    let huge = u64::MAX - 8;
    let first = program_headers(good())[0];
    let rows = [
        (32, huge, "plugin/malformed", "e_phoff"),
        (40, huge, "plugin/malformed", "e_shoff"),
        (first + 8, huge, "plugin/malformed", "p_filesz of segment 0"),
        (first + 32, huge, "plugin/truncated", "segment 0 ends at"),
        (first + 40, 0, "plugin/malformed", "p_memsz of segment 0"),
        (first + 16, huge, "plugin/malformed", "p_memsz of segment 0"),
        (40, 1 << 40, "plugin/truncated", "the section header table"),
        (32, 1 << 40, "plugin/truncated", "the program header table"),
    ];
    for (at, value, code, said) in rows {
        let mut changed = good().to_vec();
        changed[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let refused = refusal(&changed);
        assert_eq!(refused.code, code, "{at}: {refused}");
        assert!(refused.why.contains(said), "{at}: {refused}");
    }
}

#[test]
fn programs_of_every_sort_are_no_plugins() {
    let rows = [
        (2, "an executable"),
        (1, "an object file"),
        (4, "a core dump"),
        (9, "no shared"),
    ];
    for (kind, said) in rows {
        let mut changed = good().to_vec();
        changed[16] = kind;
        let refused = refusal(&changed);
        assert_eq!(refused.code, "plugin/not-a-library");
        assert!(refused.why.contains(said), "{refused}");
    }
    // Without an interpreter only the flag tells a static program from a library.
    let pie = build(&[GOOD], &["-Wl,-z,now"]);
    assert_eq!(
        refusal(&with_flags_1(&pie, 0x0800_0000)).code,
        "plugin/not-a-library"
    );
    assert_eq!(
        refusal(&with_flags_1(&pie, 0x40)).code,
        "plugin/refused-by-loader"
    );
}

/// The file with other flags in its dynamic section.
fn with_flags_1(bytes: &[u8], flags: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let tag = 0x6fff_fffb_u64.to_le_bytes();
    let at = bytes.windows(8).position(|w| w == tag).unwrap();
    bytes[at + 8..at + 16].copy_from_slice(&flags.to_le_bytes());
    bytes
}

#[test]
fn layouts_that_are_not_safe_are_named() {
    let rows = [
        (vec!["-z", "execstack"], "executable stack"),
        (vec!["-Wl,--audit=libaudit.so"], "audit or filter"),
        (vec!["-Wl,-f,libother.so"], "audit or filter"),
        (
            vec!["-fno-pic", "-mcmodel=large", "-Wl,-z,notext"],
            "text relocations",
        ),
    ];
    for (flags, said) in rows {
        let refused = refusal(&build(&[GOOD], &flags));
        assert_eq!(refused.code, "plugin/unsafe-layout", "{flags:?}: {refused}");
        assert!(refused.why.contains(said), "{flags:?}: {refused}");
    }
    let mut writable = good().to_vec();
    writable[program_headers(good())[0] + 4] = 7;
    let refused = refusal(&writable);
    assert_eq!(refused.code, "plugin/unsafe-layout");
    assert_eq!(refused.why, "segment 0 is both writable and executable");
}

#[test]
fn notes_that_are_too_large_or_say_too_much() {
    let many: Vec<String> = (0..1001)
        .map(|i| format!(r#"{{"namespace":"n.s","name":"d{i}","kind":"k","revision":1}}"#))
        .collect();
    let start = GOOD.split("\"entries\"").next().unwrap();
    let crowded = format!("{start}\"entries\":[{}]}}", many.join(","));
    let refused = refusal(&build(&[&crowded], &[]));
    assert_eq!(refused.code, "plugin/bad-metadata");
    assert!(refused.why.contains("1001 entry points"), "{refused}");
    let long = GOOD.replace("\"d\"", &format!("\"{}\"", "d".repeat(300 << 10)));
    let refused = refusal(&build(&[&long], &[]));
    assert_eq!(refused.code, "abi/bad-header");
    assert!(refused.why.contains("the limit is 262144"), "{refused}");
    // The note's own header says a gigabyte: what it names is not there, so there is no note.
    let mut lying = good().to_vec();
    let at = lying.windows(10).position(|w| w == b"longshore\0").unwrap();
    lying[at - 8..at - 4].copy_from_slice(&(1_u32 << 30).to_le_bytes());
    assert_eq!(refusal(&lying).code, "plugin/no-entry");
}

#[test]
fn odd_elf_files_are_refused() {
    let rows: [(usize, &[u8], &str); 5] = [
        (4, &[1], "plugin/wrong-arch"),
        (5, &[2], "plugin/wrong-arch"),
        (18, &[40, 0], "plugin/wrong-arch"),
        (16, &[1, 0], "plugin/not-a-library"),
        (54, &[7, 0], "plugin/malformed"),
    ];
    for (at, bytes, code) in rows {
        let mut changed = good().to_vec();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(refusal(&changed).code, code, "byte {at}");
    }
    assert_eq!(refusal(b"").why, "the file is empty");
    let stack = build(&[GOOD], &["-z", "execstack"]);
    assert_eq!(refusal(&stack).code, "plugin/unsafe-layout");
    let rpath = ["-Wl,--no-as-needed", "-lz", "-Wl,-rpath,$ORIGIN/lib"];
    let musl = ["-Wl,-soname,libc.musl-x86_64.so.1"];
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("libmusl.so"), build(&[], &musl)).unwrap();
    let path = format!("-L{}", dir.path().display());
    let on_musl = build(&[GOOD], &["-Wl,--no-as-needed", &path, "-lmusl"]);
    assert_eq!(refusal(&on_musl).code, "plugin/wrong-libc");
    fs::write(
        dir.path().join("libz.so"),
        build(&[], &["-Wl,-soname,libz.so.1"]),
    )
    .unwrap();
    let beside = build(&[GOOD], &[rpath[0], &path, rpath[1], rpath[2]]);
    assert_eq!(refusal(&beside).code, "plugin/not-self-contained");
    let program = std::env::current_exe().unwrap();
    assert_eq!(inspect(&program).unwrap_err().code, "plugin/not-a-library");
}

#[test]
fn a_cut_file_is_always_refused() {
    let bytes = good();
    let identity = FileIdentity {
        dev: 0,
        inode: 0,
        size: 0,
        mtime_ns: 0,
        ctime_ns: 0,
    };
    let mut points: Vec<usize> = (0..200).map(|i| i * bytes.len() / 200).collect();
    points.extend(0..1024.min(bytes.len()));
    points.push(bytes.len() - 1);
    for n in points {
        let refused = inspect_bytes(Path::new("x.so"), identity, &bytes[..n]).unwrap_err();
        let fine = ["plugin/truncated", "plugin/not-elf"].contains(&refused.code);
        assert!(fine, "cut at {n}: {refused}");
    }
}

#[test]
fn changed_bytes_never_panic() {
    let bytes = good();
    let identity = FileIdentity {
        dev: 0,
        inode: 0,
        size: 0,
        mtime_ns: 0,
        ctime_ns: 0,
    };
    let (start, end) = (0, bytes.len().min(4096));
    for at in start..end {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = bytes.to_vec();
            changed[at] = value;
            let _ = inspect_bytes(Path::new("x.so"), identity, &changed);
        }
    }
    for at in (0..end).step_by(4) {
        for value in [u32::MAX, u32::MAX - 1, 1 << 31, 1 << 17] {
            let mut changed = bytes.to_vec();
            changed[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let _ = inspect_bytes(Path::new("x.so"), identity, &changed);
        }
    }
    for at in 0..end {
        let mut removed = bytes.to_vec();
        removed.remove(at);
        let _ = inspect_bytes(Path::new("x.so"), identity, &removed);
    }
}

#[test]
fn a_link_in_a_circle_leads_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.so"), dir.path().join("b.so"));
    std::os::unix::fs::symlink(&a, &b).unwrap();
    std::os::unix::fs::symlink(&b, &a).unwrap();
    let refused = inspect(&a).unwrap_err();
    assert_eq!(refused.code, "plugin/not-found");
    assert!(refused.why.contains("leads nowhere"), "{refused}");
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let code = |path: &Path| inspect(path).unwrap_err();
    assert_eq!(code(dir.path()).code, "plugin/not-a-file");
    assert_eq!(code(Path::new("/dev/zero")).why, "the path is a device");
    let pipe = dir.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(code(&pipe).why, "the path is a named pipe");
    fs::write(dir.path().join("libfake.so"), "x").unwrap();
    let missing = code(&dir.path().join("libfkae.so"));
    assert_eq!(
        (missing.code, missing.why.as_str()),
        ("plugin/not-found", "no such file")
    );
    assert_eq!(missing.help, "did you mean `libfake.so`?");
    let only = dir.path().join("libfake.so").display().to_string();
    assert!(code(dir.path()).help.contains(&only));
    let link = dir.path().join("link.so");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    assert!(code(&link).why.contains("leads nowhere"));
    let sparse = dir.path().join("big.so");
    fs::File::create(&sparse)
        .unwrap()
        .set_len(FILE_BYTES_MAX + 1)
        .unwrap();
    assert_eq!(code(&sparse).code, "plugin/too-large");
}
