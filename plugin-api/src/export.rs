//! `export_plugin!`: the only macro an author needs. It lists what the `.so` offers.

/// Exports drivers from a `cdylib` crate.
///
/// Under each namespace stand the entry points: a doc comment (the operator sees it), the name, the kind and the type
/// that implements it. The plugin's own name, version, description and licence come from `Cargo.toml`.
///
/// ```no_run
/// # use longshore_plugin_api::{Context, Driver, DriverError, Filter, Host, NoSettings, RequestSpec};
/// struct Even;
///
/// impl Driver for Even {
///     type Settings = NoSettings;
///     fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
///         Ok(Even)
///     }
/// }
///
/// impl Filter for Even {
///     fn passes(&self, host: Host<'_>, _request: &RequestSpec) -> Result<bool, DriverError> {
///         Ok(host.vcpus_used() % 2 == 0)
///     }
/// }
///
/// longshore_plugin_api::export_plugin! {
///     "longshore.scheduler.filter" {
///         /// Hosts whose used processors are an even number.
///         even: Filter => Even;
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($($namespace:literal { $($(#[doc = $help:literal])* $name:ident: $($kind:ident)::+ => $driver:ty;)* })*) => {
        const _: () = {
            use $crate::__abi::{buffer::{RawSlice, RawStr}, note, root, table};
            use $crate::__abi::note::Part::{Comma, Json, Text};

            const PARTS: &[&[note::Part]] = &[
                &[
                    Json("{\"v\":1,\"plugin\":\""), Json(env!("CARGO_PKG_NAME")),
                    Json("\",\"version\":\""), Json(env!("CARGO_PKG_VERSION")),
                    Json("\",\"description\":\""), Text(env!("CARGO_PKG_DESCRIPTION")),
                    Json("\",\"license\":\""), Text(env!("CARGO_PKG_LICENSE")),
                    Json("\",\"api\":\""), Json($crate::__API_VERSION),
                    Json("\",\"rustc\":\""), Text($crate::__RUSTC),
                    Json("\",\"target\":\""), Json($crate::__TARGET),
                    Json("\",\"panic\":\""), Json(if cfg!(panic = "abort") { "abort" } else { "unwind" }),
                    Json("\",\"entries\":["),
                ],
                $($(
                    &[
                        Json("{\"namespace\":\""), Json($namespace),
                        Json(concat!("\",\"name\":\"", stringify!($name), "\",\"kind\":\"")),
                        Json(<dyn $($kind)::+ as table::DriverKind>::ID),
                        Json("\",\"trait\":\""), Json(<dyn $($kind)::+ as table::DriverKind>::TRAIT),
                        Json("\",\"revision\":"), Json($crate::__digits!(<dyn $($kind)::+ as table::DriverKind>::REVISION)),
                        Json(",\"description\":\""), $(Text($help),)* Json("\",\"settings\":["),
                    ],
                    <<$driver as $crate::Driver>::Settings as $crate::Settings>::SCHEMA,
                    &[Json("]}"), Comma],
                )*)*
                &[Json("]}")],
            ];
            const LEN: usize = note::note_len(PARTS);
            #[used]
            #[link_section = ".note.longshore"]
            static NOTE: note::Note<LEN> = note::note(PARTS);

            static ENTRIES: &[root::Entry] = &[$($(
                root::Entry {
                    namespace: RawStr::text($namespace),
                    name: RawStr::text(stringify!($name)),
                    kind: RawStr::text(<dyn $($kind)::+ as table::DriverKind>::ID),
                    revision: <dyn $($kind)::+ as table::DriverKind>::REVISION,
                    methods: RawSlice::new(<dyn $($kind)::+ as table::DriverKind>::METHODS),
                    build: {
                        unsafe extern "C" fn build(
                            settings: RawStr<'_>,
                            context: *const $crate::__abi::call::RawContext<'_>,
                            out: *mut table::RawDriver,
                        ) -> *mut $crate::__abi::error::RawError {
                            // SAFETY: the host calls it by the contract of `Entry::build`.
                            unsafe { table::build_driver::<dyn $($kind)::+, $driver>(settings, context, out) }
                        }
                        build
                    },
                },
            )*)*];

            static ROOT: root::Root = root::Root {
                size: ::core::mem::size_of::<root::Root>(),
                api_major: root::API_MAJOR,
                api_minor: root::API_MINOR,
                flags: if cfg!(panic = "abort") { root::FLAG_PANIC_ABORT } else { 0 },
                entries: RawSlice::new(ENTRIES),
                control: ::core::option::Option::None,
            };

            unsafe extern "C" fn open(services: *const $crate::__abi::services::HostServices) -> *const root::Root {
                // SAFETY: the host calls it by the contract of `Header::open`.
                unsafe { root::opened(services, env!("CARGO_PKG_NAME")) };
                &ROOT
            }

            #[export_name = "longshore_plugin_1"]
            static HEADER: root::Header = root::Header { magic: root::MAGIC, open };
        };
    };
}

/// A small number as a text constant.
#[macro_export]
#[doc(hidden)]
macro_rules! __digits {
    ($number:expr) => {{
        const DIGITS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        DIGITS[$number as usize]
    }};
}
