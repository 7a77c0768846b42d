//! What a scheduler would do: a list of requests over a fleet that exists on paper, without any service.
//!
//! Requests go through the selection that the manager uses; what a conductor and computes do around it is played here:
//! the chosen host counts the instance and reports, and a host that an instance leaves reports too. Must not read files
//! or print: fleet and requests are values, and so is what comes out. Called by the command `scheduler simulate`.

mod books;
mod compare;
mod computes;
mod figures;
mod fleet;
mod groups;
mod instances;
mod outcome;
mod refusals;
mod requests;
mod run;
mod synthetic;

pub use compare::{Difference, Differences, SHOWN_MAX};
pub use figures::{Figures, Fragmentation, Percentiles, Times, Utilisation};
pub use fleet::{Fleet, HOSTS_MAX, SimulatedHost};
pub use outcome::{Outcome, SimulationError};
pub use refusals::{FilterTally, Refusal, Refusals};
pub use requests::{Group, REQUESTS_MAX, Request, Wanted};
pub use run::{SimulationOptions, simulate};
pub use synthetic::{synthetic_fleet, synthetic_requests};
