//! Where each instance went, as CSV: a line per instance, or per request that was refused.
//!
//! Called by `simulate::run`.

use std::io::{self, Write};

use super::Simulated;

const HEAD: &str = "driver,request,instance,host,node,refused";

pub(super) fn write(simulated: &Simulated, to: &mut impl Write) -> io::Result<()> {
    writeln!(to, "{HEAD}")?;
    for run in &simulated.runs {
        let outcome = &run.outcome;
        let driver = cell(&outcome.driver);
        for (number, request) in simulated.requests.iter().enumerate() {
            let id = cell(&request.id);
            for (at, &row) in outcome.hosts_of(number).iter().enumerate() {
                let report = &simulated.fleet.hosts()[row as usize].report;
                let (host, node) = (cell(&report.host), cell(&report.node));
                writeln!(to, "{driver},{id},{},{host},{node},", at + 1)?;
            }
            if let Some(reason) = outcome.reason_of(number) {
                writeln!(to, "{driver},{id},,,,{}", cell(reason))?;
            }
        }
    }
    Ok(())
}

/// In quotes if it needs them.
fn cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
