//! Errors survive the wire, and every code is explained.
//!
//! Goes through the public surface only.

use std::collections::BTreeSet;

use longshore_objects::codes::TABLE;
use longshore_objects::{Conflict, ObjectError};

fn text(text: &str) -> String {
    text.to_owned()
}

fn all() -> Vec<ObjectError> {
    let conflict = || Conflict {
        uuid: text("u"),
        expected: text("scheduling, none"),
        actual: text("x"),
    };
    vec![
        ObjectError::InstanceNotFound(text("u")),
        ObjectError::NotFound(text("flavor"), text("9")),
        ObjectError::Exists(text("flavor"), text("9")),
        ObjectError::UnexpectedTaskState(conflict()),
        ObjectError::UnexpectedDeletingTaskState(conflict()),
        ObjectError::InstanceUpdateConflict(conflict()),
        ObjectError::ObjectAction(text("destroy"), text("host changed")),
        ObjectError::OrphanedObject(text("save"), text("Instance")),
        ObjectError::IncompatibleObjectVersion(text("Instance"), text("2.9"), text("2.3")),
        ObjectError::UnsupportedObject(text("nova.Zzz")),
        ObjectError::UnsupportedMethod(text("Instance"), text("explode")),
        ObjectError::InvalidField(text("id"), text("expected a number, found a text")),
        ObjectError::Store {
            code: text("store/locked"),
            text: text("the database is locked"),
        },
    ]
}

#[test]
fn an_error_is_the_same_after_the_wire() {
    for error in all() {
        let back = ObjectError::from_remote(error.class(), &error.to_string(), error.code());
        assert_eq!(back, error);
    }
}

#[test]
fn an_unknown_class_is_kept_as_received() {
    let error = ObjectError::from_remote("KeyError", "'boom'", "");
    assert_eq!(error.to_string(), "remote error: KeyError 'boom'");
    assert_eq!(error.class(), "RemoteError");
}

#[test]
fn a_hostile_noun_cannot_forge_another() {
    let error = ObjectError::ObjectAction(text("a`b"), text("c"));
    let back = ObjectError::from_remote(error.class(), &error.to_string(), error.code());
    assert_eq!(back, ObjectError::ObjectAction(text("a'b"), text("c")));
}

#[test]
fn every_code_is_in_the_table_and_every_row_is_used() {
    let errors = all();
    let used: BTreeSet<&str> = errors
        .iter()
        .map(ObjectError::code)
        .filter(|code| *code != "store/locked")
        .collect();
    let listed: BTreeSet<&str> = TABLE.iter().map(|row| row.code).collect();
    assert_eq!(used, listed);
    assert_eq!(TABLE.len(), listed.len(), "no code twice");
}
