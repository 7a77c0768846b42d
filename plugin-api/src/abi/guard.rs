//! The only way in: every call from outside runs under `catch_unwind`, on the side whose code may panic.
//!
//! A panic becomes a `DriverError` with the place of the original panic. No thread-local is touched unless a panic
//! really happens: reading one costs more than the whole guard (see docs/abi.md, figures).

use super::error::{give_error, RawError};
use super::services::Services;
use super::wire::Wire;
use crate::error::DriverError;
use std::any::Any;
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

/// Runs `call` and writes its answer to `out`; null means success.
///
/// # Safety
/// `out` must be valid for writing one `R::Abi`.
#[inline(always)]
pub unsafe fn guard<R: Wire>(
    out: *mut R::Abi,
    call: impl FnOnce() -> Result<R, DriverError>,
) -> *mut RawError {
    let answer = catch_unwind(AssertUnwindSafe(|| {
        call().map(|value| {
            let mut sent = value.prepare();
            R::lower(&mut sent)
        })
    }));
    match answer {
        Ok(Ok(abi)) => {
            // SAFETY: the caller vouches for `out`.
            unsafe { out.write(abi) };
            std::ptr::null_mut()
        }
        Ok(Err(error)) => give_error(error),
        Err(payload) => give_error(panic_to_error(payload)),
    }
}

thread_local! {
    /// Message and place of the last panic of this thread.
    static PLACE: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Turns a panic's payload into an error. The place is taken first: a payload whose own `Drop` panics would overwrite
/// it, and the payload is dropped inside a second guard because that panic would otherwise end the process.
#[cold]
pub fn panic_to_error(payload: Box<dyn Any + Send>) -> DriverError {
    let (message, place) = take_place();
    let message = if message.is_empty() {
        payload_text(&*payload)
    } else {
        message
    };
    if let Err(second) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        std::mem::forget(second);
        take_place();
    }
    DriverError::panicked(message, place)
}

/// Message and place of the last panic; nothing when the thread is ending and its locals are gone already.
fn take_place() -> (String, String) {
    let taken = PLACE.try_with(|place| place.borrow_mut().take());
    taken.ok().flatten().unwrap_or_default()
}

fn payload_text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    payload
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| "(no message)".to_owned())
}

/// Installs this library's panic hook, once: it remembers the place, tells the host's log, and prints nothing.
///
/// Each `.so` carries its own std, so this never touches the host's hook.
pub fn install_hook(services: Services, plugin: &'static str) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(move |info| {
            let place = info
                .location()
                .map(|l| format!("{}:{}", l.file(), l.line()))
                .unwrap_or_default();
            let text = payload_text(info.payload());
            let name = std::thread::current()
                .name()
                .unwrap_or("unnamed")
                .to_owned();
            let (file, line) = info.location().map_or(("", 0), |l| (l.file(), l.line()));
            let said = format!("thread `{name}` of `{plugin}` panicked at {place}: {text}");
            services.log_panic(&said, file, line);
            // A panic while the thread's locals are being destroyed has nowhere to go; the log line is enough.
            let _ = PLACE.try_with(|p| *p.borrow_mut() = Some((text, place)));
        }));
    });
}
