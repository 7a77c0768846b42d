//! `InstanceList`: several instances in one message.
//!
//! Must not know the query that made it. Returned by remotable class methods.

use crate::instance::Instance;
use crate::macros::list_object;

list_object! {
    /// A list of instances.
    pub struct InstanceList, "2.3" of Instance
}
