//! `driver_kind!`: makes a kind of driver out of a plain trait, ours and a third party's alike.
//!
//! The macro's input is the trait itself. It writes the trait out unchanged, and beside it the bridge: the table of
//! functions, the adapter on the plugin's side and the proxy on the host's. `docs/abi.md` says how the bridge works.

/// Declares a kind: a trait that drivers implement and services use as `Arc<dyn Trait>`.
///
/// After the id (unique in the world; start it with your own name) and the revision comes the trait. Each method takes
/// `&self` and answers `Result<_, DriverError>`. Arguments and answers may be numbers, `bool`, `&str`, `String`,
/// `PathBuf`, slices of numbers, `Vec`, `Option`, `BTreeMap<String, _>`, records (by value or reference), the view types
/// of this crate, and `&dyn OtherKind`. Anything else does not compile: *the trait `Wire` is not implemented*.
///
/// **How a kind may grow.** Methods are only ever appended, and an appended method has a body: it answers for drivers
/// that were built before it existed. Everything else is a new revision.
///
/// ```
/// use longshore_plugin_api::{driver_kind, DriverError};
///
/// driver_kind! {
///     id: "acme.greeter", revision: 1;
///
///     /// Greets people.
///     pub trait Greeter: Send + Sync + 'static {
///         /// A greeting for `name`.
///         fn greet(&self, name: &str) -> Result<String, DriverError>;
///
///         /// How loud it is, from 0 to 10.
///         fn loudness(&self) -> Result<u32, DriverError> {
///             Ok(5)
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! driver_kind {
    (
        id: $id:literal, revision: $revision:literal;
        $(#[$meta:meta])*
        pub trait $Kind:ident: Send + Sync + 'static {
            $(
                $(#[$method_meta:meta])*
                fn $method:ident(&$self:ident $(, $arg:ident: $ty:ty)* $(,)?) -> Result<$ret:ty, $error:ty>
                $($body:block)? $(;)?
            )*
        }
    ) => {
        $(#[$meta])*
        pub trait $Kind: Send + Sync + 'static {
            $($crate::__trait_method! {
                { $(#[$method_meta])* fn $method(&$self $(, $arg: $ty)*) -> ::core::result::Result<$ret, $error> }
                $($body)?
            })*
        }

        const _: () = {
            use $crate::__abi::c_void;
            use $crate::__abi::{buffer::RawSlice, buffer::RawStr, error::RawError, guard::guard};
            use $crate::__abi::layout::{MethodDesc, TypeLayout};
            use $crate::__abi::table::{self, AdapterFor, DriverKind, RawDriver, TableHead};
            use $crate::__abi::wire::Wire;

            /// The kind's methods as function pointers, appended to and never reordered.
            #[repr(C)]
            #[derive(Clone, Copy)]
            pub struct __Table {
                head: TableHead,
                $($method: ::core::option::Option<unsafe extern "C" fn(
                    *const c_void, $(<$ty as Wire>::Abi,)* *mut <$ret as Wire>::Abi,
                ) -> *mut RawError>,)*
            }

            /// The called side: one function per method, each under the guard.
            mod __adapter_marker {}
            struct __Adapter;
            #[allow(clippy::too_many_arguments, clippy::missing_safety_doc)]
            impl __Adapter {
                $(unsafe extern "C" fn $method<__T: $Kind>(
                    this: *const c_void, $($arg: <$ty as Wire>::Abi,)* out: *mut <$ret as Wire>::Abi,
                ) -> *mut RawError {
                    // SAFETY: `out` is the caller's, for one answer.
                    unsafe {
                        guard::<$ret>(out, || {
                            // SAFETY: `this` is the driver that the table came with; the caller keeps it alive.
                            let this = &*this.cast::<__T>();
                            // SAFETY: each argument was lowered by the proxy in the same call.
                            $(let mut $arg = <$ty as Wire>::receive($arg)?;)*
                            // SAFETY: the places live until the method has returned.
                            <__T as $Kind>::$method(this $(, <$ty as Wire>::lend(&mut $arg))*)
                        })
                    }
                })*
            }

            /// As `__Adapter`, for a `&dyn Trait` that is lent for one call: `this` points to the fat reference.
            struct __Lending;
            #[allow(clippy::too_many_arguments, clippy::missing_safety_doc)]
            impl __Lending {
                $(unsafe extern "C" fn $method(
                    this: *const c_void, $($arg: <$ty as Wire>::Abi,)* out: *mut <$ret as Wire>::Abi,
                ) -> *mut RawError {
                    // SAFETY: `out` is the caller's, for one answer.
                    unsafe {
                        guard::<$ret>(out, || {
                            // SAFETY: `this` points to the lender's fat reference, alive during the call.
                            let this: &dyn $Kind = *this.cast::<&dyn $Kind>();
                            // SAFETY: each argument was lowered by the proxy in the same call.
                            $(let mut $arg = <$ty as Wire>::receive($arg)?;)*
                            // SAFETY: the places live until the method has returned.
                            this.$method($(<$ty as Wire>::lend(&mut $arg)),*)
                        })
                    }
                })*

                const TABLE: &'static __Table = &__Table {
                    head: TableHead {
                        size: ::core::mem::size_of::<__Table>(),
                        drop: ::core::option::Option::None,
                        ready: ::core::option::Option::None,
                        control: ::core::option::Option::None,
                    },
                    $($method: ::core::option::Option::Some(__Lending::$method),)*
                };
            }

            // SAFETY: the table is this kind's, and starts with its head.
            unsafe impl<__T: $Kind + $crate::Driver> AdapterFor<__T> for dyn $Kind {
                fn table() -> *const TableHead {
                    struct __Of<__T>(::core::marker::PhantomData<__T>);
                    impl<__T: $Kind + $crate::Driver> __Of<__T> {
                        const TABLE: &'static __Table = &__Table {
                            head: TableHead {
                                size: ::core::mem::size_of::<__Table>(),
                                drop: ::core::option::Option::Some(table::drop_driver::<__T>),
                                ready: ::core::option::Option::Some(table::ready_driver::<__T>),
                                control: ::core::option::Option::None,
                            },
                            $($method: ::core::option::Option::Some(__Adapter::$method::<__T>),)*
                        };
                    }
                    (__Of::<__T>::TABLE as *const __Table).cast()
                }
            }

            /// The calling side: stands for a driver on the other side of the border.
            pub struct __Proxy {
                table: __Table,
                this: *mut c_void,
            }

            // SAFETY: the driver behind it is `Send + Sync`: the trait says so on its own side.
            unsafe impl ::core::marker::Send for __Proxy {}
            // SAFETY: as above.
            unsafe impl ::core::marker::Sync for __Proxy {}

            impl $Kind for __Proxy {
                $(fn $method(&$self $(, $arg: $ty)*) -> ::core::result::Result<$ret, $error> {
                    let call = match $self.table.$method {
                        ::core::option::Option::Some(call) => call,
                        ::core::option::Option::None => return $crate::__body_or_not_implemented!($method $($body)?),
                    };
                    $(let mut $arg = <$ty as Wire>::prepare($arg);)*
                    let mut out = ::core::mem::MaybeUninit::<<$ret as Wire>::Abi>::uninit();
                    // SAFETY: the table came with `this`, its methods were checked, the arguments live until it returns.
                    let error = unsafe { call($self.this, $(<$ty as Wire>::lower(&mut $arg),)* out.as_mut_ptr()) };
                    if !error.is_null() {
                        // SAFETY: a non-null error is ours to take, once.
                        return unsafe { table::failed(error) };
                    }
                    // SAFETY: null means that the answer was written.
                    let mut held = unsafe { <$ret as Wire>::receive(out.assume_init()) }?;
                    // SAFETY: `held` lives until the end of this function, and answers are owned.
                    ::core::result::Result::Ok(unsafe { <$ret as Wire>::lend(&mut held) })
                })*
            }

            impl ::core::ops::Drop for __Proxy {
                fn drop(&mut self) {
                    if let ::core::option::Option::Some(drop) = self.table.head.drop {
                        // SAFETY: an owning proxy is dropped once, and nobody else has `this`.
                        let error = unsafe { drop(self.this) };
                        if !error.is_null() {
                            // SAFETY: a non-null error is ours to take, once. A failing drop has nobody to tell.
                            let _: ::core::result::Result<(), _> = unsafe { table::failed(error) };
                        }
                    }
                }
            }

            // SAFETY: `METHODS` lists the table's methods in its order.
            unsafe impl DriverKind for dyn $Kind {
                const ID: &'static str = $id;
                const TRAIT: &'static str = stringify!($Kind);
                const REVISION: u32 = $revision;
                const METHODS: &'static [MethodDesc] = &[$(MethodDesc {
                    name: RawStr::text(stringify!($method)),
                    args: {
                        const ARGS: &[&TypeLayout] = &[$(<$ty as Wire>::LAYOUT),*];
                        RawSlice::new(ARGS)
                    },
                    ret: <$ret as Wire>::LAYOUT,
                    provided: $crate::__is_provided!($($body)?),
                }),*];
                type Proxy = __Proxy;

                unsafe fn proxy(raw: RawDriver) -> __Proxy {
                    // SAFETY: by this function's contract `raw.table` is a table of this kind.
                    __Proxy { table: unsafe { table::copy_table(raw.table) }, this: raw.this }
                }
                fn share(proxy: __Proxy) -> ::std::sync::Arc<dyn $Kind> {
                    ::std::sync::Arc::new(proxy)
                }
                fn look(proxy: &__Proxy) -> &(dyn $Kind + 'static) {
                    proxy
                }
                fn lending_table() -> *const TableHead {
                    (__Lending::TABLE as *const __Table).cast()
                }
            }
        };
    };
}

/// A method of the trait, with its body if it has one.
#[macro_export]
#[doc(hidden)]
macro_rules! __trait_method {
    ({ $($head:tt)* }) => { $($head)*; };
    ({ $($head:tt)* } $body:block) => { $($head)* $body };
}

/// What the proxy answers for a method that the other side does not have.
#[macro_export]
#[doc(hidden)]
macro_rules! __body_or_not_implemented {
    ($method:ident) => {
        ::core::result::Result::Err($crate::__abi::table::not_implemented(stringify!($method)))
    };
    ($method:ident $body:block) => {
        $body
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __is_provided {
    () => {
        0
    };
    ($body:block) => {
        1
    };
}
