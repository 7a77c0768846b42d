//! Cases of filters that look at the metadata of a host's aggregates.

use serde_json::{Value, json};

use super::{Draft, Pick, Recipe};

/// The most aggregates of one host.
const AGGREGATES_MAX: usize = 3;

pub(super) fn recipe(driver: &str) -> Option<Recipe> {
    Some(match driver {
        "aggregate_image_properties_isolation" => image_properties,
        "aggregate_instance_extra_specs" => extra_specs,
        "aggregate_multi_tenancy_isolation" => tenants,
        "aggregate_type_affinity" => types,
        "availability_zone" => zones,
        _ => return None,
    })
}

/// Puts hosts into aggregates whose metadata have these keys, or some of them, with any of these values. An aggregate
/// says the same for each of its hosts.
pub(super) fn with_values_of(pick: &mut Pick, draft: &mut Draft, keys: &[&str], values: &[&str]) {
    let one = |pick: &mut Pick, id: usize| json!({"id": id, "metadata": pick.pairs(keys, values, keys.len())});
    let known: Vec<Value> = (1..=AGGREGATES_MAX + 1).map(|id| one(pick, id)).collect();
    draft.each("aggregates", || json!(pick.some(&known, AGGREGATES_MAX)));
}

fn image_properties(pick: &mut Pick, draft: &mut Draft) {
    let keys = ["os_distro", "os_command_line", "img_owner_id", "os.x"];
    let values = ["debian", "debian,fedora", "fedora, 12", "12", "", "Debian"];
    with_values_of(pick, draft, &keys, &values);
    let properties = pick.pairs(&keys[..3], &["debian", "fedora", "12", ""], 3);
    if !pick.once_in(8) {
        draft.request["image"] = json!({"id": "an-image", "properties": properties});
    }
    if pick.once_in(3) {
        draft.set("namespace", pick.of(&["os", "img", "none"]));
    }
    if pick.once_in(3) {
        draft.set("separator", pick.of(&[".", "_", ""]));
    }
}

fn extra_specs(pick: &mut Pick, draft: &mut Draft) {
    // Nova raises, or not, by the order of a set when a number is compared with words: values are of one sort each.
    let words = ["true", "t r", " true , false ", "", "x"];
    let numbers = ["1", "2,4", " 10", "4 , 1"];
    let values = if pick.once_in(2) {
        &words[..]
    } else {
        &numbers
    };
    with_values_of(pick, draft, &["ssd", "gpu", "a:b"], values);
    let keys = [
        "ssd",
        "gpu",
        "aggregate_instance_extra_specs:ssd",
        "aggregate_instance_extra_specs:gpu",
        "aggregate_instance_extra_specs:a:b",
        "hw:cpu_policy",
        "capabilities:gpu",
    ];
    let wanted = [
        "true",
        ">= 2",
        "== 4",
        "<or> true <or> 1",
        "<in> r",
        "s!= 1",
        "",
        "<all-in> t r",
        "!= 10",
        "s<",
        "<or> 10",
    ];
    draft.request["flavor"]["extra_specs"] = pick.pairs(&keys, &wanted, 2);
}

fn tenants(pick: &mut Pick, draft: &mut Draft) {
    let values = ["p1", "p2", "p1,p2", " p1 , p3", "", "p11", "P1"];
    with_values_of(pick, draft, &["filter_tenant_id", "other"], &values);
    draft.request["project_id"] = json!(pick.of(&["p1", "p2", "p3", "p", ""]));
}

fn types(pick: &mut Pick, draft: &mut Draft) {
    let values = [
        "small",
        "small,large",
        " large , small",
        "",
        "smaller",
        "Small",
        "x,,y",
    ];
    with_values_of(pick, draft, &["instance_type", "other"], &values);
    draft.flavor_of(pick, "name", &["small", "large", "", "small,large"]);
}

fn zones(pick: &mut Pick, draft: &mut Draft) {
    let values = ["a", "a,b", "b , c", "nova", "A", "x"];
    with_values_of(pick, draft, &["availability_zone", "other"], &values);
    if !pick.once_in(6) {
        draft.request["availability_zone"] =
            json!(pick.of(&["a", "b", "c", "nova", "north", "a,b"]));
    }
    if pick.once_in(3) {
        draft.set(
            "default_availability_zone",
            pick.of(&["nova", "north", "a"]),
        );
    }
}
