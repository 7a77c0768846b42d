//! The files that a simulation reads: opened, told apart by their suffix, read row by row.
//!
//! What is wrong in a row is collected, so that several mistakes are shown at once; after [`MISTAKES_MAX`] of them
//! reading ends. Must not know what rows mean. Used by `fleet`, `requests` and `azure`.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_loader::diagnostic::{Diagnostic, Place, Source, Span};
use longshore_loader::spanned::{self, AreaCodes, Node, Reader, Value};

use super::csv;
use super::json_rows;
use super::rows::{List, Row};
use crate::cli::failure::Failure;
use crate::codes;

/// After so many mistakes a file is not read on.
pub(super) const MISTAKES_MAX: usize = 20;
/// Longest JSON file, in bytes: it is read as a whole.
const JSON_BYTES_MAX: u64 = 64 << 20;

/// The codes of what the TOML reader finds.
pub(super) const AREA: AreaCodes = AreaCodes {
    syntax: codes::INPUT_SYNTAX,
    encoding: codes::INPUT_SYNTAX,
    duplicate: codes::INPUT_SYNTAX,
    too_large: codes::INPUT_UNREADABLE,
    unknown_key: codes::BAD_ROW,
    wrong_type: codes::BAD_ROW,
};

/// A file that was named on the command line.
pub(super) struct Input {
    path: PathBuf,
    /// As it was named.
    pub(super) name: String,
}

/// What becomes of a row: whether the next one is wanted too.
pub(super) type Take<'t> = &'t mut dyn FnMut(&mut Row<'_, '_>) -> bool;

impl Input {
    pub(super) fn new(named: &Path, working_dir: &Path) -> Self {
        Input {
            path: working_dir.join(named),
            name: named.display().to_string(),
        }
    }

    /// Reads the rows of a list.
    ///
    /// # Errors
    /// What is wrong in the file.
    pub(super) fn rows(&self, list: &List, take: Take<'_>) -> Result<(), Failure> {
        let suffix = self.path.extension().unwrap_or_default();
        let found = match suffix.to_string_lossy().to_ascii_lowercase().as_str() {
            "csv" => csv::rows(&mut self.open()?, &self.name, list, take),
            "json" => self.json(list, take)?,
            "toml" => self.toml(list, take)?,
            _ => {
                let what = format!("cannot tell what `{}` is from its name", self.name);
                let d = Diagnostic::error(codes::INPUT_UNREADABLE, self.place(), what)
                    .with_help("call it `.toml`, `.json` or `.csv`");
                vec![d]
            }
        };
        judged(found)
    }

    /// The file's lines, to be read once.
    pub(super) fn open(&self) -> Result<csv::Lines<BufReader<File>>, Failure> {
        let file = File::open(&self.path).map_err(|e| self.unreadable(&e))?;
        if file.metadata().is_ok_and(|found| found.is_dir()) {
            return Err(self.unreadable(&io::Error::other("it is a directory")));
        }
        Ok(csv::Lines::new(BufReader::new(file)))
    }

    fn place(&self) -> Place {
        Place::File(self.name.clone())
    }

    /// All bytes, if they are not too many to be kept.
    fn bytes(&self, max: u64) -> Result<Vec<u8>, Failure> {
        let file = File::open(&self.path).map_err(|e| self.unreadable(&e))?;
        let mut bytes = Vec::new();
        let read = file.take(max + 1).read_to_end(&mut bytes);
        read.map_err(|e| self.unreadable(&e))?;
        if bytes.len() as u64 > max {
            let what = format!("`{}` has more than {max} bytes", self.name);
            let d = Diagnostic::error(codes::INPUT_UNREADABLE, self.place(), what)
                .with_help("write it as CSV, which is read line by line");
            return Err(Failure::configuration(vec![d]));
        }
        Ok(bytes)
    }

    fn json(&self, list: &List, take: Take<'_>) -> Result<Vec<Diagnostic>, Failure> {
        let text = String::from_utf8(self.bytes(JSON_BYTES_MAX)?);
        let text = text.map_err(|_| self.unreadable(&io::Error::other("it is not UTF-8 text")))?;
        Ok(json_rows::rows(
            &Source::new(self.name.as_str(), text),
            list,
            take,
        ))
    }

    fn toml(&self, list: &List, take: Take<'_>) -> Result<Vec<Diagnostic>, Failure> {
        let bytes = self.bytes(spanned::TEXT_BYTES_MAX as u64)?;
        let parsed = spanned::parse(&bytes, &self.name, &AREA);
        let mut reader = Reader::new(&parsed.source, &AREA);
        parsed
            .diagnostics
            .into_iter()
            .for_each(|d| reader.report(d));
        if !reader.is_clean() {
            return Ok(reader.finish());
        }
        let what = format!("a list of {}", list.name);
        reader.unknown_keys(&parsed.root, &[list.name], &what);
        let nodes = parsed.root.get(list.name).map(|member| &member.node);
        let nodes = match nodes.map(|node| (&node.value, node)) {
            Some((Value::Array(nodes), _)) => nodes.as_slice(),
            Some((_, node)) => {
                reader.wrong_type(list.name, node, &format!("`[[{}]]`", list.name), None);
                &[]
            }
            None => &[],
        };
        Ok(of_nodes(nodes.iter().enumerate(), list, reader, take))
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        let what = format!("cannot read `{}`", self.name);
        let d = Diagnostic::error(codes::INPUT_UNREADABLE, self.place(), what)
            .with_why(error.to_string())
            .with_help("name a file that this user may read");
        Failure::configuration(vec![d])
    }
}

/// Reads rows that are nodes of one text.
pub(super) fn of_nodes<'n>(
    nodes: impl Iterator<Item = (usize, &'n Node)>,
    list: &List,
    mut reader: Reader<'_>,
    take: Take<'_>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (at, node) in nodes {
        let source = Arc::clone(reader.source());
        match reader.table(list.what, node) {
            None => {}
            Some(table) => {
                let place = (table, node.span.clone());
                if !take(&mut Row::new(list, at + 1, place, &mut reader)) {
                    break;
                }
            }
        }
        if !reader.is_clean() {
            let next = Reader::new(&source, &AREA);
            found.extend(std::mem::replace(&mut reader, next).finish());
            if found.len() >= MISTAKES_MAX {
                break;
            }
        }
    }
    found.extend(reader.finish());
    found
}

/// Moves what was found in one line to its place in the file. The file is not kept, so the text shown is that line
/// below as many empty ones as there are lines before it.
pub(super) fn in_file(d: Diagnostic, name: &str, number: usize, line: &str) -> Diagnostic {
    let before = number.saturating_sub(1);
    let moved: Span = match &d.place {
        Place::Text { span, .. } => span.start + before..span.end + before,
        _ => before..before + line.len(),
    };
    let text = "\n".repeat(before) + line;
    Diagnostic {
        place: Place::text(&Source::new(name, text), moved),
        ..d
    }
}

/// Mistakes are a failure.
pub(super) fn judged(found: Vec<Diagnostic>) -> Result<(), Failure> {
    match found.is_empty() {
        true => Ok(()),
        false => Err(Failure::configuration(found)),
    }
}
