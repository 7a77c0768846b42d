//! What is wrong with a file, and how it is said: whole messages.

use longshore_loader::diagnostic::{Place, Severity, Style, render};

use super::super::keys::{KEYS, Kind};
use super::super::{CONFIG_FILE, load, raw, resolved, show};
use super::{codes_of, directory, load_text, says};
use crate::codes;

#[test]
fn unknown_keys_and_tables_get_the_nearest_one() {
    says(
        "[compute]\nvrit = \"fake\"\n",
        "
error[config/unknown-key]: unknown key `vrit` in `[compute]`
  --> longshore.toml:2:1
   |
 2 | vrit = \"fake\"
   | ^^^^ not a key of `[compute]`
   |
   = do: did you mean `virt`?
",
    );
    says(
        "[computes]\n",
        "
error[config/unknown-key]: unknown table `[computes]`
  --> longshore.toml:1:2
   |
 1 | [computes]
   |  ^^^^^^^^ not a table of this file
   |
   = do: did you mean `[compute]`?
",
    );
    says(
        "[\u{441}ompute]\n",
        "
error[config/syntax]: U+0441 looks like `c` and is not
  --> longshore.toml:1:2
   |
 1 | [\u{441}ompute]
   |  ^
   |
   = do: write `c`
",
    );
    says(
        "[\"\u{441}ompute\"]\n",
        "
error[config/unknown-key]: unknown table `[\u{441}ompute]`
  --> longshore.toml:1:2
   |
 1 | [\"\u{441}ompute\"]
   |  ^^^^^^^^^
   |
   = note: it contains U+0441, which looks like `c`
   = do: did you mean `[compute]`?
"
        .replace("^^^^^^^^^\n", "^^^^^^^^^ not a table of this file\n")
        .as_str(),
    );
}

#[test]
fn keys_in_the_wrong_place_are_told_where_they_belong() {
    says(
        "enabled_filters = []\n[compute]\nenabled_filters = []\n",
        "
error[config/unknown-key]: `enabled_filters` stands outside of all tables
  --> longshore.toml:1:1
   |
 1 | enabled_filters = []
   | ^^^^^^^^^^^^^^^ not in a table
   |
   = do: move it below `[scheduler]`

error[config/unknown-key]: `enabled_filters` belongs to `[scheduler]`, not to `[compute]`
  --> longshore.toml:3:1
   |
 3 | enabled_filters = []
   | ^^^^^^^^^^^^^^^ not a key of `[compute]`
   |
   = do: move it below `[scheduler]`
",
    );
}

#[test]
fn old_names_are_used_with_a_warning() {
    let loaded = load_text("[compute]\ncompute_driver = \"process\"\n");
    says(
        "[compute]\ncompute_driver = \"process\"\n",
        "
warning[config/renamed]: `compute_driver` of `[compute]` is now `virt`
  --> longshore.toml:2:1
   |
 2 | compute_driver = \"process\"
   | ^^^^^^^^^^^^^^ the old name
   |
   = why: its value is used; the next major release refuses the old name
   = do: write `virt`
",
    );
    assert_eq!(loaded.into_config().unwrap().0.compute.virt, "process");
}

#[test]
fn wrong_types_show_what_was_meant() {
    says(
        "[compute]\nreserved_host_memory_mb = \"64G\"\n[scheduler]\nenabled_filters = \"ram\"\n",
        "
error[config/wrong-type]: `compute.reserved_host_memory_mb` must be a whole number of MiB, not text
  --> longshore.toml:2:27
   |
 2 | reserved_host_memory_mb = \"64G\"
   |                           ^^^^^ expected a whole number of MiB, found text
   |
   = do: write `65536`

error[config/wrong-type]: `scheduler.enabled_filters` must be a list, not text
  --> longshore.toml:4:19
   |
 4 | enabled_filters = \"ram\"
   |                   ^^^^^ expected a list, found text
   |
   = do: write `[\"ram\"]`
",
    );
    says(
        "[compute]\ndriver_deadline_s = \"5 minuts\"\n",
        "
error[config/bad-value]: unknown unit `minuts`: `compute.driver_deadline_s` counts seconds
  --> longshore.toml:2:24
   |
 2 | driver_deadline_s = \"5 minuts\"
   |                        ^^^^^^ unknown unit
   |
   = do: write `300`, a number of seconds
",
    );
}

/// Each key set to a value of each wrong type: the span covers exactly the value.
#[test]
fn a_wrong_type_is_marked_at_the_value() {
    let values = [
        "\"text\"",
        "7",
        "7.5",
        "true",
        "[1, 2]",
        "{ a = \"b\" }",
        "1979-05-27",
    ];
    for key in KEYS {
        for value in values {
            let right = match key.kind {
                Kind::Text | Kind::Path => value == "\"text\"",
                Kind::Word(_) => value == "\"text\"",
                Kind::Integer(..) => value == "7",
                Kind::Float(..) => value == "7" || value == "7.5",
                Kind::Boolean => value == "true",
                Kind::Names | Kind::Weights => value.starts_with(['[', '{']),
            };
            if right {
                continue;
            }
            let text = format!("[{}]\n{} = {value}\n", key.section, key.name);
            let loaded = load_text(&text);
            let d = &loaded.diagnostics[0];
            assert_eq!(d.code, codes::WRONG_TYPE, "{text}");
            let Place::Text { source, span } = &d.place else {
                panic!("no place for {text}");
            };
            assert_eq!(source.slice(span), value, "{text}");
        }
    }
}

#[test]
fn numbers_have_limits() {
    for value in ["0", "-1", "9223372036854775807", "9223372036854775808"] {
        let loaded = load_text(&format!("[scheduler]\nmax_attempts = {value}\n"));
        assert_eq!(codes_of(&loaded), [codes::OUT_OF_RANGE], "{value}");
    }
    for value in ["nan", "inf", "1e400", "-1.0", "0"] {
        let loaded = load_text(&format!("[compute]\ncpu_allocation_ratio = {value}\n"));
        assert_eq!(codes_of(&loaded), [codes::OUT_OF_RANGE], "{value}");
    }
    says(
        "[scheduler.weighers]\nram = nan\n",
        "
error[config/out-of-range]: the multiplier of weigher `ram` must be finite, not `nan`
  --> longshore.toml:2:7
   |
 2 | ram = nan
   |       ^^^ not finite
   |
   = do: write a finite number, for example `1.0`
",
    );
}

#[test]
fn words_are_offered() {
    says(
        "[plugins]\npolicy = \"permisive\"\n",
        "
error[config/bad-value]: `plugins.policy` cannot be `permisive`
  --> longshore.toml:2:10
   |
 2 | policy = \"permisive\"
   |          ^^^^^^^^^^^ not one of `permissive`, `strict`
   |
   = do: did you mean `permissive`?
",
    );
}

#[test]
fn what_is_not_toml_is_explained() {
    let rows = [
        (
            "[compute]\nvirt = fake\n",
            codes::SYNTAX,
            "text needs quotes",
        ),
        (
            "[compute\nvirt = \"fake\"\n",
            codes::SYNTAX,
            "this `[` is never closed",
        ),
        (
            "compute:\n  virt: fake\n",
            codes::SYNTAX,
            "expected `=`, found `:`",
        ),
        (
            "[compute]\nvirt = \u{201c}fake\u{201d}\n",
            codes::SYNTAX,
            "U+201C is not a quote",
        ),
        (
            "<<<<<<< ours\n[compute]\n=======\n",
            codes::SYNTAX,
            "a merge conflict mark",
        ),
        (
            "[log]\nformat = \"text\"\nformat = \"json\"\n",
            codes::DUPLICATE,
            "is set twice",
        ),
        (
            "[log]\n[api]\n[log]\n",
            codes::DUPLICATE,
            "`[log]` is defined twice",
        ),
    ];
    for (text, code, what) in rows {
        let loaded = load_text(text);
        let first = &loaded.diagnostics[0];
        assert_eq!(first.code, code, "{text}");
        assert!(first.what.contains(what), "{text}: {}", first.what);
        assert!(loaded.has_errors());
    }
}

#[test]
fn bytes_and_sizes_are_bounded() {
    let nested = format!(
        "[scheduler]\nenabled_filters = {}1{}\n",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert_eq!(codes_of(&load_text(&nested))[0], codes::TOO_LARGE);
    let many: String = (0..11_000).map(|n| format!("w{n} = 1\n")).collect();
    let loaded = load_text(&format!("[scheduler.weighers]\n{many}"));
    assert_eq!(codes_of(&loaded), [codes::TOO_LARGE]);
    let (dir, around) = directory("");
    let file = dir.path().join(CONFIG_FILE);
    for (bytes, code) in [
        (&b"\xff\xfe[\0"[..], codes::ENCODING),
        (&b"[log]\n\xff"[..], codes::ENCODING),
        (&b"[log]\0"[..], codes::ENCODING),
        (&[b'#'; (1 << 20) + 1][..], codes::UNREADABLE),
    ] {
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(codes_of(&load(&around)), [code]);
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert_eq!(codes_of(&load(&around)), [codes::UNREADABLE]);
}

#[test]
fn a_file_that_is_named_must_exist() {
    let (dir, mut around) = directory("");
    around.config = Some("lonshore.toml".into());
    let shown = render(&load(&around).diagnostics, Style::default());
    let expected = "\
error[config/not-found]: no file `lonshore.toml` in `DIR`
  --> command line --config
  = do: did you mean `longshore.toml`?
";
    assert_eq!(
        shown.replace(&dir.path().display().to_string(), "DIR"),
        expected
    );

    let loaded = load_text("[host]\nplugins = \"nowhere.toml\"\n");
    assert_eq!(codes_of(&loaded), [codes::NOT_FOUND]);
    assert_eq!(loaded.diagnostics[0].place.position().unwrap().line, 2);
}

#[test]
fn names_twice_and_odd_choices() {
    says(
        "[scheduler]\nenabled_filters = [\"ram\", \"ram\"]\n",
        "
error[config/duplicate]: `ram` is listed twice in `scheduler.enabled_filters`
  --> longshore.toml:2:27
   |
 2 | enabled_filters = [\"ram\", \"ram\"]
   |                           ^^^^^ first at item 1
   |
   = do: keep one
",
    );
    let odd = [
        "[scheduler]\nenabled_filters = []\n",
        "[scheduler]\nweighers = { ram = 0, disk = 0.0 }\n",
        "[scheduler]\nweighers = { ram = -1 }\n",
        "[compute]\nreport_interval_s = 60\n",
    ];
    for text in odd {
        let loaded = load_text(text);
        assert_eq!(codes_of(&loaded), [codes::ODD], "{text}");
        assert_eq!(loaded.diagnostics[0].severity, Severity::Warning);
        assert!(loaded.into_config().is_ok(), "{text}");
    }
    let (config, ..) = load_text(odd[3]).into_config().unwrap();
    assert_eq!(config.compute.service_down_time_s, 150);
}

#[test]
fn passwords_are_never_shown() {
    let urls = [
        "rabbit://user:hunter2@host:port/",
        "rabbit:user:hunter2@host",
        "rabit://user:hunter2@host",
        "amqp://user:hunt%zzhunter2@host",
        "memory://user:hunter2@host",
    ];
    for url in urls {
        let loaded = load_text(&format!("[transport]\nurl = \"{url}\"\n"));
        assert_eq!(codes_of(&loaded), [codes::BAD_VALUE], "{url}");
        let shown = render(&loaded.diagnostics, Style::default());
        assert!(!shown.contains("hunter2"), "{shown}");
        let json = loaded.diagnostics[0].to_json().to_string();
        assert!(!json.contains("hunter2"), "{json}");
    }
    let (_, raw, _) = load_text("[transport]\nurl = \"rabbit://u:hunter2@h/\"\n")
        .into_config()
        .unwrap();
    assert!(!show::to_toml(&raw, true).contains("hunter2"));
    assert!(!show::to_json(&raw, true).to_string().contains("hunter2"));
}

/// Removing any byte of a file gives a meaning or an error, never a panic.
#[test]
fn any_byte_may_be_lost() {
    let text = "[scheduler]\ndriver = \"x\"\nenabled_filters = [\"a\", \"b\"]\n\
                weighers = { ram = 1.0 }\n[transport]\nurl = \"rabbit://u:p@h:1/v\"\n";
    let (_, around) = directory("");
    for at in 0..text.len() {
        let mut bytes = text.as_bytes().to_owned();
        bytes.remove(at);
        let mut raw = raw::RawConfig::defaults(&around.working_dir);
        let mut found = raw.add_file(&bytes, CONFIG_FILE, &around.working_dir);
        resolved::resolve(&raw, &mut found);
        let _ = render(&found, Style::default());
    }
}
