//! `retry`: hosts on which this instance has not been tried yet, as host and node.
//! Who counts the attempts and when they are too many is not known here.

use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, Host, HostTable, Mask, NoSettings, RequestSpec,
};

/// Passes hosts that were not tried before.
pub(crate) struct RetryFilter;

impl Driver for RetryFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for RetryFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let this = (host.host_name(), host.node_name());
        let tried = request.retry_hosts().any(|tried| tried == this);
        Ok(!tried)
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        // A name that no host has needs no look.
        let ids = |(host, node)| Some((hosts.find_text(host)?, hosts.find_text(node)?));
        let mut tried: Vec<(u32, u32)> = request.retry_hosts().filter_map(ids).collect();
        if !tried.is_empty() {
            tried.sort_unstable();
            let new = |host, node| tried.binary_search(&(host, node)).is_err();
            mask.retain2(hosts.host_ids(), hosts.node_ids(), new);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{HostColumns, RequestFields};

    fn left_after(tried: &[(&str, &str)]) -> Vec<usize> {
        let mut hosts = HostColumns::new();
        for (host, node) in [("a", "a"), ("a", "n"), ("b", "b"), ("c", "c")] {
            hosts.push(host, node);
        }
        let retry_hosts = tried
            .iter()
            .map(|(h, n)| (h.to_string(), n.to_string()))
            .collect();
        let request = RequestFields {
            retry_hosts,
            num_attempts: 2,
            ..RequestFields::default()
        };
        left(&*build::<RetryFilter>("{}"), &hosts, request)
    }

    #[test]
    fn a_first_attempt_may_go_anywhere() {
        assert_eq!(left_after(&[]), [0, 1, 2, 3]);
    }

    #[test]
    fn a_host_that_was_tried_is_out() {
        assert_eq!(left_after(&[("b", "b")]), [0, 1, 3]);
    }

    #[test]
    fn host_and_node_must_both_be_the_same() {
        assert_eq!(left_after(&[("a", "n")]), [0, 2, 3]);
        assert_eq!(left_after(&[("b", "c"), ("n", "a")]), [0, 1, 2, 3]);
    }

    #[test]
    fn hosts_that_are_gone_do_no_harm() {
        assert_eq!(
            left_after(&[("zz", "zz"), ("c", "zz"), ("zz", "c")]),
            [0, 1, 2, 3]
        );
    }

    #[test]
    fn every_host_may_have_been_tried_some_twice() {
        let all = [("c", "c"), ("a", "a"), ("b", "b"), ("a", "n"), ("b", "b")];
        assert!(left_after(&all).is_empty());
    }

    #[test]
    fn names_keep_their_case() {
        assert_eq!(left_after(&[("B", "b")]), [0, 1, 2, 3]);
    }
}
