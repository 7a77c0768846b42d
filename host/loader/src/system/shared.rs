//! A needed library of which this process has another build open already: the first one wins, whatever the plugin was
//! built against.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{System, known, mapped};
use crate::diagnostic::escape;
use crate::elf::{ElfFacts, is_of_the_system};

/// What is to be said of each such library.
pub(crate) fn remarks(facts: &ElfFacts) -> Vec<String> {
    let mut foreign = facts
        .needed
        .iter()
        .filter(|n| !is_of_the_system(n))
        .peekable();
    if foreign.peek().is_none() {
        return Vec::new();
    }
    let Some(system) = System::now() else {
        return Vec::new();
    };
    let open = mapped::files();
    let remark = |name: &String| remark(name, &system.find(name, facts.runpath.as_deref())?, &open);
    foreign.filter_map(remark).collect()
}

/// What is to be said when one of `open` goes by this name, and is not the file at `own`.
fn remark(name: &str, own: &Path, open: &[PathBuf]) -> Option<String> {
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()));
    let goes_by = |path: &&PathBuf| match known::library(path).and_then(|l| l.soname.clone()) {
        Some(soname) => soname == name,
        None => path.file_name().is_some_and(|f| f == name),
    };
    let mut same_name = open.iter().filter(goes_by);
    let first = same_name.next()?;
    if identity(first) == identity(own) {
        return None;
    }
    let shown = |path: &Path| escape(&path.display().to_string());
    Some(format!(
        "it needs `{}`, which is already loaded from `{}`: that one is used, not `{}`",
        escape(name),
        shown(first),
        shown(own)
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    fn library(dir: &Path, soname: &str) -> PathBuf {
        fs::create_dir_all(dir).unwrap();
        let source = dir.join("empty.c");
        fs::write(&source, "int nothing_much;\n").unwrap();
        // The file is called otherwise than those that need it say, as is usual.
        let out = dir.join(format!("{soname}.0.1"));
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC"])
            .arg(format!("-Wl,-soname,{soname}"));
        assert!(
            cc.arg("-o")
                .arg(&out)
                .arg(&source)
                .status()
                .unwrap()
                .success()
        );
        out
    }

    #[test]
    fn another_build_of_a_needed_library_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|d| library(&dir.path().join(d), "libacme.so.1"));
        let open = [one.clone(), "/proc/self/exe".into()];
        assert_eq!(remark("libacme.so.1", &one, &open), None, "the same file");
        assert_eq!(remark("libother.so.1", &two, &open), None);
        let said = remark("libacme.so.1", &two, &open).unwrap();
        let expected = format!(
            "it needs `libacme.so.1`, which is already loaded from `{}`: that one is used, not `{}`",
            one.display(),
            two.display()
        );
        assert_eq!(said, expected);
    }
}
