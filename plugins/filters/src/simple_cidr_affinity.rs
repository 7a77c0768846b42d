//! `simple_cidr_affinity`: hosts whose address is in the network of an address that the user hints
//! at: `build_near_host_ip`, and `cidr` for the network's size (`/24` unless told otherwise).

use crate::verdicts::Verdicts;
use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec,
};
use std::net::IpAddr;

/// Passes hosts in the network.
pub(crate) struct SimpleCidrAffinityFilter;

const ADDRESS_HINT: &str = "build_near_host_ip";
const SIZE_HINT: &str = "cidr";
const SIZE_DEFAULT: &str = "/24";

/// Where the user wants to be.
enum Near {
    /// Nowhere in particular.
    Anywhere,
    /// In the network that this address is in, given by how many leading bits it shares.
    Network(IpAddr, u32),
    /// The hints cannot be read: in no network that there is.
    Nowhere,
}

impl Near {
    fn of(request: &RequestSpec) -> Self {
        let address = request.scheduler_hint(ADDRESS_HINT).next();
        let size = request.scheduler_hint(SIZE_HINT).next();
        match address {
            None | Some("") => Self::Anywhere,
            Some(address) => match network(address, size.unwrap_or(SIZE_DEFAULT)) {
                Some((address, bits)) => Self::Network(address, bits),
                None => Self::Nowhere,
            },
        }
    }

    fn admits(&self, host_ip: &str) -> bool {
        match *self {
            Self::Anywhere => true,
            Self::Nowhere => false,
            Self::Network(near, bits) => match (near, host_ip.parse()) {
                (IpAddr::V4(near), Ok(IpAddr::V4(host))) => {
                    let differ = u32::from(near) ^ u32::from(host);
                    differ.checked_shr(32 - bits).unwrap_or(0) == 0
                }
                (IpAddr::V6(near), Ok(IpAddr::V6(host))) => {
                    let differ = u128::from(near) ^ u128::from(host);
                    differ.checked_shr(128 - bits).unwrap_or(0) == 0
                }
                _ => false,
            },
        }
    }
}

/// An address and the size of its network: `/24`, or a mask such as `/255.255.255.0`.
fn network(address: &str, size: &str) -> Option<(IpAddr, u32)> {
    // The two are joined before they are read, as in Nova.
    let joined = format!("{address}{size}");
    let (address, size) = match joined.split_once('/') {
        Some((address, size)) => (address, Some(size)),
        None => (joined.as_str(), None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    let bits = match size {
        None => bits_max,
        Some(size) => match size.parse::<u32>() {
            Ok(bits) => bits,
            Err(_) => mask_bits(size, bits_max)?,
        },
    };
    (bits <= bits_max).then_some((address, bits))
}

/// The size that a mask stands for, or one turned round such as `0.0.0.255`.
fn mask_bits(mask: &str, bits_max: u32) -> Option<u32> {
    let all = u128::MAX << (128 - bits_max);
    let mask = match (mask.parse().ok()?, bits_max) {
        (IpAddr::V4(mask), 32) => u128::from(u32::from(mask)) << 96,
        (IpAddr::V6(mask), 128) => u128::from(mask),
        _ => return None,
    };
    let is_network = |mask: &u128| mask.checked_shl(mask.leading_ones()).unwrap_or(0) == 0;
    let mut masks = [mask, !mask & all].into_iter();
    masks.find(is_network).map(u128::leading_ones)
}

impl Driver for SimpleCidrAffinityFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for SimpleCidrAffinityFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(Near::of(request).admits(host.host_ip()))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        match Near::of(request) {
            Near::Anywhere => {}
            Near::Nowhere => mask.clear_all(),
            near => {
                let (mut verdicts, addresses) = (Verdicts::new(), hosts.host_ip_ids());
                let mut verdict = |id| verdicts.of(id, || near.admits(hosts.text(id)));
                mask.retain_rows(|row| addresses.get(row).map_or(false, |&id| verdict(id)));
            }
        }
        Ok(())
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(crate::ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, Column, RequestFields};

    fn left_of(hints: &[(&str, &str)]) -> Vec<usize> {
        let addresses = ["10.0.0.1", "10.0.0.200", "10.0.1.1", "fd00::1", "", "x"];
        let hosts = testing::hosts(addresses.len(), |c, row| {
            c.set_text(Column::HostIp, row, addresses[row]);
        });
        let owned = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
        let request = RequestFields {
            scheduler_hints: hints.iter().map(owned).collect(),
            ..RequestFields::default()
        };
        left(&*build::<SimpleCidrAffinityFilter>("{}"), &hosts, request)
    }

    #[test]
    fn hosts_of_the_network_pass() {
        let near = |size| left_of(&[(ADDRESS_HINT, "10.0.0.77"), (SIZE_HINT, size)]);
        assert_eq!(left_of(&[(ADDRESS_HINT, "10.0.0.77")]), [0, 1]);
        assert_eq!(near("/16"), [0, 1, 2]);
        assert_eq!(near("/255.255.0.0"), [0, 1, 2]);
        assert_eq!(near("/0.0.255.255"), [0, 1, 2]);
        assert_eq!(near("/25"), [0]);
        assert_eq!(near("/0"), [0, 1, 2]);
        assert_eq!(
            left_of(&[(ADDRESS_HINT, "fd00::9"), (SIZE_HINT, "/64")]),
            [3]
        );
    }

    #[test]
    fn no_address_is_near_everything() {
        assert_eq!(left_of(&[]).len(), 6);
        assert_eq!(left_of(&[(SIZE_HINT, "/32")]).len(), 6);
        assert_eq!(left_of(&[(ADDRESS_HINT, "")]).len(), 6);
    }

    #[test]
    fn hints_that_cannot_be_read_leave_no_host() {
        assert!(left_of(&[(ADDRESS_HINT, "10.0.0")]).is_empty());
        for size in ["/33", "/x", "/255.0.255.0", "9"] {
            let hints = [(ADDRESS_HINT, "10.0.0.200"), (SIZE_HINT, size)];
            assert!(left_of(&hints).is_empty(), "{size}");
        }
        let mask = [(ADDRESS_HINT, "fd00::9"), (SIZE_HINT, "/255.255.0.0")];
        assert!(
            left_of(&mask).is_empty(),
            "a mask of the other sort of address"
        );
    }
}
