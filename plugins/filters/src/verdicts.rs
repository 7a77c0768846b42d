//! Verdicts by text id: hosts share their texts, so a rule over a text is worked out once and
//! looked up after that. Must not know what the texts mean. Called by the filters that judge texts.

const SLOTS: usize = 64;

/// A small memory of verdicts. Two ids in one slot push each other out, which costs time and
/// nothing else.
pub(crate) struct Verdicts {
    slots: [Option<(u32, bool)>; SLOTS],
}

impl Verdicts {
    /// Knows nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            slots: [None; SLOTS],
        }
    }

    /// The verdict on the text with this id; `judge` is asked when it is not remembered.
    pub(crate) fn of(&mut self, id: u32, judge: impl FnOnce() -> bool) -> bool {
        let slot = &mut self.slots[id as usize % SLOTS];
        match *slot {
            Some((known, verdict)) if known == id => verdict,
            _ => {
                let verdict = judge();
                *slot = Some((id, verdict));
                verdict
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_share_a_slot_are_told_apart() {
        let mut verdicts = Verdicts::new();
        let mut asked = 0;
        for _ in 0..2 {
            for id in [1, 2, 1 + SLOTS as u32, u32::MAX, 2] {
                let verdict = verdicts.of(id, || {
                    asked += 1;
                    id == 1 || id == u32::MAX
                });
                assert_eq!(verdict, id == 1 || id == u32::MAX, "{id}");
            }
        }
        assert_eq!(
            asked,
            1 + 1 + 1 + 1 + 2,
            "ids 2 and the largest one are remembered"
        );
    }
}
