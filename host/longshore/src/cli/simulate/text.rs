//! What came of a simulation as a page for people: a table of figures with a column per driver, then how full hosts are,
//! why requests were refused, what filters did, and where drivers differ.
//!
//! Must not compute figures. Called by `simulate::run`.

use longshore_control::scheduler::simulate::{
    Difference, Differences, Figures, Refusal, Utilisation,
};
use longshore_loader::diagnostic::escape;

use super::json::names;
use super::{Run, Simulated};
use crate::cli::layout::count;
use crate::cli::render::{Screen, Tone};

/// Most hosts that are named for one request.
const HOSTS_SHOWN_MAX: usize = 3;
/// The code of a refusal that needs no further words.
const NO_VALID_HOST: &str = "schedule/no-valid-host";

pub(super) fn page(screen: &Screen<'_>, simulated: &Simulated) -> String {
    let instances: u64 = simulated.requests.iter().map(|r| u64::from(r.count)).sum();
    let instances = usize::try_from(instances).unwrap_or(usize::MAX);
    let mut page = format!(
        "{}, {} for {}, seed {}\n",
        count(simulated.fleet.hosts().len(), "host"),
        count(simulated.requests.len(), "request"),
        count(instances, "instance"),
        simulated.seed,
    );
    let mut part = |title: &str, table: String| {
        if !table.is_empty() {
            let title = screen.paint(Tone::Head, title);
            page.push_str(&format!("\n{title}\n{table}\n"));
        }
    };
    part("Result", figures(screen, simulated));
    part(
        "Used of what hosts may promise, in % (when the fleet is fullest)",
        used(screen, simulated),
    );
    part("Refused requests", refused(screen, simulated));
    part("Filters, over all requests", filters(screen, simulated));
    for run in &simulated.runs {
        if let Some((count, why)) = &run.outcome.left_out {
            let title = format!("{count} reports left out, {}", escape(&run.outcome.driver));
            part(&title, format!("the first one: {}", escape(why)));
        }
    }
    for (run, found) in simulated.runs.iter().skip(1).zip(&simulated.differences) {
        let (first, second) = (&simulated.runs[0].outcome.driver, &run.outcome.driver);
        let title = format!("{} against {}", escape(first), escape(second));
        part(
            &title,
            differences(screen, simulated, (first, second), found),
        );
    }
    page
}

/// A row with a cell per driver.
fn per_driver(name: &str, simulated: &Simulated, cell: &dyn Fn(&Run) -> String) -> Vec<String> {
    let cells = simulated.runs.iter().map(cell);
    std::iter::once(name.to_owned()).chain(cells).collect()
}

/// Names stand in a row of their own and not in a head, which would change their letters.
fn drivers(simulated: &Simulated) -> Vec<String> {
    per_driver("", simulated, &|run| run.outcome.driver.clone())
}

fn figures(screen: &Screen<'_>, simulated: &Simulated) -> String {
    type Figure = fn(&Figures) -> String;
    let hosts = simulated.fleet.hosts().len();
    let counts: [(&str, Figure); 3] = [
        ("requests placed", |f| f.placed_requests.to_string()),
        ("requests refused", |f| f.refused_requests.to_string()),
        ("instances placed", |f| f.placed_instances.to_string()),
    ];
    let rest: [(&str, Figure); 7] = [
        ("free vCPU out of reach", |f| percent(f.fragmentation.vcpus)),
        ("free memory out of reach", |f| {
            percent(f.fragmentation.memory)
        }),
        ("free disk out of reach", |f| percent(f.fragmentation.disk)),
        ("time per request, p50", |f| us(f.times.request_us.p50)),
        ("time per request, p99", |f| us(f.times.request_us.p99)),
        ("time per request, max", |f| us(f.times.request_us.max)),
        ("placements per second", |f| {
            format!("{:.0}", f.times.placements_per_s)
        }),
    ];
    let row = |(name, figure): &(&str, Figure)| {
        per_driver(name, simulated, &|run| figure(&run.outcome.figures))
    };
    let used = |run: &Run| format!("{} of {hosts}", run.outcome.figures.hosts_used);
    let mut rows = vec![drivers(simulated)];
    rows.extend(counts.iter().map(row));
    rows.push(per_driver("hosts used", simulated, &used));
    rows.extend(rest.iter().map(row));
    screen.table(&[], &rows)
}

fn percent(value: f64) -> String {
    format!("{value:.1} %")
}

fn us(value: f64) -> String {
    format!("{value:.1} µs")
}

fn used(screen: &Screen<'_>, simulated: &Simulated) -> String {
    type Of = fn(&Run) -> &Utilisation;
    let resources: [(&str, Of); 3] = [
        ("vCPU", |run| &run.outcome.figures.vcpus),
        ("memory", |run| &run.outcome.figures.memory),
        ("disk", |run| &run.outcome.figures.disk),
    ];
    let mut rows = Vec::new();
    for (name, of) in resources {
        for run in &simulated.runs {
            let Utilisation {
                hosts, fleet_peak, ..
            } = of(run);
            let values = [hosts.mean, hosts.p50, hosts.p95, hosts.max, *fleet_peak];
            let mut row = vec![name.to_owned(), run.outcome.driver.clone()];
            row.extend(values.map(|value| format!("{value:.1}")));
            rows.push(row);
        }
    }
    let head = ["", "driver", "mean", "p50", "p95", "max", "fleet's peak"];
    screen.table(&head, &rows)
}

fn refused(screen: &Screen<'_>, simulated: &Simulated) -> String {
    let mut all: Vec<&Refusal> = Vec::new();
    for refusal in simulated
        .runs
        .iter()
        .flat_map(|run| &run.outcome.refusals.reasons)
    {
        if !all.iter().any(|known| same(known, refusal)) {
            all.push(refusal);
        }
    }
    if all.is_empty() {
        return String::new();
    }
    let row = |refusal: &&Refusal| {
        per_driver(&refusal.reason, simulated, &|run| {
            let mut reasons = run.outcome.refusals.reasons.iter();
            let found = reasons.find(|one| same(one, refusal));
            found.map_or(0, |one| one.requests).to_string()
        })
    };
    let mut rows = vec![drivers(simulated)];
    rows.extend(all.iter().map(row));
    let mut out = screen.table(&[], &rows);
    for refusal in all.iter().filter(|refusal| refusal.code != NO_VALID_HOST) {
        let (request, text) = &refusal.example;
        let (request, text) = (escape(request), escape(text));
        out.push_str(&format!(
            "\nfor example `{request}`: {text} ({})",
            refusal.code
        ));
    }
    out
}

fn same(one: &Refusal, other: &Refusal) -> bool {
    (&one.code, &one.reason) == (&other.code, &other.reason)
}

fn filters(screen: &Screen<'_>, simulated: &Simulated) -> String {
    let mut rows = Vec::new();
    for run in &simulated.runs {
        let tallies = run.outcome.refusals.filters.iter();
        // Some schedulers ask no filters.
        for tally in tallies.filter(|tally| tally.requests > 0) {
            let numbers = [tally.requests, tally.hosts, tally.removed, tally.emptied];
            let mut row = vec![tally.filter.clone(), run.outcome.driver.clone()];
            row.extend(numbers.map(|number| number.to_string()));
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let head = [
        "filter",
        "driver",
        "requests",
        "hosts seen",
        "removed",
        "left none",
    ];
    screen.table(&head, &rows)
}

fn differences(
    screen: &Screen<'_>,
    simulated: &Simulated,
    (first, second): (&str, &str),
    found: &Differences,
) -> String {
    let Differences {
        same,
        other_hosts,
        only_first,
        only_second,
        neither,
        shown,
    } = found;
    let (one, other) = (escape(first), escape(second));
    let mut out = format!(
        "{} on the same hosts, {other_hosts} on other ones\n\
         {only_first} placed by {one} alone, {only_second} by {other} alone, {neither} by neither",
        count(usize::try_from(*same).unwrap_or(usize::MAX), "request"),
    );
    if shown.is_empty() {
        return out;
    }
    let hosts = |rows: &[u32]| match names(simulated, rows).as_slice() {
        [] => "refused".to_owned(),
        names if names.len() > HOSTS_SHOWN_MAX => {
            let more = names.len() - HOSTS_SHOWN_MAX;
            format!("{} and {more} more", names[..HOSTS_SHOWN_MAX].join(" "))
        }
        names => names.join(" "),
    };
    let row = |d: &Difference| {
        let id = simulated.requests[d.request].id.clone();
        vec![id, hosts(&d.first), hosts(&d.second)]
    };
    let mut rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    out.push_str("\n\nthe first of them\n");
    rows.insert(0, vec![String::new(), first.to_owned(), second.to_owned()]);
    out.push_str(&screen.table(&[], &rows));
    out
}
