//! store
pub mod version;
