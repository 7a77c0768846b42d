//! What the layers of the configuration add up to.

use longshore_loader::diagnostic::{Place, Style, render};
use longshore_loader::map::{Environment, PluginMap};

use super::super::address::{Broker, Database, Listen, Transport};
use super::super::raw::{Override, Setting};
use super::super::resolved::{Auth, OnFault, PluginPolicy, Signatures};
use super::super::{
    CONFIG_FILE, MAP_FILE, check_names, check_services, has_errors, keys, load, show, wanted,
};
use super::{bare, codes_of, directory, load_text, with_variable};
use crate::codes;

#[test]
fn nothing_means_the_defaults() {
    let dir = tempfile::tempdir().unwrap();
    for text in [None, Some(""), Some("# only a comment\n"), Some("\u{feff}")] {
        if let Some(text) = text {
            std::fs::write(dir.path().join(CONFIG_FILE), text).unwrap();
        }
        let loaded = load(&bare(dir.path()));
        assert_eq!(loaded.diagnostics, []);
        let (config, ..) = loaded.into_config().unwrap();
        assert_eq!(config.host.name, "quay");
        assert_eq!(config.host.state_dir, dir.path().join("state"));
        assert_eq!(config.host.plugins, None);
        let database = Database::Sqlite(dir.path().join("state/longshore.db"));
        assert_eq!(config.database.url, database);
        assert_eq!(config.transport.url, Transport::Memory);
        assert_eq!(config.api.listen.to_string(), "127.0.0.1:8774");
        assert_eq!(config.api.auth, Auth::None);
        assert_eq!(config.scheduler.enabled_filters.len(), 10);
        assert_eq!(config.scheduler.on_filter_fault, OnFault::Fail);
        assert_eq!(config.compute.service_down_time_s, 60);
        assert_eq!(config.plugins.policy, PluginPolicy::Permissive);
    }
}

#[test]
fn the_sample_of_the_contract_is_accepted() {
    let text = r#"
        [host]
        state_dir = "state"
        [log]
        filter = "info"
        format = "text"
        [database]
        url = "sqlite://state/longshore.db"
        [transport]
        url = "rabbit://user:pa%2Fss@host:5673/vhost"
        [api]
        listen = "unix:/run/longshore/api.sock"
        auth = "none"
        [scheduler]
        driver = "filter_scheduler"
        enabled_filters = ["retry", "ram"]
        weighers = { ram = 1.0, cpu = 1, io_ops = -1.0 }
        host_subset_size = 1
        [compute]
        virt = "fake"
        cpu_allocation_ratio = 16
        [conductor]
        use_local = false
        [plugins]
        policy = "strict"
    "#;
    let (dir, around) = directory(text);
    let loaded = load(&around);
    assert_eq!(loaded.diagnostics, []);
    let (config, ..) = loaded.into_config().unwrap();
    let broker = Broker {
        user: "user".to_owned(),
        password: "pa/ss".to_owned(),
        host: "host".to_owned(),
        port: 5673,
        vhost: "vhost".to_owned(),
    };
    assert!(!format!("{broker:?}").contains("pa/ss"));
    assert_eq!(config.transport.url, Transport::Rabbit(broker));
    assert_eq!(
        config.api.listen,
        Listen::Unix("/run/longshore/api.sock".into())
    );
    let database = Database::Sqlite(dir.path().join("state/longshore.db"));
    assert_eq!(config.database.url, database);
    let weighers = [
        ("ram".to_owned(), 1.0),
        ("cpu".to_owned(), 1.0),
        ("io_ops".to_owned(), -1.0),
    ];
    assert_eq!(config.scheduler.weighers, weighers);
    assert_eq!(config.compute.cpu_allocation_ratio, 16.0);
    assert_eq!(config.plugins.policy, PluginPolicy::Strict);
}

#[test]
fn the_api_is_open_only_to_this_machine() {
    for listen in [
        "127.0.0.1:0",
        "[::1]:8774",
        "localhost:8774",
        "unix:api.sock",
    ] {
        let loaded = load_text(&format!("[api]\nlisten = \"{listen}\"\n"));
        assert_eq!(loaded.diagnostics, [], "{listen}");
    }
    for listen in [
        "0.0.0.0:8774",
        "127.0.0.1:87744",
        "127.0.0.1",
        "quay:80",
        "unix:",
        "1.1.1.1:x",
    ] {
        let loaded = load_text(&format!("[api]\nlisten = \"{listen}\"\n"));
        assert_eq!(codes_of(&loaded), [codes::BAD_VALUE], "{listen}");
    }
    let open = load_text("[api]\nlisten = \"0.0.0.0:8774\"\nauth = \"token\"\n");
    assert_eq!(open.diagnostics, []);
}

#[test]
fn variables_beat_the_file_and_flags_beat_variables() {
    let (_dir, mut around) = directory("[log]\nfilter = \"file\"\n[compute]\nvirt = \"kvm\"\n");
    around.variables = vec![
        ("LONGSHORE__COMPUTE__VIRT".to_owned(), "process".to_owned()),
        ("LONGSHORE__LOG__FILTER".to_owned(), "variable".to_owned()),
        (
            "LONGSHORE__SCHEDULER__MAX_ATTEMPTS".to_owned(),
            "5".to_owned(),
        ),
        (
            "LONGSHORE__SCHEDULER__ENABLED_FILTERS".to_owned(),
            "[\"ram\"]".to_owned(),
        ),
        (
            "LONGSHORE__SCHEDULER__WEIGHERS__RAM".to_owned(),
            "2".to_owned(),
        ),
        ("LONGSHORE__HOST__NAME".to_owned(), "7".to_owned()),
        ("LONGSHORE_API".to_owned(), "http://elsewhere".to_owned()),
        ("PATH".to_owned(), "/bin".to_owned()),
    ];
    around.flags = vec![Override {
        section: "log",
        name: "filter",
        value: "debug".to_owned(),
        flag: "-v",
    }];
    let loaded = load(&around);
    assert_eq!(loaded.diagnostics, []);
    let (config, raw, _) = loaded.into_config().unwrap();
    assert_eq!(config.compute.virt, "process");
    assert_eq!(config.log.filter, "debug");
    assert_eq!(config.scheduler.max_attempts, 5);
    assert_eq!(config.scheduler.enabled_filters, ["ram"]);
    assert_eq!(config.scheduler.weighers[0], ("ram".to_owned(), 2.0));
    assert_eq!(config.scheduler.weighers.len(), 4);
    assert_eq!(config.host.name, "7");
    let shown = show::to_toml(&raw, true);
    for line in [
        "virt = \"process\"  # environment variable LONGSHORE__COMPUTE__VIRT",
        "filter = \"debug\"  # command line -v",
        "host_subset_size = 1  # built in",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    let file = load_text("[compute]\nvirt = \"kvm\"\n")
        .into_config()
        .unwrap()
        .1;
    assert!(show::to_toml(&file, true).contains("virt = \"kvm\"  # longshore.toml:2:8\n"));
}

/// `unknown key `` in …` was said of a variable that names a table alone.
#[test]
fn a_variable_without_a_key_is_told_what_it_lacks() {
    let loaded = with_variable("LONGSHORE__LOG", "info");
    let expected = "\
error[config/unknown-key]: environment variable `LONGSHORE__LOG`: it names the table `[log]`, and no key of it
  --> environment variable LONGSHORE__LOG
  = do: write `LONGSHORE__LOG__KEY`; the keys are `filter`, `format`
";
    assert_eq!(render(&loaded.diagnostics, Style::default()), expected);
}

/// A misspelled level was taken for a target, and nothing at all was logged.
#[test]
fn a_log_filter_is_a_level_or_levels_by_target() {
    for right in [
        "info",
        "WARN",
        "0",
        "warn,longshore_store=debug",
        "longshore_store",
        "a::b",
    ] {
        let loaded = load_text(&format!("[log]\nfilter = \"{right}\"\n"));
        assert_eq!(loaded.diagnostics, [], "{right}");
        assert_eq!(loaded.config.log.filter, right);
    }
    for wrong in ["infoo", "warn,infoo", "=;;=#", "longshore_store=loud"] {
        let loaded = load_text(&format!("[log]\nfilter = \"{wrong}\"\n"));
        let found: Vec<&str> = loaded.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(found, [codes::BAD_VALUE], "{wrong}");
    }
    let loaded = load_text("[log]\nfilter = \"inof\"\n");
    let text = render(&loaded.diagnostics, Style::default());
    assert!(text.contains("`inof` is no level"), "{text}");
    assert!(text.contains("did you mean `info`?"), "{text}");
}

#[test]
fn variables_are_checked_like_the_file() {
    let loaded = with_variable("LONGSHORE__SCHEDULR__DRIVER", "x");
    let expected = "\
error[config/unknown-key]: environment variable `LONGSHORE__SCHEDULR__DRIVER`: no table `schedulr`
  --> environment variable LONGSHORE__SCHEDULR__DRIVER
  = do: did you mean `scheduler`?
";
    assert_eq!(render(&loaded.diagnostics, Style::default()), expected);
    let rows = [
        ("LONGSHORE__COMPUTE__VRIT", "x", codes::UNKNOWN_KEY),
        ("LONGSHORE__COMPUTE__VIRT__X", "x", codes::UNKNOWN_KEY),
        ("LONGSHORE__COMPUTE", "x", codes::UNKNOWN_KEY),
        ("LONGSHORE__COMPUTE__VIRT", "", codes::BAD_VALUE),
        (
            "LONGSHORE__SCHEDULER__MAX_ATTEMPTS",
            "many",
            codes::BAD_VALUE,
        ),
        (
            "LONGSHORE__SCHEDULER__MAX_ATTEMPTS",
            "0",
            codes::OUT_OF_RANGE,
        ),
        (
            "LONGSHORE__SCHEDULER__ENABLED_FILTERS",
            "ram",
            codes::BAD_VALUE,
        ),
        (
            "LONGSHORE__SCHEDULER__WEIGHERS__RAM",
            "much",
            codes::BAD_VALUE,
        ),
        ("LONGSHORE__PLUGINS__POLICY", "lax", codes::BAD_VALUE),
        ("LONGSHORE__TRANSPORT__URL", "smtp://", codes::BAD_VALUE),
    ];
    for (name, value, code) in rows {
        let loaded = with_variable(name, value);
        assert_eq!(codes_of(&loaded), [code], "{name}={value}");
        let shown = loaded.diagnostics[0].place.to_string();
        assert_eq!(shown, format!("environment variable {name}"));
    }
}

#[test]
fn paths_are_relative_to_who_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let etc = dir.path().join("etc");
    std::fs::create_dir(&etc).unwrap();
    std::fs::write(etc.join(CONFIG_FILE), "[host]\nstate_dir = \"here\"\n").unwrap();
    std::fs::write(etc.join(MAP_FILE), "").unwrap();
    let mut around = bare(dir.path());
    let (config, ..) = load(&around).into_config().unwrap();
    assert_eq!(config.host.state_dir, etc.join("here"));
    assert_eq!(config.host.plugins, Some(etc.join(MAP_FILE)));
    assert_eq!(
        config.database.url,
        Database::Sqlite(etc.join("here/longshore.db"))
    );
    around.variables = vec![("LONGSHORE__HOST__STATE_DIR".to_owned(), "there".to_owned())];
    let (config, ..) = load(&around).into_config().unwrap();
    assert_eq!(config.host.state_dir, dir.path().join("there"));
}

#[test]
fn the_map_is_found_beside_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let share = dir.path().join("share/longshore");
    std::fs::create_dir_all(&share).unwrap();
    std::fs::write(share.join(MAP_FILE), "").unwrap();
    let mut around = bare(&dir.path().join("bin"));
    around.binary_dir = Some(bin.clone());
    let found = load(&around).map_file().unwrap().canonicalize().unwrap();
    assert_eq!(found, share.join(MAP_FILE).canonicalize().unwrap());
    std::fs::write(bin.join(MAP_FILE), "").unwrap();
    assert_eq!(load(&around).map_file(), Some(bin.join(MAP_FILE).as_path()));
}

#[test]
fn show_reads_back_to_the_same_meaning() {
    let (dir, around) = directory(
        "[host]\nname = \"a\\\"b\\\\c\"\n[scheduler]\nenabled_filters = [\"x\", \"y z\"]\n\
         weighers = { \"odd name\" = 1e300, ram = 0.1 }\n[compute]\nram_allocation_ratio = 1e5\n\
         [api]\nlisten = \"unix:s\"\n[plugins]\npolicy = \"strict\"\n",
    );
    std::fs::write(dir.path().join(MAP_FILE), "").unwrap();
    let first = load(&around)
        .into_config()
        .map(|(config, raw, _)| (config, raw));
    let (config, raw) = first.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    for origin in [false, true] {
        let text = show::to_toml(&raw, origin);
        std::fs::write(elsewhere.path().join(CONFIG_FILE), &text).unwrap();
        let (again, ..) = load(&bare(elsewhere.path())).into_config().unwrap();
        assert_eq!(again, config, "{text}");
    }
}

#[test]
fn show_has_every_key() {
    let (_, raw, _) = load_text("").into_config().unwrap();
    let (toml, json) = (show::to_toml(&raw, false), show::to_json(&raw, false));
    for key in keys::KEYS {
        let absent = raw.get(key.section, key.name).setting == Setting::Absent;
        let line = if absent {
            format!("\n# {} is not set", key.name)
        } else {
            format!("\n{} = ", key.name)
        };
        assert!(toml.contains(&line), "{}", key.path());
        assert!(json[key.section].get(key.name).is_some(), "{}", key.path());
        assert!(!key.help.is_empty());
    }
}

#[test]
fn drivers_are_looked_up_in_the_map() {
    let map = "[\"longshore.virt.driver\"]\nfake = \"a.so\"\nprocess = \"b.so\"\nspare = false\n\
               [\"longshore.scheduler.filter\"]\nram = \"f.so\"\n";
    let map = PluginMap::parse(map, MAP_FILE).unwrap();
    let check = |text: &str| {
        let raw = load_text(text).raw;
        let found = check_names(&raw, &map);
        found
            .into_iter()
            .filter(|d| d.place != Place::Program)
            .collect::<Vec<_>>()
    };
    let shown = render(&check("[compute]\nvirt = \"fkae\"\n"), Style::default());
    let expected = "\
error[plugin/no-such-driver]: no entry point `fkae` in `longshore.virt.driver`
  --> longshore.toml:2:8
   |
 2 | virt = \"fkae\"
   |        ^^^^^^ not in the map
   |
   = do: did you mean `fake`?
";
    assert_eq!(shown, expected);
    let other = check("[compute]\nvirt = \"ram\"\n");
    assert_eq!(
        other[0].why.as_deref(),
        Some("`ram` is in `longshore.scheduler.filter`")
    );
    assert_eq!(
        other[0].help.as_deref(),
        Some("there are `fake`, `process`")
    );
    let off = check("[compute]\nvirt = \"spare\"\n");
    assert_eq!(off[0].code, longshore_loader::codes::PLUGIN_DISABLED);
    let list = check(
        "[scheduler]\nenabled_filters = [\"ram\", \"disk\"]\n[scheduler.weighers]\ncpu = 1\n",
    );
    let places: Vec<String> = list.iter().map(|d| d.place.to_string()).collect();
    assert_eq!(places, ["longshore.toml:2:27", "longshore.toml:4:1"]);
    assert_eq!(check("[compute]\nvirt = \"process\"\n"), []);
}

#[test]
fn defaults_that_the_map_lacks_are_only_warned_of() {
    let raw = load_text("").raw;
    let found = check_names(&raw, &PluginMap::default());
    assert_eq!(found.len(), wanted(&raw).len());
    assert!(!has_errors(&found));
}

#[test]
fn a_service_alone_needs_a_broker() {
    let (config, raw, _) = load_text("").into_config().unwrap();
    let found = check_services(&raw, &config, &["compute"]);
    assert_eq!(found[0].code, codes::CONTRADICTION);
    assert_eq!(check_services(&raw, &config, &["compute", "conductor"]), []);
}

#[test]
fn a_map_in_a_variable_is_used() {
    let (dir, mut around) = directory("");
    std::fs::write(dir.path().join("m.toml"), "").unwrap();
    around.map = Environment::from_fn(|n| (n == "LONGSHORE_MAP").then(|| "m.toml".to_owned()));
    let loaded = load(&around);
    assert_eq!(loaded.map_file(), Some(dir.path().join("m.toml").as_path()));
    assert!(loaded.load_map(&around).is_ok());
}

const KEY: &str = "RWSdX4utH2AKtsO/X3w+3RGnmGVAUn37+3qL/ssjdLqBA4A+fsMaBJ9o";

#[test]
fn trust_is_read() {
    let text = format!(
        "[trust]\nowners = [\"root\", \"1001\"]\nkeys = [\"{KEY}\"]\nsignatures = \"required\"\n"
    );
    let (config, ..) = load_text(&text).into_config().unwrap();
    assert_eq!(config.trust.owners, ["root", "1001"]);
    assert_eq!(config.trust.keys[0].id().to_string(), "B60A601FAD8B5F9D");
    assert_eq!(config.trust.signatures, Signatures::Required);
    let (off, ..) = load_text("").into_config().unwrap();
    assert_eq!(off.trust.signatures, Signatures::Off);
    assert!(off.trust.owners.is_empty() && off.trust.keys.is_empty());
}

#[test]
fn keys_that_are_none_and_signatures_without_keys() {
    let found = load_text("[trust]\nkeys = [\"RWxyz\"]\nsignatures = \"required\"\n").diagnostics;
    let codes: Vec<_> = found
        .iter()
        .map(|d| (d.code, d.place.to_string()))
        .collect();
    assert_eq!(
        codes,
        [("config/bad-value", "longshore.toml:2:9".to_owned())]
    );
    let found = load_text("[trust]\nsignatures = \"required\"\n");
    assert_eq!(found.diagnostics[0].code, "config/contradiction");
    let keys: String = (10..75)
        .map(|i| format!("\"{}{i}\",", &KEY[..54]))
        .collect();
    let found = load_text(&format!("[trust]\nkeys = [{keys}]\n"));
    assert!(found.diagnostics[0].label.contains("the limit is 64"));
}
