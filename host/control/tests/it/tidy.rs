//! Rules about the crate's own files.

use std::fs;
use std::path::Path;

#[test]
fn compute_does_not_know_that_a_database_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/compute");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("longshore_store"), "{}", path.display());
        files += 1;
    }
    assert!(files > 5);
}

#[test]
fn codes_are_unique_and_explained() {
    let table = longshore_control::codes::TABLE;
    for (index, row) in table.iter().enumerate() {
        assert!(!row.cause.is_empty() && !row.cure.is_empty() && !row.title.is_empty());
        assert!(
            table[..index].iter().all(|other| other.code != row.code),
            "{}",
            row.code
        );
    }
}
