//! The data plane: listeners, canonical heads, the pipeline of a request, the origin client, the answers.
//!
//! ```text
//! match → decode → authenticate → recall → quote → verify → claim → origin → settle → respond
//! ```
//!
//! Each step is a file of `pipeline/`; [`respond`] alone knows HTTP statuses. A request reaches the origin only with an
//! [`origin::Admission`].

mod config;
mod gateway;

pub use config::{Config, Limits, Secrets};
pub use gateway::{Gateway, ReloadError, StartError};
