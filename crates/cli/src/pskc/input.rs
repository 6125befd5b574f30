//! Key files as input: from a file or standard input, strictly or leniently, opened with a key or not.
//!
//! Every file is read twice. The first time to its end, so that nothing is done with a part of a file that turns out
//! to be cut off, damaged or protected by another key; the second time to do it, with constant memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, IsTerminal as _, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use dskpp_crypto::{RsaPrivateKey, Secret};
use indicatif::{ProgressBar, ProgressStyle};
use pskc::{ContainerReader, Header, KeyPackage, LenientReader, Opener, OpenerOptions, Unlock, Value, Warning};
use zeroize::Zeroizing;

use crate::output::Failure;
use crate::store::prompt;

/// Standard input is kept in memory, so it has a limit; files have none.
const MOST_FROM_STDIN: u64 = 256 * 1024 * 1024;

/// A key file to read.
#[derive(Args)]
pub(crate) struct Input {
    /// The key file; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Accept what vendors ship and old drafts allow; every deviation is reported
    #[arg(long)]
    pub(crate) lenient: bool,

    #[command(flatten)]
    pub(crate) unlock: UnlockOptions,
}

/// What opens an encrypted file.
#[derive(Args)]
#[group(multiple = true)]
pub(crate) struct UnlockOptions {
    /// The key that protects the file, in hexadecimal. Other users of this machine may see it: prefer --key-file
    #[arg(long, value_name = "HEX", conflicts_with_all = ["key_file", "password_file", "private_key"])]
    key_hex: Option<String>,

    /// A file with the key in hexadecimal
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password_file", "private_key"])]
    key_file: Option<PathBuf>,

    /// A file whose first line is the password
    #[arg(long, value_name = "FILE", conflicts_with = "private_key")]
    password_file: Option<PathBuf>,

    /// A file with the RSA private key (PKCS #8 in PEM)
    #[arg(long, value_name = "FILE")]
    private_key: Option<PathBuf>,

    /// A file with the MAC key in hexadecimal, where the key file only names one
    #[arg(long, value_name = "FILE")]
    mac_key_file: Option<PathBuf>,

    /// The initialization vector in hexadecimal, where the file leaves it out (some old files; needs --lenient)
    #[arg(long, value_name = "HEX", requires = "lenient")]
    iv_hex: Option<String>,
}

/// A document that can be read more than once.
pub(crate) enum Document {
    File(PathBuf, File),
    Memory(Zeroizing<Vec<u8>>),
}

impl Document {
    /// # Errors
    /// The file cannot be read; standard input is too long.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            let mut octets = Zeroizing::new(Vec::new());
            let read = std::io::stdin().lock().take(MOST_FROM_STDIN + 1).read_to_end(&mut octets);
            read.map_err(|why| Failure::new(format!("standard input cannot be read: {why}")))?;
            if octets.len() as u64 > MOST_FROM_STDIN {
                return Err(Failure::new("standard input is longer than 256 MiB").next("give the name of a file"));
            }
            return Ok(Document::Memory(octets));
        }
        let unreadable = |why| Failure::new(format!("{} cannot be read: {why}", path.display()));
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_file() {
            return Ok(Document::File(path.to_owned(), file));
        }
        let mut octets = Zeroizing::new(Vec::new()); // a pipe can be read once only
        file.take(MOST_FROM_STDIN).read_to_end(&mut octets).map_err(unreadable)?;
        Ok(Document::Memory(octets))
    }

    /// Reads it from its beginning.
    pub(crate) fn reader(&self) -> Result<Box<dyn BufRead + '_>, Failure> {
        match self {
            Document::File(path, file) => {
                let mut file = file;
                let rewound = file.seek(SeekFrom::Start(0));
                rewound.map_err(|why| Failure::new(format!("{} cannot be read: {why}", path.display())))?;
                Ok(Box::new(BufReader::with_capacity(64 * 1024, file)))
            }
            Document::Memory(octets) => Ok(Box::new(Cursor::new(octets.as_slice()))),
        }
    }

    /// Its length in octets.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Document::File(_, file) => file.metadata().map_or(0, |metadata| metadata.len()),
            Document::Memory(octets) => octets.len() as u64,
        }
    }

    /// All of it, for what needs the whole document at once.
    pub(crate) fn into_octets(self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if let Document::Memory(octets) = self {
            return Ok(octets);
        }
        let mut octets = Zeroizing::new(Vec::new());
        let read = self.reader()?.take(MOST_FROM_STDIN + 1).read_to_end(&mut octets);
        read.map_err(|why| Failure::new(format!("the file cannot be read: {why}")))?;
        if octets.len() as u64 > MOST_FROM_STDIN {
            return Err(Failure::new("the file is longer than 256 MiB"));
        }
        Ok(octets)
    }
}

/// A container that is being read, in either way.
pub(crate) enum Packages<'a> {
    Strict(Box<ContainerReader<Box<dyn BufRead + 'a>>>),
    Lenient(Box<LenientReader<Box<dyn BufRead + 'a>>>),
}

impl<'a> Packages<'a> {
    pub(crate) fn new(document: &'a Document, lenient: bool) -> Result<Self, Failure> {
        let source = document.reader()?;
        match lenient {
            true => Ok(Packages::Lenient(Box::new(LenientReader::new(source).map_err(unreadable)?))),
            false => Ok(Packages::Strict(Box::new(ContainerReader::new(source).map_err(refused)?))),
        }
    }

    pub(crate) fn header(&self) -> &Header {
        match self {
            Packages::Strict(reader) => reader.header(),
            Packages::Lenient(reader) => reader.header(),
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<KeyPackage>, Failure> {
        match self {
            Packages::Strict(reader) => reader.next_package().map_err(refused),
            Packages::Lenient(reader) => reader.next_package().map_err(unreadable),
        }
    }

    /// Octets read so far.
    fn offset(&self) -> u64 {
        match self {
            Packages::Strict(reader) => reader.offset(),
            Packages::Lenient(reader) => reader.offset(),
        }
    }

    /// Reads to the end; whether there was a signature, and what was found wrong on the way.
    fn finish(self) -> Result<(bool, Vec<Warning>), Failure> {
        match self {
            Packages::Strict(reader) => Ok((reader.finish().map_err(refused)?.signed, Vec::new())),
            Packages::Lenient(reader) => {
                let (trailer, warnings) = reader.finish().map_err(unreadable)?;
                Ok((trailer.signed, warnings))
            }
        }
    }
}

fn refused(why: pskc::Error) -> Failure {
    Failure::new(why).next("see `dskpp pskc check`; files of vendors and old drafts may be readable with --lenient")
}

fn unreadable(why: pskc::Error) -> Failure {
    Failure::new(why)
}

/// A key file that has been read to its end once: it is whole, and what was given opens it.
pub(crate) struct KeyFile {
    document: Document,
    lenient: bool,
    unlock: Option<Unlock>,
    mac_key: Option<Secret>,
    iv: Option<Vec<u8>>,
    pub(crate) summary: Summary,
}

/// What the first reading found.
pub(crate) struct Summary {
    pub(crate) header: Header,
    pub(crate) packages: u64,
    /// The algorithm of the first encrypted value.
    pub(crate) algorithm: Option<String>,
    pub(crate) signed: bool,
    /// What the file does otherwise than RFC 6030 has it, and where that is known.
    pub(crate) warnings: Vec<(String, Option<pskc::xml::Place>)>,
}

impl Input {
    /// Reads the file once. Where it is encrypted and nothing was given to open it, a person is asked if `must_open`.
    pub(crate) fn open(&self, must_open: bool) -> Result<KeyFile, Failure> {
        let document = Document::open(&self.file)?;
        self.read(document, must_open)
    }

    /// As [`open`](Self::open), for a document that is there already.
    pub(crate) fn read(&self, document: Document, must_open: bool) -> Result<KeyFile, Failure> {
        let mut packages = Packages::new(&document, self.lenient)?;
        let header = packages.header().clone();
        let unlock = match self.unlock.get()? {
            None if must_open => ask(&header)?,
            unlock => unlock,
        };
        let mac_key = self.unlock.mac_key_file.as_deref().map(hex_file).transpose()?;
        let iv = self.unlock.iv_hex.as_deref().map(from_hex).transpose()?;
        let mut opener = Opening::new(&header, unlock.as_ref(), mac_key.as_ref(), self.lenient, iv.as_deref())?;
        let bar = progress(document.len());
        let mut summary = Summary { header, packages: 0, algorithm: None, signed: false, warnings: Vec::new() };
        while let Some(mut package) = packages.next()? {
            let data = package.key.as_mut().and_then(|key| key.data.as_mut());
            if let Some(Value::Encrypted(value)) = data.as_ref().and_then(|data| data.secret.as_ref()) {
                summary.algorithm.get_or_insert_with(|| value.data.algorithm.clone());
            }
            summary.packages += 1;
            opener.open(&mut package, summary.packages, must_open)?;
            if summary.packages.is_multiple_of(1024) {
                bar.set_position(packages.offset());
            }
        }
        let (signed, warnings) = packages.finish()?;
        bar.finish_and_clear();
        summary.signed = signed;
        summary.warnings = warnings.into_iter().map(|w| (w.irregularity.to_string(), Some(w.place))).collect();
        summary.warnings.extend(opener.deviations().into_iter().map(|deviation| (deviation, None)));
        Ok(KeyFile { document, lenient: self.lenient, unlock, mac_key, iv, summary })
    }
}

impl KeyFile {
    /// Reads the file again, and gives each package to `each`, opened where there is what opens it.
    pub(crate) fn for_each(&self, mut each: impl FnMut(KeyPackage) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut packages = Packages::new(&self.document, self.lenient)?;
        let (unlock, mac_key) = (self.unlock.as_ref(), self.mac_key.as_ref());
        let mut opener = Opening::new(packages.header(), unlock, mac_key, self.lenient, self.iv.as_deref())?;
        let (bar, mut number) = (progress(self.document.len()), 0);
        while let Some(mut package) = packages.next()? {
            number += 1;
            opener.open(&mut package, number, false)?;
            each(package)?;
            if number.is_multiple_of(1024) {
                bar.set_position(packages.offset());
            }
        }
        packages.finish()?;
        bar.finish_and_clear();
        Ok(())
    }

    /// The file as it is, from its beginning.
    pub(crate) fn reader(&self) -> Result<Box<dyn BufRead + '_>, Failure> {
        self.document.reader()
    }

    /// Whether there was something to open it with.
    pub(crate) fn is_unlocked(&self) -> bool {
        self.unlock.is_some()
    }

    /// Tells a person what was found wrong.
    pub(crate) fn warn(&self) {
        for (what, place) in &self.summary.warnings {
            match place {
                Some(place) => eprintln!("dskpp: warning: {what} ({place})"),
                None => eprintln!("dskpp: warning: {what}"),
            }
        }
    }
}

/// Opens packages where there is something to open them with.
struct Opening {
    opener: Option<Opener>,
}

impl Opening {
    fn new(
        header: &Header,
        unlock: Option<&Unlock>,
        mac_key: Option<&Secret>,
        lenient: bool,
        iv: Option<&[u8]>,
    ) -> Result<Self, Failure> {
        let Some(unlock) = unlock else { return Ok(Opening { opener: None }) };
        let mut options = OpenerOptions { lenient, ..OpenerOptions::default() };
        options.mac_key = mac_key.cloned();
        options.iv = iv.map(<[u8]>::to_vec);
        let opener = Opener::new(header.encryption_key.as_ref(), header.mac_method.as_ref(), unlock, options);
        Ok(Opening { opener: Some(opener.map_err(|why| Failure::new(why).next(NEEDED))?) })
    }

    /// Opens the package. Without anything to open it with it stays as it is, unless it `must` be opened.
    fn open(&mut self, package: &mut KeyPackage, number: u64, must: bool) -> Result<(), Failure> {
        let Some(key) = &mut package.key else { return Ok(()) };
        let Some(data) = &mut key.data else { return Ok(()) };
        match &mut self.opener {
            None if must && matches!(data.secret, Some(Value::Encrypted(_))) => {
                Err(Failure::new(format!("key {number} ({}) is encrypted", key.id)).next(NEEDED))
            }
            None => Ok(()),
            Some(opener) => {
                opener.open(data).map_err(|why| Failure::new(format!("key {number} ({}): {why}", key.id)).next(NEEDED))
            }
        }
    }

    fn deviations(&self) -> Vec<String> {
        self.opener.iter().flat_map(|opener| opener.deviations().iter()).map(ToString::to_string).collect()
    }
}

const NEEDED: &str = "give what opens the file: --key-file, --password-file, --private-key or --key-hex";

impl UnlockOptions {
    pub(crate) fn get(&self) -> Result<Option<Unlock>, Failure> {
        if let Some(hex) = &self.key_hex {
            return Ok(Some(Unlock::Key(Secret::new(from_hex(hex)?))));
        }
        if let Some(path) = &self.key_file {
            return hex_file(path).map(|key| Some(Unlock::Key(key)));
        }
        if let Some(path) = &self.password_file {
            return first_line(path).map(|password| Some(Unlock::Password(password)));
        }
        let Some(path) = &self.private_key else { return Ok(None) };
        let pem = text_file(path)?;
        let key = RsaPrivateKey::from_pkcs8_pem(&pem).map_err(|why| {
            let next = "an RSA key in PKCS #8 (`openssl pkcs8 -topk8 -nocrypt` makes it from other forms)";
            Failure::new(format!("{}: {why}", path.display())).next(next)
        })?;
        Ok(Some(Unlock::PrivateKey(Arc::new(key))))
    }
}

/// A file with encrypted values, and nothing given: a person can be asked for a password, where one opens it.
fn ask(header: &Header) -> Result<Option<Unlock>, Failure> {
    let derived = header.encryption_key.as_ref().is_some_and(|key| key.other.iter().any(|e| e.local == "DerivedKey"));
    if !derived || !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    prompt("Password of the key file: ").map(|password| Some(Unlock::Password(password)))
}

/// Octets in hexadecimal; blanks and line ends do not matter.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, Failure> {
    let text: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    let octets = HEX.decode(text.as_bytes());
    octets.map_err(|_| Failure::usage("not hexadecimal: an even number of digits 0-9, a-f is needed"))
}

pub(crate) fn hex_file(path: &Path) -> Result<Secret, Failure> {
    from_hex(&text_file(path)?).map(Secret::new).map_err(|why| {
        let _ = why;
        Failure::new(format!("{} does not hold a key in hexadecimal", path.display()))
    })
}

pub(crate) fn first_line(path: &Path) -> Result<Secret, Failure> {
    let text = text_file(path)?;
    Ok(Secret::from_slice(text.lines().next().unwrap_or_default().as_bytes()))
}

pub(crate) fn text_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(path);
    text.map(Zeroizing::new).map_err(|why| Failure::new(format!("{} cannot be read: {why}", path.display())))
}

/// A bar for people who wait for a large file.
fn progress(len: u64) -> ProgressBar {
    const LARGE: u64 = 8 * 1024 * 1024;
    if len < LARGE || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(len).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
