//! The paths of hypervisors: the compute nodes, as they last reported.
//!
//! Must not compute anything but sums. Called by the router.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use longshore_objects::{ComputeNode, Service};
use serde_json::{Value, json};

use super::error::{Answer, ApiError};
use super::manager::ApiManager;
use super::query::Parameters;
use super::services::{state, status};
use crate::BINARY_COMPUTE;

type Api = State<Arc<ApiManager>>;

/// Nodes, and the compute services that report them.
struct Fleet {
    nodes: Vec<ComputeNode>,
    services: HashMap<String, Service>,
    down_time: Duration,
}

impl Fleet {
    async fn read(api: &ApiManager) -> Result<Self, ApiError> {
        let nodes = api.store.compute_nodes(None).await?;
        let services = api.store.services().await?;
        let compute = services
            .into_iter()
            .filter(|one| one.binary() == BINARY_COMPUTE);
        Ok(Self {
            nodes,
            services: compute.map(|one| (one.host().to_owned(), one)).collect(),
            down_time: api.config.service_down_time,
        })
    }

    fn summary(&self, node: &ComputeNode) -> Value {
        let service = self.services.get(node.host());
        json!({
            "id": node.id(),
            "hypervisor_hostname": node.hypervisor_hostname(),
            "state": service.map_or("down", |service| state(service, self.down_time)),
            "status": service.map_or("disabled", status),
        })
    }

    fn detail(&self, node: &ComputeNode) -> Value {
        let service = self.services.get(node.host());
        let mut view = self.summary(node);
        let more = json!({
            "cpu_info": node.cpu_info().unwrap_or(""),
            "current_workload": node.current_workload().unwrap_or(0),
            "disk_available_least": node.disk_available_least(),
            "host_ip": node.host_ip(),
            "free_disk_gb": free_disk_gb(node),
            "free_ram_mb": free_ram_mb(node),
            "hypervisor_type": node.hypervisor_type(),
            "hypervisor_version": node.hypervisor_version(),
            "local_gb": node.local_gb(),
            "local_gb_used": node.local_gb_used(),
            "memory_mb": node.memory_mb(),
            "memory_mb_used": node.memory_mb_used(),
            "running_vms": node.running_vms().unwrap_or(0),
            "vcpus": node.vcpus(),
            "vcpus_used": node.vcpus_used(),
            "service": {
                "host": node.host(),
                "id": service.map(Service::id),
                "disabled_reason": service.and_then(Service::disabled_reason),
            },
        });
        if let (Some(view), Value::Object(more)) = (view.as_object_mut(), more) {
            view.extend(more);
        }
        view
    }
}

/// What is left, also before the first full report.
fn free_ram_mb(node: &ComputeNode) -> i64 {
    node.free_ram_mb()
        .unwrap_or_else(|| node.memory_mb().saturating_sub(node.memory_mb_used()))
}

fn free_disk_gb(node: &ComputeNode) -> i64 {
    node.free_disk_gb()
        .unwrap_or_else(|| node.local_gb().saturating_sub(node.local_gb_used()))
}

/// `GET /v2.1/os-hypervisors`
pub(crate) async fn brief(State(api): Api, query: Parameters) -> Answer {
    query.finish()?;
    let fleet = Fleet::read(&api).await?;
    let views: Vec<Value> = fleet.nodes.iter().map(|node| fleet.summary(node)).collect();
    Ok(Json(json!({ "hypervisors": views })).into_response())
}

/// `GET /v2.1/os-hypervisors/detail`
pub(crate) async fn full(State(api): Api, query: Parameters) -> Answer {
    query.finish()?;
    let fleet = Fleet::read(&api).await?;
    let views: Vec<Value> = fleet.nodes.iter().map(|node| fleet.detail(node)).collect();
    Ok(Json(json!({ "hypervisors": views })).into_response())
}

/// `GET /v2.1/os-hypervisors/{id}`
pub(crate) async fn show(State(api): Api, Path(id): Path<String>) -> Answer {
    let fleet = Fleet::read(&api).await?;
    let node = fleet.nodes.iter().find(|node| node.id().to_string() == id);
    let message = format!("Hypervisor with ID '{id}' could not be found.");
    let node = node.ok_or_else(|| ApiError::not_found(message))?;
    Ok(Json(json!({ "hypervisor": fleet.detail(node) })).into_response())
}

/// `GET /v2.1/os-hypervisors/statistics`
pub(crate) async fn statistics(State(api): Api) -> Answer {
    let nodes = api.store.compute_nodes(None).await?;
    let sum = |of: fn(&ComputeNode) -> i64| {
        nodes
            .iter()
            .fold(0_i64, |sum, node| sum.saturating_add(of(node)))
    };
    let statistics = json!({
        "count": nodes.len(),
        "current_workload": sum(|node| node.current_workload().unwrap_or(0)),
        "disk_available_least": sum(|node| node.disk_available_least().unwrap_or(0)),
        "free_disk_gb": sum(free_disk_gb),
        "free_ram_mb": sum(free_ram_mb),
        "local_gb": sum(ComputeNode::local_gb),
        "local_gb_used": sum(ComputeNode::local_gb_used),
        "memory_mb": sum(ComputeNode::memory_mb),
        "memory_mb_used": sum(ComputeNode::memory_mb_used),
        "running_vms": sum(|node| node.running_vms().unwrap_or(0)),
        "vcpus": sum(ComputeNode::vcpus),
        "vcpus_used": sum(ComputeNode::vcpus_used),
    });
    Ok(Json(json!({ "hypervisor_statistics": statistics })).into_response())
}
