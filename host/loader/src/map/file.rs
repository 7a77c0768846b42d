//! One map file: from text to raw entries and policies, each with its place.
//!
//! Knows the format of a file, and nothing of other files, the environment or the disk. What is
//! wrong with the file as a whole goes to `fatal`; what is wrong with one entry stays with that
//! entry.

use std::path::Path;
use std::sync::Arc;

use super::entry::{export_fault, lib_fault, name_fault, split_target};
use super::keys::{RESERVED, RESERVED_KEYS};
use super::policy::Policy;
use super::raw::{Mode, RawEntry};
use super::settings::Settings;
use super::{misplaced, policy_form, table_form, unquoted};
use crate::codes;
use crate::diagnostic::{Diagnostic, Place, Source, Span, escape};
use crate::spanned::{self, Member, Node, Reader, Table, Value};

/// The format this host reads.
pub(super) const FORMAT: i64 = 1;
/// What one file says.
#[derive(Debug)]
pub(super) struct RawFile {
    pub(super) source: Arc<Source>,
    /// In order of mention, with the number of keys.
    pub(super) namespaces: Vec<(Arc<str>, usize)>,
    pub(super) entries: Vec<RawEntry>,
    pub(super) search: Vec<String>,
    pub(super) include: Option<Vec<(String, Place)>>,
    pub(super) defaults: Policy,
    pub(super) policies: Vec<(String, Policy)>,
    pub(super) fatal: Vec<Diagnostic>,
}

/// Reads a file. `base` names the base map when this one is a drop-in.
pub(super) fn read(bytes: &[u8], name: &str, dir: &Arc<Path>, base: Option<&str>) -> RawFile {
    let parsed = spanned::parse(bytes, name, &codes::MAP_AREA);
    let mut file = FileReader {
        reader: Reader::new(&parsed.source, &codes::MAP_AREA),
        dir: Arc::clone(dir),
        base,
        out: RawFile {
            source: Arc::clone(&parsed.source),
            namespaces: Vec::new(),
            entries: Vec::new(),
            search: Vec::new(),
            include: None,
            defaults: Policy::default(),
            policies: Vec::new(),
            fatal: parsed.diagnostics,
        },
    };
    // After a syntax error the tree has gaps, and its other faults may be mere after-effects.
    if file.out.fatal.is_empty() {
        file.document(&parsed.root);
    }
    let mut out = file.out;
    out.fatal.extend(file.reader.finish());
    out.fatal.sort_by_key(|d| d.place.position());
    out
}

pub(super) struct FileReader<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) dir: Arc<Path>,
    base: Option<&'a str>,
    out: RawFile,
}

impl FileReader<'_> {
    fn document(&mut self, root: &Table) {
        for member in &root.members {
            match &member.node.value {
                Value::Table(table) if member.key == RESERVED => self.reserved(table),
                Value::Table(table) => self.namespace(member, table),
                _ => {
                    let what = format!("namespace `{}`", escape(&member.key));
                    let help = match misplaced::advice(&member.key, misplaced::Table::Document) {
                        Some(help) => help,
                        None => "write a table: `[\"…\"]`, with one entry per line".to_owned(),
                    };
                    let place = self.reader.place(&member.node.span);
                    let found = member.node.value.kind();
                    let what = format!("{what} must be a table, not {found}");
                    let d = Diagnostic::error(codes::MAP_WRONG_TYPE, place, what).with_help(help);
                    self.reader.report(d);
                }
            }
        }
    }

    fn reserved(&mut self, table: &Table) {
        for member in &table.members {
            let key = member.key.as_str();
            if self.base.is_some() && matches!(key, "format" | "search" | "include") {
                self.base_only(member);
                continue;
            }
            match key {
                "format" => self.format(&member.node),
                "search" => {
                    let found = self.directories(key, &member.node);
                    self.out.search = found.into_iter().map(|(text, _)| text).collect();
                }
                "include" => self.out.include = Some(self.directories(key, &member.node)),
                "defaults" => {
                    if let Some(table) = self.reader.table("defaults", &member.node) {
                        let what = "`[longshore.defaults]`";
                        self.out.defaults = policy_form::read(&mut self.reader, table, what);
                    }
                }
                "policy" => {
                    self.out.policies = policy_form::read_all(&mut self.reader, &member.node);
                }
                _ if matches!(member.node.value, Value::Table(_)) => {
                    unquoted::report_namespaces(&mut self.reader, &[RESERVED], member);
                }
                _ => {
                    let help = misplaced::advice(key, misplaced::Table::Reserved);
                    let what = "`[longshore]`";
                    self.reader
                        .unknown_key_with(member, RESERVED_KEYS, what, help);
                }
            }
        }
    }

    fn base_only(&mut self, member: &Member) {
        let base = escape(self.base.unwrap_or_default());
        let place = self.reader.place(&member.key_span);
        let what = format!("`{}` is allowed only in the base map `{base}`", member.key);
        let help = format!("move it to `{base}`");
        self.reader
            .report(Diagnostic::error(codes::MAP_BASE_ONLY_KEY, place, what).with_help(help));
    }

    fn format(&mut self, node: &Node) {
        let Some(format) = self.reader.integer("format", node, i64::MIN..=i64::MAX) else {
            return;
        };
        if format != FORMAT {
            let what =
                format!("map format {format} is not supported (this longshore reads {FORMAT})");
            let place = self.reader.place(&node.span);
            let d = Diagnostic::error(codes::MAP_UNSUPPORTED_FORMAT, place, what).with_help(
                format!("write `format = {FORMAT}`, or use a newer longshore"),
            );
            self.reader.report(d);
        }
    }

    fn directories(&mut self, key: &str, node: &Node) -> Vec<(String, Place)> {
        let found = self.reader.strings(key, node).unwrap_or_default();
        for (text, span) in &found {
            if text.is_empty() || text.contains('\0') {
                let what = format!(
                    "`{key}` must be a list of directories, not `{}`",
                    escape(text)
                );
                let place = self.reader.place(span);
                let d = Diagnostic::error(codes::MAP_WRONG_TYPE, place, what);
                self.reader
                    .report(d.with_help("write the name of a directory, or `.`"));
            }
        }
        let place = |(text, span)| (text, self.reader.place(&span));
        found.into_iter().map(place).collect()
    }

    fn namespace(&mut self, member: &Member, table: &Table) {
        if let Some(why) = name_fault(&member.key) {
            let what = format!("`{}` is not a valid namespace", escape(&member.key));
            let place = self.reader.place(&member.key_span);
            let d = Diagnostic::error(codes::MAP_BAD_NAME, place, what).with_why(why);
            self.reader
                .report(d.with_help("write a name such as `acme.server.hook`"));
            return;
        }
        let namespace: Arc<str> = Arc::from(member.key.as_str());
        let keys = table.members.len();
        self.out.namespaces.push((Arc::clone(&namespace), keys));
        self.out.entries.reserve(keys);
        for entry in &table.members {
            self.entry(&namespace, entry);
        }
    }

    fn entry(&mut self, namespace: &Arc<str>, member: &Member) {
        let bad_name = name_fault(&member.key).map(|why| {
            let what = format!("`{}` is not a valid entry name", escape(&member.key));
            let place = self.reader.place(&member.key_span);
            let d = Diagnostic::error(codes::MAP_BAD_NAME, place, what).with_why(why);
            Arc::new(d.with_help("rename the entry"))
        });
        let before = self.out.entries.len();
        match &member.node.value {
            Value::Array(items) if items.is_empty() => {
                let place = self.reader.place(&member.node.span);
                let what = format!("`{}` must name at least one library", escape(&member.key));
                let d = Diagnostic::error(codes::MAP_WRONG_TYPE, place, what);
                self.reader
                    .report(d.with_help("write `false` to mask the name"));
            }
            Value::Array(items) => {
                for item in items {
                    let masks = matches!(item.value, Value::Boolean(_));
                    let place = self.reader.place(&item.span);
                    self.one_form(namespace, member, item, place, !masks);
                }
            }
            _ => {
                let place = self.reader.place(&member.key_span);
                self.one_form(namespace, member, &member.node, place, true);
            }
        }
        if let Some(d) = bad_name {
            for entry in &mut self.out.entries[before..] {
                entry.fault.get_or_insert_with(|| Arc::clone(&d));
            }
        }
    }

    /// A string, a table or `false`.
    fn one_form(
        &mut self,
        namespace: &Arc<str>,
        member: &Member,
        node: &Node,
        place: Place,
        may_mask: bool,
    ) {
        let mut raw = RawEntry::new(namespace, &member.key, &self.dir, place);
        match &node.value {
            Value::String(target) => {
                let (lib, export) = split_target(target);
                raw.fault = self.lib_fault(target, lib, &node.span).map(Arc::new);
                raw.lib = Some(lib.to_owned());
                raw.export = export.map(str::to_owned);
            }
            Value::Boolean(false) if may_mask => raw.mode = Mode::Mask,
            Value::Table(table) => {
                if unquoted::is_nested(&self.reader, node, table) {
                    unquoted::report_entry(&mut self.reader, namespace, member, node);
                    return;
                }
                table_form::read(self, &mut raw, table);
            }
            _ => {
                let expected = "a library, a table, a list of them, or `false`";
                self.reader.wrong_type(&member.key, node, expected, None);
                return;
            }
        }
        self.out.entries.push(raw);
    }

    /// What is wrong with a library, if anything; `shown` is the target as it is written.
    pub(super) fn lib_fault(&self, shown: &str, lib: &str, span: &Span) -> Option<Diagnostic> {
        let (why, help) = lib_fault(lib)?;
        let what = format!("`{}` is not a valid target", escape(shown));
        let d = Diagnostic::error(codes::MAP_BAD_NAME, self.reader.place(span), what);
        Some(d.with_why(why).with_help(help))
    }

    /// What is wrong with an export that is written on its own, if anything.
    pub(super) fn export_fault(&self, export: &str, span: &Span) -> Option<Diagnostic> {
        let why = export_fault(export)?;
        let what = format!("`{}` is not a valid export", escape(export));
        let d = Diagnostic::error(codes::MAP_BAD_NAME, self.reader.place(span), what);
        Some(d.with_why(why).with_help("write a name such as `ram`"))
    }

    pub(super) fn settings(&mut self, node: &Node) -> Option<Settings> {
        let table = self.reader.table("settings", node)?;
        Some(Settings::read(&mut self.reader, table))
    }
}
