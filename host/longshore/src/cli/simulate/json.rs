//! What came of a simulation as one JSON document.
//!
//! Percentages are numbers from 0 on, times are microseconds. Must not compute anything but what is rounded away. Called
//! by `simulate::run`.

use longshore_control::scheduler::simulate::{
    Differences, Figures, Fragmentation, Percentiles, Refusals, Utilisation,
};
use serde_json::{Value as Json, json};

use super::{Run, Simulated};

pub(super) fn document(simulated: &Simulated) -> Json {
    let instances: u64 = simulated.requests.iter().map(|r| u64::from(r.count)).sum();
    let fragmentation = simulated
        .runs
        .first()
        .map(|run| run.outcome.figures.fragmentation);
    let Fragmentation {
        median_vcpus,
        median_memory_mb,
        median_disk_gb,
        ..
    } = fragmentation.unwrap_or_default();
    let runs: Vec<Json> = simulated.runs.iter().map(run).collect();
    let differences = simulated.runs.iter().skip(1).zip(&simulated.differences);
    let differences: Vec<Json> = differences
        .map(|(run, found)| differs(simulated, &run.outcome.driver, found))
        .collect();
    json!({
        "hosts": simulated.fleet.hosts().len(),
        "requests": simulated.requests.len(),
        "instances": instances,
        "seed": simulated.seed,
        "median_request": {
            "vcpus": median_vcpus,
            "memory_mb": median_memory_mb,
            "disk_gb": median_disk_gb,
        },
        "runs": runs,
        "differences": differences,
    })
}

fn run(run: &Run) -> Json {
    let Figures {
        placed_requests,
        placed_instances,
        refused_requests,
        refused_instances,
        hosts_used,
        vcpus,
        memory,
        disk,
        fragmentation,
        times,
    } = &run.outcome.figures;
    let weighers = run.weighers.iter();
    let weighers: Vec<Json> = weighers
        .map(|(name, multiplier)| json!({"name": name, "multiplier": multiplier}))
        .collect();
    let left_out = run.outcome.left_out.as_ref();
    let left_out = left_out.map(|(count, why)| json!({"count": count, "first": why}));
    let time = &times.request_us;
    json!({
        "driver": run.outcome.driver,
        "filters": run.filters,
        "weighers": weighers,
        "placed": {"requests": placed_requests, "instances": placed_instances},
        "refused": {
            "requests": refused_requests,
            "instances": refused_instances,
            "reasons": reasons(&run.outcome.refusals),
        },
        "filtered": filtered(&run.outcome.refusals),
        "reports_left_out": left_out,
        "hosts_used": hosts_used,
        "utilisation_percent": {
            "vcpus": utilisation(vcpus),
            "memory": utilisation(memory),
            "disk": utilisation(disk),
        },
        "fragmentation_percent": {
            "vcpus": rounded(fragmentation.vcpus),
            "memory": rounded(fragmentation.memory),
            "disk": rounded(fragmentation.disk),
            "hosts": fragmentation.hosts,
        },
        "request_us": {
            "mean": rounded(time.mean),
            "p50": rounded(time.p50),
            "p95": rounded(time.p95),
            "p99": rounded(time.p99),
            "max": rounded(time.max),
        },
        "placements_per_s": rounded(times.placements_per_s),
    })
}

fn reasons(refusals: &Refusals) -> Vec<Json> {
    let reasons = refusals.reasons.iter();
    let reason = reasons.map(|refusal| {
        let (request, text) = &refusal.example;
        json!({
            "code": refusal.code,
            "reason": refusal.reason,
            "requests": refusal.requests,
            "instances": refusal.instances,
            "example": {"request": request, "message": text},
        })
    });
    reason.collect()
}

fn filtered(refusals: &Refusals) -> Vec<Json> {
    let filters = refusals.filters.iter();
    let filter = filters.map(|tally| {
        json!({
            "filter": tally.filter,
            "requests": tally.requests,
            "hosts": tally.hosts,
            "removed": tally.removed,
            "emptied": tally.emptied,
        })
    });
    filter.collect()
}

fn utilisation(utilisation: &Utilisation) -> Json {
    let Percentiles {
        mean,
        p50,
        p95,
        max,
        ..
    } = utilisation.hosts;
    json!({
        "mean": rounded(mean),
        "p50": rounded(p50),
        "p95": rounded(p95),
        "max": rounded(max),
        "fleet_peak": rounded(utilisation.fleet_peak),
    })
}

fn differs(simulated: &Simulated, second: &str, found: &Differences) -> Json {
    let shown = found.shown.iter().map(|difference| {
        json!({
            "request": simulated.requests[difference.request].id,
            "first": names(simulated, &difference.first),
            "second": names(simulated, &difference.second),
        })
    });
    json!({
        "first": simulated.runs[0].outcome.driver,
        "second": second,
        "same": found.same,
        "other_hosts": found.other_hosts,
        "only_first": found.only_first,
        "only_second": found.only_second,
        "neither": found.neither,
        "shown": shown.collect::<Vec<_>>(),
    })
}

/// The names of hosts that are given by their places.
pub(super) fn names<'s>(simulated: &'s Simulated, rows: &[u32]) -> Vec<&'s str> {
    let hosts = simulated.fleet.hosts();
    let name = |row: &u32| hosts[*row as usize].report.host.as_str();
    rows.iter().map(name).collect()
}

/// Three places behind the point are more than any figure is good for.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
