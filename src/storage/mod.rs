//! Where bytes are: locations, connections and credentials, listings, the partition layout read from keys,
//! and places that name a day.
//!
//! Leaves to `dataset` what the bytes mean. Nothing here opens a file to look at its content.

mod blocking;
mod body;
mod connection;
mod credentials;
mod duplicates;
mod error;
mod inventory;
mod lags;
mod layout;
mod local;
mod location;
mod partition;
mod piece_reader;
mod range;
mod s3;
mod sizes;
mod store;
mod sweep;
mod template;
#[cfg(test)]
pub(crate) mod testing;

pub use blocking::{ReadFailure, read_failure};
pub use body::ByteStream;
pub use connection::{Connection, ConnectionError};
pub use credentials::Credentials;
pub use duplicates::{DuplicatePair, Duplicates};
pub use error::StorageError;
pub use inventory::{DatasetKeys, Inventory, PartitionStats};
pub use lags::Lags;
pub use layout::{data_ending, is_hidden};
pub use location::{Location, LocationError};
pub use partition::{Layout, Partition, day_value, is_hour_key};
pub use piece_reader::PieceReader;
pub use range::{DateRange, DateRangeError};
pub use s3::Patience;
pub use sizes::{SizeHistogram, TINY_BYTES};
pub use store::{Object, Store, StoreOptions};
pub use template::{Template, TemplateError};
