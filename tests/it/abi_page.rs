//! `docs/abi.md`: every proof that it names exists. Whether a proof proves its promise is for the reader.

use std::fs;

use longshore_tests::files::workspace;

#[test]
fn every_proof_of_the_abi_exists() {
    let page = fs::read_to_string(workspace().join("docs/abi.md")).unwrap();
    let mut found = 0;
    for literal in page.split('`').skip(1).step_by(2) {
        let Some((file, test)) = literal
            .split_once("::")
            .filter(|(file, _)| file.ends_with(".rs"))
        else {
            continue;
        };
        let text = fs::read_to_string(workspace().join(file));
        let text = text.unwrap_or_else(|e| panic!("{literal}: {e}"));
        assert!(
            text.contains(&format!("#[test]\nfn {test}("))
                || text.contains(&format!("    #[test]\n    fn {test}(")),
            "{literal}: no such test"
        );
        found += 1;
    }
    assert!(found > 35, "only {found} proofs were found");
}

/// Each compiler that the tests use has its rows, and each cell is an answer.
#[test]
fn the_table_of_compilers_is_filled() {
    let page = fs::read_to_string(workspace().join("docs/abi.md")).unwrap();
    let (_, table) = page.split_once("<!-- cargo xtask matrix -->\n").unwrap();
    let (table, _) = table.split_once("<!-- end -->").unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(2)
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    for row in &rows {
        let answer = row[4];
        assert!(
            answer == "loads" || answer.starts_with("refused: "),
            "{row:?}"
        );
        assert!(
            row[2] != "abort" || answer.ends_with("`abi/panic-abort`"),
            "{row:?}"
        );
    }
    for compiler in longshore_tests::outside::toolchains() {
        assert!(
            rows.iter().any(|row| row[0] == compiler),
            "no row for {compiler}"
        );
    }
}
