//! Where two answers to one case differ, in words. Knows the form of answers, and the differences that are meant.

use serde_json::Value;

/// How far two weights may be apart, as a share of the largest one in the list: ours are 32 bits wide, Nova's 64.
const WEIGHT_TOLERANCE: f64 = 1e-6;

/// What is different, host by host; nothing when the answers agree.
///
/// Where Nova raises for a host, which fails its whole request, a host that does not pass here, or an error, agrees.
pub(super) fn difference(theirs: &Value, ours: &Value) -> Option<String> {
    let lists = ["passes", "limits", "raw", "weights"];
    if theirs.is_null() || ours.is_null() {
        return (theirs != ours).then(|| format!("Nova: {theirs}, ours: {ours}"));
    }
    lists.into_iter().find_map(|list| {
        let (theirs, ours) = (items(&theirs[list]), items(&ours[list]));
        if theirs.len() != ours.len() {
            return Some(format!(
                "{} and {} items in `{list}`",
                theirs.len(),
                ours.len()
            ));
        }
        let sizes = theirs.iter().filter_map(Value::as_f64).map(f64::abs);
        let tolerance = WEIGHT_TOLERANCE * sizes.fold(0.0, f64::max);
        let mut hosts = theirs.iter().zip(ours).enumerate();
        let (row, (theirs, ours)) =
            hosts.find(|(_, (theirs, ours))| !agree(theirs, ours, tolerance))?;
        Some(format!(
            "`{list}` of host #{row}: Nova {theirs}, ours {ours}"
        ))
    })
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn agree(theirs: &Value, ours: &Value, tolerance: f64) -> bool {
    match (theirs.as_f64(), ours.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance,
        _ if theirs.is_null() => ours != &Value::Bool(true),
        _ => theirs == ours,
    }
}
