//! Elements and attributes by their names in the field.

use super::warning::{Irregularity, Warnings};
use crate::xml::{Attribute, ElementTree, Ns, ns};

/// Whether names in a namespace can be PSKC's: no namespace, that of the container, those that PSKC uses and those of
/// its drafts. Names in any other namespace are extensions.
pub(super) fn is_own(ns: &Ns, root: &Ns) -> bool {
    const DRAFTS: [&str; 3] =
        ["urn:ietf:params:xml:ns:keyprov", "http://www.w3.org/", "http://www.openauthentication.org/"];
    match ns {
        Ns::None | Ns::Known(_) => true,
        Ns::Other(name) => ns == root || DRAFTS.iter().any(|draft| name.starts_with(draft)),
    }
}

/// The name in `known` that matches `tree`, ignoring case.
pub(super) fn element(tree: &ElementTree, known: &[&'static str], warnings: &mut Warnings) -> Option<&'static str> {
    let name = known.iter().find(|name| tree.is(name))?;
    tree.take();
    warnings.name(tree, name);
    Some(name)
}

/// Reports children that are out of RFC 6030's order.
pub(super) fn in_order(tree: &ElementTree, names: &[&str], warnings: &mut Warnings) {
    let mut last = 0;
    for child in tree.children() {
        match names.iter().position(|name| child.is(name.trim_end_matches('*'))) {
            Some(at) if at < last => warnings.add(Irregularity::Order(child.local.clone()), &child.place),
            Some(at) => last = at,
            None => {}
        }
    }
}

/// The value in `known` that matches `text`, ignoring case.
pub(super) fn value(
    text: &str,
    known: &[&'static str],
    tree: &ElementTree,
    warnings: &mut Warnings,
) -> Option<&'static str> {
    let text = text.trim();
    let value = known.iter().find(|value| text.eq_ignore_ascii_case(value))?;
    if text != *value {
        warnings.add(Irregularity::Spelling(text.to_owned()), &tree.place);
    }
    Some(value)
}

/// The attributes in no namespace: `wsu:Id` is not `Id`.
pub(super) fn own(tree: &ElementTree) -> impl Iterator<Item = &Attribute> {
    tree.attributes().iter().filter(|attribute| attribute.ns == Ns::None)
}

/// The attributes that can be policy rules: all but those of XML and XML Schema.
pub(super) fn rules(tree: &ElementTree) -> impl Iterator<Item = &Attribute> {
    let is_rule = |attribute: &Attribute| !attribute.is_about_schema() && !attribute.ns.is(ns::XML);
    tree.take_attributes(is_rule);
    tree.attributes().iter().filter(move |attribute| is_rule(attribute))
}

/// The value of the first attribute with one of these names, ignoring case; the first name is that of RFC
/// 6030.
pub(super) fn attribute<'t>(tree: &'t ElementTree, names: &[&'static str], warnings: &mut Warnings) -> Option<&'t str> {
    let find = |name: &&'static str| tree.find(|a| a.ns == Ns::None && a.local.eq_ignore_ascii_case(name));
    let found = names.iter().find_map(find)?;
    warnings.attribute(&found.local, names.first()?, &tree.place);
    Some(found.value.as_str())
}

/// Whether `child` is PSKC's, where other elements may occur too (`Data`, `Policy`, `MACMethod`): a vendor's element
/// of the same name has another meaning, and strict reading does not understand it either.
pub(super) fn belongs(child: &ElementTree, parent: &ElementTree) -> bool {
    child.ns == parent.ns || child.ns.is(ns::PSKC)
}
