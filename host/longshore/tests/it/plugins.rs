//! `plugin list`, `show` and `inspect` with real plugins, which are built beside this test.
//!
//! What a terminal shows and what a pipe gets; the forms for documents.

use std::path::{Path, PathBuf};

use longshore_loader::inspect::inspect;
use serde_json::Value as Json;

use crate::api::NOBODY;
use crate::program::Place;

/// The plugins of the workspace, as far as they are built: `cargo xtask test` builds all.
fn built() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    exe.ancestors().nth(2).unwrap().to_owned()
}

pub(crate) fn library(name: &str) -> PathBuf {
    let path = built().join(format!("lib{name}.so"));
    assert!(
        path.is_file(),
        "{} is missing: run `cargo xtask test`",
        path.display()
    );
    path
}

/// A place without a host, with this map; `FILTERS` and `FAKE` in it stand for plugins.
fn with_map(map: &str) -> Place {
    let place = Place::talking_to(NOBODY);
    let map = map
        .replace(
            "FILTERS",
            &library("longshore_filters").display().to_string(),
        )
        .replace(
            "FAKE",
            &library("longshore_virt_fake").display().to_string(),
        );
    place.write("plugins.toml", &map);
    place
}

const NAMESPACE: &str = "longshore.scheduler.filter";

/// A copy of the filters' library in which the description of `ram` is empty.
fn without_description(place: &Place) -> PathBuf {
    let path = library("longshore_filters");
    let plugin = inspect(&path).unwrap();
    let ram = plugin.choose(NAMESPACE, "ram", None).unwrap();
    let said = format!("\"description\":\"{}\"", ram.description);
    let silent = format!("\"description\":\"\"{:1$}", "", ram.description.len());
    let mut bytes = std::fs::read(path).unwrap();
    let places: Vec<usize> = bytes
        .windows(said.len())
        .enumerate()
        .filter(|(_, w)| *w == said.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "no {said} in the note");
    for at in places {
        bytes[at..at + said.len()].copy_from_slice(silent.as_bytes());
    }
    let copy = place.path().join("silent.so");
    std::fs::write(&copy, bytes).unwrap();
    copy
}

fn description(name: &str) -> String {
    let plugin = inspect(&library("longshore_filters")).unwrap();
    let entry = plugin.choose(NAMESPACE, name, None).unwrap();
    entry.description.clone()
}

const TWO: &str = "[\"longshore.scheduler.filter\"]\nram = \"FILTERS\"\ncore = \"FILTERS\"\n";

#[test]
fn list_simple() {
    let ran = with_map(TWO).run("-q plugin list --simple");
    let (core, ram) = (description("core"), description("ram"));
    assert_eq!(ran.out, format!("* core -- {core}\n* ram -- {ram}\n"));
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
}

#[test]
fn list_simple_without_description() {
    let place = with_map(TWO);
    let silent = without_description(&place).display().to_string();
    place.write(
        "plugins.toml",
        &format!("[\"{NAMESPACE}\"]\nram = \"{silent}\"\n"),
    );
    let ran = place.run("-q plugin list --simple");
    assert_eq!((ran.exit, ran.out.as_str()), (0, "* ram\n"));
}

#[test]
fn list_detailed() {
    let ran = with_map(TWO).run("-q plugin list --detailed");
    let (core, ram) = (description("core"), description("ram"));
    assert_eq!(
        ran.out,
        format!("core\n----\n\n{core}\n\nram\n---\n\n{ram}\n")
    );
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
}

#[test]
fn list_detailed_with_overline() {
    let ran = with_map(TWO).run("-q plugin list --detailed --overline + --underline =");
    let (core, ram) = (description("core"), description("ram"));
    let expected = format!("++++\ncore\n====\n\n{core}\n\n+++\nram\n===\n\n{ram}\n");
    assert_eq!(ran.out, expected);
    assert_eq!(with_map(TWO).run("plugin list --overline +").exit, 2);
}

#[test]
fn list_detailed_without_description() {
    let place = with_map(TWO);
    let silent = without_description(&place).display().to_string();
    place.write(
        "plugins.toml",
        &format!("[\"{NAMESPACE}\"]\nram = \"{silent}\"\n"),
    );
    let ran = place.run("-q plugin list --detailed");
    let expected = format!("ram\n---\n\nNo documentation found for ram in {silent}:ram\n");
    assert_eq!((ran.exit, ran.out), (0, expected));
}

#[test]
fn an_entry_that_cannot_be_used_is_remarked_upon_in_documents() {
    let place = with_map("[\"a.b\"]\nx = \"./gone.so\"\nmasked = false\n");
    let ran = place.run("plugin list --simple");
    assert_eq!(ran.out, "* x\n");
    assert!(
        ran.err
            .contains("note: `x` is missing: library `./gone.so` not found")
    );
}

const MANY: &str = "\
[\"longshore.scheduler.filter\"]
ram = \"FILTERS\"
gone = \"./an/absent/library/with/a/long/name/libgone.so\"
[\"longshore.virt.driver\"]
fake = \"FAKE\"
old = { alias = \"fake\", deprecated = \"use `fake`\" }
bad = { lib = \"FAKE\", export = \"fake\", settings = { vpcus = 4 } }
future = { lib = \"FAKE\", export = \"fake\", version = \"^9\" }
misplaced = { lib = \"FILTERS\", export = \"ram\" }
spare = false
";

pub(crate) fn state(list: &Json, name: &str) -> (String, Option<String>) {
    let item = list.as_array().unwrap().iter().find(|i| i["name"] == name);
    let item = item.unwrap();
    let text = |v: &Json| v.as_str().map(str::to_owned);
    (text(&item["state"]).unwrap(), text(&item["error"]["code"]))
}

#[test]
fn each_state_has_its_reason() {
    let list = with_map(MANY).run("plugin list --json").json();
    let expected = [
        ("ram", "available", None),
        ("gone", "missing", Some("plugin/not-found")),
        ("old", "available", None),
        ("bad", "refused", Some("driver/unknown-setting")),
        ("future", "refused", Some("plugin/wrong-version")),
        ("misplaced", "refused", Some("plugin/no-such-driver")),
        ("spare", "disabled", None),
    ];
    for (name, word, code) in expected {
        assert_eq!(
            state(&list, name),
            (word.to_owned(), code.map(str::to_owned)),
            "{name}"
        );
    }
}

#[test]
fn a_terminal_gets_groups_that_fit_and_a_count() {
    let mut place = with_map(MANY);
    place.terminal = true;
    for columns in [80, 120] {
        place.columns = Some(columns);
        let ran = place.run("plugin list --color never");
        let widest = ran.out.lines().map(|l| l.chars().count()).max().unwrap();
        assert!(
            widest <= usize::from(columns),
            "{widest} > {columns}:\n{}",
            ran.out
        );
        let groups: Vec<&str> = ran
            .out
            .lines()
            .filter(|l| l.starts_with("longshore."))
            .collect();
        assert_eq!(groups, [NAMESPACE, "longshore.virt.driver"]);
        let said = ran.err.replace('\n', " ");
        let counts =
            "8 entry points in 2 namespaces: 3 available, 1 disabled, 1 missing, 3 refused";
        assert!(said.contains(counts), "{said}");
    }
    place.columns = Some(80);
    let ran = place.run("plugin list");
    assert!(ran.out.contains("\u{1b}[1;31mrefused"), "{}", ran.out);
    let why = place.run("plugin list --why --color never").out;
    let expected = "
  future     refused    0.1.0  ";
    assert!(why.contains(expected), "{why}");
    let expected = "
asks for `^9`
      do: install a version that fits, or correct `version` in the map
";
    assert!(why.contains(expected.trim_start()), "{why}");
    assert!(
        why.contains("plugin/wrong-version: it is version 0.1.0,"),
        "{why}"
    );
}

#[test]
fn a_pipe_gets_whole_values_a_line_each() {
    let ran = with_map(MANY).run("plugin list");
    assert_eq!(ran.out.lines().count(), 9);
    assert!(
        ran.out
            .contains("./an/absent/library/with/a/long/name/libgone.so")
    );
    assert_eq!(ran.err, "note: not running: read from the files\n");
    assert!(!ran.out.contains('\u{1b}'));
}

#[test]
fn an_unknown_namespace_is_an_error_with_the_nearest() {
    let ran = with_map(MANY).run("-q plugin list --namespace longshore.virt.drivers");
    let expected = "\
error[plugin/no-such-driver]: no entry points in namespace `longshore.virt.drivers`
  why:  the map has no such namespace
  do:   did you mean `longshore.virt.driver`?
";
    assert_eq!(
        (ran.exit, ran.out.as_str(), ran.err.as_str()),
        (4, "", expected)
    );
}

#[test]
fn show_says_what_is_in_force_and_what_leads_here() {
    let map = MANY.replace(
        "fake = \"FAKE\"",
        "fake = { lib = \"FAKE\", settings = { vcpus = 4 } }",
    );
    let place = with_map(&map);
    let ran = place.run("plugin show longshore.virt.driver fake --json");
    let shown = ran.json();
    let force = shown["settings_in_force"].as_array().unwrap();
    let of = |key: &str| force.iter().find(|s| s["key"] == key).unwrap();
    assert_eq!(of("vcpus")["value"], 4);
    let from = of("vcpus")["from"].as_str().unwrap();
    let column = 1 + format!(
        "fake = {{ lib = \"{}\", settings = {{ ",
        library("longshore_virt_fake").display()
    )
    .len();
    assert!(
        from.ends_with(&format!("plugins.toml:5:{column}")),
        "{from}"
    );
    assert!(force.iter().any(|s| s["from"] == "default"), "{force:?}");
    assert_eq!(shown["aliases"][0]["name"], "old");
    let ran = place.run("plugin show longshore.virt.driver fake");
    assert!(
        ran.out
            .contains("aliases      old (deprecated: use `fake`)\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("\n  vcpus = 4  (/"), "{}", ran.out);
    let ran = place.run("plugin show longshore.virt.driver bad");
    for line in [
        "state        refused",
        "error        driver/unknown-setting",
        "do           did you mean `vcpus`?",
    ] {
        assert!(ran.out.contains(line), "{}", ran.out);
    }
}

#[test]
fn a_sample_can_be_put_into_the_map_as_it_is() {
    let place = with_map(MANY);
    let sample = place
        .run("-q plugin show longshore.virt.driver fake --sample")
        .out;
    assert!(sample.contains("\n# \"vcpus\" = "), "{sample}");
    place.write("plugins.toml", &sample);
    let list = place.run("plugin list --json").json();
    assert_eq!(state(&list, "fake").0, "available");
}

#[test]
fn inspect_fits_a_terminal() {
    let mut place = Place::new();
    place.columns = Some(80);
    for name in ["longshore_filters", "longshore_virt_process"] {
        let file = library(name).display().to_string();
        let ran = place.run(&format!("plugin inspect {file} --color never"));
        let fits = |l: &&str| l.chars().count() <= 80 || l.starts_with("file ");
        assert!(ran.out.lines().all(|l| fits(&l)), "{}", ran.out);
        let key = "\n      image_dirs (list, default [\"/bin\",\"/usr/bin\"]): Where images";
        assert_eq!(
            ran.out.contains(key),
            name == "longshore_virt_process",
            "{}",
            ran.out
        );
    }
}

#[test]
fn several_entries_of_one_name_are_said() {
    let place = with_map("[\"a.b\"]\n");
    let table = format!("[\"{NAMESPACE}\"]\n");
    let file = library("longshore_filters").display().to_string();
    place.write(
        "plugins.toml",
        &format!("{table}ram = [\"{file}\", \"{file}:core\"]\n"),
    );
    let ran = place.run("plugin list --why --json").json();
    let why = "several entries have this name: it cannot be used alone";
    assert_eq!(
        (state(&ran, "ram").0.as_str(), &ran[1]["why"]),
        ("available", &why.into())
    );
    let shown = place
        .run(&format!("plugin show {NAMESPACE} ram --json"))
        .json();
    assert_eq!(shown["others"].as_array().unwrap().len(), 1, "{shown}");
    let all = format!("[longshore.policy.\"{NAMESPACE}\"]\nconflicts = \"all\"\n");
    place.write(
        "plugins.toml",
        &format!("{all}{table}ram = [\"{file}\", \"{file}:core\"]\n"),
    );
    assert_eq!(place.run("plugin list --json").json()[0]["why"], Json::Null);
}

#[test]
fn a_narrow_terminal_cuts_the_middle() {
    let mut place = with_map(MANY);
    place.columns = Some(50);
    let out = place.run("plugin list --color never").out;
    assert!(out.lines().all(|l| l.chars().count() <= 50), "{out}");
    assert!(out.contains("  ./an/abse…ibgone.so\n"), "{out}");
}

/// What the operator's guide shows below this mark, without the command.
fn documented(sample: &str) -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operator.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let mark = format!("<!-- sample: {sample} -->\n```console\n$ ");
    let block = guide
        .split(&mark)
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    block.split_once('\n').unwrap().1.to_owned()
}

/// Where lines are wrapped depends on the length of paths; what the machine gives is left out.
fn comparable(text: &str) -> String {
    let steady = |line: &&str| {
        !["listen: ", "open_files: "]
            .iter()
            .any(|w| line.contains(w))
    };
    let lines: Vec<&str> = text.lines().filter(steady).collect();
    let joined = lines.join(" ");
    let words: Vec<&str> = joined.split_whitespace().collect();
    words.join(" ")
}

/// The shipped map with two more entries, and the libraries beside it.
fn shipped_with_two_more() -> Place {
    let place = Place::talking_to(NOBODY);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins.toml");
    let map = std::fs::read_to_string(shipped).unwrap();
    let more =
        "old = { alias = \"fake\", deprecated = \"use `fake`\" }\nkvm = \"libacme_kvm.so\"\n";
    place.write("plugins.toml", &format!("{}\n{more}", map.trim_end()));
    let scheduler = "[scheduler]\nenabled_filters = [\"ram\"]\nweighers = { ram = 1.0 }\n";
    let config = format!("[api]\nlisten = \"127.0.0.1:0\"\n[compute]\nvirt = \"kvm\"\n{scheduler}");
    place.write("longshore.toml", &config);
    std::fs::create_dir(place.path().join("plugins")).unwrap();
    for name in [
        "filters",
        "weighers",
        "virt_fake",
        "virt_process",
        "scheduler_filter",
        "host_manager",
    ] {
        let name = format!("longshore_{name}");
        let link = place.path().join(format!("plugins/lib{name}.so"));
        std::os::unix::fs::symlink(library(&name), link).unwrap();
    }
    place
}

#[test]
fn the_samples_in_the_guide_are_what_is_printed() {
    let mut place = shipped_with_two_more();
    place.columns = Some(100);
    place.terminal = true;
    let real = place.path().display().to_string();
    let printed = |line: &str| {
        let ran = place.run(line);
        let err = ran
            .err
            .replace("note: not running: read from the files\n", "");
        let err = err.replace("DIR", "/etc/longshore");
        comparable(&format!(
            "{}{err}",
            ran.out.replace(&real, "/etc/longshore")
        ))
    };
    let list = printed("plugin list --color never --why --namespace longshore.virt.driver");
    assert_eq!(list, comparable(&documented("list")));
    assert_eq!(
        printed("doctor --color never"),
        comparable(&documented("doctor"))
    );
}
