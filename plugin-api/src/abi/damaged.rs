//! The border fed with damage: values whose bytes, numbers and tags cannot be, and methods that are described wrongly. What
//! arrives is refused in words or taken, never a panic; what was allocated is freed.
//!
//! A pointer that leads nowhere cannot be told from a good one and is not tried. `LONGSHORE_FUZZ_SECONDS` says how long it
//! runs; otherwise it is short, as a part of all tests.

use super::buffer::{RawSlice, RawVec};
use super::error::{give_error, take_error};
use super::layout::{methods_differ, MethodDesc, Part, TypeLayout};
use super::wire::{BadValue, Owned};
use crate::random::Random;
use crate::{DriverError, Scheduler, Virt};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Rounds of a short run, of each test.
const ROUNDS: u64 = 2_000;

/// Runs `round` with ever new dice: `ROUNDS` times, or as long as the environment says.
fn rounds(mut round: impl FnMut(&mut Random)) {
    let wanted = std::env::var("LONGSHORE_FUZZ_SECONDS").ok();
    let seconds: Option<u64> = wanted.and_then(|text| text.parse().ok());
    let start = Instant::now();
    let mut seed = 0;
    while match seconds {
        Some(seconds) => start.elapsed() < Duration::from_secs(seconds),
        None => seed < ROUNDS,
    } {
        round(&mut Random::new(seed));
        seed += 1;
    }
    println!("{seed} rounds");
}

/// Bytes that are a text in three of four cases.
fn bytes(dice: &mut Random) -> Vec<u8> {
    let long = dice.below(24);
    let letters = (0..long).map(|_| b'a' + dice.below(26) as u8);
    let mut bytes: Vec<u8> = letters.collect();
    if dice.below(4) == 0 && !bytes.is_empty() {
        let at = dice.below(long);
        bytes[at] = dice.below(usize::MAX) as u8;
    }
    bytes
}

fn number(dice: &mut Random) -> u32 {
    match dice.below(3) {
        0 => dice.below(4) as u32,
        1 => u32::MAX - dice.below(4) as u32,
        _ => dice.below(usize::MAX) as u32,
    }
}

crate::wire_enum! {
    /// An enum.
    pub enum Colour {
        /// First.
        Red = 0,
        /// Second.
        Green = 1,
    }
}

crate::record! {
    /// Every sort of field.
    pub struct Sorts {
        /// A text.
        pub text: String,
        /// A truth value.
        pub truth: bool,
        /// An enum.
        pub colour: Colour,
        /// An option.
        pub option: Option<String>,
        /// A list of options.
        pub list: Vec<Option<u32>>,
        /// A map.
        pub map: BTreeMap<String, String>,
    }
}

/// A value of a wire form, damaged or not.
trait Damaged: Owned {
    fn damaged(dice: &mut Random) -> Self::Raw;
}

impl Damaged for String {
    fn damaged(dice: &mut Random) -> RawVec<u8> {
        RawVec::own(bytes(dice))
    }
}

impl Damaged for bool {
    fn damaged(dice: &mut Random) -> u8 {
        number(dice) as u8
    }
}

impl Damaged for u32 {
    fn damaged(dice: &mut Random) -> u32 {
        number(dice)
    }
}

impl Damaged for Colour {
    fn damaged(dice: &mut Random) -> u32 {
        number(dice)
    }
}

impl<T: Damaged> Damaged for Option<T> {
    fn damaged(dice: &mut Random) -> Self::Raw {
        match dice.below(3) {
            0 => Self::Raw::nothing(),
            1 => Self::Raw::something(T::damaged(dice)),
            _ => Self::Raw::with_tag(number(dice).max(2)),
        }
    }
}

impl<T: Damaged> Damaged for Vec<T> {
    fn damaged(dice: &mut Random) -> Self::Raw {
        let items = 0..dice.below(8);
        RawVec::own(items.map(|_| T::damaged(dice)).collect())
    }
}

/// What arrives: in order, or with words of one line that say what is wrong.
fn judged<T: Damaged>(dice: &mut Random) -> bool {
    let raw = T::damaged(dice);
    // SAFETY: lengths and pointers are those of this side's own buffers; the rest is what `from_raw` has to check.
    match unsafe { T::from_raw(raw) } {
        Ok(_) => true,
        Err(BadValue(why)) => {
            assert!(!why.is_empty() && !why.contains('\n'), "{why}");
            false
        }
    }
}

#[test]
fn damaged_values_are_refused_in_words() {
    let (mut good, mut bad) = (0_u64, 0_u64);
    rounds(|dice| {
        let taken = match dice.below(6) {
            0 => judged::<String>(dice),
            1 => judged::<bool>(dice),
            2 => judged::<Colour>(dice),
            3 => judged::<Option<String>>(dice),
            4 => judged::<Vec<Option<bool>>>(dice),
            _ => judged::<Vec<Vec<Option<String>>>>(dice),
        };
        good += u64::from(taken);
        bad += u64::from(!taken);
    });
    assert!(good > 0 && bad > 0, "{good} taken, {bad} refused");
}

/// A record is refused by the first field that is wrong, and the other fields are freed (valgrind counts).
#[test]
fn a_record_with_a_damaged_field_names_it() {
    rounds(|dice| {
        let mut whole = Sorts {
            text: "t".to_owned(),
            option: Some("o".to_owned()),
            list: vec![Some(1), None],
            ..Sorts::default()
        };
        whole.map.insert("k".to_owned(), "v".to_owned());
        let mut raw = whole.into_raw();
        let field = dice.below(4);
        match field {
            0 => raw.truth = 2 + number(dice) as u8 % 250,
            1 => raw.colour = 2 + number(dice) % 1_000,
            2 => raw.text = RawVec::own(vec![b'a', 0xff]),
            _ => raw.list = RawVec::own(vec![super::wire::RawOption::with_tag(9)]),
        }
        // SAFETY: as in `judged`.
        let why = unsafe { Sorts::from_raw(raw) }.unwrap_err().0;
        let name = ["`truth`", "`colour`", "`text`", "`list`"][field];
        assert!(why.starts_with(name), "{why}");
    });
}

/// An error is never refused: it is cut, mended and read as far as it goes.
#[test]
fn damaged_errors_are_read_as_far_as_they_go() {
    rounds(|dice| {
        let text = String::from_utf8_lossy(&bytes(dice)).into_owned();
        let raw = give_error(DriverError::internal(text));
        // SAFETY: `raw` is live and its fields are numbers and a buffer of this side.
        unsafe { (*raw).damage(number(dice), number(dice), RawVec::own(bytes(dice))) };
        // SAFETY: made by `give_error`, used once.
        let error = unsafe { take_error(raw) };
        assert!(!format!("{error:?}").is_empty());
        assert!(error.to_string().len() <= crate::error::TEXT_MAX * 2);
    });
}

/// What a damaged description points to, for as long as it is compared.
#[derive(Default)]
struct Kept {
    #[expect(
        clippy::vec_box,
        reason = "they are referred to while the vector grows"
    )]
    layouts: Vec<Box<TypeLayout>>,
    parts: Vec<Box<[Part]>>,
    texts: Vec<Box<[u8]>>,
    arguments: Vec<Box<[&'static TypeLayout]>>,
}

/// A reference that is used no longer than the box lives.
fn forever<T: ?Sized>(item: &T) -> &'static T {
    // SAFETY: `Kept` outlives every comparison of what refers into it, and boxes do not move what they hold.
    unsafe { &*(item as *const T) }
}

impl Kept {
    fn text(&mut self, dice: &mut Random, good: RawSlice<'static, u8>) -> RawSlice<'static, u8> {
        if dice.below(12) != 0 {
            return good;
        }
        self.texts.push(bytes(dice).into_boxed_slice());
        RawSlice::new(forever(&**self.texts.last().expect("pushed just now")))
    }

    fn layout(&mut self, dice: &mut Random, good: &'static TypeLayout) -> &'static TypeLayout {
        // SAFETY: a static of this library.
        let good_parts = unsafe { good.parts.get() };
        let mut parts = Vec::new();
        for part in good_parts {
            let layout = match dice.below(24) {
                // A type that holds its holder: what a file can say and no type is.
                0 => good,
                _ => self.layout(dice, part.layout),
            };
            let name = self.text(dice, part.name);
            match dice.below(24) {
                0 => continue,
                1 => parts.push(Part {
                    name,
                    layout: part.layout,
                }),
                _ => {}
            }
            parts.push(Part { name, layout });
        }
        self.parts.push(parts.into_boxed_slice());
        let parts = RawSlice::new(forever(&**self.parts.last().expect("pushed just now")));
        let name = self.text(dice, good.name);
        let size = match dice.below(24) {
            0 => dice.below(usize::MAX),
            _ => good.size,
        };
        let (align, lent) = (good.align, good.lent);
        self.layouts.push(Box::new(TypeLayout {
            name,
            size,
            align,
            parts,
            lent,
        }));
        forever(&**self.layouts.last().expect("pushed just now"))
    }

    fn method(&mut self, dice: &mut Random, good: &MethodDesc) -> MethodDesc {
        // SAFETY: a static of this library.
        let arguments = unsafe { good.args.get() };
        let mut args: Vec<_> = arguments.iter().map(|a| self.layout(dice, a)).collect();
        if dice.below(24) == 0 {
            args.truncate(dice.below(3));
        }
        self.arguments.push(args.into_boxed_slice());
        let args = RawSlice::new(forever(&**self.arguments.last().expect("pushed just now")));
        let name = self.text(dice, good.name);
        let ret = self.layout(dice, good.ret);
        MethodDesc {
            name,
            args,
            ret,
            provided: number(dice),
        }
    }
}

#[test]
fn methods_that_are_described_wrongly_are_refused_in_one_line() {
    let kinds: [&'static [MethodDesc]; 2] = [
        <dyn Virt as super::table::DriverKind>::METHODS,
        <dyn Scheduler as super::table::DriverKind>::METHODS,
    ];
    let (mut same, mut differ) = (0_u64, 0_u64);
    rounds(|dice| {
        let ours = kinds[dice.below(2)];
        let mut kept = Kept::default();
        // Most of a kind as it is, so that the comparison gets far.
        let damaged = dice.below(ours.len());
        let mut theirs: Vec<MethodDesc> = Vec::new();
        for (i, method) in ours.iter().enumerate() {
            let (name, args, ret, provided) =
                (method.name, method.args, method.ret, method.provided);
            theirs.push(match i == damaged {
                true => kept.method(dice, method),
                false => MethodDesc {
                    name,
                    args,
                    ret,
                    provided,
                },
            });
        }
        theirs.truncate(dice.below(40).max(damaged + 1));
        match methods_differ("test.kind", ours, &theirs) {
            None => same += 1,
            Some(why) => {
                assert!(
                    !why.contains('\n') && why.starts_with("kind test.kind: "),
                    "{why}"
                );
                differ += 1;
            }
        }
    });
    assert!(same > 0 && differ > 0, "{same} fit, {differ} do not");
}
