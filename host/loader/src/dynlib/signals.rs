//! What the process does about each signal, and which signals a thread keeps out: read, and put back as it was.
//!
//! Called by `process`; must not know which signals matter, or why.

use std::ffi::c_int;
use std::io;
use std::ptr;

/// `struct sigaction`, as both C libraries have it on 64-bit Linux. It is handed back as a whole; what the C library leaves
/// undefined in it is not compared.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handler {
    function: usize,
    mask: Set,
    flags: c_int,
    restorer: usize,
}

impl Handler {
    const NONE: Handler = Handler {
        function: 0,
        mask: Set([0; 16]),
        flags: 0,
        restorer: 0,
    };
}

impl PartialEq for Handler {
    fn eq(&self, other: &Handler) -> bool {
        let known = |h: &Handler| (h.function, h.mask.0[0], h.flags);
        known(self) == known(other)
    }
}

/// `sigset_t`: 128 bytes, of which the kernel knows the first eight. Signal `n` is bit `n - 1`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Set([u64; 16]);

/// Same on x86-64 and aarch64, which are the machines that plugins are built for.
const SIG_SETMASK: c_int = 2;

unsafe extern "C" {
    fn sigaction(number: c_int, new: *const Handler, old: *mut Handler) -> c_int;
    fn pthread_sigmask(how: c_int, new: *const Set, old: *mut Set) -> c_int;
}

/// What happens at this signal.
pub(crate) fn handler(number: i32) -> Handler {
    let mut old = Handler::NONE;
    // SAFETY: nothing is set, and `old` has the size of what is written. The C library checks the number.
    unsafe { sigaction(number, ptr::null(), &mut old) };
    old
}

/// Puts back what [`handler`] answered for this signal.
///
/// # Errors
/// The system's.
pub(crate) fn set_handler(number: i32, handler: &Handler) -> io::Result<()> {
    // SAFETY: it names no code, or the bytes are what the C library wrote. The code that those lead to is still there: the
    // program's own, or a library's, and no library is ever closed.
    match unsafe { sigaction(number, handler, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Lets the system do at this signal what it does by itself.
///
/// # Errors
/// The system's.
pub(crate) fn set_default(number: i32) -> io::Result<()> {
    // All zero means just that.
    set_handler(number, &Handler::NONE)
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
