//! Weights by text id: hosts share their texts, so what a text is worth is worked out once per
//! request. Must not know what the texts mean. Called by the weighers that read JSON texts.

use longshore_plugin_api::{uniform, DriverError, HostTable, Mask};
use std::collections::HashMap;

/// Scores every host that is left by its text in a column of ids.
pub(crate) fn score(
    hosts: &HostTable,
    ids: &[u32],
    mask: &Mask<'_>,
    scores: &mut [f32],
    weigh: impl Fn(usize, &str) -> Result<f32, DriverError>,
) -> Result<(), DriverError> {
    if let (Some(id), true) = (uniform(ids), ids.len() == scores.len()) {
        if let Some(row) = mask.iter().next() {
            scores.fill(weigh(row, hosts.text(id))?);
        }
        return Ok(());
    }
    let mut known: HashMap<u32, f32> = HashMap::new();
    for row in mask.iter() {
        let id = ids.get(row).copied();
        let weight = match id.and_then(|id| known.get(&id)) {
            Some(weight) => *weight,
            None => {
                let weight = weigh(row, id.map_or("", |id| hosts.text(id)))?;
                known.extend(id.map(|id| (id, weight)));
                weight
            }
        };
        if let Some(score) = scores.get_mut(row) {
            *score = weight;
        }
    }
    Ok(())
}
