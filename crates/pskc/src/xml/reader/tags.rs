//! Start tags with their attributes and namespace declarations, and the XML declaration.

use std::io::BufRead;

use quick_xml::events::{BytesDecl, BytesStart};

use super::{Reader, Token};
use crate::xml::{Attribute, Element, Ns, XmlError, lexical};

/// Attributes and namespace declarations of one tag. No schema here comes near; since each is
/// compared with each, thousands in one tag would be an attack on the processor.
const MAX_ATTRIBUTES: usize = 64;

impl<R: BufRead> Reader<R> {
    /// Opens the element that `tag` starts.
    pub(super) fn start(&mut self, tag: &BytesStart<'_>) -> Result<Element, XmlError> {
        let qname = tag.name().0;
        if !lexical::is_text(tag) {
            return Err(self.syntax("a character that XML forbids"));
        }
        let (prefix, local) = lexical::split_name(qname).ok_or_else(|| self.syntax("not the name of an element"))?;
        self.path.push('/');
        self.path.push_str(local);
        self.open.push(self.path.len());
        if self.open.len() > self.limits.max_depth {
            return Err(XmlError::Depth { place: self.place(), limit: self.limits.max_depth });
        }
        let attributes = self.attributes(tag.attributes_raw())?;
        let ns = self.scope.resolve(prefix);
        let ns = ns.ok_or_else(|| self.syntax("an undeclared namespace prefix"))?;
        Ok(Element { ns, local: local.to_owned(), attributes })
    }

    /// Takes in the namespace declarations of a tag, and gives its other attributes.
    fn attributes(&mut self, mut rest: &str) -> Result<Vec<Attribute>, XmlError> {
        let mut raw: Vec<(&str, &str, &str)> = Vec::new();
        while let Some((name, value)) = lexical::next_attribute(&mut rest).map_err(|what| self.syntax(what))? {
            let split = lexical::split_name(name);
            let (prefix, local) = split.ok_or_else(|| self.syntax("not the name of an attribute"))?;
            if raw.iter().any(|(p, l, _)| *p == prefix && *l == local) {
                return Err(self.syntax("an attribute given twice"));
            }
            if raw.len() == MAX_ATTRIBUTES {
                return Err(XmlError::TooLarge { place: self.place() });
            }
            raw.push((prefix, local, value));
        }
        let mut plain: Vec<(&str, &str, String)> = Vec::with_capacity(raw.len());
        for (prefix, local, value) in raw {
            let value = lexical::attribute_value(value).map_err(|what| self.syntax(what))?;
            let declared = match (prefix, local) {
                ("xmlns", prefix) => prefix,
                ("", "xmlns") => "",
                _ => {
                    plain.push((prefix, local, value));
                    continue;
                }
            };
            let declared = self.scope.declare(declared, &value, self.open.len());
            declared.map_err(|what| self.syntax(what))?;
        }
        let mut attributes: Vec<Attribute> = Vec::with_capacity(plain.len());
        for (prefix, local, value) in plain {
            let ns = match prefix {
                "" => Some(Ns::None), // the default namespace is not for attributes
                _ => self.scope.resolve(prefix),
            };
            let ns = ns.ok_or_else(|| self.syntax("an undeclared namespace prefix"))?;
            if attributes.iter().any(|a| a.local == local && a.ns == ns) {
                return Err(self.syntax("an attribute given twice"));
            }
            attributes.push(Attribute { ns, local: local.to_owned(), value });
        }
        Ok(attributes)
    }

    /// XML 1.0 §2.8: version, then encoding, then standalone.
    pub(super) fn declaration(&self, declaration: &BytesDecl<'_>) -> Result<Option<Token>, XmlError> {
        const WRONG: &str = "a faulty XML declaration";
        let mut rest = declaration.strip_prefix("xml").unwrap_or_default();
        let mut expected = ["version", "encoding", "standalone"].iter();
        let mut first = true;
        while let Some((name, value)) = lexical::next_attribute(&mut rest).map_err(|what| self.syntax(what))? {
            if !expected.any(|known| *known == name) || (first && name != "version") {
                return Err(self.syntax(WRONG));
            }
            first = false;
            match (name, value) {
                ("version", "1.0") | ("standalone", "yes" | "no") => {}
                ("version", _) => return Err(XmlError::Encoding { place: self.place() }),
                ("encoding", encoding) if encoding.eq_ignore_ascii_case("UTF-8") => {}
                ("encoding", _) => return Err(XmlError::Encoding { place: self.place() }),
                _ => return Err(self.syntax(WRONG)),
            }
        }
        if first { Err(self.syntax(WRONG)) } else { Ok(None) }
    }
}
