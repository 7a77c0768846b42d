//! Values that are right by themselves and wrong, or odd, together.
//!
//! Called by `resolved` once every value has its type, and by whoever starts services. Must not
//! know the plugin map; `drivers` checks names against it.

use longshore_loader::diagnostic::{Diagnostic, Place, escape};

use super::address::Transport;
use super::diagnose;
use super::keys::{self, Fallback, KEYS};
use super::owners;
use super::raw::{RawConfig, Setting, Weight};
use super::resolved::{Auth, Config, Signatures};

/// Longest name of a host, in bytes: it is part of the names of queues.
pub(super) const HOST_NAME_BYTES_MAX: usize = 200;

/// Reports contradictions as errors and oddities as warnings.
pub(super) fn check(raw: &RawConfig, config: &Config, found: &mut Vec<Diagnostic>) {
    host_name(raw, config, found);
    public_api(raw, config, found);
    filters(raw, found);
    weighers(raw, found);
    heartbeat(raw, config, found);
    signatures(raw, config, found);
    owners(raw, found);
}

/// Services that cannot run in a process of their own with this configuration.
///
/// `services` are all that would run in the process.
pub fn services(raw: &RawConfig, config: &Config, services: &[&str]) -> Vec<Diagnostic> {
    let alone = |name: &&&str| **name != "conductor" && !services.contains(&"conductor");
    let Some(service) = services.iter().find(alone) else {
        return Vec::new();
    };
    if config.transport.url != Transport::Memory {
        return Vec::new();
    }
    let what = format!(
        "`serve {}` cannot work with `memory://`",
        services.join(" ")
    );
    let why = format!("`{service}` needs a conductor, and this transport stays in the process");
    let help = "use `longshore up`, or set `transport.url` to a broker";
    let place = raw.get("transport", "url").place.clone();
    vec![diagnose::contradiction(place, what, &why, help)]
}

fn host_name(raw: &RawConfig, config: &Config, found: &mut Vec<Diagnostic>) {
    let name = &config.host.name;
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '/';
    let why = if name.len() > HOST_NAME_BYTES_MAX {
        format!("it is longer than {HOST_NAME_BYTES_MAX} bytes")
    } else if name.contains(odd) {
        "it has spaces, control characters or `/`".to_owned()
    } else {
        return;
    };
    let place = raw.get("host", "name").place.clone();
    let help = "write letters, digits, `-` and `.`";
    found.push(diagnose::bad_value("host.name", name, &why, help, place));
}

fn public_api(raw: &RawConfig, config: &Config, found: &mut Vec<Diagnostic>) {
    if config.api.auth == Auth::Token || config.api.listen.is_local() {
        return;
    }
    let listen = raw.get("api", "listen").place.clone();
    let why = "everybody who reaches the address could use it: `api.auth` is `none`";
    let help = "listen on `127.0.0.1`; for others, put a proxy with authentication in front";
    let address = config.api.listen.to_string();
    found.push(diagnose::bad_value(
        "api.listen",
        &address,
        why,
        help,
        listen,
    ));
}

/// Without a key no signature can hold.
fn signatures(raw: &RawConfig, config: &Config, found: &mut Vec<Diagnostic>) {
    let place = || raw.get("trust", "signatures").place.clone();
    let listed = &raw.get("trust", "keys").setting;
    // A key that is wrong is reported already.
    if !matches!(listed, Setting::Names(names) if names.is_empty()) {
        return;
    }
    match config.trust.signatures {
        Signatures::Off => {}
        Signatures::Optional => {
            let what = "`trust.signatures` is `optional` and `trust.keys` is empty";
            let help = "list a key, or every signed plugin is refused";
            found.push(diagnose::odd(place(), what, help));
        }
        Signatures::Required => {
            let what = "`trust.signatures` is `required` and `trust.keys` is empty".to_owned();
            let why = "every plugin would be refused";
            let help = "list the public keys under `[trust] keys`";
            found.push(diagnose::contradiction(place(), what, why, help));
        }
    }
}

/// Who is nobody can own nothing, and is misspelled.
fn owners(raw: &RawConfig, found: &mut Vec<Diagnostic>) {
    let Setting::Names(listed) = &raw.get("trust", "owners").setting else {
        return;
    };
    let names: Vec<String> = listed.iter().map(|n| n.value.clone()).collect();
    for (name, number) in listed.iter().zip(owners::numbers(&names)) {
        if number.is_none() {
            let why = format!("it is no user of this machine: see `{}`", owners::USERS);
            let help = "correct the name, or write the number of the user";
            let place = name.place.clone();
            let d = diagnose::bad_value("trust.owners", &name.value, &why, help, place);
            found.push(d);
        }
    }
}

fn filters(raw: &RawConfig, found: &mut Vec<Diagnostic>) {
    let value = raw.get("scheduler", "enabled_filters");
    if matches!(&value.setting, Setting::Names(names) if names.is_empty()) {
        let what = "no filters: every host passes";
        let help = "nothing, if it is meant; else list some, or remove the key";
        found.push(diagnose::odd(value.place.clone(), what, help));
    }
}

fn weighers(raw: &RawConfig, found: &mut Vec<Diagnostic>) {
    let value = raw.get("scheduler", "weighers");
    let Setting::Weights(weights) = &value.setting else {
        return;
    };
    if !weights.is_empty() && weights.iter().all(|w| w.multiplier.value == 0.0) {
        let what = "all multipliers are 0: every host is as good as any other";
        let help = "nothing, if it is meant; else give one of them another multiplier";
        found.push(diagnose::odd(value.place.clone(), what, help));
    }
    for weight in weights.iter().filter(|w| is_oddly_negative(w)) {
        let name = escape(&weight.name.value);
        let what = format!("weigher `{name}` has a negative multiplier: it prefers less");
        let help = "nothing, if it is meant; else write a positive number";
        found.push(diagnose::odd(weight.multiplier.place.clone(), what, help));
    }
}

/// Negative, and not so by default.
fn is_oddly_negative(weight: &Weight) -> bool {
    let fallback = keys::position("scheduler", "weighers").map(|at| KEYS[at].fallback);
    let usual = match fallback {
        Some(Fallback::Weights(usual)) => usual,
        _ => &[],
    };
    let is_usual = usual
        .iter()
        .any(|(name, by)| *name == weight.name.value && *by < 0.0);
    weight.multiplier.value < 0.0 && !is_usual
}

fn heartbeat(raw: &RawConfig, config: &Config, found: &mut Vec<Diagnostic>) {
    let value = raw.get("compute", "service_down_time_s");
    let used = config.compute.service_down_time_s;
    if value.setting == Setting::Integer(i64::try_from(used).unwrap_or(i64::MAX)) {
        return;
    }
    // A default that had to give way is reported at the key that made it.
    let place = match &value.place {
        Place::Program => raw.get("compute", "report_interval_s").place.clone(),
        place => place.clone(),
    };
    let what = format!(
        "`compute.service_down_time_s` must be more than `report_interval_s`: {used} is used"
    );
    let help = "raise `service_down_time_s`, or lower `report_interval_s`";
    found.push(diagnose::odd(place, what, help));
}
