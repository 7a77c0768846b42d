//! A map made from texts in memory: for tests, and for programs that keep theirs elsewhere.

use std::path::Path;
use std::sync::Arc;

use super::build::{Builder, search_dirs};
use super::environment::Environment;
use super::file;
use super::load::{MapError, finish};
use super::snapshot::PluginMap;

impl PluginMap {
    /// Reads one text, without drop-ins and environment. `file` is its name in messages;
    /// libraries with a `/` and `search` are relative to its directory.
    ///
    /// # Errors
    /// Every fatal diagnostic of the text.
    pub fn parse(text: &str, file: &str) -> Result<PluginMap, MapError> {
        PluginMap::parse_with(text, file, &Environment::default())
    }

    /// As `parse`, and applies the environment.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse_with(
        text: &str,
        file: &str,
        environment: &Environment,
    ) -> Result<PluginMap, MapError> {
        PluginMap::parse_files(&[(file, text)], environment)
    }

    /// Merges several texts, the first being the base.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse_files(
        files: &[(&str, &str)],
        environment: &Environment,
    ) -> Result<PluginMap, MapError> {
        let mut builder = Builder::default();
        let mut fatal = Vec::new();
        builder.search = environment.plugin_dirs();
        let base = files.first().map(|(name, _)| *name);
        for (i, (name, text)) in files.iter().enumerate() {
            let dir = Path::new(name).parent().unwrap_or(Path::new(""));
            let drop_in_of = base.filter(|_| i > 0);
            let mut file = file::read(text.as_bytes(), name, &Arc::from(dir), drop_in_of);
            fatal.append(&mut file.fatal);
            builder.search.extend(search_dirs(dir, &file.search));
            builder.add(file);
        }
        finish(builder, environment, fatal)
    }
}
