//! Aggregates, and the zones that they put hosts into.
//!
//! One line each; the statements are in `sqlite/`.

use std::collections::HashMap;

use longshore_objects::{Aggregate, MetadataUpdates};

use super::Store;
use crate::error::StoreError;
use crate::sqlite::aggregates;

/// Aggregates, and the zones that they put hosts into.
impl Store {
    /// Creates an aggregate without hosts; a missing uuid is made up.
    ///
    /// # Errors
    /// `Exists` when the name is taken, `ObjectAction` for an empty zone, or a fault.
    pub async fn create_aggregate(&self, aggregate: Aggregate) -> Result<Aggregate, StoreError> {
        write!(self, "create an aggregate", |conn| aggregates::create(
            conn, &aggregate
        ))
    }

    /// Gives an aggregate another name and other metadata, both or neither.
    ///
    /// # Errors
    /// `NotFound`; `Exists` when the name is taken; `ObjectAction` for an empty zone, or when another aggregate puts one
    /// of its hosts into another zone; or a fault.
    pub async fn update_aggregate(
        &self,
        id: i64,
        name: Option<String>,
        metadata: MetadataUpdates,
    ) -> Result<Aggregate, StoreError> {
        write!(self, "change an aggregate", |conn| aggregates::update(
            conn,
            id,
            name.as_deref(),
            metadata
        ))
    }

    /// Takes a host into an aggregate; whether there is such a host is not asked.
    ///
    /// # Errors
    /// `NotFound`; `Exists` when it is in it; `ObjectAction` when another aggregate puts it into another zone; or a
    /// fault.
    pub async fn add_aggregate_host(&self, id: i64, host: &str) -> Result<Aggregate, StoreError> {
        let host = host.to_owned();
        write!(self, "add a host to an aggregate", |conn| {
            aggregates::add_host(conn, id, &host)
        })
    }

    /// Takes a host out of an aggregate.
    ///
    /// # Errors
    /// `NotFound`, also when the host is not in it, or a fault.
    pub async fn delete_aggregate_host(
        &self,
        id: i64,
        host: &str,
    ) -> Result<Aggregate, StoreError> {
        let host = host.to_owned();
        write!(self, "remove a host from an aggregate", |conn| {
            aggregates::delete_host(conn, id, &host)
        })
    }

    /// Marks an aggregate as deleted.
    ///
    /// # Errors
    /// `NotFound`, `ObjectAction` when it has hosts, or a fault.
    pub async fn destroy_aggregate(&self, id: i64) -> Result<Aggregate, StoreError> {
        write!(self, "delete an aggregate", |conn| aggregates::destroy(
            conn, id
        ))
    }

    /// Reads an aggregate that is not deleted.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn aggregate(&self, id: i64) -> Result<Aggregate, StoreError> {
        aggregates::by_id(self.readers(), id).await
    }

    /// All aggregates that are not deleted, or those that a host is in.
    ///
    /// # Errors
    /// A fault.
    pub async fn aggregates(&self, host: Option<&str>) -> Result<Vec<Aggregate>, StoreError> {
        aggregates::list(self.readers(), host).await
    }

    /// Aggregates written after a generation, deleted ones included, oldest change first.
    ///
    /// # Errors
    /// A fault.
    pub async fn aggregates_changed_since(
        &self,
        generation: i64,
    ) -> Result<Vec<Aggregate>, StoreError> {
        aggregates::changed_since(self.readers(), generation).await
    }

    /// The zone of each of these hosts, or of all hosts, that is in one by its aggregates.
    ///
    /// # Errors
    /// A fault.
    pub async fn host_zones(
        &self,
        hosts: Option<&[String]>,
    ) -> Result<HashMap<String, String>, StoreError> {
        aggregates::zones(self.readers(), hosts).await
    }

    /// Whether an enabled service of this binary is on a host of the zone; hosts in no zone are in `default_zone`.
    ///
    /// # Errors
    /// A fault.
    pub async fn zone_has_service(
        &self,
        zone: &str,
        default_zone: &str,
        binary: &str,
    ) -> Result<bool, StoreError> {
        aggregates::zone_has_service(self.readers(), zone, default_zone, binary).await
    }
}
