//! What a type looks like on the wire, as data: compared method by method before any foreign code is trusted.
//!
//! Names here are literals of this crate or single identifiers, never `stringify!` of a type: compilers print those
//! differently. Called by `driver_kind!` (which stores the layouts) and by [`super::host`] (which compares them).

use super::buffer::{RawSlice, RawStr};

/// The layout of one type.
#[repr(C)]
pub struct TypeLayout {
    /// `u32`, `text`, `list`, or the name of a record.
    pub name: RawStr<'static>,
    /// Size in bytes of its wire form.
    pub size: usize,
    /// Alignment in bytes of its wire form.
    pub align: usize,
    /// Fields of a record in order, or the one item type of a list or option (then the field's name is empty).
    pub parts: RawSlice<'static, Part>,
    /// For a lent `&dyn Kind`: that kind. A function, so that a kind may lend itself.
    pub lent: Option<unsafe extern "C" fn() -> LentKind>,
}

/// A kind whose drivers are lent for the length of a call.
#[repr(C)]
pub struct LentKind {
    /// Its revision.
    pub revision: u32,
    /// Its methods, as this side knows them.
    pub methods: RawSlice<'static, MethodDesc>,
}

/// One field.
#[repr(C)]
pub struct Part {
    /// The field's name.
    pub name: RawStr<'static>,
    /// The field's type.
    pub layout: &'static TypeLayout,
}

impl TypeLayout {
    /// The layout of `T` under `name`, with these parts.
    pub const fn of<T>(name: &'static str, parts: &'static [Part]) -> Self {
        Self {
            name: RawStr::text(name),
            size: core::mem::size_of::<T>(),
            align: core::mem::align_of::<T>(),
            parts: RawSlice::new(parts),
            lent: None,
        }
    }

    /// The layout of a `&dyn Kind`, which crosses as a `T`; `id` is the kind's.
    pub const fn lent<T>(id: &'static str, kind: unsafe extern "C" fn() -> LentKind) -> Self {
        Self {
            name: RawStr::text(id),
            size: core::mem::size_of::<T>(),
            align: core::mem::align_of::<T>(),
            parts: RawSlice::new(&[]),
            lent: Some(kind),
        }
    }

    /// The type's name, for messages.
    pub fn name(&self) -> String {
        // SAFETY: layouts are made by `TypeLayout::of` in whichever library they come from.
        shown(unsafe { self.name.get() })
    }

    fn parts(&self) -> &'static [Part] {
        // SAFETY: as in `name`.
        unsafe { self.parts.get() }
    }

    /// Where `self` (the host's) and `other` (the plugin's) first differ, in one line; `None` if they agree.
    ///
    /// `kinds` are those that are being compared: one that lends itself is not compared again.
    fn differs(&self, other: &TypeLayout, depth: usize, kinds: &mut Vec<String>) -> Option<String> {
        /// Wire types do not recurse; a deeper one can only be a damaged file.
        const DEPTH_MAX: usize = 16;
        let (here, there) = (self.name(), other.name());
        if depth > DEPTH_MAX || here != there {
            return Some(format!("type `{here}` here, `{there}` in the plugin"));
        }
        let (ours, theirs) = (self.parts(), other.parts());
        for (i, part) in ours.iter().enumerate() {
            let field = part.name();
            match theirs.get(i) {
                None => return Some(format!("`{here}` has no field `{field}` in the plugin")),
                Some(found) if found.name() != field => {
                    let got = found.name();
                    return Some(format!(
                        "`{here}`: field `{field}` here, `{got}` in the plugin"
                    ));
                }
                Some(found) => {
                    if let Some(why) = part.layout.differs(found.layout, depth + 1, kinds) {
                        let place = if field.is_empty() {
                            String::new()
                        } else {
                            format!(".{field}")
                        };
                        return Some(format!("`{here}{place}`: {why}"));
                    }
                }
            }
        }
        if let Some(extra) = theirs.get(ours.len()) {
            return Some(format!(
                "`{here}` has an extra field `{}` in the plugin",
                extra.name()
            ));
        }
        if (self.size, self.align) != (other.size, other.align) {
            return Some(format!(
                "`{here}` has {} bytes here, {} in the plugin",
                self.size, other.size
            ));
        }
        let (ours, theirs) = (self.lent?, other.lent?);
        if kinds.contains(&here) {
            return None;
        }
        // SAFETY: made by `TypeLayout::lent` in the library that the layout comes from, which stays open.
        let (ours, theirs) = unsafe { (ours(), theirs()) };
        kinds.push(here);
        let why = lent_differs(&ours, &theirs, kinds);
        let here = kinds.pop()?;
        why.map(|why| format!("kind {here}: {why}"))
    }
}

impl Part {
    /// A field.
    pub const fn new(name: &'static str, layout: &'static TypeLayout) -> Self {
        Self {
            name: RawStr::text(name),
            layout,
        }
    }

    fn name(&self) -> String {
        // SAFETY: parts are made by `Part::new` in whichever library they come from.
        shown(unsafe { self.name.get() })
    }
}

/// One method of a kind.
#[repr(C)]
pub struct MethodDesc {
    /// Its name.
    pub name: RawStr<'static>,
    /// Its arguments after `&self`.
    pub args: RawSlice<'static, &'static TypeLayout>,
    /// What it answers when it succeeds.
    pub ret: &'static TypeLayout,
    /// 1 when the trait provides a body, so that an older plugin may lack the method.
    pub provided: u32,
}

impl MethodDesc {
    /// Its name, for messages.
    pub fn name(&self) -> String {
        // SAFETY: made by `driver_kind!` from a literal.
        shown(unsafe { self.name.get() })
    }
}

/// A name of the other side on one line. Names of this side are identifiers and stay as they are.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().to_string()
}

/// Why the plugin's methods do not fit the host's, in one line; `None` if they fit.
///
/// Methods are only ever appended: a plugin may have fewer (the rest must be provided) or more (ignored).
pub fn methods_differ(kind: &str, ours: &[MethodDesc], theirs: &[MethodDesc]) -> Option<String> {
    let missing = ours.iter().skip(theirs.len()).find(|m| m.provided == 0);
    let why = common_methods_differ(ours, theirs, &mut vec![kind.to_owned()])
        .or_else(|| missing.map(|method| format!("the plugin has no method `{}`", method.name())));
    why.map(|why| format!("kind {kind}: {why}"))
}

/// Either side may lend to the other, so either may know more methods; one that the lender lacks answers by its body,
/// or that it is not implemented.
fn lent_differs(ours: &LentKind, theirs: &LentKind, kinds: &mut Vec<String>) -> Option<String> {
    if ours.revision != theirs.revision {
        return Some(format!(
            "revision {} here, {} in the plugin",
            ours.revision, theirs.revision
        ));
    }
    // SAFETY: both were made by `driver_kind!`, each in its own library.
    let (ours, theirs) = unsafe { (ours.methods.get(), theirs.methods.get()) };
    common_methods_differ(ours, theirs, kinds)
}

/// Where the methods that both sides know differ first.
fn common_methods_differ(
    ours: &[MethodDesc],
    theirs: &[MethodDesc],
    kinds: &mut Vec<String>,
) -> Option<String> {
    for (i, (method, found)) in ours.iter().zip(theirs).enumerate() {
        let (name, got) = (method.name(), found.name());
        if got != name {
            return Some(format!(
                "method #{} is `{name}` here, `{got}` in the plugin",
                i + 1
            ));
        }
        if let Some(why) = method_differs(method, found, kinds) {
            return Some(format!("`{name}` {why}"));
        }
    }
    None
}

fn method_differs(
    ours: &MethodDesc,
    theirs: &MethodDesc,
    kinds: &mut Vec<String>,
) -> Option<String> {
    // SAFETY: both tables were made by `driver_kind!`, each in its own library.
    let (a, b) = unsafe { (ours.args.get(), theirs.args.get()) };
    if a.len() != b.len() {
        return Some(format!(
            "takes {} arguments here, {} in the plugin",
            a.len(),
            b.len()
        ));
    }
    for (i, (here, there)) in a.iter().zip(b).enumerate() {
        if let Some(why) = here.differs(there, 0, kinds) {
            return Some(format!("argument {}: {why}", i + 1));
        }
    }
    ours.ret
        .differs(theirs.ret, 0, kinds)
        .map(|why| format!("result: {why}"))
}
