//! Where bytes are: locations, connections and credentials, listings, and the partition layout read from keys.
//!
//! Leaves to `dataset` what the bytes mean. Nothing here opens a file to look at its content.

mod connection;
mod inventory;
mod location;
mod partition;
mod store;

pub use connection::Connection;
pub use inventory::{DatasetKeys, Inventory, PartitionStats};
pub use location::{Location, LocationError};
pub use partition::{Layout, Partition};
pub use store::{Object, StorageError, Store};
