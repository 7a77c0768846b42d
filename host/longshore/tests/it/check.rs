//! `config check`: everything it prints about the mistakes that are made most.

use crate::plugins::library;
use crate::program::Place;

/// A place with a configuration that names `fake` alone, and a map with these lines for it.
fn place(config: &str, virt: &str) -> Place {
    let place = Place::new();
    let only = "[scheduler]\nenabled_filters = [\"ram\"]\nweighers = { cpu = 1.0 }\n";
    place.write("longshore.toml", &format!("{config}\n{only}"));
    // Short names make short messages, so that they can be compared whole.
    for (from, to) in [
        ("longshore_scheduler_filter", "scheduler.so"),
        ("longshore_host_manager", "manager.so"),
        ("longshore_filters", "filters.so"),
        ("longshore_weighers", "weighers.so"),
        ("longshore_virt_fake", "fake.so"),
    ] {
        std::os::unix::fs::symlink(library(from), place.path().join(to)).unwrap();
    }
    let map = format!(
        "{virt}[\"longshore.scheduler.driver\"]\nfilter_scheduler = \"./scheduler.so\"\n\
         [\"longshore.scheduler.host_manager\"]\nhost_manager = \"./manager.so\"\n\
         [\"longshore.scheduler.filter\"]\nram = \"./filters.so\"\n\
         [\"longshore.scheduler.weigher\"]\ncpu = \"./weighers.so\"\n"
    );
    place.write("plugins.toml", &map);
    place
}

const VIRT: &str = "[\"longshore.virt.driver\"]\nfake = \"./fake.so\"\n";
const FAKE: &str = "[compute]\nvirt = \"fake\"";
/// What is said of every map here that is good.
const NAMESPACES: &str = "namespaces: `longshore.virt.driver`, `longshore.scheduler.driver`, \
    `longshore.scheduler.host_manager`, `longshore.scheduler.filter`, `longshore.scheduler.weigher`";

/// Exit code, output, and error stream of `config check`.
fn check(place: &Place) -> (u8, String, String) {
    let ran = place.run("config check");
    let dir = place.path().display().to_string();
    let out = ran.out.replace(&dir, "DIR");
    (ran.exit, out.replace(NAMESPACES, "NAMESPACES"), ran.err)
}

#[test]
fn two_good_files() {
    let said = check(&place(FAKE, VIRT));
    let expected = "ok: DIR/longshore.toml, DIR/plugins.toml\nNAMESPACES\n";
    assert_eq!(said, (0, expected.to_owned(), String::new()));
}

#[test]
fn a_driver_that_is_misspelled() {
    let said = check(&place("[compute]\nvirt = \"fkae\"", VIRT));
    let expected = "\
error[plugin/no-such-driver]: no entry point `fkae` in `longshore.virt.driver`
  --> longshore.toml:2:8
   |
 2 | virt = \"fkae\"
   |        ^^^^^^ not in the map
   |
   = do: did you mean `fake`?

1 error
";
    assert_eq!(said, (3, String::new(), expected.to_owned()));
}

#[test]
fn a_setting_that_is_misspelled() {
    let entry = "{ lib = \"./fake.so\", settings = { vpcus = 4 } }";
    let virt = VIRT.replace("\"./fake.so\"", entry);
    let said = check(&place(FAKE, &virt));
    let expected = "\
error[driver/unknown-setting]: driver `fake` has no setting `vpcus`
  --> DIR/plugins.toml:2:42
   |
 2 | fake = { lib = \"./fake.so\", settings = { vpcus = 4 } }
   |                                          ^^^^^ unknown setting
   |
   = do: did you mean `vcpus`?

1 error
";
    assert_eq!(said, (3, String::new(), expected.to_owned()));
}

#[test]
fn a_setting_of_a_driver_that_is_not_used() {
    let entry = "{ lib = \"./fake.so\", export = \"fake\", settings = { vpcus = 4 } }";
    let virt = format!("{VIRT}spare = {entry}\n");
    let said = check(&place(FAKE, &virt));
    let expected = "\
warning[driver/unknown-setting]: driver `spare` has no setting `vpcus`
  --> DIR/plugins.toml:3:60
   |
 3 | spare = { lib = \"./fake.so\", export = \"fake\", settings = { vpcus = 4 } }
   |                                                            ^^^^^ unknown setting
   |
   = do: did you mean `vcpus`?
";
    let ok = "ok: DIR/longshore.toml, DIR/plugins.toml, 1 warning\nNAMESPACES\n";
    assert_eq!(said, (0, ok.to_owned(), expected.to_owned()));
}

#[test]
fn a_namespace_without_quotes() {
    let virt = VIRT
        .replace(['"'], "")
        .replace("./fake.so", "\"./fake.so\"");
    let said = check(&place(FAKE, &virt));
    let expected = "\
error[map/unquoted-namespace]: `longshore.virt.driver` is read as nested tables
  --> DIR/plugins.toml:1:1
   |
 1 | [longshore.virt.driver]
   | ^^^^^^^^^^^^^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `[\"longshore.virt.driver\"]`

1 error
";
    assert_eq!(said, (3, String::new(), expected.to_owned()));
}

#[test]
fn a_library_of_a_used_driver_that_is_missing() {
    let virt = VIRT.replace("./fake.so", "./fkae.so");
    let said = check(&place(FAKE, &virt));
    let expected = "\
warning[plugin/not-found]: `fake` of `longshore.virt.driver` cannot be loaded
  --> longshore.toml:2:8
   |
 2 | virt = \"fake\"
   |        ^^^^^^
   |
   = why: library `./fkae.so` not found; looked in `DIR` (DIR/plugins.toml:2:1)
   = do: did you mean `fake.so`?
";
    let ok = "ok: DIR/longshore.toml, DIR/plugins.toml, 1 warning\nNAMESPACES\n";
    assert_eq!(said, (0, ok.to_owned(), expected.to_owned()));
}

#[test]
fn a_library_of_an_unused_driver_that_is_missing() {
    let said = check(&place(FAKE, &format!("{VIRT}spare = \"./spare.so\"\n")));
    let expected = "ok: DIR/longshore.toml, DIR/plugins.toml\nNAMESPACES\n";
    assert_eq!(said, (0, expected.to_owned(), String::new()));
}

/// It was said twice: as a conflict that does not matter yet, and as one that does.
#[test]
fn a_name_in_use_that_two_entries_give() {
    let place = place(FAKE, VIRT);
    std::fs::create_dir(place.path().join("plugins.d")).unwrap();
    place.write(
        "plugins.d/50.toml",
        "[\"longshore.virt.driver\"]\nfake = \"/opt/other.so\"\n",
    );
    let expected = "\
error[plugin/conflict]: `fake` of `longshore.virt.driver` is given by several entries
  --> longshore.toml:2:8
   |
 2 | virt = \"fake\"
   |        ^^^^^^
   |
   = why: it stands at DIR/plugins.toml:2:1 and DIR/plugins.d/50.toml:2:1
   = do: remove one of them, or set `conflicts` for the namespace

1 error
";
    assert_eq!(check(&place), (3, String::new(), expected.to_owned()));
}

#[test]
fn a_pin_that_does_not_hold() {
    let entry = "{ lib = \"./fake.so\", version = \"^2\" }";
    let said = check(&place(FAKE, &VIRT.replace("\"./fake.so\"", entry)));
    assert_eq!(said.0, 0);
    let head = "warning[plugin/wrong-version]: `fake` of `longshore.virt.driver` cannot be loaded";
    assert!(said.2.starts_with(head), "{}", said.2);
}
