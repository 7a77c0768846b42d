//! Versions of RPC interfaces and when two of them fit.
//!
//! Pure values, compared by number and never as text. The dispatcher asks whether an endpoint
//! serves a request, the client whether a cap admits a message.

use std::fmt;

/// `major.minor[.revision]` of an RPC interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// A change breaks callers.
    pub major: u32,
    /// A change adds something.
    pub minor: u32,
    /// 0 unless a third number is written.
    pub revision: u32,
}

/// Why a text is no version. The two cases surface as different failures on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionFault {
    /// There is no second number.
    MissingMinor,
    /// One of the first three parts is no number of at most 32 bits.
    NotANumber,
}

impl Version {
    /// What a message without a version asks for, and what an endpoint without one serves.
    pub const DEFAULT: Self = Self::new(1, 0);

    /// `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self {
            major,
            minor,
            revision: 0,
        }
    }

    /// Reads `major.minor[.revision]`; parts after the third are ignored, as peers do.
    ///
    /// # Errors
    /// [`VersionFault`] when a part is missing or no number.
    pub fn parse(text: &str) -> Result<Self, VersionFault> {
        let number = |part: &str| part.parse::<u32>().map_err(|_| VersionFault::NotANumber);
        let mut parts = text.split('.');
        let major = number(parts.next().unwrap_or_default())?;
        let minor = number(parts.next().ok_or(VersionFault::MissingMinor)?)?;
        let revision = parts.next().map_or(Ok(0), number)?;
        Ok(Self {
            major,
            minor,
            revision,
        })
    }

    /// Whether something that implements `self` can serve a request for `requested`: the same
    /// major, and no later minor or revision.
    pub const fn serves(self, requested: Self) -> bool {
        self.major == requested.major
            && (requested.minor < self.minor
                || (requested.minor == self.minor && requested.revision <= self.revision))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match self.revision {
            0 => Ok(()),
            revision => write!(f, ".{revision}"),
        }
    }
}
