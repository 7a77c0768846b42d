//! One map file: from text to raw entries and policies, each with its place.
//!
//! Knows the format of a file, and nothing of other files, the environment or the disk. What is
//! wrong with the file as a whole goes to `fatal`; what is wrong with one entry stays with that
//! entry.

use std::path::Path;
use std::sync::Arc;

use super::entry::{export_fault, lib_fault, name_fault, split_target};
use super::policy::{Conflicts, Order, Placed, Policy};
use super::raw::{Mode, RawEntry};
use super::settings::Settings;
use super::{table_form, unquoted};
use crate::codes;
use crate::diagnostic::{Diagnostic, Place, Source, Span, escape};
use crate::spanned::{self, Member, Node, Reader, Table, Value};

/// The format this host reads.
pub(super) const FORMAT: i64 = 1;
const RESERVED: &str = "longshore";
const RESERVED_KEYS: &[&str] = &["format", "search", "include", "defaults", "policy"];
const POLICY_KEYS: &[&str] = &["conflicts", "order", "only", "disabled", "default", "env"];

/// What one file says.
#[derive(Debug)]
pub(super) struct RawFile {
    pub(super) source: Arc<Source>,
    pub(super) namespaces: Vec<Arc<str>>,
    pub(super) entries: Vec<RawEntry>,
    pub(super) search: Vec<String>,
    pub(super) include: Option<Vec<String>>,
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
                    let help = "write a table: `[\"…\"]`, with one entry per line";
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
                "search" => self.out.search = self.directories(key, &member.node),
                "include" => self.out.include = Some(self.directories(key, &member.node)),
                "defaults" => {
                    if let Some(table) = self.reader.table("defaults", &member.node) {
                        self.out.defaults = self.policy(table, "`[longshore.defaults]`");
                    }
                }
                "policy" => self.policies(&member.node),
                _ if matches!(member.node.value, Value::Table(_)) => {
                    unquoted::report_namespaces(&mut self.reader, &[RESERVED], member);
                }
                _ => self
                    .reader
                    .unknown_key(member, RESERVED_KEYS, "`[longshore]`"),
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

    fn directories(&mut self, key: &str, node: &Node) -> Vec<String> {
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
        found.into_iter().map(|(text, _)| text).collect()
    }

    fn policies(&mut self, node: &Node) {
        let Some(table) = self.reader.table("policy", node) else {
            return;
        };
        for member in &table.members {
            let what = format!("`[longshore.policy.\"{}\"]`", escape(&member.key));
            let Some(inner) = self.reader.table(&member.key, &member.node) else {
                continue;
            };
            let nested = |m: &Member| {
                !POLICY_KEYS.contains(&m.key.as_str()) && matches!(m.node.value, Value::Table(_))
            };
            if inner.members.iter().any(nested) {
                unquoted::report_policy(&mut self.reader, member);
                continue;
            }
            let policy = self.policy(inner, &what);
            self.out.policies.push((member.key.clone(), policy));
        }
    }

    fn policy(&mut self, table: &Table, what: &str) -> Policy {
        let mut policy = Policy::default();
        self.reader.unknown_keys(table, POLICY_KEYS, what);
        for member in &table.members {
            let (key, node) = (member.key.as_str(), &member.node);
            let place = self.reader.place(&node.span);
            match key {
                "conflicts" => policy.conflicts = self.conflicts(node).map(|v| placed(v, place)),
                "order" => policy.order = self.order(node).map(|v| placed(v, place)),
                "only" => policy.only = self.names(key, node).map(|v| placed(v, place)),
                "disabled" => policy.disabled = self.names(key, node).map(|v| placed(v, place)),
                "default" => {
                    let name = self.reader.string(key, node).map(str::to_owned);
                    policy.default = name.map(|v| placed(v, place));
                }
                "env" => policy.env = self.reader.boolean(key, node).map(|v| placed(v, place)),
                _ => {}
            }
        }
        policy
    }

    fn conflicts(&mut self, node: &Node) -> Option<Conflicts> {
        let words = ["error", "first", "last", "priority", "all"];
        Some(match self.reader.word("conflicts", node, &words)? {
            "first" => Conflicts::First,
            "last" => Conflicts::Last,
            "priority" => Conflicts::Priority,
            "all" => Conflicts::All,
            _ => Conflicts::Error,
        })
    }

    fn order(&mut self, node: &Node) -> Option<Order> {
        Some(
            match self
                .reader
                .word("order", node, &["declared", "priority", "name"])?
            {
                "priority" => Order::Priority,
                "name" => Order::Name,
                _ => Order::Declared,
            },
        )
    }

    fn names(&mut self, key: &str, node: &Node) -> Option<Vec<Placed<String>>> {
        let found = self.reader.strings(key, node)?;
        let place = |(value, span): (String, Span)| placed(value, self.reader.place(&span));
        Some(found.into_iter().map(place).collect())
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
        self.out.namespaces.push(Arc::clone(&namespace));
        for entry in &table.members {
            self.entry(&namespace, entry);
        }
    }

    fn entry(&mut self, namespace: &Arc<str>, member: &Member) {
        let bad_name = name_fault(&member.key).map(|why| {
            let what = format!("`{}` is not a valid entry name", escape(&member.key));
            Diagnostic::error(
                codes::MAP_BAD_NAME,
                self.reader.place(&member.key_span),
                what,
            )
            .with_why(why)
            .with_help("rename the entry")
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
                entry.fault.get_or_insert_with(|| d.clone());
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
                raw.fault = self.target_fault(target, lib, None, &node.span);
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

    /// What is wrong with a library and export, if anything.
    pub(super) fn target_fault(
        &self,
        shown: &str,
        lib: &str,
        export: Option<&str>,
        span: &Span,
    ) -> Option<Diagnostic> {
        let no_export = export
            .and_then(export_fault)
            .map(|why| (why, "write a name such as `ram`"));
        let (why, help) = lib_fault(lib).or(no_export)?;
        let what = format!("`{}` is not a valid target", escape(shown));
        let place = self.reader.place(span);
        Some(
            Diagnostic::error(codes::MAP_BAD_NAME, place, what)
                .with_why(why)
                .with_help(help),
        )
    }

    pub(super) fn settings(&mut self, node: &Node) -> Option<Settings> {
        let table = self.reader.table("settings", node)?;
        Some(Settings::read(&mut self.reader, table))
    }
}

fn placed<T>(value: T, place: Place) -> Placed<T> {
    Placed { value, place }
}
