//! What every versioned object can do: wire form, changes, updates.
//!
//! The macro in `macros.rs` generates storage, getters and setters; everything else is written
//! once here, over the slots. Must not know any object by name. Used by the store, by serializers
//! and by `remotable.rs`.

use serde_json::{Map, Value};

use crate::error::ObjectError;
use crate::field::{Field, Kind};
use crate::primitive;

/// Key of an update map that lists the fields still changed afterwards.
pub const WHAT_CHANGED: &str = "obj_what_changed";

/// One field's storage: the value, whether it was ever set, whether it changed since.
#[derive(Clone, Debug)]
pub struct Slot<T> {
    value: T,
    set: bool,
    changed: bool,
}

/// Equal when the same value is set; a pending change mark is no part of the value.
impl<T: PartialEq> PartialEq for Slot<T> {
    fn eq(&self, other: &Self) -> bool {
        self.set == other.set && self.value == other.value
    }
}

impl<T: Field> Slot<T> {
    pub(crate) fn unset(value: T) -> Self {
        Self {
            value,
            set: false,
            changed: false,
        }
    }

    pub(crate) fn view(&self) -> T::Ref<'_> {
        self.value.view()
    }

    pub(crate) fn set(&mut self, value: T) {
        *self = Self {
            value,
            set: true,
            changed: true,
        };
    }

    pub(crate) fn into_value(self) -> T {
        self.value
    }
}

/// A slot whose type is not named.
pub trait AnySlot {
    /// Whether the field was ever set.
    fn is_set(&self) -> bool;
    /// Whether the field, or an object in it, changed.
    fn is_changed(&self) -> bool;
    /// Wire form of the value.
    fn primitive(&self) -> Value;
    /// Sets the value from its wire form and marks it changed.
    fn assign(&mut self, field: &str, value: &Value) -> Result<(), ObjectError>;
    /// Marks the field itself as changed or not; nested objects keep their marks.
    fn mark(&mut self, changed: bool);
    /// Forgets the field's mark and those of nested objects.
    fn reset(&mut self);
    /// Makes the field unset.
    fn clear(&mut self);
}

impl<T: Field> AnySlot for Slot<T> {
    fn is_set(&self) -> bool {
        self.set
    }
    fn is_changed(&self) -> bool {
        self.set && (self.changed || self.value.nested_changes())
    }
    fn primitive(&self) -> Value {
        self.value.primitive()
    }
    fn assign(&mut self, field: &str, value: &Value) -> Result<(), ObjectError> {
        self.set(T::hydrate(field, value)?);
        Ok(())
    }
    fn mark(&mut self, changed: bool) {
        self.changed = changed;
    }
    fn reset(&mut self) {
        self.changed = false;
        self.value.reset_nested();
    }
    fn clear(&mut self) {
        *self = Self::unset(T::unset());
    }
}

/// A field's name and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Name, the same on the wire and as a column.
    pub name: &'static str,
    /// Shape of the value.
    pub kind: Kind,
    /// Whether null is a value.
    pub nullable: bool,
}

/// An object with a wire name, a version, and fields that know whether they are set and changed.
pub trait VersionedObject: Field + Default {
    /// Class name on the wire.
    const NAME: &'static str;
    /// Newest version understood, `major.minor`.
    const VERSION: &'static str;
    /// All fields, in the order of their slots.
    const FIELDS: &'static [FieldInfo];

    /// The storage, in the order of [`VersionedObject::FIELDS`].
    fn slots(&self) -> Vec<&dyn AnySlot>;
    /// The same, to change.
    fn slots_mut(&mut self) -> Vec<&mut dyn AnySlot>;

    /// Whether the named field is set; false for an unknown name.
    fn is_set(&self, field: &str) -> bool {
        pairs(self).any(|(info, slot)| info.name == field && slot.is_set())
    }

    /// Wire form of one field; nothing when it is unset or unknown.
    fn field(&self, field: &str) -> Option<Value> {
        let mut found = pairs(self).filter(|(info, slot)| info.name == field && slot.is_set());
        found.next().map(|(_, slot)| slot.primitive())
    }

    /// Names of the fields that changed, nested objects included.
    fn changes(&self) -> Vec<&'static str> {
        pairs(self)
            .filter(|(_, slot)| slot.is_changed())
            .map(|(info, _)| info.name)
            .collect()
    }

    /// The changed fields with their wire values.
    fn changed_fields(&self) -> Map<String, Value> {
        let changed = pairs(self).filter(|(_, slot)| slot.is_changed());
        changed
            .map(|(info, slot)| (info.name.to_owned(), slot.primitive()))
            .collect()
    }

    /// Forgets all change marks, nested objects included.
    fn reset_changes(&mut self) {
        self.slots_mut().into_iter().for_each(|slot| slot.reset());
    }

    /// Makes a field unset; an unknown name is ignored.
    fn clear(&mut self, field: &str) {
        for (info, slot) in Self::FIELDS.iter().zip(self.slots_mut()) {
            if info.name == field {
                slot.clear();
            }
        }
    }

    /// The wire form.
    fn to_primitive(&self) -> Value {
        let set = pairs(self).filter(|(_, slot)| slot.is_set());
        let data: Map<_, _> = set
            .map(|(info, slot)| (info.name.to_owned(), slot.primitive()))
            .collect();
        let mut object = Map::new();
        object.insert(primitive::NAME.to_owned(), Value::from(Self::NAME));
        object.insert(
            primitive::NAMESPACE.to_owned(),
            Value::from(primitive::OUR_NAMESPACE),
        );
        object.insert(primitive::VERSION.to_owned(), Value::from(Self::VERSION));
        object.insert(primitive::DATA.to_owned(), Value::Object(data));
        let changes = self.changes();
        if !changes.is_empty() {
            object.insert(primitive::CHANGES.to_owned(), Value::from(changes));
        }
        Value::Object(object)
    }

    /// Reads the wire form; unknown names in data and changes are ignored.
    ///
    /// # Errors
    /// `UnsupportedObject` for another name or namespace, `IncompatibleObjectVersion` for a newer
    /// version, `InvalidField` for a value of the wrong type or a missing member.
    fn from_primitive(value: &Value) -> Result<Self, ObjectError> {
        let data = primitive::open(value, Self::NAME, Self::VERSION)?;
        let mut object = Self::default();
        object.assign_fields(data)?;
        object.mark_listed(value.get(primitive::CHANGES));
        Ok(object)
    }

    /// Sets the named fields from wire values and marks each as changed; unknown names are ignored.
    ///
    /// # Errors
    /// `InvalidField` for a value of the wrong type; earlier fields stay assigned.
    fn assign_fields(&mut self, fields: &Map<String, Value>) -> Result<(), ObjectError> {
        for (info, slot) in Self::FIELDS.iter().zip(self.slots_mut()) {
            if let Some(value) = fields.get(info.name) {
                slot.assign(info.name, value)?;
            }
        }
        Ok(())
    }

    /// Takes over what a remotable method changed: values first, then the change marks become
    /// exactly those of `obj_what_changed` (none when it is missing).
    ///
    /// # Errors
    /// `InvalidField` for a value of the wrong type; the object is then unchanged.
    fn apply_updates(&mut self, updates: &Map<String, Value>) -> Result<(), ObjectError> {
        let mut next = self.clone();
        next.assign_fields(updates)?;
        next.reset_changes();
        next.mark_listed(updates.get(WHAT_CHANGED));
        *self = next;
        Ok(())
    }

    /// Makes the own change marks those listed, leaving nested objects alone.
    #[doc(hidden)]
    fn mark_listed(&mut self, listed: Option<&Value>) {
        let listed = listed.and_then(Value::as_array);
        for (info, slot) in Self::FIELDS.iter().zip(self.slots_mut()) {
            let named = listed.is_some_and(|all| all.iter().any(|one| one == info.name));
            slot.mark(named && slot.is_set());
        }
    }

    /// The fields that are set here and differ from `before`, with their wire values.
    fn differences(&self, before: &Self) -> Map<String, Value> {
        let mut found = Map::new();
        for ((info, now), (_, then)) in pairs(self).zip(pairs(before)) {
            if now.is_set() {
                let value = now.primitive();
                if !then.is_set() || then.primitive() != value {
                    found.insert(info.name.to_owned(), value);
                }
            }
        }
        found
    }
}

fn pairs<T: VersionedObject>(
    object: &T,
) -> impl Iterator<Item = (&'static FieldInfo, &dyn AnySlot)> {
    T::FIELDS.iter().zip(object.slots())
}
