//! What the process does about each signal, and which signals a thread keeps out: read, and put back as it was.
//!
//! The two structs are the C library's and stay opaque: what it wrote is compared and handed back, never looked into.
//! Called by `process`; must not know which signals matter, or why.

use std::ffi::c_int;
use std::io;
use std::ptr;

/// `struct sigaction` takes 152 bytes with both C libraries; what is beyond stays zero.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handler([u64; 24]);

/// `sigset_t`: 128 bytes, of which the kernel knows the first eight. Signal `n` is bit `n - 1`.
#[repr(C, align(8))]
struct Set([u64; 16]);

/// Same on x86-64 and aarch64, which are the machines that plugins are built for.
const SIG_SETMASK: c_int = 2;

unsafe extern "C" {
    fn sigaction(number: c_int, new: *const Handler, old: *mut Handler) -> c_int;
    fn pthread_sigmask(how: c_int, new: *const Set, old: *mut Set) -> c_int;
}

/// What happens at this signal; all zero for a number that is none.
pub(crate) fn handler(number: i32) -> Handler {
    let mut old = Handler([0; 24]);
    // SAFETY: nothing is set, and `old` is large enough for what is written. The C library checks the number.
    unsafe { sigaction(number, ptr::null(), &mut old) };
    old
}

/// Puts back what [`handler`] answered for this signal.
///
/// # Errors
/// The system's.
pub(crate) fn set_handler(number: i32, handler: &Handler) -> io::Result<()> {
    // SAFETY: the bytes are what the C library wrote for this signal. The code that they lead to is still there: the
    // program's own, or a library's, and no library is ever closed.
    match unsafe { sigaction(number, handler, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The signals that this thread keeps out.
pub(crate) fn blocked() -> u64 {
    let mut old = Set([0; 16]);
    // SAFETY: nothing is set, and `old` has the size of the C library's set.
    unsafe { pthread_sigmask(SIG_SETMASK, ptr::null(), &mut old) };
    old.0[0]
}

/// Keeps exactly these signals out of this thread.
///
/// # Errors
/// The system's.
pub(crate) fn set_blocked(mask: u64) -> io::Result<()> {
    let mut new = Set([0; 16]);
    new.0[0] = mask;
    // SAFETY: `new` has the size of the C library's set, and lives through the call.
    match unsafe { pthread_sigmask(SIG_SETMASK, &new, ptr::null_mut()) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}
