//! The extension managers as a user of stevedore knows them, and where they are better on purpose. `docs/stevedore.md` lists
//! these tests beside the upstream ones they stand for.

mod callbacks;
mod conflicts;
mod deviations;
mod dispatch;
mod driver;
mod enabled;
mod extension;
mod hook;
mod lazy;
mod map;
mod named;
mod ready;
mod support;
mod table;
