//! What a guest starts from.

use crate::record;
use std::collections::BTreeMap;
use std::path::PathBuf;

record! {
    /// What a guest starts from.
    pub struct Image {
        /// Its id.
        pub id: String,
        /// Its name.
        pub name: String,
        /// The file, if the image has one. What it holds is between the image's maker and the driver.
        pub file: Option<PathBuf>,
        /// Its properties.
        pub properties: BTreeMap<String, String>,
    }
}
