//! Start tags with their attributes and namespace declarations.

use std::io::BufRead;

use super::{Open, Reader};
use crate::xml::lexical::{self, leading_name, next_attribute, split_name};
use crate::xml::{Attribute, Ns, ScopeError, XmlError};

/// The most attributes and namespace declarations of one tag. No schema here comes close; since they are
/// compared pairwise, thousands in one tag would be a denial of service.
const MAX_ATTRIBUTES: usize = 64;

/// The prefix that an attribute declares, if it is a namespace declaration.
fn declared<'a>(prefix: &'a str, local: &'a str) -> Option<&'a str> {
    match (prefix, local) {
        ("xmlns", prefix) => Some(prefix),
        ("", "xmlns") => Some(""),
        _ => None,
    }
}

/// Whether `xmlns` occurs in a tag; for short texts, faster than a general search.
fn may_declare(tag: &[u8]) -> bool {
    memchr::memchr_iter(b'x', tag).any(|at| tag.get(at..).is_some_and(|rest| rest.starts_with(b"xmlns")))
}

impl<R: BufRead> Reader<R> {
    /// Opens the element that the tag `<tag>` starts.
    pub(super) fn start(&mut self, tag: &str) -> Result<(), XmlError> {
        let found = leading_name(tag).filter(|(_, _, rest)| rest.is_empty() || rest.starts_with(lexical::is_white));
        let (prefix, local, rest) = found.ok_or_else(|| self.syntax("not the name of an element"))?;
        // Its declarations apply to its own name.
        if may_declare(rest.as_bytes()) {
            self.declarations(rest, self.open.len() + 1)?;
        }
        let len = tag.len() - rest.len();
        self.names.push_str(&tag[..len]);
        self.open_named(len, prefix.len(), local.len())?;
        if !rest.is_empty() {
            self.attributes = self.plain_attributes(rest)?;
        }
        Ok(())
    }

    /// Opens the element whose name, the last `len` octets of `names`, has a prefix and a local part of these lengths.
    pub(super) fn open_named(&mut self, len: usize, prefix_len: usize, local_len: usize) -> Result<(), XmlError> {
        let end = self.names.len();
        let name = end - len;
        self.open.push(Open { name, local: end - local_len, end });
        if self.open.len() > self.limits.max_depth {
            return Err(XmlError::Depth(self.fault(self.limits.max_depth.to_string())));
        }
        self.attributes.clear(); // of an unread element
        let prefix = self.names.get(name..name + prefix_len).unwrap_or_default();
        match self.scope.resolve_next(prefix, &mut self.ns) {
            true => Ok(()),
            false => Err(self.syntax("an undeclared namespace prefix")),
        }
    }

    /// Adds the namespace declarations of a tag.
    fn declarations(&mut self, tag: &str, depth: usize) -> Result<(), XmlError> {
        let (mut rest, mut count) = (tag, 0);
        while let Some((name, value)) = next_attribute(&mut rest).map_err(|what| self.syntax(what))? {
            count += 1;
            if count > MAX_ATTRIBUTES {
                return Err(XmlError::TooLarge(self.place()));
            }
            let (prefix, local) = split_name(name).ok_or_else(|| self.syntax("not the name of an attribute"))?;
            if let Some(declared) = declared(prefix, local) {
                let value = lexical::attribute_value(value).map_err(|what| self.syntax(what))?;
                self.scope.declare(declared, &value, depth).map_err(|refused| match refused {
                    ScopeError::Rule(what) => self.syntax(what),
                    ScopeError::TooLarge => XmlError::TooLarge(self.place()),
                })?;
            }
        }
        Ok(())
    }

    /// The attributes of a tag without namespace declarations, which were added before.
    fn plain_attributes(&self, tag: &str) -> Result<Vec<Attribute>, XmlError> {
        let (mut rest, mut attributes) = (tag, Vec::new());
        while let Some((name, value)) = next_attribute(&mut rest).map_err(|what| self.syntax(what))? {
            if attributes.len() == MAX_ATTRIBUTES {
                return Err(XmlError::TooLarge(self.place()));
            }
            let (prefix, local) = split_name(name).ok_or_else(|| self.syntax("not the name of an attribute"))?;
            if declared(prefix, local).is_some() {
                continue;
            }
            let ns = match prefix {
                "" => Some(Ns::None), // the default namespace does not apply to attributes
                _ => self.scope.resolve(prefix),
            };
            let ns = ns.ok_or_else(|| self.syntax("an undeclared namespace prefix"))?;
            if attributes.iter().any(|a: &Attribute| a.local == local && a.ns == ns) {
                return Err(self.syntax("a duplicate attribute"));
            }
            let value = lexical::attribute_value(value).map_err(|what| self.syntax(what))?;
            attributes.push(Attribute { ns, local: local.into(), value });
        }
        Ok(attributes)
    }
}
