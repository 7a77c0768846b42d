//! The error codes of all crates: each exists once and can be explained.

use longshore::explain::all_codes;

use crate::program::Place;

#[test]
fn every_code_is_unique_and_explained() {
    let all = all_codes();
    for pair in all.windows(2) {
        assert_ne!(pair[0].code, pair[1].code);
    }
    let areas = [
        "config", "map", "plugin", "abi", "driver", "rpc", "store", "service", "api", "quota",
        "schedule", "check",
    ];
    for code in &all {
        let (area, slug) = code.code.split_once('/').unwrap();
        assert!(areas.contains(&area), "{}", code.code);
        assert!(
            !slug.is_empty()
                && slug
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b"-0123456789".contains(&b))
        );
        for text in [code.title, code.cause, code.cure] {
            assert!(!text.trim().is_empty(), "{}", code.code);
        }
    }
}

#[test]
fn explain_says_cause_and_cure_or_the_nearest() {
    let place = Place::new();
    let ran = place.run("explain config/odd");
    assert_eq!(ran.exit, 0);
    assert!(ran.out.starts_with("config/odd: "), "{}", ran.out);
    assert!(ran.out.contains("cause: ") && ran.out.contains("cure:  "));
    let ran = place.run("explain config/od");
    assert_eq!((ran.exit, ran.out.as_str()), (2, ""));
    assert!(
        ran.err.contains("did you mean `config/odd`?"),
        "{}",
        ran.err
    );
    let list = place.run("explain --list --json").json();
    assert_eq!(list.as_array().unwrap().len(), all_codes().len());
}
