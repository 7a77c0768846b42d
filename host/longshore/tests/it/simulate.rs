//! `scheduler simulate` before any driver is loaded: what was typed, and what is wrong in the files.

use crate::program::Place;

const FLEET: &str = "[[hosts]]\nhost = \"a\"\nvcpus = 8\nmemory_mb = 16384\nlocal_gb = 100\n";

/// Runs with these two files, and gives the diagnostics.
fn refused(fleet: (&str, &str), requests: (&str, &str)) -> Vec<serde_json::Value> {
    let place = Place::new();
    place.write(fleet.0, fleet.1);
    place.write(requests.0, requests.1);
    let (fleet, requests) = (fleet.0, requests.0);
    let line = format!("--json scheduler simulate --fleet {fleet} --requests {requests}");
    let ran = place.run(&line);
    assert_eq!((ran.exit, ran.out.as_str()), (3, ""), "{}", ran.err);
    let document: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    document["errors"].as_array().unwrap().clone()
}

/// The one mistake of a list of requests: its code, line, column, and all that is said.
fn mistake(name: &str, text: &str) -> (String, u64, u64, String) {
    let errors = refused(("fleet.toml", FLEET), (name, text));
    assert_eq!(errors.len(), 1, "{errors:?}");
    let error = &errors[0];
    let code = error["code"].as_str().unwrap().to_owned();
    let number = |key: &str| error[key].as_u64().unwrap_or(0);
    (code, number("line"), number("column"), error.to_string())
}

#[test]
fn hosts_and_requests_come_from_one_place_each() {
    let place = Place::new();
    for line in [
        "scheduler",
        "scheduler simulate",
        "scheduler simulate --hosts 1",
        "scheduler simulate --hosts 0 --instances 1",
        "scheduler simulate --hosts 1 --fleet f.toml --instances 1",
        "scheduler simulate --hosts 1 --instances 1 --requests r.csv",
        "scheduler simulate --hosts 1 --trace azure-vmtable",
        "scheduler simulate --hosts 1 --trace azure x.csv",
        "scheduler simulate --hosts 1 --instances 1 --weighers ram=much",
        "scheduler simulate --hosts 1 --instances 1 --weighers ram=NaN",
        "scheduler simulate --hosts 1 --instances 1 --filters ram,ram",
        "scheduler simulate --hosts 1 --instances 1 --driver a --driver a",
        "scheduler simulate --hosts 1 --instances 1 --limit 0",
    ] {
        let ran = place.run(line);
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{line}: {}", ran.err);
    }
}

#[test]
fn a_row_says_file_line_column_and_what_is_expected() {
    for (text, line, column, says) in [
        (
            "vcpus,memory_mb\n1,many\n",
            2,
            3,
            "`memory_mb` must be a whole number, not text",
        ),
        (
            "vcpus,memory_mb\n\n1,-5\n",
            3,
            3,
            "must be between 0 and 2147483647, not -5",
        ),
        (
            "vcpus,memory_mb\n99999999999999999999,1\n",
            2,
            1,
            "between 0 and 2147483647",
        ),
        (
            "vcpus,memory_mb\n1,2,3\n",
            2,
            1,
            "the line has 3 cells, and the first line 2",
        ),
        (
            "vcpus,memory_mb\n1,\n",
            2,
            1,
            "`memory_mb` is missing in this request",
        ),
        ("vcpu,memory_mb\n1,1\n", 1, 1, "did you mean `vcpus`?"),
        ("vcpus\n1\n", 1, 1, "`memory_mb` is missing in this request"),
        (
            "vcpus,memory\n1,1\n",
            1,
            7,
            "a request may have `id`, `count`",
        ),
        (
            "vcpus,memory_mb,vcpus\n1,1,1\n",
            1,
            17,
            "stands there twice",
        ),
        (
            "vcpus,memory_mb,count\n1,1,0\n",
            2,
            5,
            "between 1 and 10000, not 0",
        ),
        (
            "vcpus,memory_mb,arrive,leave\n1,1,9,8\n",
            2,
            7,
            "`leave` is before 9",
        ),
        (
            "vcpus,memory_mb,group\n1,1,db\n",
            2,
            5,
            "`group` and `policy` belong together",
        ),
        (
            "vcpus,memory_mb,hints\n1,1,odd\n",
            2,
            5,
            "name=text;name=text",
        ),
        (
            "vcpus,memory_mb\nNaN,1\n",
            2,
            1,
            "`vcpus` must be a whole number",
        ),
    ] {
        let (code, at, column_at, said) = mistake("r.csv", text);
        assert_eq!(code, "schedule/bad-row", "{text}: {said}");
        assert_eq!((at, column_at), (line, column), "{text}: {said}");
        assert!(said.contains(says), "{text}: {said}");
        assert!(said.contains("\"file\":\"r.csv\""), "{said}");
    }
    let toml = "[[requests]]\nvcpus = 1\nmemory_mb = \"much\"\n";
    let (code, line, column, said) = mistake("r.toml", toml);
    assert_eq!(
        (code.as_str(), line, column),
        ("schedule/bad-row", 3, 13),
        "{said}"
    );
    let json = "[\n  {\"vcpus\": 1, \"memory_mb\": 1},\n  {\"vcpus\": 1.5, \"memory_mb\": 1}\n]\n";
    let (code, line, column, said) = mistake("r.json", json);
    assert_eq!(
        (code.as_str(), line, column),
        ("schedule/bad-row", 3, 13),
        "{said}"
    );
}

#[test]
fn numbers_of_hosts_that_cannot_be_are_refused() {
    let fleet = |row: &str| {
        let head = "host,vcpus,memory_mb,local_gb,cpu_allocation_ratio,free_ram_mb,count";
        let text = format!("{head}\n{row}\n");
        refused(("f.csv", &text), ("r.csv", "vcpus,memory_mb\n1,1\n"))
    };
    for (row, says) in [
        ("a,1,1,1,NaN,,", "`cpu_allocation_ratio` must be finite"),
        ("a,1,1,1,inf,,", "`cpu_allocation_ratio` must be finite"),
        ("a,1,1,1,0,,", "must be between 0.01 and 1000, not 0"),
        (
            "a,1,4294967296,1,,,",
            "`memory_mb` must be between 0 and 2147483647",
        ),
        (
            "a,1,1,9999999,,,",
            "`local_gb` must be between 0 and 2097151",
        ),
        ("a,1,1,1,,-99999999999,", "`free_ram_mb` must be between"),
        ("a,1,1,1,,,100001", "between 1 and 100000"),
    ] {
        let said = serde_json::json!(fleet(row)).to_string();
        assert!(said.contains(says), "{row}: {said}");
    }
    let two = "a,1,1,1,,,100000\nb,1,1,1,,,1";
    let said = serde_json::json!(fleet(two)).to_string();
    assert!(
        said.contains("this row makes more than 100000 hosts"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    for (name, text, says) in [
        ("r.xml", "", "call it `.toml`, `.json` or `.csv`"),
        ("r.csv", "vcpus,memory_mb\n1,\"1\n", "a quote is not closed"),
        ("r.json", "{}", "expected `[`"),
        ("r.json", "[{\"vcpus\": ]", "expected value"),
        ("r.toml", "[[requests]\n", "schedule/input-syntax"),
    ] {
        let (code, _, _, said) = mistake(name, text);
        assert!(code.starts_with("schedule/input-"), "{said}");
        assert!(said.contains(says), "{said}");
    }
    let place = Place::new();
    for line in [
        "--fleet no.csv --instances 1",
        "--fleet . --instances 1",
        "--hosts 1 --requests no.json",
    ] {
        let ran = place.run(&format!("scheduler simulate {line}"));
        assert_eq!(ran.exit, 3, "{}", ran.err);
        assert!(ran.err.contains("schedule/input-unreadable"), "{}", ran.err);
    }
}

#[test]
fn nothing_to_simulate_is_a_mistake() {
    for (fleet, requests) in [
        ("", "[[requests]]\nvcpus = 1\nmemory_mb = 1\n"),
        (FLEET, ""),
        (
            &*format!("{FLEET}{FLEET}"),
            "[[requests]]\nvcpus = 1\nmemory_mb = 1\n",
        ),
    ] {
        let errors = refused(("fleet.toml", fleet), ("r.toml", requests));
        assert_eq!(errors[0]["code"], "schedule/empty-input", "{errors:?}");
    }
}

#[test]
fn many_mistakes_are_shown_and_then_reading_ends() {
    let text = format!("vcpus,memory_mb\n{}", "x,1\n".repeat(100));
    let errors = refused(("fleet.toml", FLEET), ("r.csv", &text));
    assert_eq!(errors.len(), 20);
    assert_eq!(errors[19]["line"], 21);
}

#[test]
fn a_driver_that_the_map_has_not_is_a_plugin_s_failure() {
    let place = Place::new();
    let ran = place.run("--json scheduler simulate --hosts 1 --instances 1 --driver best_ever");
    assert_eq!(ran.exit, 4);
    assert_eq!(ran.error()["code"], "plugin/no-such-driver", "{}", ran.err);
}

#[test]
fn help_fits_a_terminal_of_80_columns() {
    let help = Place::new().run("scheduler simulate --help").out;
    let own = help.split("Options of all commands").next().unwrap();
    assert!(own.contains("(--fleet FILE | --hosts N)"), "{help}");
    let after = help.split("Nothing is started").nth(1).unwrap();
    assert!(after.lines().all(|line| line.len() <= 80), "{after}");
}
