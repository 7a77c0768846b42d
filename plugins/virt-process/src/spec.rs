//! `Spec`: all that is needed to start an instance again, and the text of its file.
//!
//! Lines `key=value`, in a fixed order, closed by `end`: a cut file is recognised. Values are
//! percent-encoded, so that no name, path or argument can make a line of its own. Knows no paths;
//! `home` keeps the file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

const FIRST: &str = "longshore-process=1";
const LAST: &str = "end";

/// What an instance is started from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spec {
    /// Its id.
    pub(crate) id: String,
    /// The start of its name.
    pub(crate) name: String,
    /// Its processors.
    pub(crate) vcpus: u32,
    /// Its memory, MB.
    pub(crate) memory_mb: u64,
    /// The largest file it may write, GB; 0: any.
    pub(crate) root_gb: u64,
    /// Its disks together, GB.
    pub(crate) disk_gb: u64,
    /// The image's file, as the image names it.
    pub(crate) file: PathBuf,
    /// The program's arguments.
    pub(crate) arguments: Vec<String>,
}

impl Spec {
    /// The text of the file.
    pub(crate) fn to_text(&self) -> String {
        let Spec {
            id,
            name,
            vcpus,
            memory_mb,
            root_gb,
            disk_gb,
            file,
            arguments,
        } = self;
        let mut text = format!(
            "{FIRST}\nid={}\nname={}\nvcpus={vcpus}\nmemory_mb={memory_mb}\nroot_gb={root_gb}\n\
             disk_gb={disk_gb}\nfile={}\n",
            encode(id.as_ref()),
            encode(name.as_ref()),
            encode(file.as_os_str()),
        );
        for argument in arguments {
            text.push_str(&format!("argument={}\n", encode(argument.as_ref())));
        }
        text.push_str(LAST);
        text.push('\n');
        text
    }

    /// Reads the text of a file; `None` unless all of it is as [`Spec::to_text`] writes it.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != FIRST {
            return None;
        }
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix('=');
        let mut spec = Self {
            id: decode_text(value("id")?)?,
            name: decode_text(value("name")?)?,
            vcpus: value("vcpus")?.parse().ok()?,
            memory_mb: value("memory_mb")?.parse().ok()?,
            root_gb: value("root_gb")?.parse().ok()?,
            disk_gb: value("disk_gb")?.parse().ok()?,
            file: Path::new(&decode(value("file")?)?).to_owned(),
            arguments: Vec::new(),
        };
        loop {
            match lines.next()? {
                LAST => return lines.next().is_none().then_some(spec),
                line => spec
                    .arguments
                    .push(decode_text(line.strip_prefix("argument=")?)?),
            }
        }
    }
}

fn encode(text: &OsStr) -> String {
    text.as_bytes()
        .iter()
        .fold(String::new(), |encoded, &byte| match byte {
            b'%' => encoded + "%25",
            b' '..=b'~' => encoded + char::from(byte).encode_utf8(&mut [0; 4]),
            _ => encoded + &format!("%{byte:02x}"),
        })
}

fn decode(text: &str) -> Option<OsString> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    Some(OsString::from_vec(bytes))
}

fn decode_text(text: &str) -> Option<String> {
    decode(text)?.into_string().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_comes_back_and_no_part_of_it_does() {
        let spec = Spec {
            id: "x/…".into(),
            name: "a\nend\n100 %".into(),
            vcpus: 2,
            memory_mb: u64::MAX,
            root_gb: 0,
            disk_gb: 7,
            file: OsString::from_vec(b"/bin/\xff\n".to_vec()).into(),
            arguments: vec!["".into(), "-c".into(), "end\n%41".into()],
        };
        let text = spec.to_text();
        assert_eq!(Spec::from_text(&text).as_ref(), Some(&spec));
        for cut in 0..text.len() {
            assert_eq!(Spec::from_text(&text[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Spec::from_text(&(text + "more\n")), None);
    }
}
