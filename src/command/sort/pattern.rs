//! The patterns of BY and GET: which value belongs to an element.
//!
//! | pattern | the value |
//! |---|---|
//! | `#` | the element itself |
//! | `before*after` | the string whose key has the element in the place of the first `*` |
//! | `before*after->field` | that field of the hash with such a key |
//! | any other | none |

use super::{Misses, tell_miss};
use crate::command::call::Call;
use crate::store::value::collection::Collection;
use crate::store::version::StringRef;

/// One pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern<'a> {
    /// The element itself.
    Element,
    /// The same for all: no value.
    Constant,
    /// A key, and a field of the hash that it holds.
    Key { before: &'a [u8], after: &'a [u8], field: Option<&'a [u8]> },
}

impl<'a> Pattern<'a> {
    /// Reads a pattern.
    pub(super) fn new(text: &'a [u8]) -> Self {
        if text == b"#" {
            return Self::Element;
        }
        let Some(star) = text.iter().position(|byte| *byte == b'*') else { return Self::Constant };
        let (before, after) = (&text[..star], &text[star + 1..]);
        let arrow = after.windows(2).position(|pair| pair == b"->");
        // Why: an arrow at the end is a part of the key.
        match arrow.filter(|at| at + 2 < after.len()) {
            Some(at) => Self::Key { before, after: &after[..at], field: Some(&after[at + 2..]) },
            None => Self::Key { before, after, field: None },
        }
    }

    /// Whether BY such a pattern means no order.
    pub(super) fn is_constant(self) -> bool {
        !matches!(self, Self::Key { .. })
    }

    /// The value that belongs to an element; none where the key is absent or of another type.
    pub(super) fn find<'g>(
        self,
        call: &mut Call<'_, 'g>,
        element: &'g [u8],
        misses: Misses,
    ) -> Option<StringRef<'g>> {
        let (before, after, field) = match self {
            Self::Element => return Some(StringRef::Str(element)),
            Self::Constant => return None,
            Self::Key { before, after, field } => (before, after, field),
        };
        let (db, key, now) = (call.db(), [before, element, after].concat(), call.txn.now());
        let live = call.txn.get(db, &key);
        if live.is_none() {
            tell_miss(call, misses, &key);
        }
        let value = live?.value;
        match field {
            None => value.string(),
            Some(field) => {
                let hash = value.collection().and_then(|collection| match collection {
                    Collection::Hash(hash) => Some(hash),
                    _ => None,
                });
                hash?.get(field, now).map(|field| StringRef::Str(field.value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_keys_and_fields() {
        let key = |before, after, field| Pattern::Key { before, after, field };
        assert_eq!(Pattern::new(b"#"), Pattern::Element);
        assert_eq!(Pattern::new(b"nosort"), Pattern::Constant);
        assert_eq!(Pattern::new(b"a->b"), Pattern::Constant);
        assert_eq!(Pattern::new(b"w*"), key(b"w", b"", None));
        assert_eq!(Pattern::new(b"w*x*y"), key(b"w", b"x*y", None));
        assert_eq!(Pattern::new(b"w*->f"), key(b"w", b"", Some(b"f")));
        assert_eq!(Pattern::new(b"w*x->f->g"), key(b"w", b"x", Some(b"f->g")));
        assert_eq!(Pattern::new(b"w->*x->"), key(b"w->", b"x->", None));
    }
}
