//! The records of services over remotable objects: local or through the conductor, alike.
//!
//! Must not know which services exist. Handed to the service layer's group by the wiring.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_objects::{ObjectApi, ObjectError, Service};
use longshore_service::{ServiceError, ServiceRecords};

/// [`ServiceRecords`] kept as [`Service`] objects.
pub struct ObjectRecords {
    objects: Arc<dyn ObjectApi>,
}

impl ObjectRecords {
    /// Records behind these objects.
    pub fn new(objects: Arc<dyn ObjectApi>) -> Self {
        Self { objects }
    }
}

#[async_trait]
impl ServiceRecords for ObjectRecords {
    async fn register(&self, host: &str, binary: &str, topic: &str) -> Result<(), ServiceError> {
        let api = self.objects.as_ref();
        let failed = |error| service_error("make the service record", host, binary, &error);
        match Service::get_by_args(api, host, binary).await {
            // A start is a sign of life: the record of a service that was away is stale, and
            // whatever recovers now must find the host up.
            Ok(_) => return self.report_state(host, binary).await,
            Err(ObjectError::NotFound(..)) => {}
            Err(error) => return Err(failed(error)),
        }
        let mut service = Service::new();
        service
            .set_host(host)
            .set_binary(binary)
            .set_topic(topic)
            .set_report_count(0);
        match service.create(api).await {
            // A sibling made it at the same time.
            Ok(()) | Err(ObjectError::Exists(..)) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn report_state(&self, host: &str, binary: &str) -> Result<(), ServiceError> {
        let api = self.objects.as_ref();
        let failed = |error| service_error("report that it lives", host, binary, &error);
        let mut service = Service::get_by_args(api, host, binary)
            .await
            .map_err(failed)?;
        service.set_report_count(service.report_count().saturating_add(1));
        service.save(api).await.map_err(failed)
    }
}

fn service_error(what: &str, host: &str, binary: &str, error: &ObjectError) -> ServiceError {
    let text = format!("`{binary}` on `{host}` cannot {what}: {error}");
    ServiceError::new(error.code().to_owned(), text)
}
