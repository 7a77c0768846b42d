//! A host's stats as a JSON text: the form in which the table carries them.
//! Must not know what the stats mean. Called by `facts`.

use longshore_plugin_api::Json;
use std::collections::BTreeMap;

/// One JSON object whose values are texts.
pub(crate) fn to_json(stats: &BTreeMap<String, String>) -> String {
    let text = |(key, value): (&String, &String)| (key.clone(), Json::Text(value.clone()));
    Json::Table(stats.iter().map(text).collect()).to_string()
}
