//! What the drivers of this host cost, for `plugin show`, and which one of the scheduler's is slow: it is named in the log,
//! once.
//!
//! Slow is who takes more of the scheduler's time than all its other drivers together, at a millisecond and more a call: a
//! filter that asks a network, not one that has many hosts to look at. Must not change what is called. Looked at by
//! `plugin_view` for the API, and from time to time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use longshore_control::{MethodStats, Stats};
use serde_json::{Value as Json, json};
use tokio::time::{MissedTickBehavior, interval};

use super::drivers::VIRT;
use super::watch::{DriverWatch, Watches};
use crate::codes::DRIVER_SLOW;

/// Calls that come together before anything is said of a driver.
const CALLS_MIN: u64 = 10;
/// With fewer calls than this, the slowest one alone would be the 99th percentile.
const CALLS_FOR_P99: u64 = 100;
/// What nobody calls slow.
const FAST: Duration = Duration::from_millis(1);
/// Time between two looks for slow drivers.
const LOOKS_EVERY: Duration = Duration::from_secs(60);

/// A driver that is slow, and how.
struct Slow {
    watch: Arc<DriverWatch>,
    /// Its part of the time that all drivers of the scheduler take.
    per_cent: u64,
    /// Of its slowest method.
    typical: Duration,
    percentile: u8,
    method: String,
}

impl Slow {
    /// In one line, without its name.
    fn text(&self) -> String {
        let Slow {
            per_cent,
            method,
            percentile,
            ..
        } = self;
        let typical_ms = rounded(self.typical.as_secs_f64() * 1e3);
        format!(
            "it takes {per_cent} % of the time of the scheduler's drivers: p{percentile} of \
             `{method}` is {typical_ms} ms"
        )
    }
}

/// What an entry's drivers cost so far, those of all hosts together; nothing if it is not called here.
pub(super) fn stats(watches: &Watches, namespace: &str, name: &str) -> Option<Json> {
    let mut stats = Stats::default();
    let all = watches.all();
    let its = all
        .iter()
        .filter(|w| w.namespace == namespace && w.name == name);
    let number = its.map(|watch| stats.add(&watch.tally)).count();
    (number > 0).then(|| {
        let mut json = of_calls(&stats.whole());
        json["hosts_seen"] = json!(stats.hosts_seen);
        json["hosts_removed"] = json!(stats.hosts_removed);
        let method = |m: &MethodStats| {
            let mut json = of_calls(m);
            json["method"] = json!(m.name);
            json
        };
        json["methods"] = stats.methods.iter().map(method).collect();
        let slow = slow(&all).filter(|s| s.watch.namespace == namespace && s.watch.name == name);
        json["slow"] = json!(slow.map(|s| s.text()));
        json
    })
}

fn of_calls(calls: &MethodStats) -> Json {
    let us = |time: Duration| json!(rounded(time.as_secs_f64() * 1e6));
    json!({
        "calls": calls.calls(),
        "failures": calls.failures,
        "p50_us": us(calls.percentile(50)),
        "p99_us": us(calls.percentile(99)),
        "max_us": us(calls.max),
        "total_us": us(calls.total()),
    })
}

/// To one digit behind the point: more is not known.
fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// The slow one among the drivers of the scheduler. There cannot be two.
fn slow(all: &[Arc<DriverWatch>]) -> Option<Slow> {
    let of_scheduler = all.iter().filter(|watch| watch.namespace != VIRT);
    let measured = of_scheduler.map(|watch| {
        let mut stats = Stats::default();
        stats.add(&watch.tally);
        let total = stats.whole().total();
        (watch, stats, total)
    });
    let measured: Vec<_> = measured.collect();
    let all_ns: u128 = measured.iter().map(|(.., total)| total.as_nanos()).sum();
    let (watch, stats, total) = measured.into_iter().max_by_key(|(.., total)| *total)?;
    if total.as_nanos() * 2 <= all_ns {
        return None;
    }
    let slow_methods = stats.methods.into_iter().filter_map(|method| {
        let percentile = match method.calls() {
            ..CALLS_MIN => return None,
            CALLS_MIN..CALLS_FOR_P99 => 50,
            CALLS_FOR_P99.. => 99,
        };
        let typical = method.percentile(percentile);
        (typical > FAST).then_some((typical, percentile, method.name))
    });
    let (typical, percentile, method) = slow_methods.max()?;
    Some(Slow {
        watch: Arc::clone(watch),
        per_cent: u64::try_from(total.as_nanos() * 100 / all_ns).unwrap_or(100),
        typical,
        percentile,
        method,
    })
}

/// Says in the log who is slow, unless that was said before.
pub(super) fn name_the_slow(watches: &Watches) {
    let Some(slow) = slow(&watches.all()) else {
        return;
    };
    if slow.watch.was_said_slow.swap(true, Ordering::Relaxed) {
        return;
    }
    let (code, namespace, name) = (DRIVER_SLOW, &slow.watch.namespace, &slow.watch.name);
    tracing::warn!(code, namespace, "driver `{name}` is slow: {}", slow.text());
}

/// Looks for slow drivers from time to time; never ends.
pub(super) async fn watch(watches: Arc<Watches>) {
    let mut ticks = interval(LOOKS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        name_the_slow(&watches);
    }
}
