//! `record!` and `wire_enum!`: plain structs and enums that may cross the border.
//!
//! The input is the struct itself. A record is frozen within a revision of the kinds that use it: facts that come later
//! travel in a field for extras, or make a new revision.

/// Declares a plain struct that methods of a kind may take and answer.
///
/// Fields may be numbers, `bool`, `String`, `PathBuf`, `Option`, `Vec`, `BTreeMap<String, _>` of those, other records
/// and `wire_enum!`s. The struct gets `Clone`, `Debug`, `Default` and `PartialEq`.
///
/// ```
/// longshore_plugin_api::record! {
///     /// How warm a room is.
///     pub struct Reading {
///         /// Which room.
///         pub room: String,
///         /// Degrees Celsius.
///         pub celsius: f64,
///     }
/// }
/// let reading = Reading { room: "attic".into(), ..Reading::default() };
/// assert_eq!(reading.celsius, 0.0);
/// ```
#[macro_export]
macro_rules! record {
    ($(#[$meta:meta])* pub struct $Name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $ty:ty),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $Name {
            $($(#[$field_meta])* pub $field: $ty,)*
        }

        const _: () = {
            use $crate::__abi::{layout::{Part, TypeLayout}, wire::{BadValue, Owned, Wire}};

            /// The record as it crosses.
            #[repr(C)]
            pub struct __Raw { $($field: <$ty as Owned>::Raw,)* }

            // SAFETY: field by field, in the order of the struct, each by its own `Owned`.
            unsafe impl Owned for $Name {
                type Raw = __Raw;
                const SHAPE: &'static TypeLayout = &TypeLayout::of::<__Raw>(
                    stringify!($Name),
                    &[$(Part::new(stringify!($field), <$ty as Owned>::SHAPE)),*],
                );
                fn into_raw(self) -> __Raw {
                    __Raw { $($field: Owned::into_raw(self.$field),)* }
                }
                unsafe fn borrow(&self) -> __Raw {
                    // SAFETY: by this function's contract, for each field.
                    __Raw { $($field: unsafe { Owned::borrow(&self.$field) },)* }
                }
                unsafe fn from_raw(raw: __Raw) -> ::core::result::Result<Self, BadValue> {
                    ::core::result::Result::Ok(Self {
                        // SAFETY: by this function's contract, for each field.
                        $($field: unsafe { <$ty as Owned>::from_raw(raw.$field) }
                            .map_err(|bad| BadValue(::std::format!("`{}`: {}", stringify!($field), bad.0)))?,)*
                    })
                }
            }
            $crate::__wire_by_value!($Name);

            // SAFETY: sent as a view that lives during the call, received as a copy.
            unsafe impl<'a> Wire for &'a $Name {
                type Sent = &'a $Name;
                type Abi = __Raw;
                type Held = $Name;
                const LAYOUT: &'static TypeLayout = <$Name as Owned>::SHAPE;
                fn prepare(self) -> &'a $Name { self }
                fn lower(sent: &mut &'a $Name) -> __Raw {
                    // SAFETY: the view is consumed by the call, and the record is borrowed for longer.
                    unsafe { Owned::borrow(*sent) }
                }
                unsafe fn receive(abi: __Raw) -> ::core::result::Result<$Name, BadValue> {
                    // SAFETY: by this function's contract.
                    unsafe { <$Name as Owned>::from_raw(abi) }
                }
                unsafe fn lend(held: *mut $Name) -> &'a $Name {
                    // SAFETY: the caller keeps `held` alive.
                    unsafe { &*held }
                }
            }
        };
    };
}

/// Declares a plain enum with numbers, which methods of a kind may take and answer. The first variant is the default; a
/// number that the receiver does not know is refused, never reinterpreted.
#[macro_export]
macro_rules! wire_enum {
    ($(#[$meta:meta])* pub enum $Name:ident {
        $(#[$first_meta:meta])* $First:ident = $first:literal,
        $($(#[$variant_meta:meta])* $Variant:ident = $number:literal),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $Name {
            $(#[$first_meta])* $First = $first,
            $($(#[$variant_meta])* $Variant = $number,)*
        }

        impl ::core::default::Default for $Name {
            fn default() -> Self { Self::$First }
        }

        const _: () = {
            use $crate::__abi::{layout::TypeLayout, wire::{BadValue, Owned}};

            // SAFETY: a number, checked on arrival.
            unsafe impl Owned for $Name {
                type Raw = u32;
                const SHAPE: &'static TypeLayout = &TypeLayout::of::<u32>(stringify!($Name), &[]);
                fn into_raw(self) -> u32 { self as u32 }
                unsafe fn borrow(&self) -> u32 { *self as u32 }
                unsafe fn from_raw(raw: u32) -> ::core::result::Result<Self, BadValue> {
                    match raw {
                        $first => ::core::result::Result::Ok(Self::$First),
                        $($number => ::core::result::Result::Ok(Self::$Variant),)*
                        other => ::core::result::Result::Err(BadValue(::std::format!(
                            "an unknown {} with the number {}", stringify!($Name), other
                        ))),
                    }
                }
            }
            $crate::__wire_by_value!($Name);
        };
    };
}
