//! Signatures that hold and that do not. The keys and signatures were made once with minisign, in its present form,
//! over the content below; nobody has the secret keys any more.

use super::*;

const ONE: &str = include_str!("testdata/one.pub");
const TWO: &str = include_str!("testdata/two.pub");
const SIGNED_BY_ONE: &str = include_str!("testdata/one.minisig");
const SIGNED_BY_TWO: &str = include_str!("testdata/two.minisig");

/// More than two pieces, and not a whole number of them.
fn content() -> Vec<u8> {
    (0..200_000_u32).map(|i| (i % 251) as u8).collect()
}

fn file() -> &'static Path {
    Path::new("/opt/acme/libacme.so")
}

fn keys(texts: &[&str]) -> Vec<Key> {
    let key = |text: &&str| Key::parse(text).expect("a key");
    texts.iter().map(key).collect()
}

fn refused(content: &[u8], signature: &str, trusted: &[&str]) -> Refusal {
    let refusal = verify(file(), content, signature, &keys(trusted)).unwrap_err();
    assert_eq!(refusal.code, "plugin/untrusted");
    assert!(!refusal.help.is_empty() && !refusal.one_line().contains('\n'));
    refusal
}

#[test]
fn a_good_signature_says_whose_it_is_and_what_its_comment_says() {
    let keys = keys(&[TWO, ONE]);
    let signed = verify(file(), &content()[..], SIGNED_BY_ONE, &keys).unwrap();
    assert_eq!(signed.key.to_string(), "B60A601FAD8B5F9D");
    assert!(
        ONE.contains("B60A601FAD8B5F9D"),
        "the number that minisign itself shows"
    );
    assert_eq!(signed.comment, "file:libacme.so version:1.2.3");
    let by_two = verify(file(), &content()[..], SIGNED_BY_TWO, &keys).unwrap();
    assert_eq!(by_two.key, keys[0].id());
}

#[test]
fn pieces_of_any_size_are_the_same_content() {
    let keys = keys(&[ONE]);
    let verifier = Verifier::new(file(), SIGNED_BY_ONE, &keys).unwrap();
    let mut stream = verifier.stream().unwrap();
    for piece in content().chunks(777) {
        stream.update(piece);
    }
    assert!(stream.finish().is_ok());
    let nothing = verifier.stream().unwrap().finish();
    assert_eq!(nothing.unwrap_err().code, "plugin/untrusted");
}

#[test]
fn a_key_that_is_not_trusted_is_named() {
    let refusal = refused(&content(), SIGNED_BY_ONE, &[TWO]);
    let two = Key::parse(TWO).unwrap().id();
    assert_eq!(
        refusal.why,
        format!("it is signed by key `B60A601FAD8B5F9D`; trusted are `{two}`")
    );
    let refusal = refused(&content(), SIGNED_BY_ONE, &[]);
    assert!(refusal.why.ends_with("none is trusted"), "{refusal}");
}

#[test]
fn a_changed_file_is_refused() {
    let mut changed = content();
    changed[100_000] ^= 1;
    let refusal = refused(&changed, SIGNED_BY_ONE, &[ONE]);
    assert!(
        refusal.why.contains("B60A601FAD8B5F9D does not hold"),
        "{refusal}"
    );
    refused(&content()[1..], SIGNED_BY_ONE, &[ONE]);
    refused(b"", SIGNED_BY_ONE, &[ONE]);
}

#[test]
fn a_changed_comment_is_refused() {
    let changed = SIGNED_BY_ONE.replace("1.2.3", "1.2.4");
    refused(&content(), &changed, &[ONE]);
    // The first line is not signed, and nobody reads it.
    let untrusted = SIGNED_BY_ONE.replace("made for tests", "made by nobody");
    assert!(verify(file(), &content()[..], &untrusted, &keys(&[ONE])).is_ok());
}

#[test]
fn a_damaged_signature_is_refused_wherever_it_is_damaged() {
    let end = SIGNED_BY_ONE.find("trusted comment: file").unwrap_or(0);
    let start = SIGNED_BY_ONE.find('\n').unwrap_or(0);
    for at in start + 1..end {
        let mut bytes = SIGNED_BY_ONE.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(bytes).unwrap();
        // Bits behind the last byte of base64 are none of the signature; the rest is.
        let outcome = verify(file(), &content()[..1], &text, &keys(&[ONE]));
        assert_eq!(outcome.unwrap_err().code, "plugin/untrusted", "byte {at}");
    }
    for n in 0..SIGNED_BY_ONE.trim_end().len() {
        let outcome = verify(file(), &content()[..], &SIGNED_BY_ONE[..n], &keys(&[ONE]));
        assert!(outcome.is_err(), "cut at {n}");
    }
}

#[test]
fn the_old_form_that_signs_a_file_whole_is_refused() {
    // The letters after `RU` say which form; `RW` is that of a key and of the old signature.
    let old = SIGNED_BY_ONE.replacen("\nRUSd", "\nRWSd", 1);
    let refusal = refused(&content(), &old, &[ONE]);
    assert!(refusal.why.contains("old form"), "{refusal}");
}

#[test]
fn what_is_no_key_is_told_so() {
    for text in [
        "",
        "RW",
        "not a key",
        "RWSdX4utH2AKtsO",
        &"A".repeat(56),
        "é",
    ] {
        assert!(Key::parse(text).is_err(), "{text}");
    }
    let line = ONE.lines().nth(1).unwrap();
    assert_eq!(
        Key::parse(line),
        Key::parse(ONE),
        "the line or the whole file"
    );
}

#[test]
fn the_signature_lies_beside_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("libacme.so");
    std::fs::write(&lib, content()).unwrap();
    assert_eq!(read_beside(&lib), Ok(None));
    assert!(missing(&lib).why.contains("libacme.so.minisig"));
    std::fs::write(dir.path().join("libacme.so.minisig"), SIGNED_BY_ONE).unwrap();
    let text = read_beside(&lib).unwrap().unwrap();
    let opened = std::fs::File::open(&lib).unwrap();
    assert!(verify(&lib, opened, &text, &keys(&[ONE])).is_ok());
    let long = "x".repeat(SIGNATURE_BYTES_MAX as usize + 1);
    std::fs::write(dir.path().join("libacme.so.minisig"), long).unwrap();
    let refusal = read_beside(&lib).unwrap_err();
    assert!(refusal.why.contains("more than 16384 bytes"), "{refusal}");
    std::fs::remove_file(dir.path().join("libacme.so.minisig")).unwrap();
    std::fs::create_dir(dir.path().join("libacme.so.minisig")).unwrap();
    assert_eq!(read_beside(&lib).unwrap_err().code, "plugin/untrusted");
}
