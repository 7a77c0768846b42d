//! A driver's settings against the schema that its plugin carries, before any of its code runs.
//!
//! Findings point into the map file by key path: at the key when it is unknown, at the value when
//! it is wrong, at the entry when something is missing. Must not know any driver; called before
//! construction and by `config check`.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::codes;
use crate::diagnostic::{Diagnostic, Place, escape, quoted_list};
use crate::map::EntryPoint;
use crate::note::{SettingSchema, SettingType};

/// Everything that is wrong with the entry's settings, in the order of the settings, then what is
/// missing. `driver` is the name to show.
pub fn check(entry: &EntryPoint, driver: &str, schema: &[SettingSchema]) -> Vec<Diagnostic> {
    let known: Vec<&str> = schema.iter().map(|s| s.key.as_str()).collect();
    let mut found = Vec::new();
    for (key, value) in &entry.settings {
        let pointer = pointer(key);
        let Some(setting) = schema.iter().find(|s| s.key == *key) else {
            let what = format!(
                "driver `{}` has no setting `{}`",
                escape(driver),
                escape(key)
            );
            let place = entry.setting_key_place(&pointer);
            let d = Diagnostic::error(codes::DRIVER_UNKNOWN_SETTING, place, what)
                .with_label("unknown setting")
                .with_advice(key, &known, none_known(&known));
            found.push(d);
            continue;
        };
        if let Some((why, right)) = wrong(setting, value) {
            let what = format!("driver `{}`: `{}` {why}", escape(driver), escape(key));
            let mut d = Diagnostic::error(
                codes::DRIVER_BAD_SETTING,
                entry.setting_place(&pointer),
                what,
            );
            d.help = Some(right);
            found.push(d);
        }
    }
    for setting in schema
        .iter()
        .filter(|s| s.required && !entry.settings.contains_key(&s.key))
    {
        let what = format!("driver `{}` needs `{}`", escape(driver), setting.key);
        let help = format!("add `settings = {{ {} = … }}` to its entry", setting.key);
        let place = entry.origin.clone();
        found.push(Diagnostic::error(codes::DRIVER_MISSING_SETTING, place, what).with_help(help));
    }
    hide_secrets(entry, schema, &mut found);
    found
}

/// Secrets may stand on the same line as what is shown.
fn hide_secrets(entry: &EntryPoint, schema: &[SettingSchema], found: &mut [Diagnostic]) {
    for setting in schema
        .iter()
        .filter(|s| s.secret && entry.settings.contains_key(&s.key))
    {
        let place = entry.setting_place(&pointer(&setting.key));
        let Place::Text {
            source: secret_source,
            span,
        } = place
        else {
            continue;
        };
        for d in found.iter_mut() {
            if matches!(&d.place, Place::Text { source, .. } if Arc::ptr_eq(source, &secret_source))
            {
                d.hidden.push(span.clone());
            }
        }
    }
}

/// The settings with the schema's defaults filled in.
pub fn with_defaults(settings: &Map<String, Json>, schema: &[SettingSchema]) -> Map<String, Json> {
    let mut out = settings.clone();
    for setting in schema {
        if let (Some(default), false) = (&setting.default, out.contains_key(&setting.key))
            && !default.is_null()
        {
            out.insert(setting.key.clone(), default.clone());
        }
    }
    out
}

/// The JSON pointer of a key at the top of the settings.
pub fn pointer(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn none_known(known: &[&str]) -> &'static str {
    if known.is_empty() {
        "remove it; the driver has no settings"
    } else {
        "see `longshore plugin show`"
    }
}

/// Why a value is not right, and what would be.
fn wrong(setting: &SettingSchema, value: &Json) -> Option<(String, String)> {
    let (fits, expected) = match setting.kind {
        SettingType::String => (value.is_string(), "text"),
        SettingType::Integer => (value.is_i64() || value.is_u64(), "a whole number"),
        SettingType::Float => (value.is_number(), "a number"),
        SettingType::Boolean => (value.is_boolean(), "`true` or `false`"),
        SettingType::List => (is_list_of_text(value), "a list of texts"),
        SettingType::Table => (value.is_object(), "a table"),
    };
    if !fits {
        let why = format!("must be {expected}, not {}", kind(value));
        return Some((why, format!("write {expected}")));
    }
    out_of_range(setting, value).or_else(|| not_one_of(setting, value))
}

fn is_list_of_text(value: &Json) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.iter().all(Json::is_string))
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "`true` or `false`",
        Json::Number(n) if n.is_f64() => "a number with a fraction",
        Json::Number(_) => "a whole number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a table",
    }
}

fn out_of_range(setting: &SettingSchema, value: &Json) -> Option<(String, String)> {
    let number = value.as_f64()?;
    let low = setting.min.is_some_and(|min| number < min);
    let high = setting.max.is_some_and(|max| number > max);
    let range = match (setting.min, setting.max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => return None,
    };
    let shown = if setting.secret {
        "what is given".to_owned()
    } else {
        value.to_string()
    };
    (low || high).then(|| {
        (
            format!("must be {range}, not {shown}"),
            format!("write a number {range}"),
        )
    })
}

fn not_one_of(setting: &SettingSchema, value: &Json) -> Option<(String, String)> {
    if setting.one_of.is_empty() {
        return None;
    }
    let texts: Vec<&str> = match value {
        Json::String(text) => vec![text],
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        _ => return None,
    };
    let odd = texts
        .into_iter()
        .find(|t| !setting.one_of.iter().any(|o| o == t))?;
    let shown = if setting.secret {
        "what is given".to_owned()
    } else {
        format!("`{}`", escape(odd))
    };
    let why = format!(
        "cannot be {shown}: not one of {}",
        quoted_list(&setting.one_of)
    );
    let words: Vec<&str> = setting.one_of.iter().map(String::as_str).collect();
    Some((
        why,
        crate::diagnostic::advise(odd, &words, "see `longshore plugin show`").1,
    ))
}

#[cfg(test)]
mod tests;
