//! Compute nodes and services: what hosts report of themselves.
//!
//! One line each; the statements are in `sqlite/`.

use longshore_objects::{ComputeNode, Service, VersionedObject};

use super::Store;
use crate::error::StoreError;
use crate::sqlite::{compute_nodes, services};

/// Compute nodes and services.
impl Store {
    /// Creates a node; a missing uuid is made up.
    ///
    /// # Errors
    /// `Exists` when the host has a live node of this name, or a fault.
    pub async fn create_compute_node(&self, node: ComputeNode) -> Result<ComputeNode, StoreError> {
        let values = node.changed_fields();
        write!(self, "create a compute node", |conn| compute_nodes::create(
            conn, values
        ))
    }

    /// Writes the changed fields of a node, found by `id`; returns the whole row.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn save_compute_node(&self, node: ComputeNode) -> Result<ComputeNode, StoreError> {
        let (id, values) = (node.id(), node.changed_fields());
        write!(self, "save a compute node", |conn| compute_nodes::save(
            conn, id, values
        ))
    }

    /// Marks a node as deleted.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_compute_node(&self, id: i64) -> Result<ComputeNode, StoreError> {
        write!(
            self,
            "delete a compute node",
            |conn| compute_nodes::destroy(conn, id)
        )
    }

    /// Reads a live node.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn compute_node(&self, host: &str, node: &str) -> Result<ComputeNode, StoreError> {
        compute_nodes::read(self.readers(), host, node).await
    }

    /// All live nodes, or those of one host.
    ///
    /// # Errors
    /// A fault.
    pub async fn compute_nodes(&self, host: Option<&str>) -> Result<Vec<ComputeNode>, StoreError> {
        compute_nodes::list(self.readers(), host).await
    }

    /// Nodes written after a generation, deleted ones included, oldest change first.
    ///
    /// # Errors
    /// A fault.
    pub async fn compute_nodes_changed_since(
        &self,
        generation: i64,
    ) -> Result<Vec<ComputeNode>, StoreError> {
        compute_nodes::changed_since(self.readers(), generation).await
    }

    /// Creates a service; a missing uuid is made up.
    ///
    /// # Errors
    /// `Exists` when the host has a live service of this binary, or a fault.
    pub async fn create_service(&self, service: Service) -> Result<Service, StoreError> {
        let values = service.changed_fields();
        write!(self, "create a service", |conn| services::create(
            conn, values
        ))
    }

    /// Writes the changed fields of a service, found by `id`; a larger report count stamps
    /// `last_seen_up`.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn save_service(&self, service: Service) -> Result<Service, StoreError> {
        let (id, values) = (service.id(), service.changed_fields());
        write!(self, "save a service", |conn| services::save(
            conn, id, values
        ))
    }

    /// Marks a service as deleted.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_service(&self, id: i64) -> Result<Service, StoreError> {
        write!(self, "delete a service", |conn| services::destroy(conn, id))
    }

    /// Reads a live service.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn service(&self, host: &str, binary: &str) -> Result<Service, StoreError> {
        services::read(self.readers(), host, binary).await
    }

    /// All live services.
    ///
    /// # Errors
    /// A fault.
    pub async fn services(&self) -> Result<Vec<Service>, StoreError> {
        services::list(self.readers()).await
    }

    /// Services written after a generation, deleted ones included, oldest change first.
    ///
    /// # Errors
    /// A fault.
    pub async fn services_changed_since(
        &self,
        generation: i64,
    ) -> Result<Vec<Service>, StoreError> {
        services::changed_since(self.readers(), generation).await
    }
}
