//! Signatures of plugin files: minisign, `FILE.so.minisig` beside the file, keys from the configuration.
//!
//! The content is fed in pieces while somebody reads it anyway, so a large file is read once. Knows no map and opens
//! no library. Called by whoever stages a file, and by the configuration for its keys.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use minisign_verify::{PublicKey, Signature};

use crate::codes;
use crate::diagnostic::{escape, quoted_list};
use crate::inspect::Refusal;

/// Longest signature file, in bytes. A signature has four lines.
pub const SIGNATURE_BYTES_MAX: u64 = 16 << 10;
/// Most keys.
pub const KEYS_MAX: usize = 64;
/// What is read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Which key: the number that minisign shows, 16 upper-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 8]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The bytes are those of a little-endian number.
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

/// A public key that the operator trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    id: KeyId,
    key: PublicKey,
}

impl Key {
    /// Reads the base64 line of a minisign public key, or a whole `.pub` file's text.
    ///
    /// # Errors
    /// Why it is none, as the end of a sentence about it.
    pub fn parse(text: &str) -> Result<Key, &'static str> {
        let mut lines = text.lines().map(str::trim);
        let line = lines.rfind(|l| !l.is_empty());
        let line = line.ok_or("it is empty")?;
        let wrong = "it is not a minisign public key: 56 letters and digits that begin with `RW`";
        let key = PublicKey::from_base64(line).map_err(|_| wrong)?;
        let id = key_id(line).ok_or(wrong)?;
        Ok(Key { id, key })
    }

    /// Its number.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Whose it is.
    pub key: KeyId,
    /// What the signer wrote into it, which is signed too: usually a time and a file name. Escaped, at most 1 KiB.
    pub comment: String,
}

/// Where the signature of a file lies: the whole name with `.minisig` after it.
pub fn path_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

/// The signature beside `file`; nothing if there is none.
///
/// # Errors
/// `plugin/untrusted` when it is there and cannot be read.
pub fn read_beside(file: &Path) -> Result<Option<String>, Refusal> {
    let path = path_beside(file);
    let bad = |e: &dyn std::fmt::Display| {
        let shown = escape(&path.display().to_string());
        let why = format!("its signature `{shown}` cannot be read: {e}");
        untrusted(file, why, "copy the signature again, beside the file")
    };
    let meta = match std::fs::metadata(&path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(bad(&e)),
    };
    // Neither a pipe, which would wait, nor a device, which might never end.
    if !meta.is_file() {
        return Err(bad(&"it is not a regular file"));
    }
    let mut text = String::new();
    let opened = File::open(&path).map_err(|e| bad(&e))?;
    let read = opened
        .take(SIGNATURE_BYTES_MAX + 1)
        .read_to_string(&mut text);
    read.map_err(|e| bad(&e))?;
    if text.len() as u64 > SIGNATURE_BYTES_MAX {
        return Err(bad(&format!(
            "it has more than {SIGNATURE_BYTES_MAX} bytes"
        )));
    }
    Ok(Some(text))
}

/// A file without a signature, where one is needed.
pub fn missing(file: &Path) -> Refusal {
    let beside = escape(&path_beside(file).display().to_string());
    let help = "sign it with `minisign -Sm FILE`, or set `[trust] signatures = \"optional\"`";
    untrusted(file, format!("it is not signed: no `{beside}`"), help)
}

/// A signature and the key that it names, ready for the content.
#[derive(Debug)]
pub struct Verifier<'k> {
    file: PathBuf,
    key: &'k Key,
    signature: Parts,
}

/// The crate's own type has no `Debug`.
struct Parts(Signature);

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature")
    }
}

impl<'k> Verifier<'k> {
    /// Reads a signature of `file`, and finds its key among `keys`.
    ///
    /// # Errors
    /// `plugin/untrusted`: it is damaged, of the old form that signs the file whole, or by a key that is not trusted,
    /// whose id the message has.
    pub fn new(file: &Path, signature: &str, keys: &'k [Key]) -> Result<Verifier<'k>, Refusal> {
        let again = "sign it again with minisign, and copy file and signature together";
        let damaged = || untrusted(file, "its signature is damaged".to_owned(), again);
        let id = signature
            .lines()
            .nth(1)
            .and_then(|line| key_id(line.trim()));
        let id = id.ok_or_else(damaged)?;
        let decoded = Signature::decode(signature).map_err(|_| damaged())?;
        let Some(key) = keys.iter().find(|k| k.id == id) else {
            return Err(unknown_key(file, id, keys));
        };
        // Asked for once here, so that whoever feeds the content cannot fail before its end.
        if key.key.verify_stream(&decoded).is_err() {
            let why = "its signature is of the old form, without a hash".to_owned();
            return Err(untrusted(file, why, "sign it with minisign 0.10 or later"));
        }
        let (file, signature) = (file.to_owned(), Parts(decoded));
        Ok(Verifier {
            file,
            key,
            signature,
        })
    }

    /// Takes the content in pieces.
    ///
    /// # Errors
    /// As `Stream::finish`, when the signature has no hash.
    pub fn stream(&self) -> Result<Stream<'_>, Refusal> {
        let stream = self.key.key.verify_stream(&self.signature.0);
        let stream = stream.map_err(|_| self.does_not_hold())?;
        Ok(Stream {
            verifier: self,
            stream,
        })
    }

    fn does_not_hold(&self) -> Refusal {
        let why = format!(
            "the signature of key {} does not hold: the file, the signature or its comment was changed",
            self.key.id
        );
        untrusted(
            &self.file,
            why,
            "install the file that was signed, or sign this one",
        )
    }
}

/// A content on its way.
pub struct Stream<'v> {
    verifier: &'v Verifier<'v>,
    stream: minisign_verify::StreamVerifier<'v>,
}

impl Stream<'_> {
    /// The next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.stream.update(piece);
    }

    /// Whether the signature holds for all pieces, and for its own comment.
    ///
    /// # Errors
    /// `plugin/untrusted`.
    pub fn finish(mut self) -> Result<Signed, Refusal> {
        let done = self.stream.finalize();
        done.map_err(|_| self.verifier.does_not_hold())?;
        let comment = self.verifier.signature.0.trusted_comment();
        Ok(Signed {
            key: self.verifier.key.id,
            comment: escape(comment),
        })
    }
}

/// Verifies everything that `content` gives. `file` is for messages.
///
/// # Errors
/// As `Verifier::new` and `Stream::finish`; `plugin/unreadable` while reading.
pub fn verify(
    file: &Path,
    mut content: impl io::Read,
    signature: &str,
    keys: &[Key],
) -> Result<Signed, Refusal> {
    let verifier = Verifier::new(file, signature, keys)?;
    let mut stream = verifier.stream()?;
    let mut piece = vec![0_u8; PIECE_BYTES];
    loop {
        match content.read(&mut piece) {
            Ok(0) => return stream.finish(),
            Ok(n) => stream.update(&piece[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                let help = "make it readable for the service user";
                let code = codes::PLUGIN_UNREADABLE;
                return Err(Refusal::new(code, file, e.to_string(), help));
            }
        }
    }
}

fn unknown_key(file: &Path, id: KeyId, keys: &[Key]) -> Refusal {
    let trusted: Vec<String> = keys.iter().map(|k| k.id.to_string()).collect();
    let trusted = match trusted.as_slice() {
        [] => "none is trusted".to_owned(),
        some => format!("trusted are {}", quoted_list(some)),
    };
    let why = format!("it is signed by key `{id}`; {trusted}");
    let help = "have it signed by a trusted key, or add its key to `[trust] keys`";
    untrusted(file, why, help)
}

fn untrusted(file: &Path, why: String, help: &str) -> Refusal {
    Refusal::new(codes::PLUGIN_UNTRUSTED, file, why, help)
}

/// Bytes 2 to 10 of a key or signature line: they say which key it is, and the crate keeps them to itself.
fn key_id(line: &str) -> Option<KeyId> {
    let mut bytes = Vec::with_capacity(12);
    for group in line.as_bytes().get(..16)?.chunks_exact(4) {
        let mut bits = 0_u32;
        for letter in group {
            bits = bits << 6 | digit(*letter)?;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    Some(KeyId(bytes.get(2..10)?.try_into().ok()?))
}

/// The value of a base64 digit.
fn digit(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests;
