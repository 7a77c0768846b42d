//! `ImageMeta`: what is known of an image, without its bytes.
//!
//! Must not open the file it names. Sent with every build, and kept in request specs.

use std::collections::BTreeMap;

use crate::macros::{list_object, versioned_object};
use crate::primitive::DateTime;

versioned_object! {
    /// The description of an image.
    pub struct ImageMeta, "1.8" {
        /// Identifier.
        id: String,
        /// Name; several images may share it.
        name: String,
        /// `active` when it can be booted from.
        status: String,
        /// Size of the file, in bytes.
        size: Option<i64>,
        /// Path of the file on the hosts.
        location: Option<String>,
        /// Least memory of an instance made from it, in MB.
        min_ram: i64,
        /// Least root disk of an instance made from it, in GB.
        min_disk: i64,
        /// Hints and requirements, by key.
        properties: BTreeMap<String, String>,
        /// When it was made.
        created_at: Option<DateTime>,
        /// When it last changed.
        updated_at: Option<DateTime>,
    }
}

list_object! {
    /// A list of images.
    pub struct ImageMetaList, "1.0" of ImageMeta
}
