//! `docs/map.md` says what is so: every code of the map is in it, its examples are read, and its
//! messages are the ones that its wrong examples give.

use crate::codes;
use crate::diagnostic::{Style, render};
use crate::map::{Environment, PluginMap};

const PAGE: &str = include_str!("../../../../../docs/map.md");

/// The fenced blocks: the words after the fence, and the text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let fenced = PAGE.split("```").skip(1).step_by(2);
    fenced.filter_map(|b| b.split_once('\n')).collect()
}

/// What reading an example says. `# file: NAME` begins the next file.
fn said(example: &str) -> String {
    let parts: Vec<(&str, &str)> = match example.split_once("# file: ") {
        None => vec![("plugins.toml", example)],
        Some((_, files)) => {
            let files = files.split("# file: ");
            files.filter_map(|f| f.split_once('\n')).collect()
        }
    };
    match PluginMap::parse_files(&parts, &Environment::default()) {
        Ok(map) => render(map.diagnostics(), Style::default()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_code_of_the_map_is_in_the_document() {
    let areas = codes::TABLE.iter().filter(|c| c.code.starts_with("map/"));
    for code in areas.map(|c| c.code) {
        assert!(
            PAGE.contains(&format!("### `{code}`")),
            "{code} has no section"
        );
        assert!(
            PAGE.contains(&format!("[{code}]: ")),
            "{code} has no example"
        );
    }
}

#[test]
fn the_examples_of_the_document_are_read() {
    let examples: Vec<_> = blocks()
        .into_iter()
        .filter(|(kind, _)| *kind == "toml")
        .collect();
    assert!(examples.len() >= 2);
    for (_, example) in examples {
        assert_eq!(said(example), "", "{example}");
    }
}

#[test]
fn the_messages_of_the_document_are_the_programs() {
    let blocks = blocks();
    let wrong = blocks.windows(2).filter(|pair| pair[0].0 == "toml wrong");
    let mut count = 0;
    for pair in wrong {
        assert_eq!(said(pair[0].1), pair[1].1, "{}", pair[0].1);
        count += 1;
    }
    assert!(count >= 14, "only {count} were found");
}
