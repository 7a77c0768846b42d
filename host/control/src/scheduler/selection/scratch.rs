//! Lists of one number per host that selections borrow instead of allocating: at 100,000 hosts a fresh one costs more
//! than what is computed in it. Must not know what is in them.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Most lists that wait for the next selection.
const SPARE_MAX: usize = 8;

/// Lists that nobody uses at the moment. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(in crate::scheduler) struct Scratch(Arc<Mutex<Vec<Vec<f32>>>>);

impl Scratch {
    /// A list with anything in it; it comes back when it is dropped.
    pub(in crate::scheduler) fn take(&self) -> Borrowed {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let list = spare.pop().unwrap_or_default();
        drop(spare);
        let home = self.clone();
        Borrowed { list, home }
    }
}

/// A list on loan.
pub(in crate::scheduler) struct Borrowed {
    list: Vec<f32>,
    home: Scratch,
}

impl Deref for Borrowed {
    type Target = Vec<f32>;
    fn deref(&self) -> &Vec<f32> {
        &self.list
    }
}

impl DerefMut for Borrowed {
    fn deref_mut(&mut self) -> &mut Vec<f32> {
        &mut self.list
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let spare = self.home.0.lock();
        let mut spare = spare.unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE_MAX {
            spare.push(std::mem::take(&mut self.list));
        }
    }
}
