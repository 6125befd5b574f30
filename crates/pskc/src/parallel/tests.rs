//! Parallel reading gives the same result as sequential reading, however the document is cut.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use super::ParallelReader;
use crate::{ContainerReader, Error, KeyPackage, Trailer};

/// The packages, and the final result.
type Outcome = (Vec<KeyPackage>, Result<Trailer, Error>);

fn by_one(document: &[u8]) -> Outcome {
    let mut packages = Vec::new();
    let read = ContainerReader::new(document).and_then(|mut reader| {
        while let Some(package) = reader.next_package()? {
            packages.push(package);
        }
        reader.finish()
    });
    (packages, read)
}

fn by_many(source: impl Read + Send + 'static, piece_len: usize, threads: usize) -> Outcome {
    let mut packages = Vec::new();
    let source: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(100, source));
    let read = ParallelReader::with(source, piece_len, threads).and_then(|mut reader| {
        while let Some(package) = reader.next_package()? {
            packages.push(package);
        }
        reader.finish()
    });
    (packages, read)
}

fn assert_same(document: &[u8], piece_len: usize, threads: usize, what: &str) {
    let (expected, end) = by_one(document);
    let (mut found, same_end) = by_many(io::Cursor::new(document.to_vec()), piece_len, threads);
    assert_eq!(same_end, end, "{what}");
    if end.is_err() && found.len() == expected.len() + 1 {
        found.pop(); // sequential reading looks past a package before returning it
    }
    assert!(found == expected, "{what}: {} packages instead of {}", found.len(), expected.len());
}

fn container(packages: &str) -> String {
    let namespaces = r#"xmlns:p="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:x="urn:x""#;
    format!("<?xml version=\"1.0\"?>\n<p:KeyContainer {namespaces} Version=\"1.0\">\n{packages}\n</p:KeyContainer>\n")
}

fn package(i: usize, inside: &str) -> String {
    format!(
        "<p:KeyPackage>\n<p:Key Id=\"é{i}\"><p:Issuer>a{inside}b</p:Issuer><p:Data><p:Counter><p:PlainValue>{i}\
         </p:PlainValue></p:Counter></p:Data></p:Key></p:KeyPackage>"
    )
}

fn rows(inside: impl Fn(usize) -> &'static str, between: impl Fn(usize) -> &'static str) -> String {
    (0..40).map(|i| package(i, inside(i)) + between(i)).collect()
}

#[test]
fn parallel_and_sequential_reading_agree() {
    let plain = rows(|_| "", |_| "\n  ");
    let hidden = "<![CDATA[</p:Issuer></p:Key></p:KeyPackage><p:KeyPackage><p:Key Id='z'>]]>";
    let at_20 = |what: &'static str| move |i| if i == 20 { what } else { "" };
    let default = container(&plain).replace("p:", "").replace("xmlns:p", "xmlns");
    let cases = [
        ("packages", container(&plain)),
        ("one package", container(&package(1, ""))),
        ("no package", container("")),
        ("without white space", container(&rows(|_| "", |_| ""))),
        ("the default namespace", default),
        ("a comment between all", container(&rows(|_| "", |_| "<!-- - -->"))),
        (
            "a package in a comment",
            container(&rows(|_| "", at_20("<!-- <p:KeyPackage><p:Key Id='z'/></p:KeyPackage> -->"))),
        ),
        ("packages in comments", container(&rows(|_| "<!--<p:KeyPackage/>-->", |_| ""))),
        ("a package in a CDATA section", container(&rows(at_20(hidden), |_| ""))),
        ("text between", container(&rows(|_| "", at_20("text")))),
        ("another element between", container(&rows(|_| "", at_20("<x:other/>")))),
        ("a faulty package", container(&rows(at_20("<x:other/>"), |_| ""))),
        ("a tag that does not close", container(&rows(at_20("<x:other>"), |_| ""))),
        ("a package in a package", container(&rows(at_20("<p:KeyPackage/>"), |_| ""))),
        ("a forbidden character", container(&rows(at_20("\u{1}"), |_| ""))),
        ("a long package", container(&rows(at_20("long"), |_| "").replace("long", &"l".repeat(5000)))),
        ("extensions", container(&(plain.clone() + "<p:Extensions><x:e>1</x:e></p:Extensions>"))),
        ("packages after extensions", container(&(plain.clone() + "<p:Extensions><x:e/></p:Extensions>" + &plain))),
        (
            "a prefix declared in one package",
            container(&plain.replacen("<p:KeyPackage>", "<p:KeyPackage xmlns:y='y'>", 20)),
        ),
        ("something after the end", container(&plain) + "<x/>"),
        ("cut off between packages", container(&plain).split_inclusive("</p:KeyPackage>").take(30).collect()),
        ("cut off", container(&plain)[..2500].to_owned()),
    ];
    for (what, document) in cases {
        for piece_len in [1, 150, 700, 2000, 100_000] {
            for threads in [0, 1, 3] {
                assert_same(document.as_bytes(), piece_len, threads, what);
            }
        }
    }
}

/// Octets changed, removed or doubled at pseudorandom places.
#[test]
fn parallel_and_sequential_reading_agree_on_damaged_documents() {
    let document = container(&rows(|i| if i % 7 == 0 { "<!-- x -->" } else { "" }, |_| "\n"));
    let mut number = 1_u64;
    let mut next = |below: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) as usize % below
    };
    let mut refused = 0;
    for round in 0..1000 {
        let mut damaged = document.clone().into_bytes();
        let (at, len) = (next(damaged.len() - 40), next(40));
        match next(4) {
            0 if damaged[at].is_ascii_digit() => damaged[at] = b'7',
            0 | 1 => damaged[at] = b"<>/&\"' \n!-]\xFF\0pK1"[next(16)],
            2 => drop(damaged.drain(at..at + len)),
            _ => {
                let part = damaged[at..at + len].to_vec();
                let to = next(damaged.len());
                drop(damaged.splice(to..to, part));
            }
        }
        refused += usize::from(by_one(&damaged).1.is_err());
        assert_same(&damaged, 100 + next(1500), 2, &format!("round {round}"));
    }
    assert!((500..970).contains(&refused), "{refused} of 1000: needs valid and invalid documents");
}

#[test]
fn a_failing_source_is_reported_and_an_abandoned_one_is_not_read_further() {
    struct Broken(io::Cursor<Vec<u8>>);
    impl Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(ErrorKind::BrokenPipe.into()),
                len => Ok(len),
            }
        }
    }
    let document = container(&rows(|_| "", |_| ""));
    let half = document.as_bytes()[..document.len() / 2].to_vec();
    for piece_len in [300, 100_000] {
        let (packages, end) = by_many(Broken(io::Cursor::new(half.clone())), piece_len, 2);
        let whole = by_one(&half).0.len();
        assert!(packages.len() == whole || packages.len() == whole + 1);
        assert!(end.unwrap_err().to_string().contains("broken pipe"), "the reason is told");
    }

    struct Endless(u64, std::sync::mpsc::Sender<()>);
    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let package = package(1, "");
            let document = container("");
            let begin = &document.as_bytes()[..document.len() - "\n</p:KeyContainer>\n".len()];
            let text = if self.0 == 0 { begin } else { package.as_bytes() };
            self.0 += 1;
            into[..text.len()].copy_from_slice(text);
            Ok(text.len())
        }
    }
    impl Drop for Endless {
        fn drop(&mut self) {
            _ = self.1.send(());
        }
    }
    let (dropped, is_dropped) = std::sync::mpsc::channel();
    let source = Box::new(BufReader::with_capacity(1000, Endless(0, dropped)));
    let mut reader = ParallelReader::with(source, 300, 2).unwrap();
    for _ in 0..50 {
        assert!(reader.next_package().unwrap().is_some());
    }
    drop(reader);
    is_dropped.try_recv().expect("no thread has the source any more");
}
