//! `compute`: hosts whose compute service answers heartbeats and is not disabled. Reads the state
//! bits of the table alone; who sets them, and after how long a silence, is not known here.

use longshore_plugin_api::{
    uniform, Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec, STATE_DISABLED, STATE_UP,
};

/// Passes hosts that are up and enabled.
pub(crate) struct ComputeFilter;

impl Driver for ComputeFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for ComputeFilter {
    fn passes(&self, host: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        Ok(host.is_up() && !host.is_disabled())
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let serves = |state: u32| state & (STATE_UP | STATE_DISABLED) == STATE_UP;
        // Mostly all of them do, which is seen in a fraction of the time.
        if !uniform(hosts.state()).map_or(false, serves) {
            mask.retain(hosts.state(), serves);
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

    fn left_of(states: &[u32]) -> Vec<usize> {
        let hosts = testing::hosts(states.len(), |c, row| {
            c.set_u32(Column::State, row, states[row]);
        });
        left(
            &*build::<ComputeFilter>("{}"),
            &hosts,
            RequestFields::default(),
        )
    }

    #[test]
    fn up_and_enabled_hosts_pass() {
        assert_eq!(
            left_of(&[0, STATE_UP, STATE_DISABLED, STATE_UP | STATE_DISABLED]),
            [1]
        );
    }

    #[test]
    fn bits_of_a_newer_host_are_no_reason_to_fail() {
        assert_eq!(left_of(&[STATE_UP | 0x80, 0x80, u32::MAX]), [0]);
    }

    #[test]
    fn no_hosts_is_no_trouble() {
        assert!(left_of(&[]).is_empty());
    }

    #[test]
    fn hosts_beyond_a_full_word_are_judged_too() {
        let mut states = vec![STATE_UP; 65];
        states[64] = 0;
        assert_eq!(left_of(&states).len(), 64);
        assert_eq!(left_of(&[STATE_UP; 65]).len(), 65);
        assert!(left_of(&[STATE_DISABLED; 65]).is_empty());
    }

    #[test]
    fn it_runs_once_per_request_and_not_on_rebuild() {
        let traits = build::<ComputeFilter>("{}").traits().unwrap();
        assert_eq!(
            (traits.run_once_per_request, traits.run_on_rebuild),
            (true, false)
        );
    }
}
