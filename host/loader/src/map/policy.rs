//! How a namespace treats its entries: conflicts, order, what exists, the default.
//!
//! Values only; `file` reads them, `build` applies them. A namespace's own policy beats
//! `[longshore.defaults]`, key by key, and both beat the built-in defaults.

use crate::diagnostic::Place;

/// What several enabled entries of one name mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflicts {
    /// Nobody can use the name.
    #[default]
    Error,
    /// The first one counts.
    First,
    /// The last one counts.
    Last,
    /// The one with the smallest priority counts; a tie is an error.
    Priority,
    /// All are kept.
    All,
}

impl Conflicts {
    /// All of them, the default first.
    pub const ALL: [Conflicts; 5] = [
        Conflicts::Error,
        Conflicts::First,
        Conflicts::Last,
        Conflicts::Priority,
        Conflicts::All,
    ];

    /// The word in the map.
    pub fn as_str(self) -> &'static str {
        match self {
            Conflicts::Error => "error",
            Conflicts::First => "first",
            Conflicts::Last => "last",
            Conflicts::Priority => "priority",
            Conflicts::All => "all",
        }
    }
}

/// In which order a namespace is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As written, file by file.
    #[default]
    Declared,
    /// Smallest priority first, then as written.
    Priority,
    /// By the bytes of the name, then as written.
    Name,
}

impl Order {
    /// All of them, the default first.
    pub const ALL: [Order; 3] = [Order::Declared, Order::Priority, Order::Name];

    /// The word in the map.
    pub fn as_str(self) -> &'static str {
        match self {
            Order::Declared => "declared",
            Order::Priority => "priority",
            Order::Name => "name",
        }
    }
}

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// The policy of one namespace; absent keys have their defaults.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What several entries of one name mean.
    pub conflicts: Option<Placed<Conflicts>>,
    /// Order of iteration.
    pub order: Option<Placed<Order>>,
    /// Nothing else exists, and this is the order.
    pub only: Option<Placed<Vec<Placed<String>>>>,
    /// Names that are switched off.
    pub disabled: Option<Placed<Vec<Placed<String>>>>,
    /// What is used when no name is given.
    pub default: Option<Placed<String>>,
    /// Whether the environment may change the namespace.
    pub env: Option<Placed<bool>>,
}

impl Policy {
    /// What several enabled entries of one name mean.
    pub fn conflicts(&self) -> Conflicts {
        self.conflicts.as_ref().map(|p| p.value).unwrap_or_default()
    }

    /// Order of iteration.
    pub fn order(&self) -> Order {
        self.order.as_ref().map(|p| p.value).unwrap_or_default()
    }

    /// Whether the environment may change the namespace.
    pub fn env(&self) -> bool {
        self.env.as_ref().is_none_or(|p| p.value)
    }

    /// Takes what is absent here from `base`.
    pub(super) fn fill_from(&mut self, base: &Policy) {
        let Policy {
            conflicts,
            order,
            only,
            disabled,
            default,
            env,
        } = self;
        fill(conflicts, &base.conflicts);
        fill(order, &base.order);
        fill(only, &base.only);
        fill(disabled, &base.disabled);
        fill(default, &base.default);
        fill(env, &base.env);
    }

    /// Replaces what is given in `later`; returns key, old and new place of each replaced one.
    pub(super) fn replace_from(&mut self, later: Policy) -> Vec<(&'static str, Place, Place)> {
        let mut replaced = Vec::new();
        let Policy {
            conflicts,
            order,
            only,
            disabled,
            default,
            env,
        } = later;
        replace(&mut self.conflicts, conflicts, "conflicts", &mut replaced);
        replace(&mut self.order, order, "order", &mut replaced);
        replace(&mut self.only, only, "only", &mut replaced);
        replace(&mut self.disabled, disabled, "disabled", &mut replaced);
        replace(&mut self.default, default, "default", &mut replaced);
        replace(&mut self.env, env, "env", &mut replaced);
        replaced
    }
}

fn fill<T: Clone>(slot: &mut Option<Placed<T>>, base: &Option<Placed<T>>) {
    if slot.is_none() {
        slot.clone_from(base);
    }
}

fn replace<T>(
    slot: &mut Option<Placed<T>>,
    later: Option<Placed<T>>,
    key: &'static str,
    replaced: &mut Vec<(&'static str, Place, Place)>,
) {
    let Some(later) = later else { return };
    if let Some(old) = slot {
        replaced.push((key, old.place.clone(), later.place.clone()));
    }
    *slot = Some(later);
}
