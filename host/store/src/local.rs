//! `LocalObjects`: remotable methods, run against the store of this process.
//!
//! Dispatches by object name and method; what the methods do is the store's. Must not know RPC: the
//! conductor puts its endpoint in front of this. Used wherever the database may be opened.

use async_trait::async_trait;
use longshore_objects::{
    Aggregate, AggregateList, ComputeNode, ComputeNodeList, Expected, Instance, InstanceFault,
    InstanceGroup, InstanceList, MetadataUpdates, ObjectApi, ObjectError, RequestSpec, Service,
    ServiceList, VersionedObject, WHAT_CHANGED, object_name,
};
use serde_json::{Map, Value, json};

use crate::store::Store;

/// The local implementation of [`ObjectApi`].
#[derive(Clone)]
pub struct LocalObjects {
    store: Store,
}

type Acted = Result<(Map<String, Value>, Value), ObjectError>;

impl LocalObjects {
    /// Remotable methods over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    async fn instance(&self, object: &Value, method: &str, args: &Value) -> Acted {
        let before = Instance::from_primitive(object)?;
        let after = match method {
            "create" => self.store.create_instance(before.clone()).await?,
            "save" => {
                let expected = Expected::from_args(args)?;
                let row = self.store.save_instance(before.clone(), expected).await?;
                return Ok(refreshed(&before, &row));
            }
            "refresh" => self.store.instance(before.uuid()).await?,
            "destroy" => {
                let host_is_null = args.get("host_is_null").and_then(Value::as_bool);
                let only_if = host_is_null.unwrap_or(false);
                let row = self.store.destroy_instance(before.uuid(), only_if).await?;
                return Ok(refreshed(&before, &row));
            }
            _ => return Err(unknown(Instance::NAME, method)),
        };
        Ok(updated(&before, &after))
    }

    async fn compute_node(&self, object: &Value, method: &str) -> Acted {
        let before = ComputeNode::from_primitive(object)?;
        match method {
            "create" => {
                let row = self.store.create_compute_node(before.clone()).await?;
                Ok(updated(&before, &row))
            }
            "save" => {
                let row = self.store.save_compute_node(before.clone()).await?;
                Ok(refreshed(&before, &row))
            }
            "destroy" => {
                let row = self.store.destroy_compute_node(before.id()).await?;
                Ok(refreshed(&before, &row))
            }
            _ => Err(unknown(ComputeNode::NAME, method)),
        }
    }

    async fn service(&self, object: &Value, method: &str) -> Acted {
        let before = Service::from_primitive(object)?;
        match method {
            "create" => {
                let row = self.store.create_service(before.clone()).await?;
                Ok(updated(&before, &row))
            }
            "save" => {
                let row = self.store.save_service(before.clone()).await?;
                Ok(refreshed(&before, &row))
            }
            "destroy" => {
                let row = self.store.destroy_service(before.id()).await?;
                Ok(refreshed(&before, &row))
            }
            _ => Err(unknown(Service::NAME, method)),
        }
    }

    async fn aggregate(&self, object: &Value, method: &str, args: &Value) -> Acted {
        let before = Aggregate::from_primitive(object)?;
        let (store, id) = (&self.store, before.id());
        let after = match method {
            "create" => store.create_aggregate(before.clone()).await?,
            "save" => {
                let changed = before.changes().contains(&"name");
                let name = changed.then(|| before.name().to_owned());
                store
                    .update_aggregate(id, name, MetadataUpdates::new())
                    .await?
            }
            "update_metadata" => {
                let updates = serde_json::from_value(args["updates"].clone());
                let updates =
                    updates.map_err(|_| missing("updates", "a map of texts and nulls"))?;
                store.update_aggregate(id, None, updates).await?
            }
            "add_host" => store.add_aggregate_host(id, text(args, "host")?).await?,
            "delete_host" => store.delete_aggregate_host(id, text(args, "host")?).await?,
            "destroy" => store.destroy_aggregate(id).await?,
            _ => return Err(unknown(Aggregate::NAME, method)),
        };
        Ok(updated(&before, &after))
    }
}

#[async_trait]
impl ObjectApi for LocalObjects {
    async fn object_action(&self, object: Value, method: &str, args: Value) -> Acted {
        match (object_name(&object).unwrap_or(""), method) {
            ("Instance", _) => self.instance(&object, method, &args).await,
            ("ComputeNode", _) => self.compute_node(&object, method).await,
            ("Service", _) => self.service(&object, method).await,
            ("Aggregate", _) => self.aggregate(&object, method, &args).await,
            ("InstanceFault", "create") => {
                let before = InstanceFault::from_primitive(&object)?;
                let after = self.store.create_fault(before.clone()).await?;
                Ok(updated(&before, &after))
            }
            ("RequestSpec", "create" | "save") => {
                let before = RequestSpec::from_primitive(&object)?;
                let after = self.store.save_request_spec(before.clone()).await?;
                Ok(updated(&before, &after))
            }
            ("InstanceGroup", "get_hosts") => {
                let group = InstanceGroup::from_primitive(&object)?;
                let exclude = serde_json::from_value(args["exclude"].clone());
                let exclude: Vec<String> =
                    exclude.map_err(|_| missing("exclude", "a list of texts"))?;
                let hosts = self.store.instance_group_hosts(group.uuid(), &exclude);
                Ok((Map::new(), json!(hosts.await?)))
            }
            ("InstanceFault" | "RequestSpec" | "InstanceGroup", _) => {
                Err(unknown(object_name(&object).unwrap_or(""), method))
            }
            (name, _) => Err(ObjectError::UnsupportedObject(format!("nova.{name}"))),
        }
    }

    async fn object_class_action(
        &self,
        name: &str,
        method: &str,
        args: Value,
    ) -> Result<Value, ObjectError> {
        let text = |key: &str| text(&args, key);
        let store = &self.store;
        Ok(match (name, method) {
            ("Instance", "get_by_uuid") => store.instance(text("uuid")?).await?.to_primitive(),
            ("InstanceList", "get_by_host") => {
                let found = store.instances_by_host(text("host")?).await?;
                InstanceList::from(found).to_primitive()
            }
            ("InstanceList", "get_placed") => {
                let after_id = number(&args, "after_id")?;
                InstanceList::from(store.placed_instances(after_id).await?).to_primitive()
            }
            ("InstanceGroup", "get_by_uuid") => {
                store.instance_group(text("uuid")?).await?.to_primitive()
            }
            ("ComputeNode", "get_by_host_and_nodename") => store
                .compute_node(text("host")?, text("nodename")?)
                .await?
                .to_primitive(),
            ("ComputeNodeList", "get_all") => {
                ComputeNodeList::from(store.compute_nodes(None).await?).to_primitive()
            }
            ("ComputeNodeList", "get_all_by_host") => {
                let found = store.compute_nodes(Some(text("host")?)).await?;
                ComputeNodeList::from(found).to_primitive()
            }
            ("ComputeNodeList", "get_changed_since") => {
                let found = store
                    .compute_nodes_changed_since(number(&args, "generation")?)
                    .await?;
                ComputeNodeList::from(found).to_primitive()
            }
            ("Service", "get_by_args") => store
                .service(text("host")?, text("binary")?)
                .await?
                .to_primitive(),
            ("ServiceList", "get_all") => ServiceList::from(store.services().await?).to_primitive(),
            ("ServiceList", "get_changed_since") => {
                let found = store
                    .services_changed_since(number(&args, "generation")?)
                    .await?;
                ServiceList::from(found).to_primitive()
            }
            ("Aggregate", "get_by_id") => {
                let id = number(&args, "aggregate_id")?;
                store.aggregate(id).await?.to_primitive()
            }
            ("AggregateList", "get_all") => {
                AggregateList::from(store.aggregates(None).await?).to_primitive()
            }
            ("AggregateList", "get_by_host") => {
                let found = store.aggregates(Some(text("host")?)).await?;
                AggregateList::from(found).to_primitive()
            }
            ("AggregateList", "get_changed_since") => {
                let found = store
                    .aggregates_changed_since(number(&args, "generation")?)
                    .await?;
                AggregateList::from(found).to_primitive()
            }
            ("RequestSpec", "get_by_instance_uuid") => store
                .request_spec(text("instance_uuid")?)
                .await?
                .to_primitive(),
            ("Flavor", "get_by_flavor_id") => {
                store.flavor(text("flavor_id")?).await?.to_primitive()
            }
            ("ImageMeta", "get_by_id") => store.image(text("id")?).await?.to_primitive(),
            _ => return Err(unknown(name, method)),
        })
    }
}

/// Everything in the row that differs from the object as received.
fn updated<T: VersionedObject>(before: &T, row: &T) -> (Map<String, Value>, Value) {
    let mut updates = row.differences(before);
    updates.insert(WHAT_CHANGED.to_owned(), json!([]));
    (updates, Value::Null)
}

/// The same for the fields that the object had, and the marks of the write itself.
fn refreshed<T: VersionedObject>(before: &T, row: &T) -> (Map<String, Value>, Value) {
    const MARKS: &[&str] = &["updated_at", "generation", "last_seen_up"];
    let (mut updates, result) = updated(before, row);
    let gone = row.field("deleted") == Some(json!(true));
    let marks =
        |name: &str| MARKS.contains(&name) || gone && ["deleted", "deleted_at"].contains(&name);
    let kept = |name: &str| name == WHAT_CHANGED || before.is_set(name) || marks(name);
    updates.retain(|name, _| kept(name));
    (updates, result)
}

fn unknown(name: &str, method: &str) -> ObjectError {
    ObjectError::UnsupportedMethod(name.to_owned(), method.to_owned())
}

fn text<'a>(args: &'a Value, key: &str) -> Result<&'a str, ObjectError> {
    args.get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| missing(key, "a text"))
}

fn number(args: &Value, key: &str) -> Result<i64, ObjectError> {
    args.get(key)
        .and_then(Value::as_i64)
        .ok_or_else(|| missing(key, "a whole number"))
}

fn missing(key: &str, wanted: &str) -> ObjectError {
    ObjectError::InvalidField(key.to_owned(), format!("the argument must be {wanted}"))
}
