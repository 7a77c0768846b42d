//! Flavors and images: what users choose from.
//!
//! One line each; the statements are in `sqlite/`.

use longshore_objects::{Flavor, ImageMeta, MetadataUpdates, ObjectError};

use super::Store;
use crate::error::StoreError;
use crate::sqlite::{flavors, images};

/// Flavors and images.
impl Store {
    /// Creates a flavor; a missing `flavorid` is made up.
    ///
    /// # Errors
    /// `Exists` when name or identifier is taken, or a fault.
    pub async fn create_flavor(&self, flavor: Flavor) -> Result<Flavor, StoreError> {
        write!(self, "create a flavor", |conn| flavors::create(
            conn, &flavor
        ))
    }

    /// Writes the changed fields of a flavor, found by `flavorid`.
    ///
    /// # Errors
    /// `NotFound`, `Exists` when the new name is taken, or a fault.
    pub async fn save_flavor(&self, flavor: Flavor) -> Result<Flavor, StoreError> {
        write!(self, "save a flavor", |conn| flavors::save(conn, &flavor))
    }

    /// Sets and removes extra specs of a flavor, found by `flavorid`; those that are not named stay.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn update_extra_specs(
        &self,
        flavorid: &str,
        updates: MetadataUpdates,
    ) -> Result<Flavor, StoreError> {
        let id = flavorid.to_owned();
        write!(self, "change the extra specs of a flavor", |conn| {
            flavors::update_extra_specs(conn, &id, updates)
        })
    }

    /// Deletes a flavor by `flavorid`; instances keep their copy.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_flavor(&self, flavorid: &str) -> Result<(), StoreError> {
        let id = flavorid.to_owned();
        write!(self, "delete a flavor", |conn| flavors::destroy(conn, &id))
    }

    /// Reads a flavor by `flavorid`.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn flavor(&self, flavorid: &str) -> Result<Flavor, StoreError> {
        flavors::by_id(self.readers(), flavorid).await
    }

    /// Reads a flavor by `flavorid`, else by name.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn find_flavor(&self, id_or_name: &str) -> Result<Flavor, StoreError> {
        flavors::find(self.readers(), id_or_name).await
    }

    /// All flavors.
    ///
    /// # Errors
    /// A fault.
    pub async fn flavors(&self) -> Result<Vec<Flavor>, StoreError> {
        flavors::list(self.readers()).await
    }

    /// Creates an image; a missing `id` is made up.
    ///
    /// # Errors
    /// `Exists` when the identifier is taken, or a fault.
    pub async fn create_image(&self, image: ImageMeta) -> Result<ImageMeta, StoreError> {
        write!(self, "create an image", |conn| images::create(conn, &image))
    }

    /// Writes the changed fields of an image.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn save_image(&self, image: ImageMeta) -> Result<ImageMeta, StoreError> {
        write!(self, "save an image", |conn| images::save(conn, &image))
    }

    /// Deletes the description of an image; its file stays.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_image(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        write!(self, "delete an image", |conn| images::destroy(conn, &id))
    }

    /// Reads an image by identifier.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn image(&self, id: &str) -> Result<ImageMeta, StoreError> {
        images::by_id(self.readers(), id).await
    }

    /// Reads an image by identifier, else by name.
    ///
    /// # Errors
    /// `NotFound`; `ObjectAction` when several images have the name; or a fault.
    pub async fn find_image(&self, id_or_name: &str) -> Result<ImageMeta, StoreError> {
        let missing = match images::by_id(self.readers(), id_or_name).await {
            Err(StoreError::Object(missing)) => missing,
            found => return found,
        };
        let mut named = images::list(self.readers(), Some(id_or_name)).await?;
        match (named.pop(), named.len()) {
            (Some(image), 0) => Ok(image),
            (None, _) => Err(missing.into()),
            (Some(_), others) => {
                let reason = format!("{} images have the name {id_or_name}", others + 1);
                Err(ObjectError::ObjectAction("find image".to_owned(), reason).into())
            }
        }
    }

    /// All images, or those of a name, oldest first.
    ///
    /// # Errors
    /// A fault.
    pub async fn images(&self, name: Option<&str>) -> Result<Vec<ImageMeta>, StoreError> {
        images::list(self.readers(), name).await
    }
}
