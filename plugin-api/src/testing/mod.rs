//! For a driver's own tests: a context, a driver built through the real bridge, and a table of hosts to try it on.
//!
//! Behind the feature `testing`, for `[dev-dependencies]`. Nothing here needs a host or a `.so`.

use crate::abi::buffer::RawStr;
use crate::abi::call::RawContext;
use crate::abi::error::take_error;
use crate::abi::services::{HostServices, Services};
use crate::abi::table::{build_driver, AdapterFor, RawDriver};
use crate::{CallContext, Context, Driver, DriverError, HostColumns};
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::sync::Arc;
use std::time::Instant;

static LEVEL: AtomicU32 = AtomicU32::new(0);
static SHUTDOWN: AtomicU32 = AtomicU32::new(0);
static CANCEL: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn no_log(_: u64, _: u32, _: RawStr<'_>, _: RawStr<'_>, _: RawStr<'_>, _: u32) {}

unsafe extern "C" fn now_ns() -> u64 {
    // The first use starts the clock; 0 would mean "no deadline".
    static START: std::sync::Once = std::sync::Once::new();
    static mut FIRST: Option<Instant> = None;
    START.call_once(|| {
        // SAFETY: written once, before anybody reads it.
        unsafe { FIRST = Some(Instant::now()) };
    });
    // SAFETY: `call_once` has ended, so it is written and never again.
    let first = unsafe { std::ptr::addr_of!(FIRST).read() };
    first.map_or(1, |f| f.elapsed().as_nanos() as u64 + 1)
}

fn services() -> Services {
    static SERVICES: HostServices = HostServices {
        size: std::mem::size_of::<HostServices>(),
        max_level: &LEVEL,
        shutdown: &SHUTDOWN,
        log: no_log,
        now_ns,
    };
    Services::new(&SERVICES)
}

/// A context for a driver that keeps its files under `state_dir`.
pub fn context(state_dir: &Path) -> Context {
    Context::new(
        services(),
        1,
        "test",
        "test",
        "test-host",
        state_dir.to_owned(),
    )
}

/// A context for one call, without a deadline.
pub fn call() -> CallContext<'static> {
    CallContext::new(services(), "req-test", 0, &CANCEL)
}

/// A context for one call whose deadline has passed.
pub fn late_call() -> CallContext<'static> {
    CallContext::new(services(), "req-test", 1, &CANCEL)
}

/// Builds `T` from settings (JSON) and hands it out the way a host sees it: through the table, the guard and the proxy.
///
/// ```
/// use longshore_plugin_api::{testing, Context, Driver, DriverError, Filter, Host, HostColumns, NoSettings};
/// # use longshore_plugin_api::{full, Mask, RequestFields, RequestSpec};
/// struct Nobody;
/// # impl Driver for Nobody {
/// #     type Settings = NoSettings;
/// #     fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> { Ok(Nobody) }
/// # }
/// # impl Filter for Nobody {
/// #     fn passes(&self, _: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> { Ok(false) }
/// # }
///
/// let filter = testing::bridged::<dyn Filter, Nobody>("{}", "/tmp".as_ref()).unwrap();
/// let hosts = testing::hosts(3, |_, _| {}).snapshot();
/// let mut words = full(3);
/// filter.filter_all(&hosts, &RequestFields::default().into(), &mut Mask::new(&mut words, 3)).unwrap();
/// assert_eq!(words, [0]);
/// ```
///
/// # Errors
/// What reading the settings or the constructor said.
pub fn bridged<K, T>(settings: &str, state_dir: &Path) -> Result<Arc<K>, DriverError>
where
    K: ?Sized + AdapterFor<T>,
    T: Driver,
{
    let context = context(state_dir);
    let raw_context = RawContext::lend(&context);
    let mut raw = std::mem::MaybeUninit::<RawDriver>::uninit();
    // SAFETY: all three arguments live during the call.
    let error =
        unsafe { build_driver::<K, T>(RawStr::text(settings), &raw_context, raw.as_mut_ptr()) };
    if !error.is_null() {
        // SAFETY: a non-null error is ours to take, once.
        return Err(unsafe { take_error(error) });
    }
    // SAFETY: null means that the driver was written.
    let raw = unsafe { raw.assume_init() };
    // SAFETY: `build_driver` made a driver of kind `K`.
    Ok(K::share(unsafe { K::proxy(raw) }))
}

/// Live columns of `n` equal hosts `host-0001`… with 8 processors, 16 GB of memory and 100 GB of disk, all free and up;
/// `change` may alter each.
pub fn hosts(n: usize, mut change: impl FnMut(&mut HostColumns, usize)) -> HostColumns {
    use crate::Column;
    let mut columns = HostColumns::new();
    for i in 0..n {
        let name = format!("host-{:04}", i + 1);
        let row = columns.push(&name, &name);
        columns.set_u32(Column::TotalUsableRamMb, row, 16_384);
        columns.set_i32(Column::FreeRamMb, row, 16_384);
        columns.set_u32(Column::TotalUsableDiskGb, row, 100);
        columns.set_i32(Column::FreeDiskMb, row, 102_400);
        columns.set_u32(Column::VcpusTotal, row, 8);
        columns.set_f32(Column::RamAllocationRatio, row, 1.5);
        columns.set_f32(Column::CpuAllocationRatio, row, 16.0);
        columns.set_f32(Column::DiskAllocationRatio, row, 1.0);
        columns.set_u32(Column::State, row, crate::STATE_UP);
        change(&mut columns, row);
    }
    columns
}
