//! Wire forms: round trips, version rules, change marks, coercion.
//!
//! Goes through the public surface only.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use longshore_objects::{
    ComputeNode, ComputeNodeList, DateTime, Destination, Flavor, FlavorList, ImageMeta,
    ImageMetaList, Instance, InstanceFault, InstanceFaultList, InstanceGroup, InstanceGroupList,
    InstanceList, ObjectError, PowerState, RequestSpec, SchedulerLimits, SchedulerRetries,
    Selection, Service, ServiceList, TaskState, VersionedObject, VmState, WHAT_CHANGED,
};
use serde_json::{Map, Value, json};

/// A value of the right shape for every field, guessed from its kind.
fn filled<T: VersionedObject>() -> T {
    let mut object = T::default();
    for info in T::FIELDS {
        let candidates = [
            json!(7),
            json!(1.5),
            json!("active"),
            json!("spawning"),
            json!("2026-01-02T03:04:05Z"),
            json!({"a": "b"}),
            json!({"a": ["b"]}),
            json!(["a"]),
            json!([["a", "b"]]),
            Flavor::new().set_name("f").to_primitive(),
            ImageMeta::new().set_name("i").to_primitive(),
            InstanceFault::new().set_code(404).to_primitive(),
            SchedulerLimits::new().set_disk_gb(3).to_primitive(),
            SchedulerRetries::new().set_num_attempts(3).to_primitive(),
            Destination::new().set_host("h").to_primitive(),
            InstanceGroup::new().set_uuid("g").to_primitive(),
            json!([]),
        ];
        let fits = |value: &&Value| {
            let one = Map::from_iter([(info.name.to_owned(), (*value).clone())]);
            object.clone().assign_fields(&one).is_ok()
        };
        let value = candidates.iter().find(fits).unwrap();
        object
            .assign_fields(&Map::from_iter([(info.name.to_owned(), value.clone())]))
            .unwrap();
    }
    object
}

fn round_trip<T: VersionedObject>() {
    let full = filled::<T>();
    assert_eq!(full.changes().len(), T::FIELDS.len(), "{}", T::NAME);
    for object in [T::default(), full] {
        let wire = object.to_primitive();
        let text = serde_json::to_string(&wire).unwrap();
        let back = T::from_primitive(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(back, object, "{}", T::NAME);
        assert_eq!(back.to_primitive(), wire, "{}", T::NAME);
        assert_eq!(back.changes(), object.changes(), "{}", T::NAME);
    }
}

#[test]
fn every_object_survives_the_wire() {
    round_trip::<Instance>();
    round_trip::<InstanceList>();
    round_trip::<ComputeNode>();
    round_trip::<ComputeNodeList>();
    round_trip::<Service>();
    round_trip::<ServiceList>();
    round_trip::<Flavor>();
    round_trip::<FlavorList>();
    round_trip::<ImageMeta>();
    round_trip::<ImageMetaList>();
    round_trip::<InstanceFault>();
    round_trip::<InstanceFaultList>();
    round_trip::<RequestSpec>();
    round_trip::<SchedulerRetries>();
    round_trip::<SchedulerLimits>();
    round_trip::<Destination>();
    round_trip::<InstanceGroup>();
    round_trip::<InstanceGroupList>();
    round_trip::<Selection>();
}

fn wire(version: &str) -> Value {
    json!({
        "nova_object.name": "Flavor", "nova_object.namespace": "nova",
        "nova_object.version": version,
        "nova_object.data": {"name": "f", "from_the_future": 1},
        "nova_object.changes": ["name", "from_the_future"],
    })
}

#[test]
fn versions_follow_the_hydration_table() {
    for version in ["1.1", "1.0", "1.1.5"] {
        let flavor = Flavor::from_primitive(&wire(version)).unwrap();
        assert_eq!(
            (flavor.name(), flavor.changes()),
            ("f", vec!["name"]),
            "{version}"
        );
    }
    for version in ["1.2", "1.2.1", "2.0", "0.9", "one", ""] {
        let error = Flavor::from_primitive(&wire(version)).unwrap_err();
        let ObjectError::IncompatibleObjectVersion(name, found, supported) = &error else {
            panic!("{version}: {error}")
        };
        assert_eq!(
            (name.as_str(), found.as_str(), supported.as_str()),
            ("Flavor", version, "1.1")
        );
    }
}

#[test]
fn foreign_and_broken_objects_are_refused() {
    let change = |key: &str, value: Value| {
        let mut object = wire("1.1");
        object[key] = value;
        Flavor::from_primitive(&object).unwrap_err()
    };
    let cinder = change("nova_object.namespace", json!("cinder"));
    assert_eq!(
        cinder,
        ObjectError::UnsupportedObject("cinder.Flavor".to_owned())
    );
    let unknown = change("nova_object.name", json!("Zzz"));
    assert_eq!(
        unknown,
        ObjectError::UnsupportedObject("nova.Zzz".to_owned())
    );
    for key in ["data", "version", "namespace", "name"] {
        let mut object = wire("1.1");
        object
            .as_object_mut()
            .unwrap()
            .remove(&format!("nova_object.{key}"));
        let error = Flavor::from_primitive(&object).unwrap_err();
        assert_eq!(error.class(), "ValueError", "{key}");
    }
    let data = change("nova_object.data", json!({"memory_mb": "many"}));
    assert!(data.to_string().contains("`memory_mb`"), "{data}");
    let null = change("nova_object.data", json!({"name": null}));
    assert_eq!(null.code(), "rpc/bad-object-field");
    let mut unchanged = wire("1.1");
    unchanged
        .as_object_mut()
        .unwrap()
        .remove("nova_object.changes");
    assert!(
        Flavor::from_primitive(&unchanged)
            .unwrap()
            .changes()
            .is_empty()
    );
}

#[test]
fn setting_an_equal_value_is_a_change_and_unset_differs_from_null() {
    let mut instance = Instance::new();
    assert!(!instance.is_set("host"));
    assert_eq!(instance.host(), None);
    instance.set_host(None).set_uuid("u");
    assert!(instance.is_set("host"));
    instance.reset_changes();
    assert!(instance.changes().is_empty());
    instance.set_host(None);
    assert_eq!(instance.changes(), ["host"]);
    let wire = instance.to_primitive();
    assert_eq!(wire["nova_object.data"], json!({"uuid": "u", "host": null}));
    assert_eq!(wire["nova_object.changes"], json!(["host"]));
}

#[test]
fn a_nested_change_counts_until_reset() {
    let mut flavor = Flavor::new();
    flavor.set_name("f").set_vcpus(2);
    let wire = json!({
        "nova_object.name": "Instance", "nova_object.namespace": "nova",
        "nova_object.version": "2.3",
        "nova_object.data": {"flavor": flavor.to_primitive()},
    });
    let mut instance = Instance::from_primitive(&wire).unwrap();
    assert_eq!(instance.changes(), ["flavor"]);
    instance.reset_changes();
    assert!(instance.changes().is_empty());
    assert!(instance.flavor().changes().is_empty());
    assert_eq!(instance.flavor().vcpus(), 2);
}

#[test]
fn updates_set_values_and_replace_the_marks() {
    let mut instance = Instance::new();
    instance.set_uuid("u").set_host("h1").set_progress(3);
    let updates = json!({"host": "h2", "id": 4, "nonsense": 1, WHAT_CHANGED: ["host"]});
    instance
        .apply_updates(updates.as_object().unwrap())
        .unwrap();
    assert_eq!(
        (instance.host(), instance.id(), instance.progress()),
        (Some("h2"), 4, Some(3))
    );
    assert_eq!(instance.changes(), ["host"]);
    let before = instance.clone();
    let bad = json!({"host": "h3", "vm_state": "floating"});
    instance
        .apply_updates(bad.as_object().unwrap())
        .unwrap_err();
    assert_eq!(
        instance, before,
        "a refused update leaves the object as it was"
    );
}

#[test]
fn values_are_coerced_as_peers_do() {
    let wire = json!({
        "nova_object.name": "Instance", "nova_object.namespace": "nova",
        "nova_object.version": "2.3",
        "nova_object.data": {
            "id": "5", "display_name": 12, "locked": "False", "cleaned": 0, "power_state": 4,
            "task_state": "powering-off", "vm_state": "soft-delete",
            "created_at": "2026-01-02T03:04:05.678901", "updated_at": "2026-01-02T03:04:05+00:00",
            "launched_at": "2026-01-02T05:04:05+02:00",
            "system_metadata": {"a": null},
        },
    });
    let instance = Instance::from_primitive(&wire).unwrap();
    assert_eq!((instance.id(), instance.display_name()), (5, Some("12")));
    assert_eq!((instance.locked(), instance.cleaned()), (true, false));
    assert_eq!(instance.power_state(), Some(PowerState::Shutdown));
    assert_eq!(instance.task_state(), Some(TaskState::PoweringOff));
    assert_eq!(instance.vm_state(), Some(VmState::SoftDeleted));
    let at: DateTime = "2026-01-02T03:04:05Z".parse().unwrap();
    assert_eq!(instance.created_at(), Some(at));
    assert_eq!(instance.updated_at(), Some(at));
    assert_eq!(instance.launched_at(), Some(at));
    assert_eq!(
        instance.field("created_at"),
        Some(json!("2026-01-02T03:04:05Z"))
    );
    assert_eq!(
        instance.system_metadata(),
        &BTreeMap::from([("a".to_owned(), None)])
    );
    for (field, value) in [("power_state", json!(5)), ("metadata", json!({"a": null}))] {
        let one = Map::from_iter([(field.to_owned(), value)]);
        let error = Instance::new().assign_fields(&one).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn defaults_of_unset_fields_are_the_fields_own() {
    assert_eq!(RequestSpec::new().num_instances(), 1);
    assert_eq!(ComputeNode::new().cpu_allocation_ratio(), 16.0);
    assert!(Flavor::new().is_public());
    assert!(
        RequestSpec::new().to_primitive()["nova_object.data"]
            .as_object()
            .unwrap()
            .is_empty()
    );
}
