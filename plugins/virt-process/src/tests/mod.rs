//! `process` through the real bridge, with real processes; each test has a state directory of its
//! own and ends its processes.

mod life;
mod limits;
mod recovery;
mod refusals;

use crate::driver::Process;
use crate::proc;
use longshore_plugin_api::{
    testing, Category, DriverError, Image, Instance, InstanceInfo, PowerState, Virt,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an event may take on a busy machine before a test gives up.
const EVENT_WAIT_MAX: Duration = Duration::from_secs(30);

/// A state directory of one test's own; its instances and files end with it.
pub(super) struct State(pub(super) PathBuf);

impl State {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("longshore-virt-process-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new directory");
        Self(path.canonicalize().expect("the directory"))
    }

    /// A driver on this directory.
    pub(super) fn driver(&self, settings: &str) -> Arc<dyn Virt> {
        testing::bridged::<dyn Virt, Process>(settings, &self.0).expect(settings)
    }

    /// The directory of an instance, or a file in it.
    pub(super) fn home(&self, id: &str) -> PathBuf {
        self.0.join("instances").join(id)
    }

    /// An executable file below `images/`.
    pub(super) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.images().join(name);
        fs::write(&path, text).expect("script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        path
    }

    pub(super) fn images(&self) -> PathBuf {
        let path = self.0.join("images");
        fs::create_dir_all(&path).expect("images");
        path
    }

    /// Settings that allow `images/`, and `more`.
    pub(super) fn settings(&self, more: &str) -> String {
        format!(
            r#"{{"image_dirs": ["/bin", "/usr/bin", "{}"]{more}}}"#,
            self.images().display()
        )
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // Also after a failed assertion no process may stay behind.
        let driver = testing::bridged::<dyn Virt, Process>(r#"{"stop_timeout_s": 0}"#, &self.0);
        for id in driver
            .iter()
            .flat_map(|d| d.list_instances(&testing::call()))
            .flatten()
        {
            let _ = driver
                .iter()
                .try_for_each(|d| d.destroy(&testing::call(), &id));
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn instance(id: &str) -> Instance {
    let (id, name) = (id.to_owned(), format!("name of {id}"));
    Instance {
        id,
        name,
        vcpus: 1,
        memory_mb: 512,
        ..Instance::default()
    }
}

pub(super) fn image(file: impl AsRef<Path>, args: &str) -> Image {
    let properties = [("args".to_owned(), args.to_owned())].into();
    Image {
        file: Some(file.as_ref().to_owned()),
        properties,
        ..Image::default()
    }
}

pub(super) fn sleep() -> Image {
    image("/bin/sleep", "3600")
}

pub(super) fn shell(script: &str) -> Image {
    image("/bin/sh", &format!("-c '{script}'"))
}

pub(super) fn spawn(driver: &Arc<dyn Virt>, id: &str, image: &Image) -> Result<(), DriverError> {
    driver.spawn(&testing::call(), &instance(id), image)
}

pub(super) fn info(driver: &Arc<dyn Virt>, id: &str) -> InstanceInfo {
    driver.instance_info(&testing::call(), id).expect(id)
}

pub(super) fn state(driver: &Arc<dyn Virt>, id: &str) -> PowerState {
    info(driver, id).state
}

pub(super) fn list(driver: &Arc<dyn Virt>) -> Vec<String> {
    driver.list_instances(&testing::call()).expect("list")
}

pub(super) fn console(driver: &Arc<dyn Virt>, id: &str) -> String {
    driver
        .console_output(&testing::call(), id, 1 << 20)
        .expect("console")
}

/// The first process of an instance.
pub(super) fn process(driver: &Arc<dyn Virt>, id: &str) -> proc::Process {
    let pid = info(driver, id)
        .internal_id
        .parse()
        .expect("a number: it runs");
    proc::Process::now(pid).expect("it runs")
}

#[track_caller]
pub(super) fn category<T: std::fmt::Debug>(result: Result<T, DriverError>) -> Category {
    result.expect_err("must fail").category()
}

/// Waits until something that another process does has happened.
#[track_caller]
pub(super) fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < EVENT_WAIT_MAX, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}
