//! One system call that has no safe wrapper elsewhere: marks every descriptor from 3 up as not inherited.
//!
//! It closes nothing and reads no memory of ours. Called by the processes of `vet`; must not know what they are for.

use std::ffi::{c_int, c_long, c_uint};

/// `close_range`, which has this number on every architecture of Linux.
const CLOSE_RANGE: c_long = 436;
/// Only sets the close-on-exec flag.
const CLOEXEC: c_uint = 4;
/// The first that is not a standard stream.
const FIRST: c_uint = 3;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
}

/// Keeps programs that this process starts from inheriting anything but the standard streams. Answers whether the kernel
/// did it (Linux 5.11 and later).
pub fn inherit_none() -> bool {
    // SAFETY: the kernel's own contract: three numbers, no pointers; the flag changes no descriptor but for `exec`.
    let answer = unsafe { syscall(CLOSE_RANGE, FIRST, c_uint::MAX, CLOEXEC) };
    c_int::try_from(answer) == Ok(0)
}
