//! Keys per second, read and written, compared with python-pskc and pskctool on the same file (if installed), and the
//! memory that reading takes.
//!
//! `cargo bench -p pskc` for 100,000 keys; `cargo bench -p pskc -- 20000` for another number.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use dskpp_crypto::{Hash, Secret, SeededRandom};
use pskc::{
    AlgorithmParameters, ContainerWriter, DecryptionKey, DeviceInfo, Header, Key, KeyData, KeyPackage, Opener,
    OpenerOptions, ParallelReader, Protector, ResponseFormat, Value, ValueFormat,
};

/// As in the `dskpp` command.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const KEY: &[u8] = b"0123456789abcdef";

/// Most keys for python-pskc: it reads a few thousand per second.
const PEER_KEYS: usize = 5_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["read", file] => read_alone(Path::new(file)),
        [count] => compare(count.parse()?),
        _ => compare(100_000),
    }
}

fn compare(count: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (plain, encrypted) = (folder.path().join("plain.xml"), folder.path().join("encrypted.xml"));
    println!("{count} HOTP keys                  plain    AES-128-CBC + HMAC-SHA-1");
    let written = [write(&plain, count, false)?, write(&encrypted, count, true)?];
    row("written, keys/s", written);
    let read = [read_file(&plain)?, read_file(&encrypted)?];
    row("read, keys/s", read);
    for file in [&plain, &encrypted] {
        let output = Command::new(std::env::current_exe()?).arg("read").arg(file).output()?;
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
    let few = count.min(PEER_KEYS);
    let (few_plain, few_encrypted) = (folder.path().join("few.xml"), folder.path().join("few-encrypted.xml"));
    write(&few_plain, few, false)?;
    write(&few_encrypted, few, true)?;
    match (python_pskc(&few_plain), python_pskc(&few_encrypted)) {
        (Some(plain), Some(encrypted)) => {
            row("python-pskc, keys/s", [plain, encrypted]);
            row("ratio (asked: 100, 100)", [read[0] / plain, read[1] / encrypted]);
        }
        _ => println!("python-pskc is not installed: no comparison"),
    }
    match pskctool(&plain, count) {
        Some(rate) => {
            println!("{:28} {rate:10.0}\n{:28} {:10.1}", "pskctool, keys/s", "ratio (asked: 8)", read[0] / rate)
        }
        None => println!("pskctool is not installed: no comparison"),
    }
    Ok(())
}

fn row(name: &str, [plain, encrypted]: [f64; 2]) {
    println!("{name:28} {plain:10.1} {encrypted:10.1}");
}

fn package(i: usize) -> KeyPackage {
    let secret: Vec<u8> = (0..20).map(|k| (i >> (k % 4 * 8)) as u8 ^ k as u8).collect();
    let data = KeyData {
        secret: Some(Value::Plain(Secret::new(secret))),
        counter: Some(Value::Plain(0)),
        ..KeyData::default()
    };
    let format = ResponseFormat { encoding: ValueFormat::Decimal, length: 6, check_digits: None };
    let parameters = AlgorithmParameters { response_format: Some(format), ..AlgorithmParameters::default() };
    let device = DeviceInfo {
        manufacturer: Some("Manufacturer".into()),
        serial_no: Some(format!("{i:08}")),
        ..DeviceInfo::default()
    };
    let key = Key {
        id: format!("key-{i:08}"),
        algorithm: Some("urn:ietf:params:xml:ns:keyprov:pskc:hotp".into()),
        issuer: Some("Issuer".into()),
        algorithm_parameters: Some(parameters),
        data: Some(data),
        ..Key::default()
    };
    KeyPackage { device_info: Some(device), key: Some(key), ..KeyPackage::default() }
}

fn write(path: &Path, count: usize, encrypted: bool) -> Result<f64, Failure> {
    let mut rng = SeededRandom::new(b"bench");
    let start = Instant::now();
    let protector = match encrypted {
        true => Some(Protector::aes_cbc(Secret::from_slice(KEY), "Pre-shared-key", Hash::Sha1, &mut rng)?),
        false => None,
    };
    let mut header = Header::default();
    if let Some(protector) = &protector {
        header.encryption_key = Some(protector.encryption_key().clone());
        header.mac_method = protector.mac_method().cloned();
    }
    let mut writer = ContainerWriter::new(BufWriter::new(File::create(path)?), &header)?;
    for i in 0..count {
        let mut package = package(i);
        if let Some(protector) = &protector
            && let Some(data) = package.key.as_mut().and_then(|key| key.data.as_mut())
        {
            protector.protect(data, &mut rng)?;
        }
        writer.package(&package)?;
    }
    writer.finish(&[])?.flush()?;
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

fn read_file(path: &Path) -> Result<f64, Failure> {
    let start = Instant::now();
    let mut reader = ParallelReader::new(File::open(path)?)?;
    let header = reader.header();
    let unlock = DecryptionKey::Key(Secret::from_slice(KEY));
    let mut opener = match &header.encryption_key {
        Some(key) => Some(Opener::new(Some(key), header.mac_method.as_ref(), &unlock, OpenerOptions::default())?),
        None => None,
    };
    let mut count = 0;
    while let Some(mut package) = reader.next_package()? {
        let data = package.key.as_mut().and_then(|key| key.data.as_mut()).ok_or("a key without data")?;
        if let Some(opener) = &mut opener {
            opener.open(data)?;
        }
        let secret = data.secret.as_ref().and_then(Value::plain).ok_or("a key without its secret")?;
        assert_eq!(secret.len(), 20);
        count += 1;
    }
    reader.finish()?;
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// In a separate process, so that its memory is that of reading alone.
fn read_alone(path: &Path) -> Result<(), Failure> {
    read_file(path)?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
    println!("memory at most (asked: below 16 MiB): {}", peak.trim());
    Ok(())
}

fn python_pskc(path: &Path) -> Option<f64> {
    const SCRIPT: &str = "import sys, time, pskc\n\
        start = time.perf_counter()\n\
        p = pskc.PSKC(sys.argv[1])\n\
        p.encryption.key = sys.argv[2].encode()\n\
        n = sum(len(k.secret) == 20 for k in p.keys)\n\
        print(n / (time.perf_counter() - start))";
    let key = std::str::from_utf8(KEY).ok()?;
    let output = Command::new("python3").args(["-c", SCRIPT]).arg(path).arg(key).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn pskctool(path: &Path, count: usize) -> Option<f64> {
    let start = Instant::now();
    let output = Command::new("pskctool").arg("--info").arg(path).output().ok()?;
    (output.status.success()).then(|| count as f64 / start.elapsed().as_secs_f64())
}
