//! What a driver cost since its host started, as text: how often each method was called, how long that took, and what a
//! filter took out.
//!
//! Pure text from the document of `plugin show`; a host says it, files cannot. Called by `plugin_show`.

use longshore_loader::diagnostic::escape;
use serde_json::Value as Json;

use super::layout::wrapped;
use super::names::text;
use super::render::{Screen, Tone, cell};

const INDENT: usize = 2;

/// The part of `plugin show`; empty when nothing was measured. Starts with line breaks.
pub(crate) fn block(screen: &Screen<'_>, stats: &Json) -> String {
    if stats.is_null() {
        return String::new();
    }
    let mut lines = Vec::new();
    let methods = stats["methods"].as_array().map(Vec::as_slice);
    match methods.unwrap_or_default() {
        [] => lines.push("it was not called yet".to_owned()),
        methods => {
            let head = ["method", "calls", "failures", "p50", "p99", "max"];
            let rows: Vec<Vec<String>> = methods.iter().map(row).collect();
            lines.extend(screen.table(&head, &rows).lines().map(str::to_owned));
        }
    }
    lines.extend(hosts(stats));
    let slow = text(stats, "slow");
    if !slow.is_empty() {
        let line = escape(&format!("slow: {slow}"));
        let parts = wrapped(&line, screen.columns(), INDENT);
        lines.extend(parts.iter().map(|part| screen.paint(Tone::Odd, part)));
    }
    let mut out = format!("\n\n{}", screen.paint(Tone::Head, "since the host started"));
    for line in lines {
        out.push_str(&format!("\n{:INDENT$}{line}", ""));
    }
    out
}

fn row(method: &Json) -> Vec<String> {
    let times = ["p50_us", "p99_us", "max_us"].map(|key| time(method[key].as_f64()));
    let counts = ["method", "calls", "failures"].map(|key| cell(&method[key]));
    counts.into_iter().chain(times).collect()
}

/// What a filter did to the hosts it was shown.
fn hosts(stats: &Json) -> Option<String> {
    let number = |key: &str| stats[key].as_u64().unwrap_or_default();
    let (seen, removed) = (number("hosts_seen"), number("hosts_removed"));
    let per_cent = removed as f64 * 100.0 / seen as f64;
    (seen > 0).then(|| format!("hosts removed: {removed} of {seen} ({per_cent:.1} %)"))
}

/// A time in the unit in which it has one to three digits.
fn time(us: Option<f64>) -> String {
    match us {
        None => String::new(),
        Some(us) if us < 0.1 => "< 0.1 µs".to_owned(),
        Some(us) if us < 1e3 => format!("{us:.1} µs"),
        Some(us) if us < 1e6 => format!("{:.1} ms", us / 1e3),
        Some(us) => format!("{:.1} s", us / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_a_unit_that_fits() {
        let shown = [0.0, 0.1, 999.4, 1_250.0, 30_000_000.0].map(|us| time(Some(us)));
        assert_eq!(
            shown,
            ["< 0.1 µs", "0.1 µs", "999.4 µs", "1.2 ms", "30.0 s"]
        );
    }
}
