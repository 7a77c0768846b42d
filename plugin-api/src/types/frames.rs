//! Copies of the live columns for snapshots to share. A change of one host must not copy 100,000: a copy that no snapshot
//! holds any more is brought up to date by the changes since it was made, and shared again.
//!
//! Knows columns and rows; must not know what they mean. Used by `host_columns` alone.

use crate::abi::columns::ColumnData;

/// Most copies. With all of them held by snapshots, the next snapshot takes the place of the oldest copy.
const FRAMES_MAX: usize = 3;
/// Most changes that are remembered, of 12 bytes; beyond it the copies are made anew.
const CHANGES_MAX: usize = 65_536;

/// What happened to the live columns.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// One value of one column, as its bits.
    Set { column: u32, row: u32, bits: u32 },
    /// A row of zeros at the end.
    Push,
    /// A row went, and the last one took its place.
    SwapRemove { row: u32 },
}

impl Change {
    /// Does it to columns.
    pub(super) fn apply(self, columns: &mut [ColumnData]) {
        match self {
            Change::Set { column, row, bits } => columns[column as usize].set(row as usize, bits),
            Change::Push => columns.iter_mut().for_each(ColumnData::push),
            Change::SwapRemove { row } => {
                let remove = |column: &mut ColumnData| column.swap_remove(row as usize);
                columns.iter_mut().for_each(remove);
            }
        }
    }
}

struct Frame {
    columns: Vec<ColumnData>,
    /// How many changes it has seen.
    at: u64,
}

/// The copies, and the changes since the oldest of them.
#[derive(Default)]
pub(super) struct Frames {
    frames: Vec<Frame>,
    changes: Vec<Change>,
    /// How many changes came before those.
    before: u64,
}

impl Frames {
    /// Remembers a change of the live columns.
    pub(super) fn note(&mut self, change: Change) {
        if self.frames.is_empty() {
            return;
        }
        if self.changes.len() == CHANGES_MAX {
            self.frames.clear();
            self.forget_changes();
            return;
        }
        self.changes.push(change);
    }

    fn now(&self) -> u64 {
        self.before + self.changes.len() as u64
    }

    /// The columns as they are now, to be shared with a snapshot.
    pub(super) fn share(&mut self, live: &[ColumnData]) -> Vec<ColumnData> {
        let now = self.now();
        if let Some(frame) = self.frames.iter().find(|f| f.at == now) {
            return frame.columns.clone();
        }
        let free = self.frames.iter_mut().filter(|f| f.is_free());
        let columns = match free.max_by_key(|f| f.at) {
            Some(frame) => {
                let seen = (frame.at - self.before) as usize;
                for change in &self.changes[seen..] {
                    change.apply(&mut frame.columns);
                }
                frame.at = now;
                frame.columns.clone()
            }
            None => self.add(live, now),
        };
        if self.frames.iter().all(|f| f.at == now) {
            self.forget_changes();
        }
        columns
    }

    fn add(&mut self, live: &[ColumnData], at: u64) -> Vec<ColumnData> {
        if self.frames.len() == FRAMES_MAX {
            let oldest = (0..FRAMES_MAX).min_by_key(|&i| self.frames[i].at);
            self.frames.swap_remove(oldest.unwrap_or_default());
        }
        let columns: Vec<ColumnData> = live.iter().map(ColumnData::copy).collect();
        self.frames.push(Frame {
            columns: columns.clone(),
            at,
        });
        columns
    }

    fn forget_changes(&mut self) {
        self.before = self.now();
        self.changes.clear();
    }
}

impl Frame {
    fn is_free(&self) -> bool {
        self.columns.iter().all(|column| !column.is_shared())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::sync::Arc;

    fn empty() -> Vec<ColumnData> {
        vec![
            ColumnData::U32(Arc::default()),
            ColumnData::I32(Arc::default()),
            ColumnData::F32(Arc::default()),
        ]
    }

    fn bits(columns: &[ColumnData]) -> Vec<Vec<u32>> {
        let all = |c: &ColumnData| (0..c.rows()).map(|row| c.get(row)).collect();
        columns.iter().map(all).collect()
    }

    #[test]
    fn whatever_is_held_every_snapshot_is_what_the_live_columns_were() {
        let mut random = Random::new(11);
        let (mut live, mut frames) = (empty(), Frames::default());
        let mut held: Vec<(Vec<ColumnData>, Vec<Vec<u32>>)> = Vec::new();
        for _ in 0..4_000 {
            let rows = live[0].rows();
            let change = match random.below(10) {
                0 => Change::Push,
                1 if rows > 0 => Change::SwapRemove {
                    row: random.below(rows) as u32,
                },
                _ if rows > 0 => Change::Set {
                    column: random.below(3) as u32,
                    row: random.below(rows) as u32,
                    bits: random.below(100) as u32,
                },
                _ => Change::Push,
            };
            change.apply(&mut live);
            frames.note(change);
            if random.below(3) == 0 {
                let shared = frames.share(&live);
                assert_eq!(bits(&shared), bits(&live));
                held.push((shared, bits(&live)));
            }
            if random.below(4) == 0 && !held.is_empty() {
                let gone = held.swap_remove(random.below(held.len()));
                assert_eq!(bits(&gone.0), gone.1, "nobody wrote to it meanwhile");
            }
            assert!(frames.frames.len() <= FRAMES_MAX);
        }
    }

    #[test]
    fn one_snapshot_at_a_time_needs_one_copy_and_no_change_needs_none() {
        let (mut live, mut frames) = (empty(), Frames::default());
        let push = |live: &mut Vec<ColumnData>, frames: &mut Frames| {
            Change::Push.apply(live);
            frames.note(Change::Push);
        };
        for _ in 0..100 {
            push(&mut live, &mut frames);
            drop(frames.share(&live));
        }
        assert_eq!((frames.frames.len(), frames.changes.len()), (1, 0));
        let (one, two) = (frames.share(&live), frames.share(&live));
        assert!(one.iter().zip(&two).all(|(a, b)| a.is_same(b)));
    }

    #[test]
    fn changes_are_bounded() {
        let (mut live, mut frames) = (empty(), Frames::default());
        Change::Push.apply(&mut live);
        let _held = frames.share(&live);
        let set = Change::Set {
            column: 0,
            row: 0,
            bits: 7,
        };
        for _ in 0..=CHANGES_MAX {
            set.apply(&mut live);
            frames.note(set);
        }
        assert!(frames.frames.is_empty() && frames.changes.is_empty());
        assert_eq!(bits(&frames.share(&live)), bits(&live));
    }
}
