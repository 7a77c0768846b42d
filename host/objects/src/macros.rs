//! `versioned_object!`: a struct-like declaration becomes a versioned object.
//!
//! Generates the storage, one getter and one setter per field, and the table of slots; behaviour
//! is in `base.rs`. Must not know any object by name. Used by the object files of this crate.

/// Declares `pub struct Name, "version" { field: Type, field: Type = default }`.
macro_rules! versioned_object {
    (
        $(#[$meta:meta])*
        pub struct $name:ident, $version:literal {
            $( $(#[$field_meta:meta])* $field:ident : $ty:ty $(= $default:expr)? ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $( $field: $crate::base::Slot<$ty>, )+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::base::Slot::unset(
                    $crate::macros::versioned_object!(@default $ty $(, $default)?)
                ), )+ }
            }
        }

        impl $name {
            /// A new object with no field set.
            pub fn new() -> Self {
                Self::default()
            }
            $(
                $(#[$field_meta])*
                pub fn $field(&self) -> <$ty as $crate::field::Field>::Ref<'_> {
                    self.$field.view()
                }
                pastey::paste! {
                    #[doc = concat!("Sets `", stringify!($field), "` and marks it changed.")]
                    pub fn [<set_ $field>](
                        &mut self,
                        value: impl $crate::field::IntoField<$ty>,
                    ) -> &mut Self {
                        self.$field.set(value.into_field());
                        self
                    }
                }
            )+
        }

        impl $crate::base::VersionedObject for $name {
            const NAME: &'static str = stringify!($name);
            const VERSION: &'static str = $version;
            const FIELDS: &'static [$crate::base::FieldInfo] = &[ $(
                $crate::base::FieldInfo {
                    name: stringify!($field),
                    kind: <$ty as $crate::field::Field>::KIND,
                    nullable: <$ty as $crate::field::Field>::NULLABLE,
                },
            )+ ];
            fn slots(&self) -> Vec<&dyn $crate::base::AnySlot> {
                vec![ $( &self.$field ),+ ]
            }
            fn slots_mut(&mut self) -> Vec<&mut dyn $crate::base::AnySlot> {
                vec![ $( &mut self.$field ),+ ]
            }
        }

        impl $crate::field::Field for $name {
            type Ref<'a> = &'a Self;
            const KIND: $crate::field::Kind = $crate::field::Kind::Json;
            fn unset() -> Self {
                Self::default()
            }
            fn view(&self) -> &Self {
                self
            }
            fn primitive(&self) -> serde_json::Value {
                $crate::base::VersionedObject::to_primitive(self)
            }
            fn hydrate(
                _field: &str,
                value: &serde_json::Value,
            ) -> Result<Self, $crate::error::ObjectError> {
                $crate::base::VersionedObject::from_primitive(value)
            }
            fn nested_changes(&self) -> bool {
                use $crate::base::VersionedObject;
                self.slots().iter().any(|slot| slot.is_changed())
            }
            fn reset_nested(&mut self) {
                $crate::base::VersionedObject::reset_changes(self);
            }
        }
    };
    (@default $ty:ty) => { <$ty as $crate::field::Field>::unset() };
    (@default $ty:ty, $default:expr) => { $default };
}

/// Declares a list object, whose only field is `objects`.
macro_rules! list_object {
    ($(#[$meta:meta])* pub struct $name:ident, $version:literal of $item:ty) => {
        $crate::macros::versioned_object! {
            $(#[$meta])*
            pub struct $name, $version {
                /// The listed objects.
                objects: Vec<$item>,
            }
        }

        impl $name {
            /// The listed objects, taken out.
            pub fn into_objects(self) -> Vec<$item> {
                self.objects.into_value()
            }
        }

        impl From<Vec<$item>> for $name {
            /// A list as a query returns it: set and not changed.
            fn from(objects: Vec<$item>) -> Self {
                let mut list = Self::default();
                list.set_objects(objects);
                $crate::base::VersionedObject::reset_changes(&mut list);
                list
            }
        }
    };
}

pub(crate) use list_object;
pub(crate) use versioned_object;
