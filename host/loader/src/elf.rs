//! Facts about an ELF file, read from its headers, before any of it is mapped.
//!
//! A total parser: any bytes give facts or one refusal, never a panic, and no allocation is sized
//! by what the file claims. Reads the headers, the dynamic section and the notes only, so a large
//! file costs no more than a small one. Must not know what a longshore plugin is; `inspect` calls
//! it.

use object::LittleEndian as Le;
use object::elf;
use object::read::ReadRef;
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};

mod library;
mod symbols;
mod versions;

pub(crate) use library::Library;

use crate::codes;
use crate::diagnostic::escape;
use symbols::Symbols;

/// Most program headers that are looked at.
pub const SEGMENTS_MAX: u32 = 256;
/// Most bytes of notes, and of the dynamic section.
pub const SECTION_BYTES_MAX: u64 = 1 << 20;
/// Most needed libraries.
pub const NEEDED_MAX: usize = 256;

type Header = elf::FileHeader64<Le>;
type Segment = elf::ProgramHeader64<Le>;

/// Longest text of the dynamic section, in bytes.
const TEXT_BYTES_MAX: u64 = 4096;

/// What the headers say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElfFacts {
    /// The machine it is built for, for example `x86_64`.
    pub machine: String,
    /// The sonames it needs, in order.
    pub needed: Vec<String>,
    /// `RUNPATH` or `RPATH`, if any.
    pub runpath: Option<String>,
    /// The symbol versions it needs: library and version, such as `libc.so.6` and `GLIBC_2.34`.
    pub versions: Vec<(String, String)>,
    /// The symbols that others must define, without versions.
    pub wanted: Vec<String>,
    /// The symbols that it defines for others.
    pub exports: Vec<String>,
}

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElfRefusal {
    /// One of the `plugin/…` codes.
    pub code: &'static str,
    /// Why, as the end of "cannot load …".
    pub why: String,
    /// What to do.
    pub help: String,
}

/// The machine this host runs on, in the words of `ElfFacts::machine`.
pub const HOST_MACHINE: &str = std::env::consts::ARCH;

/// A note of an ELF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElfNote<'d> {
    /// Who defines it, without the closing NUL.
    pub name: &'d [u8],
    /// Its type, as `name` defines it.
    pub kind: u32,
    /// Its content.
    pub desc: &'d [u8],
}

/// Checks the headers and collects facts and notes.
///
/// # Errors
/// The first reason why this host cannot load the file.
pub fn read<'d, R: ReadRef<'d>>(data: R) -> Result<(ElfFacts, Vec<ElfNote<'d>>), ElfRefusal> {
    let length = data.len().unwrap_or(0);
    let header = header(data, length)?;
    let segments = segments(header, data, length)?;
    check_section_table(header, length)?;
    let mut facts = ElfFacts {
        machine: HOST_MACHINE.to_owned(),
        ..ElfFacts::default()
    };
    let mut notes = Vec::new();
    for (i, segment) in segments.iter().enumerate() {
        check_segment(i, segment, length)?;
        match segment.p_type(Le) {
            elf::PT_DYNAMIC => dynamic(segment, segments, data, &mut facts)?,
            elf::PT_NOTE => read_notes(segment, data, &mut notes)?,
            _ => {}
        }
    }
    check_linking(&facts)?;
    Ok((facts, notes))
}

fn refuse(code: &'static str, why: impl Into<String>, help: impl Into<String>) -> ElfRefusal {
    ElfRefusal {
        code,
        why: why.into(),
        help: help.into(),
    }
}

fn malformed(field: &str, value: u64) -> ElfRefusal {
    let why = format!("{field} = {value} is outside the file");
    refuse(
        codes::PLUGIN_MALFORMED,
        why,
        "build it again, then copy it again",
    )
}

fn truncated(length: u64, what: &str, end: u64) -> ElfRefusal {
    let why = format!("the file has {length} bytes, {what} ends at {end}");
    refuse(
        codes::PLUGIN_TRUNCATED,
        why,
        "copy it again; the copy was cut off",
    )
}

fn header<'d, R: ReadRef<'d>>(data: R, length: u64) -> Result<&'d Header, ElfRefusal> {
    let build = "build it with `crate-type = [\"cdylib\"]`";
    if length == 0 {
        let help = "copy it again; the build may have been cut off";
        return Err(refuse(codes::PLUGIN_NOT_ELF, "the file is empty", help));
    }
    let start = data.read_bytes_at(0, length.min(64)).unwrap_or(&[]);
    if !start.starts_with(&elf::ELFMAG) {
        let first = String::from_utf8_lossy(&start[..start.len().min(4)]).into_owned();
        let why = format!(
            "it starts with `{}`, not with an ELF header",
            escape(&first)
        );
        return Err(refuse(codes::PLUGIN_NOT_ELF, why, build));
    }
    if length < 64 {
        return Err(truncated(length, "the ELF header", 64));
    }
    let wrong = |what: &str| {
        let why = format!("it is a {what} file, this host is {HOST_MACHINE}");
        refuse(codes::PLUGIN_WRONG_ARCH, why, for_this_host())
    };
    if start[4] != elf::ELFCLASS64.0 {
        return Err(wrong("32-bit"));
    }
    if start[5] != elf::ELFDATA2LSB.0 {
        return Err(wrong("big-endian"));
    }
    let header: &Header = data
        .read_at(0)
        .map_err(|()| truncated(length, "the ELF header", 64))?;
    let machine = machine_name(header.e_machine(Le).0);
    if machine != HOST_MACHINE {
        let why = format!("the file is built for {machine}, this host is {HOST_MACHINE}");
        return Err(refuse(codes::PLUGIN_WRONG_ARCH, why, for_this_host()));
    }
    let what = match header.e_type(Le) {
        elf::ET_DYN => return Ok(header),
        elf::ET_EXEC => "an executable",
        elf::ET_REL => "an object file",
        elf::ET_CORE => "a core dump",
        _ => "no shared library",
    };
    Err(refuse(
        codes::PLUGIN_NOT_A_LIBRARY,
        format!("the file is {what}"),
        build,
    ))
}

fn for_this_host() -> String {
    format!("build it with `--target {HOST_MACHINE}-unknown-linux-gnu`")
}

fn machine_name(machine: u16) -> String {
    let name = match machine {
        3 => "x86",
        8 => "mips",
        20 => "powerpc",
        21 => "powerpc64",
        22 => "s390x",
        40 => "arm",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv64",
        258 => "loongarch64",
        other => return format!("machine {other}"),
    };
    name.to_owned()
}

fn segments<'d, R: ReadRef<'d>>(
    header: &Header,
    data: R,
    length: u64,
) -> Result<&'d [Segment], ElfRefusal> {
    let offset = header.e_phoff(Le);
    let count = u32::from(header.e_phnum(Le));
    if count == 0 || count > SEGMENTS_MAX {
        let why = format!("it has {count} program headers, from 1 to {SEGMENTS_MAX} are accepted");
        return Err(refuse(codes::PLUGIN_MALFORMED, why, "build it again"));
    }
    if usize::from(header.e_phentsize(Le)) != size_of::<Segment>() {
        return Err(malformed("e_phentsize", u64::from(header.e_phentsize(Le))));
    }
    let size = u64::from(count) * size_of::<Segment>() as u64;
    let end = offset
        .checked_add(size)
        .ok_or_else(|| malformed("e_phoff", offset))?;
    if end > length {
        return Err(truncated(length, "the program header table", end));
    }
    data.read_slice_at(offset, count as usize)
        .map_err(|()| malformed("e_phoff", offset))
}

/// The section table is not needed to load a file, and stands at its end: without it the delivery
/// is broken.
fn check_section_table(header: &Header, length: u64) -> Result<(), ElfRefusal> {
    let offset = header.e_shoff(Le);
    if offset == 0 {
        return Ok(());
    }
    let size = u64::from(header.e_shnum(Le)) * u64::from(header.e_shentsize(Le));
    let end = offset
        .checked_add(size)
        .ok_or_else(|| malformed("e_shoff", offset))?;
    if end > length {
        Err(truncated(length, "the section header table", end))
    } else {
        Ok(())
    }
}

fn check_segment(i: usize, segment: &Segment, length: u64) -> Result<(), ElfRefusal> {
    let (offset, size) = segment.file_range(Le);
    let end = offset.checked_add(size);
    let end = end.ok_or_else(|| malformed(&format!("p_filesz of segment {i}"), size))?;
    let kind = segment.p_type(Le);
    if end > length && size > 0 && kind != elf::PT_GNU_STACK {
        return Err(truncated(length, &format!("segment {i}"), end));
    }
    if kind == elf::PT_LOAD {
        let memory = segment.p_memsz(Le);
        let address = segment.p_vaddr(Le);
        if memory < size || address.checked_add(memory).is_none() {
            return Err(malformed(&format!("p_memsz of segment {i}"), memory));
        }
    }
    let flags = segment.p_flags(Le).0;
    let writes_and_runs = flags & 3 == 3;
    if kind == elf::PT_GNU_STACK && flags & 1 == 1 {
        return Err(unsafe_layout("it asks for an executable stack"));
    }
    if kind == elf::PT_LOAD && writes_and_runs {
        return Err(unsafe_layout(&format!(
            "segment {i} is both writable and executable"
        )));
    }
    if kind == elf::PT_INTERP {
        let help = "build it with `crate-type = [\"cdylib\"]`";
        return Err(refuse(
            codes::PLUGIN_NOT_A_LIBRARY,
            "the file is an executable",
            help,
        ));
    }
    Ok(())
}

fn unsafe_layout(why: &str) -> ElfRefusal {
    let help =
        "remove `-z execstack` or mark the assembly with `.note.GNU-stack`; build with `-fPIC`";
    refuse(codes::PLUGIN_UNSAFE_LAYOUT, why, help)
}

fn dynamic<'d, R: ReadRef<'d>>(
    segment: &Segment,
    segments: &'d [Segment],
    data: R,
    facts: &mut ElfFacts,
) -> Result<(), ElfRefusal> {
    let dynamic = Dynamic::new(segment, segments, data)?;
    check_flags(dynamic.entries)?;
    for name in dynamic.needed() {
        if facts.needed.len() == NEEDED_MAX {
            let count = facts.needed.len() as u64 + 1;
            return Err(malformed("the number of needed libraries", count));
        }
        let name = name.map_err(|at| malformed("DT_NEEDED", at))?;
        facts.needed.push(name);
    }
    let runpath = dynamic.value(elf::DT_RUNPATH);
    if let Some(at) = runpath.or_else(|| dynamic.value(elf::DT_RPATH)) {
        let path = dynamic.text(at);
        facts.runpath = Some(path.ok_or_else(|| malformed("DT_RUNPATH", at))?);
    }
    facts.versions = versions::needed(&dynamic)?;
    let symbols = Symbols::of(&dynamic).unwrap_or_default();
    (facts.wanted, facts.exports) = (symbols.wanted, symbols.defined);
    Ok(())
}

/// The dynamic section up to its end mark, and what its addresses and offsets mean.
struct Dynamic<'d, R> {
    entries: &'d [elf::Dyn64<Le>],
    segments: &'d [Segment],
    data: R,
    /// Where in the file its texts begin and end.
    strings: Option<(u64, u64)>,
}

impl<'d, R: ReadRef<'d>> Dynamic<'d, R> {
    fn new(segment: &Segment, segments: &'d [Segment], data: R) -> Result<Self, ElfRefusal> {
        let size = segment.p_filesz(Le);
        if size > SECTION_BYTES_MAX {
            return Err(malformed("the size of the dynamic section", size));
        }
        let bad = |_| malformed("p_offset of the dynamic section", segment.p_offset(Le));
        let all = segment.dynamic(Le, data).map_err(bad)?.unwrap_or(&[]);
        let end = all.iter().position(|d| d.d_tag(Le) == elf::DT_NULL);
        let mut dynamic = Dynamic {
            entries: &all[..end.unwrap_or(all.len())],
            segments,
            data,
            strings: None,
        };
        let place = dynamic.value(elf::DT_STRTAB);
        let start = place.and_then(|at| dynamic.file_offset(at));
        let end = start.zip(dynamic.value(elf::DT_STRSZ));
        let end = end.and_then(|(start, size)| start.checked_add(size));
        dynamic.strings = start.zip(end);
        Ok(dynamic)
    }

    fn value(&self, tag: elf::DynamicTag) -> Option<u64> {
        value(self.entries, tag)
    }

    /// The names of the libraries it needs, or the place of a name that is outside the file.
    fn needed(&self) -> impl Iterator<Item = Result<String, u64>> {
        let entries = self.entries.iter();
        let needed = entries.filter(|d| d.d_tag(Le) == elf::DT_NEEDED);
        let places = needed.map(|d| d.d_val(Le));
        places.map(|at| self.text(at).ok_or(at))
    }

    /// Where in the file a memory address comes from.
    fn file_offset(&self, address: u64) -> Option<u64> {
        let mut loads = self
            .segments
            .iter()
            .filter(|s| s.p_type(Le) == elf::PT_LOAD);
        loads.find_map(|s| {
            let inside = address.checked_sub(s.p_vaddr(Le));
            let inside = inside.filter(|d| *d < s.p_filesz(Le))?;
            s.p_offset(Le).checked_add(inside)
        })
    }

    /// The text at an offset of the string table.
    fn text(&self, offset: u64) -> Option<String> {
        let (start, end) = self.strings?;
        let from = start.checked_add(offset)?;
        let to = end.min(from.saturating_add(TEXT_BYTES_MAX));
        let bytes = self.data.read_bytes_at_until(from..to, 0).ok()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

fn value(entries: &[elf::Dyn64<Le>], tag: elf::DynamicTag) -> Option<u64> {
    entries
        .iter()
        .find(|d| d.d_tag(Le) == tag)
        .map(|d| d.d_val(Le))
}

fn check_flags(entries: &[elf::Dyn64<Le>]) -> Result<(), ElfRefusal> {
    // DF_TEXTREL and DF_STATIC_TLS, by the generic ELF specification.
    let flags = value(entries, elf::DT_FLAGS).unwrap_or(0);
    if flags & 0x4 != 0 || value(entries, elf::DT_TEXTREL).is_some() {
        return Err(unsafe_layout("it needs text relocations"));
    }
    if flags & 0x10 != 0 {
        let why = "it uses static TLS, thread-local storage that only a program is sure to get";
        let help = "give its allocator dynamic TLS: `local_dynamic_tls` of mimalloc, `disable_initial_exec_tls` of jemalloc";
        return Err(refuse(codes::PLUGIN_UNSAFE_LAYOUT, why, help));
    }
    let more = value(entries, elf::DT_FLAGS_1).unwrap_or(0);
    if more & elf::DF_1_PIE.0 != 0 {
        let help = "build it with `crate-type = [\"cdylib\"]`";
        let code = codes::PLUGIN_NOT_A_LIBRARY;
        return Err(refuse(code, "the file is an executable", help));
    }
    if more & elf::DF_1_NOOPEN.0 != 0 {
        let why = "it is marked as not to be opened by a running program";
        let help = "link it without `-z nodlopen`";
        return Err(refuse(codes::PLUGIN_REFUSED_BY_LOADER, why, help));
    }
    let tags = [
        elf::DT_AUXILIARY,
        elf::DT_FILTER,
        elf::DT_AUDIT,
        elf::DT_DEPAUDIT,
    ];
    if tags.into_iter().any(|tag| value(entries, tag).is_some()) {
        return Err(unsafe_layout("it has audit or filter entries"));
    }
    Ok(())
}

/// Libraries of every system with this C library: nobody ships them beside a plugin.
const SYSTEM_LIBRARIES: &[&str] = &[
    "libc.",
    "libm.",
    "libgcc_s.",
    "libdl.",
    "libpthread.",
    "librt.",
    "ld-linux",
];

/// Whether a needed library comes with the C library or the compiler.
pub(crate) fn is_of_the_system(needed: &str) -> bool {
    SYSTEM_LIBRARIES.iter().any(|s| needed.starts_with(s))
}

/// What the dynamic linker could not satisfy, as far as the headers say.
fn check_linking(facts: &ElfFacts) -> Result<(), ElfRefusal> {
    if let Some(musl) = facts.needed.iter().find(|n| n.starts_with("libc.musl")) {
        let why = format!(
            "it needs `{}`, this host uses another C library",
            escape(musl)
        );
        return Err(refuse(codes::PLUGIN_WRONG_LIBC, why, for_this_host()));
    }
    let foreign = facts.needed.iter().find(|n| !is_of_the_system(n));
    let path = facts.runpath.as_deref().unwrap_or_default();
    let beside = path
        .split(':')
        .any(|p| !p.is_empty() && !p.starts_with('/'));
    match foreign {
        Some(lib) if beside => {
            let why = format!("it looks for `{}` next to itself", escape(lib));
            let help = "link it statically, or install it where the system looks";
            Err(refuse(codes::PLUGIN_NOT_SELF_CONTAINED, why, help))
        }
        _ => Ok(()),
    }
}

fn read_notes<'d, R: ReadRef<'d>>(
    segment: &Segment,
    data: R,
    notes: &mut Vec<ElfNote<'d>>,
) -> Result<(), ElfRefusal> {
    let size = segment.p_filesz(Le);
    if size > SECTION_BYTES_MAX {
        return Err(malformed("the size of a note segment", size));
    }
    let bad = || malformed("p_offset of a note segment", segment.p_offset(Le));
    let Some(mut found) = segment.notes(Le, data).map_err(|_| bad())? else {
        return Ok(());
    };
    // A damaged note ends the list: other makers' notes are none of our business, and a damaged
    // one of ours is found by its absence.
    while let Ok(Some(note)) = found.next() {
        notes.push(ElfNote {
            name: note.name(),
            kind: note.n_type(Le).0,
            desc: note.desc(),
        });
    }
    Ok(())
}
