//! The names by which clients know the types of values.

use crate::store::version::ValueRef;

/// What TYPE answers, and SCAN's TYPE option means.
#[inline]
pub fn name(value: ValueRef<'_>) -> &'static str {
    value.type_of().name()
}
