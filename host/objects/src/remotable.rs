//! Remotable methods: the same call, whether the database is in this process or elsewhere.
//!
//! An object hands its wire form, a method name and arguments to an [`ObjectApi`], and takes over
//! the updates that come back. Must not know who implements it: the store does locally, the
//! conductor's client does over RPC.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use crate::base::VersionedObject;
use crate::compute_node::{ComputeNode, ComputeNodeList};
use crate::error::ObjectError;
use crate::flavor::Flavor;
use crate::image_meta::ImageMeta;
use crate::instance::Instance;
use crate::instance_fault::InstanceFault;
use crate::instance_group::InstanceGroup;
use crate::instance_list::InstanceList;
use crate::request_spec::RequestSpec;
use crate::service::{Service, ServiceList};
use crate::state::{TaskState, VmState};

/// Where remotable methods run.
#[async_trait]
pub trait ObjectApi: Send + Sync {
    /// Runs a method of an object; returns the fields that changed by it (with
    /// `obj_what_changed`) and the method's own result.
    async fn object_action(
        &self,
        object: Value,
        method: &str,
        args: Value,
    ) -> Result<(Map<String, Value>, Value), ObjectError>;

    /// Runs a method of a class; returns its result, an object in wire form or null.
    async fn object_class_action(
        &self,
        name: &str,
        method: &str,
        args: Value,
    ) -> Result<Value, ObjectError>;
}

/// Conditions of a save: the row must still be in one of these states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Vm states; absent: no condition.
    pub vm_states: Option<Vec<VmState>>,
    /// Task states, `None` being the idle one; absent: no condition.
    pub task_states: Option<Vec<Option<TaskState>>>,
    /// Host; absent: no condition, `Some(None)`: no host assigned.
    pub host: Option<Option<String>>,
}

impl Expected {
    /// No condition.
    pub fn any() -> Self {
        Self::default()
    }

    /// One of these task states; `None` is the idle state.
    pub fn task(states: &[Option<TaskState>]) -> Self {
        Self {
            task_states: Some(states.to_vec()),
            ..Self::default()
        }
    }

    /// Adds: one of these vm states.
    #[must_use]
    pub fn and_vm(mut self, states: &[VmState]) -> Self {
        self.vm_states = Some(states.to_vec());
        self
    }

    /// Adds: assigned to this host, or to none.
    #[must_use]
    pub fn and_host(mut self, host: Option<&str>) -> Self {
        self.host = Some(host.map(str::to_owned));
        self
    }

    /// The arguments of a save on the wire; conditions that are absent have no key.
    pub fn to_args(&self) -> Value {
        let mut args = Map::new();
        if let Some(states) = &self.vm_states {
            let words: Vec<_> = states.iter().map(|state| state.as_str()).collect();
            args.insert("expected_vm_state".to_owned(), json!(words));
        }
        if let Some(states) = &self.task_states {
            let words: Vec<_> = states
                .iter()
                .map(|state| state.map(TaskState::as_str))
                .collect();
            args.insert("expected_task_state".to_owned(), json!(words));
        }
        if let Some(host) = &self.host {
            args.insert("expected_host".to_owned(), json!(host));
        }
        Value::Object(args)
    }

    /// Reads the arguments of a save; a single word counts as a list of one,
    /// null as absent (but a null host is the condition that none is assigned).
    ///
    /// # Errors
    /// `InvalidField` for an unknown state or a value of the wrong type.
    pub fn from_args(args: &Value) -> Result<Self, ObjectError> {
        use crate::field::Field;
        let listed = |key: &str| args.get(key).filter(|v| !v.is_null()).map(as_list);
        let vm = listed("expected_vm_state").map(|v| Vec::hydrate("expected_vm_state", &v));
        let task = listed("expected_task_state").map(|v| Vec::hydrate("expected_task_state", &v));
        let host = args
            .get("expected_host")
            .map(|value| Option::hydrate("expected_host", value));
        Ok(Self {
            vm_states: vm.transpose()?,
            task_states: task.transpose()?,
            host: host.transpose()?,
        })
    }
}

fn as_list(value: &Value) -> Value {
    if value.is_array() {
        value.clone()
    } else {
        Value::Array(vec![value.clone()])
    }
}

/// Calls a method of an object and takes over what it changed.
///
/// # Errors
/// Whatever the method failed with; the object is then unchanged.
pub async fn action<T: VersionedObject>(
    object: &mut T,
    api: &dyn ObjectApi,
    method: &str,
    args: Value,
) -> Result<Value, ObjectError> {
    let (updates, result) = api
        .object_action(object.to_primitive(), method, args)
        .await?;
    object.apply_updates(&updates)?;
    Ok(result)
}

/// Calls a class method that returns an object of type `T`.
///
/// # Errors
/// Whatever the method failed with, or that its result is no such object.
pub async fn class_action<T: VersionedObject>(
    api: &dyn ObjectApi,
    class: &str,
    method: &str,
    args: Value,
) -> Result<T, ObjectError> {
    T::from_primitive(&api.object_class_action(class, method, args).await?)
}

/// Refuses a method on an object that has no identity.
pub(crate) fn identified<T: VersionedObject>(
    object: &T,
    field: &str,
    method: &str,
) -> Result<(), ObjectError> {
    if object.is_set(field) {
        return Ok(());
    }
    Err(ObjectError::OrphanedObject(
        method.to_owned(),
        T::NAME.to_owned(),
    ))
}

/// The create and save of objects without conditions.
macro_rules! create_and_save {
    ($($name:ident by $identity:literal),+) => { $(
        impl $name {
            /// Writes a new record; afterwards the object has what the store gave it.
            ///
            /// # Errors
            /// `Exists` when the identity is taken, or a failure of the store.
            pub async fn create(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
                action(self, api, "create", json!({})).await.map(drop)
            }

            /// Writes the changed fields; does nothing when there are none.
            ///
            /// # Errors
            /// `OrphanedObject` before it was created, `NotFound` when it is gone, or a failure
            /// of the store.
            pub async fn save(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
                identified(self, $identity, "save")?;
                if self.changes().is_empty() {
                    return Ok(());
                }
                action(self, api, "save", json!({})).await.map(drop)
            }
        }
    )+ };
}

create_and_save!(ComputeNode by "id", Service by "id", RequestSpec by "instance_uuid");

impl Instance {
    /// Writes a new record.
    ///
    /// # Errors
    /// `OrphanedObject` without a uuid, `Exists` when it is taken, or a failure of the store.
    pub async fn create(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
        identified(self, "uuid", "create")?;
        action(self, api, "create", json!({})).await.map(drop)
    }

    /// Writes the changed fields if the row is still as expected, in one step.
    ///
    /// Nothing changed: nothing is written and **nothing is checked**.
    ///
    /// # Errors
    /// `UnexpectedDeletingTaskState`, `UnexpectedTaskState`, `InstanceUpdateConflict`,
    /// `InstanceNotFound`, `OrphanedObject`, or a failure of the store.
    pub async fn save(
        &mut self,
        api: &dyn ObjectApi,
        expected: Expected,
    ) -> Result<(), ObjectError> {
        identified(self, "uuid", "save")?;
        if self.changes().is_empty() {
            return Ok(());
        }
        action(self, api, "save", expected.to_args())
            .await
            .map(drop)
    }

    /// Reads all fields again; unsaved changes are lost.
    ///
    /// # Errors
    /// `InstanceNotFound`, `OrphanedObject`, or a failure of the store.
    pub async fn refresh(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
        identified(self, "uuid", "refresh")?;
        action(self, api, "refresh", json!({})).await.map(drop)
    }

    /// Marks the record as deleted; afterwards the object has no `id`.
    ///
    /// An object without a host is destroyed only while its row has none either, so that a build
    /// that just found a host is not pulled away from under it.
    ///
    /// # Errors
    /// `ObjectAction` when it is destroyed already or got a host meanwhile, `InstanceNotFound`,
    /// or a failure of the store.
    pub async fn destroy(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
        if !self.is_set("id") {
            let reason = "already destroyed".to_owned();
            return Err(ObjectError::ObjectAction("destroy".to_owned(), reason));
        }
        let unassigned = self.is_set("host") && self.host().is_none();
        action(self, api, "destroy", json!({ "host_is_null": unassigned })).await?;
        self.clear("id");
        Ok(())
    }

    /// Reads one instance, with its latest fault.
    ///
    /// # Errors
    /// `InstanceNotFound`, or a failure of the store.
    pub async fn get_by_uuid(api: &dyn ObjectApi, uuid: &str) -> Result<Self, ObjectError> {
        class_action(api, "Instance", "get_by_uuid", json!({ "uuid": uuid })).await
    }
}

impl InstanceList {
    /// Instances of a host that are not deleted.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_by_host(api: &dyn ObjectApi, host: &str) -> Result<Self, ObjectError> {
        class_action(api, "InstanceList", "get_by_host", json!({ "host": host })).await
    }

    /// A page of the instances that have a host and are not deleted, oldest first, those made after
    /// the one with this row number. Of each is set only what its neighbours are judged by: `id`,
    /// `uuid`, `host`, `project_id`, and of its flavor the `flavorid`.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_placed(api: &dyn ObjectApi, after_id: i64) -> Result<Self, ObjectError> {
        let args = json!({ "after_id": after_id });
        class_action(api, "InstanceList", "get_placed", args).await
    }
}

impl InstanceGroup {
    /// Reads a group with its members and their hosts.
    ///
    /// # Errors
    /// `NotFound`, or a failure of the store.
    pub async fn get_by_uuid(api: &dyn ObjectApi, uuid: &str) -> Result<Self, ObjectError> {
        class_action(api, "InstanceGroup", "get_by_uuid", json!({ "uuid": uuid })).await
    }

    /// The hosts that run members now, without regard to the members `exclude`.
    ///
    /// # Errors
    /// `OrphanedObject` without a uuid, or a failure of the store. A group that is gone has none.
    pub async fn get_hosts(
        &self,
        api: &dyn ObjectApi,
        exclude: &[&str],
    ) -> Result<Vec<String>, ObjectError> {
        identified(self, "uuid", "get_hosts")?;
        let args = json!({ "exclude": exclude });
        let (_, hosts) = api
            .object_action(self.to_primitive(), "get_hosts", args)
            .await?;
        serde_json::from_value(hosts)
            .map_err(|error| ObjectError::InvalidField("hosts".to_owned(), error.to_string()))
    }
}

impl ComputeNode {
    /// Marks the record as deleted.
    ///
    /// # Errors
    /// `OrphanedObject`, `NotFound`, or a failure of the store.
    pub async fn destroy(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
        identified(self, "id", "destroy")?;
        action(self, api, "destroy", json!({})).await.map(drop)
    }

    /// Reads the node of a host.
    ///
    /// # Errors
    /// `NotFound`, or a failure of the store.
    pub async fn get_by_host_and_nodename(
        api: &dyn ObjectApi,
        host: &str,
        nodename: &str,
    ) -> Result<Self, ObjectError> {
        let args = json!({ "host": host, "nodename": nodename });
        class_action(api, "ComputeNode", "get_by_host_and_nodename", args).await
    }
}

impl ComputeNodeList {
    /// All nodes that are not deleted.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_all(api: &dyn ObjectApi) -> Result<Self, ObjectError> {
        class_action(api, "ComputeNodeList", "get_all", json!({})).await
    }

    /// Nodes of a host that are not deleted.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_all_by_host(api: &dyn ObjectApi, host: &str) -> Result<Self, ObjectError> {
        class_action(
            api,
            "ComputeNodeList",
            "get_all_by_host",
            json!({ "host": host }),
        )
        .await
    }

    /// Nodes that changed after a generation, **deleted ones included**, oldest change first.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_changed_since(
        api: &dyn ObjectApi,
        generation: i64,
    ) -> Result<Self, ObjectError> {
        let args = json!({ "generation": generation });
        class_action(api, "ComputeNodeList", "get_changed_since", args).await
    }
}

impl Service {
    /// Reads the service of a program on a host.
    ///
    /// # Errors
    /// `NotFound`, or a failure of the store.
    pub async fn get_by_args(
        api: &dyn ObjectApi,
        host: &str,
        binary: &str,
    ) -> Result<Self, ObjectError> {
        class_action(
            api,
            "Service",
            "get_by_args",
            json!({ "host": host, "binary": binary }),
        )
        .await
    }
}

impl ServiceList {
    /// All services that are not deleted.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_all(api: &dyn ObjectApi) -> Result<Self, ObjectError> {
        class_action(api, "ServiceList", "get_all", json!({})).await
    }

    /// Services that changed after a generation, **deleted ones included**, oldest change first.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn get_changed_since(
        api: &dyn ObjectApi,
        generation: i64,
    ) -> Result<Self, ObjectError> {
        let args = json!({ "generation": generation });
        class_action(api, "ServiceList", "get_changed_since", args).await
    }
}

impl InstanceFault {
    /// Writes a new fault.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn create(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
        action(self, api, "create", json!({})).await.map(drop)
    }
}

impl RequestSpec {
    /// Reads the request of an instance.
    ///
    /// # Errors
    /// `NotFound`, or a failure of the store.
    pub async fn get_by_instance_uuid(
        api: &dyn ObjectApi,
        uuid: &str,
    ) -> Result<Self, ObjectError> {
        let args = json!({ "instance_uuid": uuid });
        class_action(api, "RequestSpec", "get_by_instance_uuid", args).await
    }
}

impl Flavor {
    /// Reads a flavor by its public identifier.
    ///
    /// # Errors
    /// `NotFound`, or a failure of the store.
    pub async fn get_by_flavor_id(api: &dyn ObjectApi, id: &str) -> Result<Self, ObjectError> {
        class_action(
            api,
            "Flavor",
            "get_by_flavor_id",
            json!({ "flavor_id": id }),
        )
        .await
    }
}

impl ImageMeta {
    /// Reads the description of an image.
    ///
    /// # Errors
    /// `NotFound`, or a failure of the store.
    pub async fn get_by_id(api: &dyn ObjectApi, id: &str) -> Result<Self, ObjectError> {
        class_action(api, "ImageMeta", "get_by_id", json!({ "id": id })).await
    }
}
