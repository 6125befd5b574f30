//! Elements and attributes by the names that they have in the field.

use super::warning::{Irregularity, Warnings};
use crate::xml::{Attribute, Ns, Tree, ns};

/// The name among `known` that `tree` has, in any case.
pub(super) fn element(tree: &Tree, known: &[&'static str], warnings: &mut Warnings) -> Option<&'static str> {
    let name = known.iter().find(|name| tree.local.eq_ignore_ascii_case(name))?;
    warnings.name(tree, name);
    Some(name)
}

/// The value among `known` that `text` is, in any case.
pub(super) fn value(text: &str, known: &[&'static str], tree: &Tree, warnings: &mut Warnings) -> Option<&'static str> {
    let text = text.trim();
    let value = known.iter().find(|value| text.eq_ignore_ascii_case(value))?;
    if text != *value {
        warnings.add(Irregularity::Spelling(text.to_owned()), &tree.place);
    }
    Some(value)
}

/// The attributes in no namespace: `wsu:Id` is not `Id`.
pub(super) fn own(tree: &Tree) -> impl Iterator<Item = &Attribute> {
    tree.attributes.iter().filter(|attribute| attribute.ns == Ns::None)
}

/// The attributes that can be rules of a policy: all but what tells about schema and language.
pub(super) fn rules(tree: &Tree) -> impl Iterator<Item = &Attribute> {
    tree.attributes.iter().filter(|attribute| !attribute.ns.is(ns::XSI) && !attribute.ns.is(ns::XML))
}

/// The first attribute that has one of these names, in any case, as it stands; the first name is that of RFC
/// 6030.
pub(super) fn attribute<'t>(tree: &'t Tree, names: &[&'static str], warnings: &mut Warnings) -> Option<&'t str> {
    let find = |name: &&str| own(tree).find(|attribute| attribute.local.eq_ignore_ascii_case(name));
    let found = names.iter().find_map(find)?;
    warnings.attribute(&found.local, names.first()?, &tree.place);
    Some(found.value.as_str())
}

/// Tells of attributes with other names than these.
pub(super) fn only_attributes(tree: &Tree, known: &[&str], warnings: &mut Warnings) {
    for attribute in own(tree) {
        if !known.iter().any(|name| attribute.local.eq_ignore_ascii_case(name)) {
            warnings.add(Irregularity::UnknownAttribute(attribute.local.to_string()), &tree.place);
        }
    }
}

/// Whether `child` is PSKC's, where elements of others may stand too (`Data`, `Policy`, `MACMethod`): a vendor's
/// element of the same name says something else, and strict reading does not understand it either.
pub(super) fn belongs(child: &Tree, parent: &Tree) -> bool {
    child.ns == parent.ns || child.ns.is(ns::PSKC)
}
