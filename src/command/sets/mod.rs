//! Commands on sets.

use crate::command::bind::Binding;

/// The functions of the commands of this group.
pub(super) const BINDINGS: &[(&str, Binding)] = &[];
