//! Catches the panic of one future, so that one bad message or task does not end its server.
//!
//! Used around endpoint methods here and around periodic tasks in the service layer. The process
//! must be built with unwinding panics; the panic hook still prints where it happened.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs `future`; a panic gives `Err` with its text, and the future is dropped.
///
/// The caller vouches that nothing the future shares is used in a half-changed state: locks that
/// were held are poisoned, other invariants are the caller's.
///
/// # Errors
/// The text of the panic.
pub async fn catch<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(
        move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(text(panic.as_ref()))),
        },
    )
    .await
}

/// The message of a panic, as far as it is text.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without text").to_owned()
}
