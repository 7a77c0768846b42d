//! Both sides of the border in one process: tables that are shorter and longer than expected, and kinds that changed.
//!
//! The same kind is declared several times, as releases of it would; nothing here is loaded from a file.

use super::buffer::RawStr;
use super::call::RawContext;
use super::layout::methods_differ;
use super::table::{build_driver, AdapterFor, DriverKind, RawDriver};
use super::wire::Wire;
use crate::{testing, Context, Driver, DriverError, NoSettings};
use std::path::Path;
use std::sync::Arc;

/// The kind as it was first.
mod older {
    crate::driver_kind! {
        id: "test.grow", revision: 1;
        /// Grows.
        pub trait Grow: Send + Sync + 'static {
            /// Echoes.
            fn first(&self, text: &str) -> Result<String, crate::DriverError>;
        }
    }
}

/// The kind with two methods more.
mod newer {
    crate::driver_kind! {
        id: "test.grow", revision: 1;
        /// Grows.
        pub trait Grow: Send + Sync + 'static {
            /// Echoes.
            fn first(&self, text: &str) -> Result<String, crate::DriverError>;
            /// Counts.
            fn second(&self, texts: Vec<String>) -> Result<u64, crate::DriverError> {
                Ok(texts.len() as u64)
            }
            /// Asks the first.
            fn third(&self) -> Result<String, crate::DriverError> {
                self.first("third")
            }
        }
    }
}

struct Tree;

impl Driver for Tree {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Tree)
    }
}

impl older::Grow for Tree {
    fn first(&self, text: &str) -> Result<String, DriverError> {
        Ok(format!("old {text}"))
    }
}

impl newer::Grow for Tree {
    fn first(&self, text: &str) -> Result<String, DriverError> {
        Ok(format!("new {text}"))
    }
    fn second(&self, texts: Vec<String>) -> Result<u64, DriverError> {
        Ok(100 + texts.len() as u64)
    }
}

/// A `Tree` made by a plugin that knows the kind as `Made`, used by a host that knows it as `Used`.
fn planted<Made, Used>() -> Arc<Used>
where
    Made: ?Sized + AdapterFor<Tree>,
    Used: ?Sized + DriverKind,
{
    assert_eq!(methods_differ(Used::ID, Used::METHODS, Made::METHODS), None);
    let context = testing::context(Path::new("/tmp"));
    let raw_context = RawContext::lend(&context);
    let mut raw = std::mem::MaybeUninit::<RawDriver>::uninit();
    // SAFETY: all three arguments live during the call.
    let error =
        unsafe { build_driver::<Made, Tree>(RawStr::text("{}"), &raw_context, raw.as_mut_ptr()) };
    assert!(error.is_null());
    // SAFETY: null means that the driver was written.
    let raw = unsafe { raw.assume_init() };
    // SAFETY: the methods were compared above.
    Used::share(unsafe { Used::proxy(raw) })
}

#[test]
fn shorter_and_longer_tables_work_side_by_side() {
    let two = || vec!["a".to_owned(), "b".to_owned()];
    let (short, long) = (
        planted::<dyn older::Grow, dyn newer::Grow>(),
        planted::<dyn newer::Grow, dyn newer::Grow>(),
    );
    let narrow = planted::<dyn newer::Grow, dyn older::Grow>();
    for _ in 0..2 {
        assert_eq!(short.first("x").unwrap(), "old x");
        assert_eq!(long.first("x").unwrap(), "new x");
        assert_eq!(narrow.first("x").unwrap(), "new x");
        assert_eq!(
            (short.second(two()).unwrap(), long.second(two()).unwrap()),
            (2, 102)
        );
        assert_eq!(short.third().unwrap(), "old third");
    }
}

/// An object is lent by a side that knows less, or more, of its kind.
#[test]
fn a_lent_object_may_be_older_or_newer_than_its_user() {
    let old: &dyn older::Grow = &Tree;
    let mut sent = old.prepare();
    let lowered = <&dyn older::Grow as Wire>::lower(&mut sent);
    // SAFETY: lowered just now, and `sent` lives until the end.
    let mut held = unsafe { <&dyn newer::Grow as Wire>::receive(lowered) }.unwrap();
    // SAFETY: `held` lives until the end.
    let held = unsafe { <&dyn newer::Grow as Wire>::lend(&mut held) };
    assert_eq!(held.first("x").unwrap(), "old x");
    assert_eq!(held.second(Vec::new()).unwrap(), 0);
    let new: &dyn newer::Grow = &Tree;
    let mut sent = new.prepare();
    let lowered = <&dyn newer::Grow as Wire>::lower(&mut sent);
    // SAFETY: as above.
    let mut held = unsafe { <&dyn older::Grow as Wire>::receive(lowered) }.unwrap();
    // SAFETY: as above.
    let held = unsafe { <&dyn older::Grow as Wire>::lend(&mut held) };
    assert_eq!(held.first("x").unwrap(), "new x");
}

/// A kind `test.user` that is lent the kind `test.lent`, whose methods are given.
macro_rules! user_of {
    ($module:ident, $revision:literal, $($method:tt)*) => {
        mod $module {
            crate::driver_kind! {
                id: "test.lent", revision: $revision;
                /// What is lent.
                pub trait Lent: Send + Sync + 'static { $($method)* }
            }
            crate::driver_kind! {
                id: "test.user", revision: 1;
                /// Who it is lent to.
                pub trait User: Send + Sync + 'static {
                    /// Uses it, and may pass on a user.
                    fn make(&self, lent: &dyn Lent, next: &dyn User) -> Result<(), crate::DriverError>;
                }
            }
        }
    };
}
user_of! { lent, 1, fn ask(&self, n: u64) -> Result<u64, crate::DriverError>; }
user_of! { lent_more, 1,
    fn ask(&self, n: u64) -> Result<u64, crate::DriverError>;
    fn tell(&self) -> Result<u64, crate::DriverError> { Ok(1) }
}
user_of! { lent_changed, 1, fn ask(&self, n: u32) -> Result<u64, crate::DriverError>; }
user_of! { lent_revised, 2, fn ask(&self, n: u64) -> Result<u64, crate::DriverError>; }

/// A kind that only appears as an argument is compared too: it is called through a table as well.
#[test]
fn a_lent_kind_that_changed_is_found() {
    let ours = <dyn lent::User>::METHODS;
    let against = |theirs| methods_differ("test.user", ours, theirs);
    assert_eq!(against(<dyn lent::User>::METHODS), None);
    assert_eq!(against(<dyn lent_more::User>::METHODS), None);
    assert_eq!(
        methods_differ("test.user", <dyn lent_more::User>::METHODS, ours),
        None
    );
    assert_eq!(
        against(<dyn lent_changed::User>::METHODS).unwrap(),
        "kind test.user: `make` argument 1: kind test.lent: `ask` argument 1: type `u64` here, `u32` in the plugin"
    );
    assert_eq!(
        against(<dyn lent_revised::User>::METHODS).unwrap(),
        "kind test.user: `make` argument 1: kind test.lent: revision 1 here, 2 in the plugin"
    );
}

/// What arrives is judged by its length first, then by its content.
#[test]
fn values_that_cannot_be_are_refused_on_arrival() {
    // SAFETY: made from slices that outlive the calls.
    let text = |bytes| unsafe { <&str as Wire>::receive(RawStr::new(bytes)) };
    assert_eq!(text(b"good").unwrap(), "good");
    let bad = text(b"ab\xff").unwrap_err();
    assert_eq!(bad.0, "text that is not UTF-8 at byte 2");
    let long = vec![b'x'; super::wire::TEXT_BYTES_MAX + 1];
    assert_eq!(
        text(&long).unwrap_err().0,
        "a text of 16777217 bytes, limit 16777216"
    );
    assert!(text(&long[1..]).is_ok());
    for number in 2..=u8::MAX {
        // SAFETY: any number may arrive.
        let read = unsafe { <bool as Wire>::receive(number) };
        assert!(read.is_err(), "{number}");
    }
    let list = |items: usize| {
        let mut sent = <Vec<u32> as Wire>::prepare(vec![7_u32; items]);
        let sent = <Vec<u32> as Wire>::lower(&mut sent);
        // SAFETY: what was lowered, once.
        unsafe { <Vec<u32> as Wire>::receive(sent) }
    };
    assert!(list(super::wire::LIST_ITEMS_MAX).is_ok());
    let bad = list(super::wire::LIST_ITEMS_MAX + 1).map(drop).unwrap_err();
    assert!(bad.0.contains("limit 1048576"), "{}", bad.0);
}
