//! How this thread rounds and what it does with tiny numbers: the control word of its floating-point unit.
//!
//! Called by `process` around what foreign code does; must not know what the bits mean.

/// The bits of `MXCSR` that control: all but the six that only report.
#[cfg(target_arch = "x86_64")]
const CONTROL: u32 = 0xffc0;

/// The control word; 0 on machines for which no plugins are built.
pub(crate) fn get() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        let mut word = 0_u32;
        // SAFETY: writes four bytes to where `word` is, and changes no register.
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack, preserves_flags));
        }
        u64::from(word & CONTROL)
    }
    #[cfg(target_arch = "aarch64")]
    {
        let word: u64;
        // SAFETY: reads a register that every program may read.
        unsafe {
            std::arch::asm!("mrs {}, fpcr", out(reg) word, options(nomem, nostack, preserves_flags));
        }
        word
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    0
}

/// Puts back what [`get`] answered.
pub(crate) fn set(word: u64) {
    #[cfg(target_arch = "x86_64")]
    {
        let word = u32::try_from(word).unwrap_or_default() & CONTROL;
        // SAFETY: the word was read from this register, so no reserved bit is set. The language takes it for granted
        // that the word is the usual one, which is what this brings back.
        unsafe {
            std::arch::asm!("ldmxcsr [{}]", in(reg) &word, options(nostack, preserves_flags));
        }
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the word was read from this register, and is the one that the language takes for granted.
    unsafe {
        std::arch::asm!("msr fpcr, {}", in(reg) word, options(nomem, nostack, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = word;
}
