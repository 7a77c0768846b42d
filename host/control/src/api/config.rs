//! `ApiConfig` and the bounds of one request.
//!
//! Every limit of the web API is spelled here, so that a reader finds them in one place. Must not
//! know the configuration file: the program fills the struct.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Largest body of a request, in bytes.
pub const BODY_LEN_MAX: usize = 114_688;
/// Longest time a client may take to send the body of a request.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// Longest name, identifier, metadata key or metadata value, in characters.
pub const TEXT_LEN_MAX: usize = 255;
/// Most pairs of metadata, image properties or scheduler hints.
pub const PAIRS_MAX: usize = 128;
/// Longest value of an image property, in characters.
pub const PROPERTY_LEN_MAX: usize = 4_096;
/// Longest user data, in characters of base64.
pub const USER_DATA_LEN_MAX: usize = 65_535;
/// Most rows in one page of a list.
pub const PAGE_LEN_MAX: usize = 1_000;
/// Most pages of the database that one filtered list may read.
pub const SCAN_PAGES_MAX: usize = 100;
/// Largest memory of a flavor, in MB; also the largest swap.
pub const RAM_MB_MAX: i64 = 2_147_483_647;
/// Most virtual processors of a flavor.
pub const VCPUS_MAX: i64 = 65_536;
/// Largest disk of a flavor, in GB.
pub const DISK_GB_MAX: i64 = 2_097_152;
/// Longest wait for the answers of all readiness checks.
pub const READY_TIME_MAX: Duration = Duration::from_secs(10);

/// What an operator decides about the web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Most instances of one request.
    pub max_count: i64,
    /// Most server groups of a project.
    pub server_groups_max: i64,
    /// Most members of a server group.
    pub server_group_members_max: i64,
    /// Most requests in work at a time; one more is told to come back.
    pub in_flight_max: usize,
    /// Most open connections; further ones wait in the queue of the system.
    pub connections_max: usize,
    /// Zone of hosts that no aggregate puts into one.
    pub default_availability_zone: String,
    /// A service whose last report is older than this is down.
    pub service_down_time: Duration,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8774)),
            max_count: 1_000,
            server_groups_max: 10,
            server_group_members_max: 10,
            in_flight_max: 256,
            connections_max: 1_024,
            default_availability_zone: "nova".to_owned(),
            service_down_time: Duration::from_secs(60),
        }
    }
}
