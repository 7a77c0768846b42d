//! `scheduler simulate` with real plugins: what it prints, that a seed decides it, what a bad driver does to it, and that
//! `docs/simulate.md` is true. `LONGSHORE_UPDATE=1` writes its sample anew.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use longshore_tests::files::workspace;
use longshore_tests::host::TestHost;
use serde_json::Value as Json;

const EXAMPLES: &str = "docs/examples/simulate";

/// A directory with the examples of the documents, and a map with the bad drivers.
fn place(config: &str) -> TestHost {
    let host = TestHost::new(config, "");
    let map = host.dir().join("plugins.toml");
    let mut text = fs::read_to_string(&map).unwrap();
    for (kind, names) in [
        ("filter", &["panics", "fails", "refuses"][..]),
        ("weigher", &["nan"]),
    ] {
        let table = format!("[\"longshore.scheduler.{kind}\"]\n");
        let line = |name: &&str| format!("{name} = \"liblongshore_misbehaving.so\"\n");
        let more: String = names.iter().map(line).collect();
        text = text.replace(&table, &format!("{table}{more}"));
    }
    fs::write(map, text).unwrap();
    let examples = host.dir().join(EXAMPLES);
    fs::create_dir_all(&examples).unwrap();
    for entry in fs::read_dir(workspace().join(EXAMPLES)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), examples.join(entry.file_name())).unwrap();
    }
    host
}

fn simulated(host: &TestHost, line: &str) -> Json {
    let mut args = vec!["scheduler", "simulate"];
    args.extend(line.split_whitespace());
    host.json(&args)
}

/// What does not depend on the machine.
fn without_times(mut document: Json) -> Json {
    for run in document["runs"].as_array_mut().unwrap() {
        let run = run.as_object_mut().unwrap();
        assert!(run.remove("request_us").unwrap()["p50"].as_f64().unwrap() > 0.0);
        run.remove("placements_per_s").unwrap();
    }
    document
}

#[test]
fn a_fleet_is_the_same_in_every_format() {
    let host = place("");
    let mut documents = Vec::new();
    for suffix in ["toml", "json", "csv"] {
        let files =
            format!("--fleet {EXAMPLES}/fleet.{suffix} --requests {EXAMPLES}/requests.{suffix}");
        documents.push(without_times(simulated(&host, &files)));
    }
    assert_eq!(documents[0], documents[1]);
    assert_eq!(documents[0], documents[2]);
    let run = &documents[0]["runs"][0];
    assert_eq!(
        (&documents[0]["hosts"], &documents[0]["instances"]),
        (&7.into(), &17.into())
    );
    assert_eq!(run["driver"], "filter_scheduler");
    assert_eq!(run["placed"]["instances"], 16);
    let reason = &run["refused"]["reasons"][0];
    assert_eq!(reason["code"], "schedule/no-valid-host");
    assert_eq!(reason["reason"], "filter `ram` left no host");
    assert_eq!(reason["example"]["request"], "too-large");
}

#[test]
fn zones_groups_and_leaving_are_played() {
    let host = place("");
    let files = format!("--fleet {EXAMPLES}/fleet.toml --requests {EXAMPLES}/requests.toml");
    let groups = "--filters availability_zone,ram,server_group_anti_affinity --placements p.csv";
    simulated(&host, &format!("{files} {groups}"));
    let text = fs::read_to_string(host.dir().join("p.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("driver,request,instance,host,node,refused")
    );
    let cells = lines.map(|line| line.split(',').collect::<Vec<_>>());
    let hosts: BTreeMap<(&str, &str), &str> = cells.map(|c| ((c[1], c[2]), c[3])).collect();
    assert_ne!(hosts[&("db-1", "1")], hosts[&("db-2", "1")]);
    assert!(hosts[&("night-job", "1")].starts_with("west-"));
    assert!(hosts[&("after-it", "1")].starts_with("west-"));
    assert_eq!(hosts[&("too-large", "")], "");
    assert_eq!(hosts.len(), 17);
}

#[test]
fn the_caching_scheduler_over_all_hosts_places_what_the_filter_scheduler_places() {
    let host = place("");
    let line = "--hosts 30 --instances 300 --driver filter_scheduler --driver caching_scheduler";
    let document = without_times(simulated(&host, line));
    let runs = &document["runs"];
    assert_eq!(runs[1]["driver"], "caching_scheduler");
    assert!(runs[0]["placed"]["instances"].as_u64().unwrap() > 0);
    for figure in ["placed", "refused", "utilisation_percent"] {
        assert_eq!(runs[0][figure], runs[1][figure], "{figure}");
    }
}

#[test]
fn a_seed_decides_where_instances_go() {
    let host = place("");
    let run = |seed: u64, file: &str| {
        let drivers = "--driver filter_scheduler --driver chance_scheduler";
        let line =
            format!("--hosts 30 --instances 300 --seed {seed} {drivers} --placements {file}");
        let document = without_times(simulated(&host, &line));
        (document, fs::read_to_string(host.dir().join(file)).unwrap())
    };
    let (first, second, other) = (run(7, "a.csv"), run(7, "b.csv"), run(8, "c.csv"));
    assert_eq!(first, second);
    assert_ne!(first.1, other.1);
    let differences = &first.0["differences"][0];
    assert_eq!(differences["second"], "chance_scheduler");
    let count = |key: &str| differences[key].as_u64().unwrap();
    let all = [
        "same",
        "other_hosts",
        "only_first",
        "only_second",
        "neither",
    ];
    assert_eq!(all.map(count).iter().sum::<u64>(), 300);
    assert_eq!(differences["shown"].as_array().unwrap().len(), 20);
}

#[test]
fn no_host_is_fuller_than_the_filters_allow() {
    let host = place("");
    let document = simulated(&host, "--hosts 8 --instances 2000 --seed 3");
    let run = &document["runs"][0];
    assert!(run["refused"]["requests"].as_u64().unwrap() > 0);
    for resource in ["vcpus", "memory", "disk"] {
        let max = run["utilisation_percent"][resource]["max"]
            .as_f64()
            .unwrap();
        assert!(max <= 100.0, "{resource}: {max} %");
    }
}

#[test]
fn a_bad_driver_is_counted_or_named() {
    let host = place("");
    for (filter, code, reason) in [
        ("panics", "driver/panicked", "filter `panics` panicked"),
        ("fails", "driver/refused", "filter `fails` failed"),
    ] {
        let line = format!("--hosts 3 --instances 10 --filters {filter}");
        let refused = simulated(&host, &line)["runs"][0]["refused"].clone();
        assert_eq!(refused["requests"], 10);
        let reasons = refused["reasons"].as_array().unwrap();
        assert_eq!(reasons.len(), 1, "{refused}");
        assert_eq!(
            (&reasons[0]["code"], &reasons[0]["reason"]),
            (&code.into(), &reason.into())
        );
    }
    // A weigher that fails is skipped unless it is told otherwise, as in a host.
    let line = "--hosts 3 --instances 10 --weighers nan";
    assert_eq!(simulated(&host, line)["runs"][0]["placed"]["requests"], 10);
    let strict = place("[scheduler]\non_weigher_fault = \"fail\"\n");
    let refused = simulated(&strict, line)["runs"][0]["refused"].clone();
    assert_eq!(
        refused["reasons"][0]["code"], "driver/bad-value",
        "{refused}"
    );
    for (args, code) in [
        (["--filters", "refuses"], "driver/failed"),
        (["--filters", "rum"], "plugin/no-such-driver"),
        (["--driver", "filter_schedule"], "plugin/no-such-driver"),
    ] {
        let mut line = vec!["scheduler", "simulate", "--hosts", "1", "--instances", "1"];
        line.extend(["--svg", "chart.svg"]);
        line.extend(args);
        let said = host.cli(&line);
        assert_eq!((said.code, said.out.as_str()), (Some(4), ""), "{said:#?}");
        assert!(said.err.contains(&format!("error[{code}]")), "{said:#?}");
        assert!(
            !host.dir().join("chart.svg").exists(),
            "written for nothing"
        );
    }
}

#[test]
fn a_result_that_cannot_be_written_is_said_before_the_run() {
    let host = place("");
    for flag in ["--svg", "--placements"] {
        let line = [
            "scheduler",
            "simulate",
            "--hosts",
            "1",
            "--instances",
            "1",
            flag,
            "no/where",
        ];
        let said = host.cli(&line);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:#?}");
        assert!(
            said.err.contains("error[schedule/output-unwritable]"),
            "{said:#?}"
        );
    }
}

#[test]
fn the_chart_has_a_panel_per_driver_and_a_curve_per_resource() {
    let host = place("");
    let drivers = "--driver filter_scheduler --driver chance_scheduler";
    simulated(
        &host,
        &format!("--hosts 900 --instances 200 {drivers} --svg chart.svg"),
    );
    let svg = fs::read_to_string(host.dir().join("chart.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("<title>How full 900 hosts get by 200 requests</title>"));
    assert_eq!(svg.matches("class=\"panel\"").count(), 2);
    assert_eq!(svg.matches("<path class=\"curve\"").count(), 6);
    assert_eq!(svg.matches("used, % of what may be promised").count(), 2);
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
}

/// The commands of the page, each with what it is said to print.
fn commands(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("```console\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    let mut found: Vec<(String, String)> = Vec::new();
    let mut goes_on = false;
    for line in blocks.flat_map(str::lines) {
        match line.strip_prefix("$ ") {
            Some(command) => found.push((command.to_owned(), String::new())),
            None => {
                let (command, output) = found.last_mut().unwrap();
                let to = if goes_on { command } else { output };
                to.push('\n');
                to.push_str(line);
            }
        }
        goes_on = line.ends_with('\\');
    }
    found
}

/// Columns are as wide as the times that stand in them.
fn comparable(text: &str) -> Vec<String> {
    let timed = |line: &&str| line.starts_with("time per") || line.starts_with("placements per");
    let lines = text.lines().filter(|line| !timed(line) && !line.is_empty());
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn the_page_s_commands_work_and_print_what_it_says() {
    let host = place("");
    let page = fs::read_to_string(workspace().join("docs/simulate.md")).unwrap();
    let commands = commands(&page);
    assert!(commands.len() >= 5, "{commands:?}");
    let mut compared = 0;
    for (command, output) in commands {
        let line = format!("longshore() {{ \"$PROGRAM\" \"$@\"; }}\n{command}");
        let own = host.command();
        let mut shell = Command::new("bash");
        shell.args(["-e", "-c", &line]).current_dir(host.dir());
        shell.env("PROGRAM", own.get_program());
        shell.envs(
            own.get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
        let ran = shell.output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(
            ran.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        if !output.is_empty() && std::env::var_os("LONGSHORE_UPDATE").is_some_and(|v| v == "1") {
            let anew = page.replace(output.trim(), said.trim());
            fs::write(workspace().join("docs/simulate.md"), anew).unwrap();
            compared += 1;
        } else if !output.is_empty() {
            assert_eq!(comparable(&said), comparable(&output), "{command}");
            compared += 1;
        }
    }
    assert_eq!(compared, 1);
}

#[test]
fn the_page_has_every_field_and_no_other() {
    let host = place("");
    let page = fs::read_to_string(workspace().join("docs/simulate.md")).unwrap();
    for (title, what, flag, other) in [
        ("\n## Hosts\n", "host", "--fleet", "--instances"),
        ("\n## Requests\n", "request", "--requests", "--hosts"),
    ] {
        fs::write(host.dir().join("odd.csv"), "zzzzzzzzzzzz\n1\n").unwrap();
        let said = host.cli(&["scheduler", "simulate", flag, "odd.csv", other, "1"]);
        let has = said
            .err
            .split(&format!("a {what} may have "))
            .nth(1)
            .unwrap();
        let known: Vec<&str> = has
            .lines()
            .next()
            .unwrap()
            .split('`')
            .skip(1)
            .step_by(2)
            .collect();
        let part = page
            .split(title)
            .nth(1)
            .unwrap()
            .split("\n## ")
            .next()
            .unwrap();
        let rows = part.lines().filter_map(|line| line.strip_prefix("| `"));
        let cells: Vec<&str> = rows.map(|row| row.split(" | ").next().unwrap()).collect();
        let documented: Vec<&str> = cells
            .iter()
            .flat_map(|cell| cell.split(['`', ',']))
            .filter(|t| !t.trim().is_empty())
            .collect();
        for field in &known {
            assert!(
                documented.contains(field),
                "`{field}` is not in docs/simulate.md"
            );
        }
        assert_eq!(documented.len(), known.len(), "{documented:?}");
    }
}
