//! The server's log: lines on standard error that never block the server or make it fail.
//!
//! A separate thread writes them. Lines that it cannot write in time are dropped and counted, and a later line reports
//! the number.

use std::cell::Cell;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::panic::PanicHookInfo;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use dskpp_server::config::{LogFormat, LogSection};
use dskpp_server::{ConfigError, ConfigFault};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::output::Failure;
use crate::platform::standard_error;
use crate::serve::fault;

/// Octets of queued lines.
const MOST_WAITING: usize = 256 * 1024;
/// The interval between reports of lost lines.
const REPORT: Duration = Duration::from_secs(1);
/// How long an ending program waits for the reader of its log.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The log, once started.
static STARTED: OnceLock<Started> = OnceLock::new();

thread_local! {
    /// Whether this is the writer thread: its own report always fits in the queue.
    static WRITES: Cell<bool> = const { Cell::new(false) };
}

struct Started {
    queue: &'static Queue,
    set_filter: Box<SetFilter>,
}

type SetFilter = dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync;

/// Starts the log as configured in `file`; `RUST_LOG` overrides the level. Panics are logged from now on.
pub(crate) fn start(log: &LogSection, file: Option<&Path>) -> Result<(), Failure> {
    let filter = filter(&log.level).map_err(|why| fault(why.located(file)))?;
    let failed = |why: io::Error| Failure::new(format!("cannot start the log: {why}"));
    let out = standard_error().map_err(failed)?;
    let (queue, lines) = Queue::new();
    let queue: &'static Queue = Box::leak(Box::new(queue));
    thread::Builder::new().name("log".into()).spawn(move || queue.write(&lines, out)).map_err(failed)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(queue);
    let set_filter: Box<SetFilter> = match log.format {
        LogFormat::Json => {
            let builder = builder.json().with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Box::new(move |filter| handle.reload(filter).map_err(|why| why.to_string()))
        }
        LogFormat::Text => {
            let builder = builder.with_ansi(io::stderr().is_terminal()).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Box::new(move |filter| handle.reload(filter).map_err(|why| why.to_string()))
        }
    };
    // The default hook would write to standard error directly, and block.
    std::panic::set_hook(Box::new(log_panic));
    _ = STARTED.set(Started { queue, set_filter });
    Ok(())
}

/// The log filter, from `log.level` or `RUST_LOG`.
fn filter(level: &str) -> Result<EnvFilter, ConfigError> {
    let (value, place) = match std::env::var("RUST_LOG") {
        Ok(filter) => (filter, Some("environment variable RUST_LOG".to_owned())),
        Err(_) => (level.to_owned(), None),
    };
    EnvFilter::try_new(&value).map_err(|why| {
        let (key, remedy) = ("log.level".to_owned(), format!("is not a log filter: {why}"));
        ConfigError(vec![ConfigFault { key, value, remedy, place }])
    })
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let payload = panic.payload();
    let why = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let (name, why) = (thread.name().unwrap_or("unnamed"), why.unwrap_or("no reason"));
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!("bug in this program, please report it: thread {name} panicked at {place}: {why}");
}

/// Changes the level of a started log.
pub(crate) fn set_level(level: &str) -> Result<(), String> {
    let filter = filter(level).map_err(|why| why.to_string())?;
    STARTED.get().map_or(Ok(()), |started| (started.set_filter)(filter))
}

/// Ends the program's log: waits a limited time for queued lines, then runs `last`, which may write to standard error
/// too.
/// write to the same place.
pub(crate) fn end(last: impl FnOnce() + Send + 'static) {
    let Some(started) = STARTED.get() else { return last() };
    let (done, wait) = sync_channel(1);
    let ended = move || {
        last();
        _ = done.send(());
    };
    started.queue.flush();
    if thread::Builder::new().spawn(ended).is_ok() {
        _ = wait.recv_timeout(LAST_WORDS);
    }
}

/// Input of the writer thread.
enum Line {
    Text(Vec<u8>),
    Flush(SyncSender<()>),
}

/// The queue of lines.
struct Queue {
    lines: Sender<Line>,
    waiting: AtomicUsize,
    lost: AtomicU64,
}

impl Queue {
    fn new() -> (Self, Receiver<Line>) {
        let (lines, waiting) = channel();
        (Queue { lines, waiting: AtomicUsize::new(0), lost: AtomicU64::new(0) }, waiting)
    }

    /// Queues a line, or counts it as lost.
    fn put(&self, line: &[u8]) {
        let fits = self.waiting.fetch_add(line.len(), Relaxed) + line.len() <= MOST_WAITING;
        if !(fits || WRITES.get()) || self.lines.send(Line::Text(line.to_vec())).is_err() {
            self.waiting.fetch_sub(line.len(), Relaxed);
            self.lost.fetch_add(1, Relaxed);
        }
    }

    /// Waits a limited time until all queued lines are written.
    fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.lines.send(Line::Flush(done)).is_ok() {
            _ = wait.recv_timeout(LAST_WORDS);
        }
    }

    /// Writes lines, forever.
    fn write(&self, lines: &Receiver<Line>, mut out: impl Write) {
        WRITES.set(true);
        let mut reported: Option<Instant> = None;
        for line in lines {
            let text = match line {
                Line::Text(text) => text,
                Line::Flush(done) => {
                    _ = done.send(()); // the waiter has given up
                    continue;
                }
            };
            let left = self.waiting.fetch_sub(text.len(), Relaxed) - text.len();
            if write_all(&mut out, &text).is_err() {
                self.lost.fetch_add(1, Relaxed);
            } else if left == 0 || reported.is_none_or(|last| last.elapsed() > REPORT) {
                match self.lost.swap(0, Relaxed) {
                    0 => {}
                    lost => {
                        reported = Some(Instant::now());
                        tracing::error!(lost, "lost log lines: the reader was too slow or failed");
                    }
                }
            }
        }
    }
}

/// Like `Write::write_all`, but also waits if the reader made the pipe non-blocking.
fn write_all(out: &mut impl Write, mut text: &[u8]) -> io::Result<()> {
    while !text.is_empty() {
        match out.write(text) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(len) => text = &text[len..],
            Err(why) if why.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(10)),
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

/// Each call writes one line.
impl Write for &Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for &'static Queue {
    type Writer = &'static Queue;

    fn make_writer(&self) -> Self::Writer {
        self
    }
}
