//! The names by which clients know the types of values.

use crate::store::version::ValueRef;

/// What TYPE answers, and SCAN's TYPE option means.
#[inline]
pub fn name(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Int(_) | ValueRef::Str(_) | ValueRef::Raw(_) | ValueRef::Shared(_) => "string",
    }
}
