//! Several extensions of one name, asked for by that name.

use longshore_loader::map::Conflicts;
use longshore_loader::{ExtensionManager, FailureKind};
use longshore_sample_plugin::Sample;
use longshore_tests::logs;

use super::support::{NS, entries, local_in, locals, same, whole};

#[test]
fn custom_resolver_picks_on_lookup() {
    let extensions = locals(&["name", "name"]);
    let manager = ExtensionManager::test_instance(extensions.clone());
    let manager = manager.with_resolver(|several| {
        assert_eq!(several.len(), 2);
        Some(0)
    });
    assert!(same(manager.get("name").unwrap(), &extensions[0]));
}

#[test]
fn error_policy_names_conflict() {
    let extensions = vec![
        local_in("acme.twice", "double"),
        local_in("acme.twice", "double"),
    ];
    let manager = ExtensionManager::from_extensions("acme.twice", extensions);
    assert!(manager.get("double").is_none());
    let failure = manager.require("double").unwrap_err();
    assert_eq!(failure.kind, FailureKind::MultipleMatches);
    assert_eq!(failure.entry(), ("acme.twice", "double"));
    let text = failure.to_string();
    assert!(
        text.contains("`double`") && text.contains("`acme.twice`"),
        "{text}"
    );
    assert_eq!(
        manager.get_all("double").count(),
        2,
        "they are all still there"
    );
}

#[test]
fn last_policy_warns_once() {
    logs::start();
    let namespace = "acme.last_policy_warns_once";
    let extensions = vec![local_in(namespace, "double"), local_in(namespace, "double")];
    let manager = ExtensionManager::from_extensions(namespace, extensions.clone());
    let manager = manager.with_conflicts(Conflicts::Last);
    for _ in 0..3 {
        assert!(same(manager.get("double").unwrap(), &extensions[1]));
    }
    let warnings = logs::about(namespace, 2);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("2 entries have this name"),
        "{warnings:?}"
    );
}

#[test]
fn the_programs_choice_beats_the_policy_of_the_map() {
    let world = whole(&format!(
        "[longshore.policy.'{NS}']\nconflicts = 'first'\n['{NS}']\nt1 = ['LIB', 'LIB:t2']\n"
    ));
    let builder = || world.loader.namespace::<dyn Sample>(NS);
    let export =
        |m: longshore_loader::DriverManager<dyn Sample>| m.extension().info().export.clone();
    assert_eq!(export(builder().driver("t1").unwrap()), "t1");
    let last = builder().conflicts(Conflicts::Last).driver("t1");
    assert_eq!(export(last.unwrap()), "t2");
    let error = builder().conflicts(Conflicts::Error).driver("t1");
    assert_eq!(error.err().unwrap().kind, FailureKind::MultipleMatches);
    let all = builder().all().unwrap();
    assert_eq!(
        all.len(),
        2,
        "a policy is about the name, nothing is dropped"
    );
    assert_eq!(all.get("t1").unwrap().info().export, "t1");
}

#[test]
fn the_smallest_priority_wins_and_a_tie_is_a_conflict() {
    let at = |priority: i32| {
        let world = entries(&format!(
            "t1 = [{{ lib = 'LIB', priority = 5 }}, {{ lib = 'LIB', export = 't2', priority = {priority} }}]\n"
        ));
        let builder = world.loader.namespace::<dyn Sample>(NS);
        let manager = builder.conflicts(Conflicts::Priority).driver("t1");
        manager.map(|m| m.extension().info().export.clone())
    };
    assert_eq!(at(-1).unwrap(), "t2");
    assert_eq!(at(9).unwrap(), "t1");
    assert_eq!(at(5).unwrap_err().kind, FailureKind::MultipleMatches);
}
