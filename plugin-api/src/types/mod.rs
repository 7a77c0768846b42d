//! Nouns that several kinds share, one per file.

pub mod columns;
pub mod decimal;
mod frames;
pub mod host_columns;
pub mod host_table;
pub mod image;
pub mod instance;
pub mod mask;
pub mod request_spec;
pub mod resources;
