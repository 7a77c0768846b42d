//! `NamedExtensionManager`: the extensions with given names, in the order of the names. Nothing else of
//! the namespace is opened.

use std::ops::Deref;

use longshore_plugin_api::__abi::table::DriverKind;

use super::{Builder, ExtensionManager};
use crate::codes;
use crate::diagnostic::escape;
use crate::report::{FailureKind, LoadFailure};

/// The extensions that were asked for by name.
pub struct NamedExtensionManager<K: ?Sized> {
    extensions: ExtensionManager<K>,
    missing: Vec<String>,
}

pub(super) fn load<K: ?Sized + DriverKind, S: AsRef<str>>(
    builder: Builder<'_, K>,
    names: &[S],
) -> Result<NamedExtensionManager<K>, LoadFailure> {
    let strict = builder.strict.unwrap_or(true);
    let (mut extensions, mut failures, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (i, name) in names.iter().map(AsRef::as_ref).enumerate() {
        let twice = names[..i].iter().any(|n| n.as_ref() == name);
        let loaded = if twice {
            let why = format!("`{}` is asked for twice", escape(name));
            let code = codes::PLUGIN_CONFLICT;
            Err(builder.failure(FailureKind::Refused, code, name, why, "name it once"))
        } else {
            let entry = builder.find(name).inspect_err(|f| builder.report(name, f));
            entry.and_then(|entry| builder.loader.load(entry, name, &builder.site))
        };
        match loaded {
            Ok(extension) => extensions.push(extension),
            Err(failure) if strict => return Err(failure),
            Err(failure) if failure.kind == FailureKind::NoMatch => missing.push(name.to_owned()),
            Err(failure) => failures.push(failure),
        }
    }
    let extensions = ExtensionManager::loaded(builder.namespace, extensions, failures);
    Ok(NamedExtensionManager {
        extensions,
        missing,
    })
}

impl<K: ?Sized> NamedExtensionManager<K> {
    /// Names that the map does not have (only with `strict(false)`). What was there and failed is in
    /// `failures` instead.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }
}

impl<K: ?Sized> Deref for NamedExtensionManager<K> {
    type Target = ExtensionManager<K>;
    fn deref(&self) -> &ExtensionManager<K> {
        &self.extensions
    }
}
