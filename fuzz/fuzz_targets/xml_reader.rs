//! The XML reader over a slice and over chunks of seven octets: same tree, same walk, same errors.
#![no_main]

use std::io::{BufRead, BufReader};

use libfuzzer_sys::fuzz_target;
use pskc::xml::{Element, Foreign, Reader, XmlError, XmlLimits};

fuzz_target!(|data: &[u8]| {
    let small = XmlLimits::new(4, 40, 200);
    for limits in [XmlLimits::MESSAGE, small] {
        let whole = tree(data, limits);
        let parts = tree(BufReader::with_capacity(7, data), limits);
        let mut walks = [Vec::new(), Vec::new()];
        let whole_end = walk(data, limits, &mut walks[0]);
        let parts_end = walk(BufReader::with_capacity(7, data), limits, &mut walks[1]);
        assert_eq!(whole, parts, "tree");
        assert_eq!(walks[0], walks[1], "walk");
        assert_eq!(whole_end, parts_end, "end of the walk");
        if whole_end.is_ok() {
            assert!(whole.is_ok(), "walked through, and refused as a tree: {whole:?}");
        }
    }
});

fn tree(source: impl BufRead, limits: XmlLimits) -> Result<Foreign, XmlError> {
    let mut reader = Reader::new(source, limits)?;
    let root = reader.root()?;
    let tree = Foreign::read_open(&mut reader, root)?;
    reader.finish()?;
    Ok(tree)
}

#[derive(Debug, PartialEq)]
enum Step {
    Start(Element, u64),
    End(u64),
    Text(String),
    Octets(Vec<u8>),
    Skipped(u64),
}

/// Walks a document as its element names direct, since there is no schema.
fn walk(source: impl BufRead, limits: XmlLimits, steps: &mut Vec<Step>) -> Result<(), XmlError> {
    let mut reader = Reader::new(source, limits)?;
    let mut element = reader.root()?;
    let mut depth = 1;
    while depth > 0 {
        let way = element.local.bytes().fold(0_u8, u8::wrapping_add) % 8;
        steps.push(Step::Start(element.clone(), reader.place().line));
        let step = match way {
            0 | 1 => Some(Step::Text(reader.text()?)),
            2 => Some(Step::Octets(reader.base64()?)),
            3 => reader.skip().map(|()| Some(Step::Skipped(reader.offset())))?,
            _ => None,
        };
        depth -= usize::from(step.is_some());
        steps.extend(step);
        while depth > 0 {
            match reader.next()? {
                Some(next) => {
                    element = next;
                    depth += 1;
                    break;
                }
                None => {
                    steps.push(Step::End(reader.offset()));
                    depth -= 1;
                }
            }
        }
    }
    reader.finish()
}
