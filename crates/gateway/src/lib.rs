//! The data plane: listeners, canonical heads, the pipeline of a request, the origin client, the answers.
//!
//! ```text
//! match → decode → authenticate → recall → quote → verify → claim → origin → settle → respond
//! ```
//!
//! Each step is a file of `pipeline/`; `respond/` alone maps outcomes to HTTP. A request reaches the origin only with an
//! [`origin::Admission`].

mod body;
mod canonical;
mod config;
mod context;
mod cors;
mod delivery;
mod digest;
mod explain;
mod fields;
mod forwarded;
mod gateway;
mod listen;
pub mod origin;
mod patience;
mod pipeline;
mod respond;
mod snapshot;
mod unread;
mod well_known;

pub use body::{Body, BodyError};
pub use config::{Config, Limits, Secrets};
pub use context::UnusableSeed;
pub use explain::explain;
pub use gateway::{Gateway, ReloadError, StartError};
pub use pipeline::Pipeline;
