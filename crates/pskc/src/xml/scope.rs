//! The prefixes in scope at the current place.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::{Ns, ns};

/// The most prefixes in scope at one place. No document comes close; this bounds the cost of a search.
const MAX_IN_SCOPE: usize = 256;
/// The longest prefix and namespace name in octets: they are copied and compared again and again.
const MAX_NAME: usize = 512;

/// Why a declaration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeError {
    /// The violated rule of Namespaces in XML.
    Rule(&'static str),
    /// Too many, or too long.
    TooLarge,
}

/// The bindings of prefixes in the open elements; inner ones take precedence.
#[derive(Clone)]
pub(crate) struct Scope<T> {
    bindings: Vec<PrefixBinding<T>>,
    /// The current binding of each prefix.
    in_force: BTreeMap<CompactString, usize>,
    /// The binding that a tag used last, unless bindings have changed since.
    last: Option<usize>,
}

#[derive(Clone)]
struct PrefixBinding<T> {
    prefix: String,
    value: T,
    depth: usize,
    /// The outer binding of the same prefix.
    hidden: Option<usize>,
}

impl<T> Default for Scope<T> {
    fn default() -> Self {
        Self { bindings: Vec::new(), in_force: BTreeMap::new(), last: None }
    }
}

impl<T> Scope<T> {
    /// Binds `prefix` to `value` in the element at `depth`, which never decreases between calls.
    pub(crate) fn bind(&mut self, prefix: &str, value: T, depth: usize) -> Result<(), ScopeError> {
        if self.bindings.len() == MAX_IN_SCOPE || prefix.len() > MAX_NAME {
            return Err(ScopeError::TooLarge);
        }
        let hidden = self.in_force.insert(prefix.into(), self.bindings.len());
        let again = hidden.and_then(|hidden| self.bindings.get(hidden)).is_some_and(|hidden| hidden.depth == depth);
        self.last = None;
        self.bindings.push(PrefixBinding { prefix: prefix.to_owned(), value, depth, hidden });
        if again { Err(ScopeError::Rule("a duplicate attribute")) } else { Ok(()) }
    }

    /// Removes the bindings of elements deeper than `depth`.
    pub(crate) fn leave(&mut self, depth: usize) {
        while let Some(PrefixBinding { prefix, hidden, .. }) = self.bindings.pop_if(|binding| binding.depth > depth) {
            self.last = None;
            match hidden {
                Some(hidden) => _ = self.in_force.insert(prefix.into(), hidden),
                None => _ = self.in_force.remove(prefix.as_str()),
            }
        }
    }

    /// The value of `prefix`, if bound.
    pub(crate) fn get(&self, prefix: &str) -> Option<&T> {
        self.bindings.get(*self.in_force.get(prefix)?).map(|binding| &binding.value)
    }
}

impl Scope<Ns> {
    /// Adds `xmlns:prefix="name"` (`xmlns="name"`: the empty prefix) of the element at `depth`.
    pub(super) fn declare(&mut self, prefix: &str, name: &str, depth: usize) -> Result<(), ScopeError> {
        const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
        let broken = |rule| Err(ScopeError::Rule(rule));
        if prefix == "xml" || name == ns::XML {
            let same = prefix == "xml" && name == ns::XML;
            return if same { Ok(()) } else { broken("the prefix xml and its namespace are reserved") };
        }
        if prefix == "xmlns" || name == XMLNS {
            return broken("the prefix xmlns and its namespace are reserved");
        }
        if name.is_empty() && !prefix.is_empty() {
            return broken("a prefix cannot be undeclared");
        }
        if name.len() > MAX_NAME {
            return Err(ScopeError::TooLarge);
        }
        self.bind(prefix, Ns::from(name), depth)
    }

    /// The namespace of `prefix`; for the empty one, the default namespace or none.
    pub(super) fn resolve(&self, prefix: &str) -> Option<Ns> {
        match (self.get(prefix), prefix) {
            (Some(found), _) => Some(found.clone()),
            (None, "") => Some(Ns::None),
            (None, "xml") => Some(Ns::Known(ns::XML)),
            (None, _) => None,
        }
    }

    /// Like [`resolve`](Self::resolve), for tags, which mostly repeat the previous prefix. Stores the namespace
    /// in `ns`, and returns whether there is one.
    #[inline]
    pub(super) fn resolve_next(&mut self, prefix: &str, ns: &mut Ns) -> bool {
        let last = self.last.and_then(|last| self.bindings.get(last)).filter(|last| last.prefix == prefix);
        match last {
            Some(PrefixBinding { value: Ns::Known(known), .. }) => *ns = Ns::Known(known),
            Some(PrefixBinding { value, .. }) => *ns = value.clone(),
            None => {
                self.last = self.in_force.get(prefix).copied();
                match self.last.and_then(|last| self.bindings.get(last)) {
                    Some(found) => *ns = found.value.clone(),
                    None => match self.resolve(prefix) {
                        Some(found) => *ns = found,
                        None => return false,
                    },
                }
            }
        }
        true
    }
}
