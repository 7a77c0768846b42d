//! Field types: how a value is stored, read, coerced and turned into wire form.
//!
//! One trait, `Field`, implemented for each Rust type that an object may hold. Must not know any
//! object by name. Used by the `versioned_object!` macro; services meet it only through getters.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde_json::{Map, Number, Value};

use crate::error::ObjectError;

/// The shape of a field, for whoever maps objects to columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole number.
    Integer,
    /// Floating point number.
    Float,
    /// True or false.
    Boolean,
    /// Text, including times and enumerations.
    Text,
    /// A map, list or nested object.
    Json,
}

/// A type that a versioned object's field may have.
pub trait Field: Clone + Debug + PartialEq {
    /// What a getter returns: the value itself for small types, a reference for others.
    type Ref<'a>
    where
        Self: 'a;
    /// Shape, the same for the nullable form.
    const KIND: Kind;
    /// Whether null is a value.
    const NULLABLE: bool = false;

    /// The value that an unset field shows.
    fn unset() -> Self;
    /// Reads the value.
    fn view(&self) -> Self::Ref<'_>;
    /// Wire form.
    fn primitive(&self) -> Value;
    /// Reads the wire form; `field` names the place in errors.
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError>;
    /// Whether a nested object has changes of its own.
    fn nested_changes(&self) -> bool {
        false
    }
    /// Forgets the changes of nested objects.
    fn reset_nested(&mut self) {}
}

/// A value that a setter accepts for a field of type `T`.
pub trait IntoField<T> {
    /// Converts.
    fn into_field(self) -> T;
}

impl<T> IntoField<T> for T {
    fn into_field(self) -> T {
        self
    }
}
impl<T> IntoField<Option<T>> for T {
    fn into_field(self) -> Option<T> {
        Some(self)
    }
}
impl IntoField<String> for &str {
    fn into_field(self) -> String {
        self.to_owned()
    }
}
impl IntoField<Option<String>> for &str {
    fn into_field(self) -> Option<String> {
        Some(self.to_owned())
    }
}

pub(crate) fn invalid(field: &str, wanted: &str, value: &Value) -> ObjectError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    };
    ObjectError::InvalidField(
        field.to_owned(),
        format!("expected {wanted}, found {found}"),
    )
}

impl Field for i64 {
    type Ref<'a> = i64;
    const KIND: Kind = Kind::Integer;
    fn unset() -> Self {
        0
    }
    fn view(&self) -> i64 {
        *self
    }
    fn primitive(&self) -> Value {
        Value::from(*self)
    }
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
        let parsed = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Bool(flag) => Some(i64::from(*flag)),
            _ => None,
        };
        parsed.ok_or_else(|| invalid(field, "a whole number of 64 bits", value))
    }
}

impl Field for f64 {
    type Ref<'a> = f64;
    const KIND: Kind = Kind::Float;
    fn unset() -> Self {
        0.0
    }
    fn view(&self) -> f64 {
        *self
    }
    fn primitive(&self) -> Value {
        Number::from_f64(*self).map_or(Value::Null, Value::Number)
    }
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
        let parsed = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        };
        parsed.ok_or_else(|| invalid(field, "a number", value))
    }
}

impl Field for bool {
    type Ref<'a> = bool;
    const KIND: Kind = Kind::Boolean;
    fn unset() -> Self {
        false
    }
    fn view(&self) -> bool {
        *self
    }
    fn primitive(&self) -> Value {
        Value::Bool(*self)
    }
    /// Numbers and texts follow the peers' truth: zero and the empty text are false, all else true.
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            Value::Number(number) => Ok(number.as_f64() != Some(0.0)),
            Value::String(text) => Ok(!text.is_empty()),
            _ => Err(invalid(field, "a boolean", value)),
        }
    }
}

impl Field for String {
    type Ref<'a> = &'a str;
    const KIND: Kind = Kind::Text;
    fn unset() -> Self {
        Self::new()
    }
    fn view(&self) -> &str {
        self
    }
    fn primitive(&self) -> Value {
        Value::from(self.as_str())
    }
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(invalid(field, "a text", value)),
        }
    }
}

impl<T: Field> Field for Option<T> {
    type Ref<'a>
        = Option<T::Ref<'a>>
    where
        T: 'a;
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;
    fn unset() -> Self {
        None
    }
    fn view(&self) -> Self::Ref<'_> {
        self.as_ref().map(T::view)
    }
    fn primitive(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::primitive)
    }
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
        if value.is_null() {
            Ok(None)
        } else {
            T::hydrate(field, value).map(Some)
        }
    }
    fn nested_changes(&self) -> bool {
        self.as_ref().is_some_and(T::nested_changes)
    }
    fn reset_nested(&mut self) {
        self.iter_mut().for_each(T::reset_nested);
    }
}

impl<T: Field + 'static> Field for Vec<T> {
    type Ref<'a> = &'a [T];
    const KIND: Kind = Kind::Json;
    fn unset() -> Self {
        Self::new()
    }
    fn view(&self) -> &[T] {
        self
    }
    fn primitive(&self) -> Value {
        Value::Array(self.iter().map(T::primitive).collect())
    }
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
        let Value::Array(items) = value else {
            return Err(invalid(field, "a list", value));
        };
        let item = |(index, item): (usize, &Value)| T::hydrate(&format!("{field}[{index}]"), item);
        items.iter().enumerate().map(item).collect()
    }
    fn nested_changes(&self) -> bool {
        self.iter().any(T::nested_changes)
    }
    fn reset_nested(&mut self) {
        self.iter_mut().for_each(T::reset_nested);
    }
}

impl<T: Field + 'static> Field for BTreeMap<String, T> {
    type Ref<'a> = &'a Self;
    const KIND: Kind = Kind::Json;
    fn unset() -> Self {
        Self::new()
    }
    fn view(&self) -> &Self {
        self
    }
    fn primitive(&self) -> Value {
        let pairs = self
            .iter()
            .map(|(key, item)| (key.clone(), item.primitive()));
        Value::Object(pairs.collect::<Map<_, _>>())
    }
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
        let Value::Object(items) = value else {
            return Err(invalid(field, "a map", value));
        };
        let pair = |(key, item): (&String, &Value)| {
            Ok((key.clone(), T::hydrate(&format!("{field}[{key}]"), item)?))
        };
        items.iter().map(pair).collect()
    }
}
