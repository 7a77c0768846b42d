//! What an operator can set on `process`, and what cannot be right about it. The README's table
//! says the same. Touches nothing of the machine: whether a directory is there is asked when it is
//! needed.

use longshore_plugin_api::{settings, DriverError};

settings! {
    /// Settings of the driver `process`.
    pub(crate) struct ProcessSettings {
        /// Where images may lie: an image's file must, after all links, be below one of these.
        image_dirs: Vec<String> = ["/bin", "/usr/bin"];
        /// How long an instance may take to end when it is asked to, s; then it is killed.
        stop_timeout_s: u32 = 5, max = 3600;
        /// How long a started program must live to count as started, ms.
        start_grace_ms: u32 = 50, max = 10000;
        /// How much of what an instance prints is kept, KB; looked at when the host asks about
        /// instances.
        output_max_kb: u32 = 1024, min = 4, max = 65536;
        /// Processors of the node; without it the machine's own.
        vcpus: Option<u32>, min = 1;
        /// Memory of the node, MB; without it the machine's own.
        memory_mb: Option<u64>, min = 1;
        /// Disk of the node, GB; without it that of the disk with the state directory.
        local_gb: Option<u64>, min = 0;
        /// What an instance finds in its environment, as NAME=VALUE; otherwise it is empty but for
        /// a few.
        env: Vec<String> = [];
        /// A cgroup (v2) that is delegated to the host, such as /sys/fs/cgroup/longshore; empty:
        /// none.
        cgroup: String = "";
    }
}

/// Names that the driver sets itself start so.
const RESERVED: &str = "LONGSHORE_";

impl ProcessSettings {
    /// Checks what the schema cannot say.
    ///
    /// # Errors
    /// `invalid`, with the key.
    pub(crate) fn check(&self) -> Result<(), DriverError> {
        if self.image_dirs.is_empty() {
            let error = DriverError::invalid("must name at least one directory");
            return Err(error.at("image_dirs"));
        }
        for directory in &self.image_dirs {
            absolute(directory, "image_dirs")?;
        }
        if !self.cgroup.is_empty() {
            absolute(&self.cgroup, "cgroup")?;
        }
        for pair in &self.env {
            let name = pair.split_once('=').map_or("", |(name, _)| name);
            if name.is_empty() || name.starts_with(RESERVED) || pair.contains('\0') {
                let rule = format!("`NAME=VALUE` whose name does not start with `{RESERVED}`");
                return Err(DriverError::invalid(format!("`{pair}` is not {rule}")).at("env"));
            }
        }
        Ok(())
    }
}

fn absolute(path: &str, key: &str) -> Result<(), DriverError> {
    if path.starts_with('/') && !path.contains('\0') {
        return Ok(());
    }
    Err(DriverError::invalid(format!("`{path}` is not an absolute path")).at(key))
}
