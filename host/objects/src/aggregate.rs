//! `Aggregate`: a group of hosts with metadata, of which one key names an availability zone.
//!
//! Must not know what the metadata means to filters, nor which hosts there are. Changed by the API, read by the
//! scheduler.

use std::collections::BTreeMap;

use serde_json::json;

use crate::error::ObjectError;
use crate::macros::{list_object, versioned_object};
use crate::primitive::DateTime;
use crate::remotable::{ObjectApi, action, class_action, identified};

/// Key of an aggregate's metadata that names the availability zone of its hosts.
pub const ZONE_KEY: &str = "availability_zone";

/// Changes of metadata, an aggregate's or a flavor's: values to set, and keys to remove, which have none.
pub type MetadataUpdates = BTreeMap<String, Option<String>>;

/// Carries updates out; keys that are not named stay as they are.
pub fn update_pairs(pairs: &mut BTreeMap<String, String>, updates: MetadataUpdates) {
    for (key, value) in updates {
        match value {
            Some(value) => pairs.insert(key, value),
            None => pairs.remove(&key),
        };
    }
}

versioned_object! {
    /// A group of hosts.
    pub struct Aggregate, "1.3" {
        /// Row number.
        id: i64,
        /// Identifier.
        uuid: String,
        /// Name, unique among those that are not deleted.
        name: String,
        /// Its hosts, in the order of their names.
        hosts: Vec<String>,
        /// Its metadata.
        metadata: BTreeMap<String, String>,
        /// When it was made.
        created_at: Option<DateTime>,
        /// When it last changed.
        updated_at: Option<DateTime>,
        /// When it was deleted.
        deleted_at: Option<DateTime>,
        /// Whether it is deleted.
        deleted: bool,
        /// Change number given by the store: the larger, the later.
        generation: i64,
    }
}

list_object! {
    /// A list of aggregates.
    pub struct AggregateList, "1.2" of Aggregate
}

impl Aggregate {
    /// The zone of its hosts, if it names one.
    pub fn availability_zone(&self) -> Option<&str> {
        self.metadata().get(ZONE_KEY).map(String::as_str)
    }

    /// Writes a new aggregate, which has no hosts yet.
    ///
    /// # Errors
    /// `Exists` when the name is taken, or a failure of the store.
    pub async fn create(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
        action(self, api, "create", json!({})).await.map(drop)
    }

    /// Writes the name, if it changed.
    ///
    /// # Errors
    /// `OrphanedObject`, `NotFound`, `Exists` when the name is taken, or a failure of the store.
    pub async fn save(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
        identified(self, "id", "save")?;
        action(self, api, "save", json!({})).await.map(drop)
    }

    /// Sets and removes metadata; keys that are not named stay as they are.
    ///
    /// # Errors
    /// `ObjectAction` when its hosts may not be in the zone that is named, or none is; `OrphanedObject`, `NotFound`, or
    /// a failure of the store.
    pub async fn update_metadata(
        &mut self,
        api: &dyn ObjectApi,
        updates: &MetadataUpdates,
    ) -> Result<(), ObjectError> {
        identified(self, "id", "update_metadata")?;
        let args = json!({ "updates": updates });
        action(self, api, "update_metadata", args).await.map(drop)
    }

    /// Takes a host in.
    ///
    /// # Errors
    /// `Exists` when it is in it, `ObjectAction` when it is in another zone; `OrphanedObject`, `NotFound`, or a failure
    /// of the store.
    pub async fn add_host(&mut self, api: &dyn ObjectApi, host: &str) -> Result<(), ObjectError> {
        identified(self, "id", "add_host")?;
        let args = json!({ "host": host });
        action(self, api, "add_host", args).await.map(drop)
    }

    /// Takes a host out.
    ///
    /// # Errors
    /// `OrphanedObject`, `NotFound` also when the host is not in it, or a failure of the store.
    pub async fn delete_host(
        &mut self,
        api: &dyn ObjectApi,
        host: &str,
    ) -> Result<(), ObjectError> {
        identified(self, "id", "delete_host")?;
        let args = json!({ "host": host });
        action(self, api, "delete_host", args).await.map(drop)
    }

    /// Marks it as deleted.
    ///
    /// # Errors
    /// `ObjectAction` when it has hosts, `OrphanedObject`, `NotFound`, or a failure of the store.
    pub async fn destroy(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
        identified(self, "id", "destroy")?;
        action(self, api, "destroy", json!({})).await.map(drop)
    }

    /// Reads an aggregate that is not deleted.
    ///
    /// # Errors
    /// `NotFound`, or a failure of the store.
    pub async fn get_by_id(api: &dyn ObjectApi, id: i64) -> Result<Self, ObjectError> {
        let args = json!({ "aggregate_id": id });
        class_action(api, "Aggregate", "get_by_id", args).await
    }
}

impl AggregateList {
    /// All aggregates that are not deleted.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_all(api: &dyn ObjectApi) -> Result<Self, ObjectError> {
        class_action(api, "AggregateList", "get_all", json!({})).await
    }

    /// The aggregates that a host is in.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_by_host(api: &dyn ObjectApi, host: &str) -> Result<Self, ObjectError> {
        let args = json!({ "host": host });
        class_action(api, "AggregateList", "get_by_host", args).await
    }

    /// Aggregates that changed after a generation, **deleted ones included**, oldest change first.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_changed_since(
        api: &dyn ObjectApi,
        generation: i64,
    ) -> Result<Self, ObjectError> {
        let args = json!({ "generation": generation });
        class_action(api, "AggregateList", "get_changed_since", args).await
    }
}
